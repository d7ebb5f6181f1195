#!/usr/bin/env bash
# The client as a program under test of Tests/Conformance/runner.py.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
exec "$REPO/.venv/bin/python" "$REPO/Tests/Conformance/adapters/python_client.py"
