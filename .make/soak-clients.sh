#!/usr/bin/env bash
# soak-clients.sh [OPTION...]: builds the programs of the cross matrix that this machine can have, and runs
# Tests/Matrix/matrix.py (120 s where no option says otherwise) against the server that `make build` made
# (HITO_BINARY: another one). Ends with 1 at a violation, and names the folder of the histories.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

export HITO_BINARY=${HITO_BINARY:-$REPO/.build/release/hito}
export PYTHONPATH=$REPO/Tests/EndToEnd:$REPO/Tests/Matrix:$REPO/clients/python/src
Tests/Matrix/build.sh
exec "$REPO/.venv/bin/python" Tests/Matrix/matrix.py "$@"
