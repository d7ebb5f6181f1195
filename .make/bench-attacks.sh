#!/usr/bin/env bash
# bench-attacks.sh [OPTION OF PYTEST...]: attacks the server that `make build` made, as `make test` does
# with the debug build, and holds the times of an honest caller to their bounds, too. Ends with what
# each attack cost, one FIGURE line per figure, and 1 where a bound does not hold.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"
printf 'machine: %s cores, %s; load %s\ncommit: %s\n' "$(nproc)" \
  "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" \
  "$(cut -d ' ' -f 1-3 /proc/loadavg)" \
  "$(git describe --always --dirty --exclude '*' 2>/dev/null || printf 'no git')"
HITO_BINARY=$REPO/.build/release/hito HITO_ATTACK_TIMES=1 \
  "$REPO/.venv/bin/python" -m pytest -q --tb=short Tests/Attacks "$@"
