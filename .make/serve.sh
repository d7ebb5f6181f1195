#!/usr/bin/env bash
# serve.sh [OPTION...]: runs the server that `make build` made. Options go to `hito serve`.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
exec "$REPO/.build/release/hito" serve "$@"
