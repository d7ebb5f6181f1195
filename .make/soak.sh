#!/usr/bin/env bash
# soak.sh [OPTION...]: runs Tests/EndToEnd/history_soak.py against the server that `make build` made
# (HITO_BINARY: another one). Ends with 1 at a violation, and names the folder of its history.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

export HITO_BINARY=${HITO_BINARY:-$REPO/.build/release/hito}
export PYTHONPATH=$REPO/Tests/EndToEnd:$REPO/clients/python/src
printf 'machine: %s cores, %s\ncommit: %s\n' "$(nproc)" \
  "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" \
  "$(git describe --always --dirty --exclude '*' 2>/dev/null || printf 'no git')"
exec "$REPO/.venv/bin/python" Tests/EndToEnd/history_soak.py "$@"
