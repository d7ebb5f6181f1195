#!/usr/bin/env bash
# The program that Tests/Conformance/runner.py holds to the protocol. It is built with the repository's tests, beside the
# debug build of the server.
debug=${HITO_E2E_DEBUG_BINARY:-$(dirname "${BASH_SOURCE[0]}")/../../.build/debug/hito}
exec "$(dirname "$debug")/conformance-client"
