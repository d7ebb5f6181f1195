#!/usr/bin/env bash
# soak.sh [OPTION...]: runs the simulation for ten thousand seeds (HITO_SOAK_SEEDS: so many), two halves at a
# time, and then Tests/EndToEnd/history_soak.py against the server that `make build` made (HITO_BINARY: another
# one). Ends with 1 at a violation, and names the seed, or the folder of the history.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

export HITO_BINARY=${HITO_BINARY:-$REPO/.build/release/hito}
export PYTHONPATH=$REPO/Tests/EndToEnd:$REPO/clients/python/src
printf 'machine: %s cores, %s\ncommit: %s\n' "$(nproc)" \
  "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" \
  "$(git describe --always --dirty --exclude '*' 2>/dev/null || printf 'no git')"

half=$((${HITO_SOAK_SEEDS:-10000} / 2))
swift build --product hito-simulate >&2
simulate=$(swift build --show-bin-path)/hito-simulate
"$simulate" --seed 1 --count "$half" &
first=$!
"$simulate" --seed $((half + 1)) --count "$half"
wait "$first"

exec "$REPO/.venv/bin/python" Tests/EndToEnd/history_soak.py "$@"
