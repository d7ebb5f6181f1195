#!/usr/bin/env bash
# Asks a server on the loopback interface and our clients what TLS they accept: docs/tls.md.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"
HITO_BINARY=$(swift build --show-bin-path)/hito
export HITO_BINARY
exec "$REPO/.venv/bin/python" Tests/EndToEnd/tls_scan.py
