#!/usr/bin/env bash
# The program that Tests/Conformance/runner.py holds to the protocol; build.sh has made it.
exec "$(dirname "${BASH_SOURCE[0]}")/../../.build-clients/go/conformance"
