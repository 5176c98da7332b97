#!/bin/sh
# What the source must not contain.
n=0 failed=0
none() { # DESCRIPTION PATTERN DIR...
	what=$1 pattern=$2
	shift 2
	n=$((n + 1))
	out=$(cd "$PH_SRCDIR" && grep -rnE --include='*.[ch]' -e "$pattern" "$@")
	if [ -z "$out" ]; then echo "ok $n - $what"; else
		echo "not ok $n - $what"
		echo "$out" | sed 's/^/# /'
		failed=1
	fi
}
all="lib bin cgi-bin jobs t/unit t/fuzz t/e2e"
none "no unbounded string functions" '\b(strcpy|strcat|sprintf|strtok|alloca|atoi)\(' $all
none "endpoints and jobs neither print nor read the environment" '\b(getenv|printf|fprintf|strtol)\(' cgi-bin jobs
n=$((n + 1))
out=$(cd "$PH_SRCDIR" && grep -rl 'sqlite3\.h' lib bin cgi-bin jobs | grep -v '^lib/core/db-')
if [ -z "$out" ]; then echo "ok $n - only lib/core/db knows sqlite3.h"; else
	echo "not ok $n - only lib/core/db knows sqlite3.h"
	echo "# $out"
	failed=1
fi
n=$((n + 1))
out=$(cd "$PH_SRCDIR" && grep -rl 'curl/curl\.h' lib bin cgi-bin jobs | grep -v '^lib/net/')
if [ -z "$out" ]; then echo "ok $n - only lib/net knows curl.h"; else
	echo "not ok $n - only lib/net knows curl.h"
	echo "# $out"
	failed=1
fi
echo "1..$n"
exit $failed
