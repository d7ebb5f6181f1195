#!/bin/bash
# The program under test of Tests/Conformance/runner.py; build.sh makes it.
exec "$(dirname "$0")/../../.build-clients/rust/target/debug/examples/conformance"
