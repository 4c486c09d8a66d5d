#!/bin/sh
# Runs every fuzz target that there is, one after the other, each for a while. What one finds is written to testdata/fuzz beside
# it: check that file in with the fix, and every `go test` tries it again.
#
#   tools/fuzz.sh                            a minute each
#   FUZZTIME=10m tools/fuzz.sh ./api         ten minutes each, of the packages that are named
#   FUZZTIME=5000x tools/fuzz.sh             so many inputs each
set -eu
cd "$(dirname "$0")/.."

time=${FUZZTIME:-60s}
[ $# -gt 0 ] || set -- ./...
listed=$(go test -list '^Fuzz' "$@") || { echo "$listed" >&2; exit 1; }
targets=$(echo "$listed" | awk '
    /^Fuzz/ { found[++n] = $1 }
    $1 == "ok" { for (i = 1; i <= n; i++) print $2, found[i]; n = 0 }')
[ -n "$targets" ] || { echo "no fuzz target in $*" >&2; exit 1; }

failed=
while read -r package target; do
    echo "$target of $package, for $time"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" || failed="$failed $target"
done <<EOF
$targets
EOF
[ -z "$failed" ] || { echo "found something:$failed" >&2; exit 1; }
