#!/usr/bin/env bash
# bench-build.sh [OPTION...]: how long a first build of the server takes, and one after a change. In a
# copy of the work tree below .build-bench, so that nothing of it is compiled already.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"
exec "$REPO/.venv/bin/python" .make/bench_build.py "$@"
