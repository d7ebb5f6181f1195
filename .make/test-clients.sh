#!/usr/bin/env bash
# test-clients.sh [LANGUAGE...]: builds and tests the clients below clients/, and holds each to the protocol. Their
# servers are the program that `make build` made.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/runs.sh"
cd "$REPO"

languages=$("$REPO/.make/setup-clients.sh" "$@")
for language in $languages; do start "client: $language" "$REPO/.make/test-client.sh" "$language"; done
summary
note "all clients passed in $SECONDS s"
