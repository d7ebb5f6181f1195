#!/usr/bin/env bash
# Pages of the API, made by pdoc of the docstrings, below .build-clients/python/reference.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
cd "$REPO/clients/python/src"
# Of named tuples pdoc evaluates the types where they are not known.
exec "$REPO/.venv/bin/python" -W "ignore:Error parsing type annotation" -m pdoc --output-directory "$REPO/.build-clients/python/reference" \
  hito hito.sync hito.frames hito.notebook
