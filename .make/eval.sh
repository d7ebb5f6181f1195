#!/usr/bin/env bash
# eval.sh [OPTION...]: runs Tests/Evaluation/evaluate.py against the server that `make build` made.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"
"$REPO/.make/setup-reference-encoder.sh"

export HITO_BINARY=$REPO/.build/release/hito
printf 'machine: %s cores, %s\ncommit: %s\n' "$(nproc)" \
  "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" \
  "$(git describe --always --dirty --exclude '*' 2>/dev/null || printf 'no git')"
exec "$REPO/.venv/bin/python" Tests/Evaluation/evaluate.py "$@"
