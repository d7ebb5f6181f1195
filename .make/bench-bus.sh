#!/usr/bin/env bash
# What hangs on the log, with the server that `make build` made: publishing to RabbitMQ beside librabbitmq
# alone, consumer groups, rebuilds, and seals. All of it runs; what misses its promise fails it.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"
"$REPO/.make/setup-rabbitmq.sh"
printf 'machine: %s cores, %s; load %s\ncommit: %s\n' "$(nproc)" \
  "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" \
  "$(cut -d ' ' -f 1-3 /proc/loadavg)" \
  "$(git describe --always --dirty --exclude '*' 2>/dev/null || printf 'no git')"
status=0
HITO_BINARY=${HITO_BINARY:-$REPO/.build/release/hito} \
  "$REPO/.venv/bin/python" Tests/Benchmarks/python/bus.py "$@" || status=$?
"$REPO/.make/bench.sh" groups || status=$?
"$REPO/.make/bench-replay.sh" || status=$?
HITO_BINARY=${HITO_BINARY:-$REPO/.build/release/hito} \
  "$REPO/.venv/bin/python" Tests/Benchmarks/python/seals.py || status=$?
exit "$status"
