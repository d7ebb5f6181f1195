#!/usr/bin/env bash
# Builds what is held to the protocol, and runs the conformance runner against it.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

swift build --product hito
swift build --product conformance-client
HITO_BINARY=$(swift build --show-bin-path)/hito
export HITO_BINARY
"$REPO/.venv/bin/python" Tests/Conformance/runner.py clauses >/dev/null \
  || die "a clause has neither a case nor a reason" "see Tests/Conformance/runner.py clauses"
exec "$REPO/.venv/bin/python" Tests/Conformance/ours.py --quiet "$@"
