#!/bin/sh
# The client as a program under test of Tests/Conformance/runner.py; clients/c/build.sh builds it.
# HITO_C_BUILD=asan is the one with sanitizers.
exec "$(dirname "$0")/../../.build-clients/c/${HITO_C_BUILD:-plain}/conformance/conformance"
