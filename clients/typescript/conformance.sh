#!/usr/bin/env bash
# The client as a program under test of Tests/Conformance/runner.py, built by build.sh.
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cd "$REPO"
source clients/typescript/toolchain.sh
exec node .build-clients/typescript/dev/conformance/main.js
