#!/bin/sh
# Makes everything that is generated: first the Go client and the types of the API (api/client), from api/openapi.yaml,
# then the charts, schemas and references in docs/, from the code.
#
#   tools/generate.sh          writes it
#   tools/generate.sh --check  fails, and shows the difference, when the client that is checked in is not what comes
#                              out; the tests do so for docs/
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-}" != --check ]; then
    go generate ./api/client
    exec go generate ./...
fi

kept=$(mktemp -d)
restore() {
    cp "$kept"/* api/client/
    rm -rf "$kept"
}
cp api/client/client.gen.go api/client/client.gen.sha256 "$kept/"
trap restore EXIT
go generate ./api/client
diff -u "$kept/client.gen.go" api/client/client.gen.go && diff -u "$kept/client.gen.sha256" api/client/client.gen.sha256 || {
    echo "api/client is not what api/openapi.yaml makes: run tools/generate.sh" >&2
    exit 1
}
