#!/bin/sh
# The client as a program under test of Tests/Conformance/runner.py; clients/c/build.sh builds it.
exec "$(dirname "$0")/../../.build-clients/c/plain/conformance/conformance"
