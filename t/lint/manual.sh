#!/bin/sh
# The manual is clean mdoc, and says what the programs say.
n=0 failed=0
check() { # DESCRIPTION COMMAND...
	what=$1
	shift
	n=$((n + 1))
	if out=$("$@" 2>&1); then echo "ok $n - $what"; else
		echo "not ok $n - $what"
		echo "$out" | sed 's/^/# /'
		failed=1
	fi
}
for page in pilothouse.1 pilothouse.conf.5 pilothouse-api.7; do
	check "$page has no lint" mandoc -Tlint -Werror "$PH_BUILDDIR/man/$page"
done
for command in $("$PH_BUILDDIR/pilothouse" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	check "pilothouse(1) documents $command" grep -q "^\.It .*$command" "$PH_BUILDDIR/man/pilothouse.1"
done
readme_example() {
	example=$(sed -n '/^```c$/,/^```$/{/^```/!p}' "$PH_SRCDIR/README.md")
	[ -n "$example" ] && echo "$example" |
		${CC:-cc} -std=c11 -Wall -Wextra -Werror -fsyntax-only -D_GNU_SOURCE -I"$PH_BUILDDIR" -I"$PH_SRCDIR/lib" -xc -
}
check "the endpoint that README shows compiles" readme_example
echo "1..$n"
exit $failed
