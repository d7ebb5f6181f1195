#!/usr/bin/env bash
# The client as a program under test of Tests/Conformance/runner.py, built by build.sh.
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec node .build-clients/typescript/dev/conformance/main.js
