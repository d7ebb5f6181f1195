#!/usr/bin/env bash
# bench-replay.sh [OPTION...]: how many events a second `hito replay` folds, from the log and from the
# lake, with the server that `make build` made.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"
HITO_BINARY=${HITO_BINARY:-$REPO/.build/release/hito} \
  "$REPO/.venv/bin/python" Tests/Benchmarks/python/replay_speed.py "$@"
