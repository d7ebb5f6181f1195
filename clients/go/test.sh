#!/usr/bin/env bash
# Builds, lints and tests the Go client; with HITO_BINARY, a server's program, also against that, and runs the README's code.
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
use_go
cd "$CLIENT"

unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || die "gofmt would change: $unformatted"
go vet ./...
"$CLIENT/build.sh"

# The race detector needs a C compiler.
race=()
if command -v gcc >/dev/null; then race=(-race); fi
suites=$(go list ./... | grep -v /endtoend)
# shellcheck disable=SC2086 # one word for each package
go test ${race[@]+"${race[@]}"} -timeout 200s $suites

if [ -z "${HITO_BINARY:-}" ]; then
  note "HITO_BINARY names no server: the end-to-end tests are left out"
  exit 0
fi
go test ${race[@]+"${race[@]}"} -c -o "$GO_BUILD/endtoend.test" ./endtoend
go build -o "$GO_BUILD/journey" ./examples/journey
"$REPO/.venv/bin/python" endtoend/drive.py bash -euo pipefail -c '
  "$0/journey" >/dev/null
  "$0/endtoend.test" -test.timeout 500s' "$GO_BUILD"
