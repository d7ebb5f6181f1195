#!/usr/bin/env bash
# Types, packages and tests of the client. HITO_BINARY names the server for the tests that need one.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
client=$REPO/clients/python
"$client/build.sh"
cd "$client"
mypy() { "$REPO/.venv/bin/python" -m mypy --cache-dir "$REPO/.build-clients/python/mypy" "$@"; }
# The package with the generated stubs, then what stands on it; the README's examples are checked by the tests.
mypy --package hito
mypy examples
cd "$REPO"
exec "$REPO/.venv/bin/python" -m pytest -q "$@" clients/python/tests
