#!/usr/bin/env bash
# What the client, its checks and its tests need: the Python packages in .venv, the client among them.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
"$REPO/.make/setup-python.sh"
