#!/usr/bin/env bash
# Publishing to RabbitMQ beside librabbitmq alone, with the server that `make build` made.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"
"$REPO/.make/setup-rabbitmq.sh"
printf 'machine: %s cores, %s; load %s\ncommit: %s\n' "$(nproc)" \
  "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" \
  "$(cut -d ' ' -f 1-3 /proc/loadavg)" \
  "$(git describe --always --dirty --exclude '*' 2>/dev/null || printf 'no git')"
HITO_BINARY=${HITO_BINARY:-$REPO/.build/release/hito} \
  exec "$REPO/.venv/bin/python" Tests/Benchmarks/python/bus.py "$@"
