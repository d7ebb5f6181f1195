#!/usr/bin/env bash
# The client as a program under test of Tests/Conformance/runner.py: that for asyncio, or with the argument `sync` the one
# that blocks.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
case ${1:-asyncio} in
  asyncio) adapter=python_client.py ;;
  sync) adapter=python_sync_client.py ;;
  *) die "usage: conformance.sh [sync]" ;;
esac
exec "$REPO/.venv/bin/python" "$REPO/Tests/Conformance/adapters/$adapter"
