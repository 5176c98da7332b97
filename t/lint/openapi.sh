#!/bin/sh
# openapi.json passes an independent linter.
lint=$PH_NODE_MODULES/.bin/redocly
echo "1..1"
if [ ! -x "$lint" ]; then
	echo "not ok 1 - redocly is not installed in PH_NODE_MODULES; ./check installs it"
	exit 1
fi
if out=$(REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true "$lint" lint --config "$PH_SRCDIR/t/lint/redocly.yaml" "$PH_BUILDDIR/share/openapi.json" 2>&1); then
	echo "ok 1 - openapi.json has no lint"
else
	echo "not ok 1 - openapi.json has no lint"
	echo "$out" | sed 's/^/# /'
	exit 1
fi
