#!/usr/bin/env bash
# demo.sh [OPTION...]: plays the journeys of Tests/Demo/demo.py against the server that `make build` made.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"
export HITO_BINARY=$REPO/.build/release/hito
exec "$REPO/.venv/bin/python" Tests/Demo/demo.py "$@"
