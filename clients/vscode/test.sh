#!/usr/bin/env bash
# Builds the extension, checks it, and runs its tests: its logic alone, and the whole of it against a real server
# (HITO_BINARY) in a stand-in for the editor.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
cd "$REPO/clients/vscode"
source ../typescript/toolchain.sh

./build.sh
export DENO_NO_PACKAGE_JSON=1 DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
"$REPO/.venv/bin/deno" lint --quiet src tests
# One file knows the editor.
knowing=$(grep -lE 'from "vscode"' src/*.ts)
[ "$knowing" = src/extension.ts ] || die "only src/extension.ts imports the editor's module" "$knowing"
"$REPO/.venv/bin/python" tests/run.py
