#!/usr/bin/env bash
# test-client.sh LANGUAGE: builds and tests one client, and holds it to the protocol. Its toolchain is there
# (setup-clients.sh); its servers are HITO_BINARY, or what `make build` made.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

# In seconds, of each step.
limit=${HITO_TEST_LIMIT:-600}
export HITO_BINARY=${HITO_BINARY:-$REPO/.build/release/hito}
[ -x "$HITO_BINARY" ] || die "$HITO_BINARY is not there" "run: make build"
within() { timeout --kill-after=20 "$limit" "$@"; }

within "clients/$1/build.sh"
within "clients/$1/test.sh"
# The editor's extension is made of that client.
[ "$1" != typescript ] || within clients/vscode/test.sh
# Those of the asyncio client and of Swift's are end-to-end tests.
[ "$1" != swift ] || exit 0
side=$1
[ "$1" != python ] || side=python-sync
within "$REPO/.venv/bin/python" Tests/Conformance/ours.py "$side" --quiet --time-factor 6
