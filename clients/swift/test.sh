#!/usr/bin/env bash
# Builds the example and runs it against a real server, which HITO_BINARY names. The client's own tests are the
# repository's: Tests/HitoClientTests and Tests/TransportTests.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
client=$REPO/clients/swift
python=$REPO/.venv/bin/python
[ -x "$python" ] || python=python3

"$client/build.sh"
"$python" "$client/tests/readme.py"
HITO_BINARY=${HITO_BINARY:-$REPO/.build/debug/hito}
if [ ! -x "$HITO_BINARY" ]; then
  note "no $HITO_BINARY: the test against a real server is left out (make build, or set HITO_BINARY)"
  exit 0
fi
HITO_BINARY=$HITO_BINARY timeout 300 "$python" "$client/tests/end_to_end.py" \
  "$REPO/.build-clients/swift/debug/hito-example"
