#!/usr/bin/env bash
# Builds the package, the conformance program, the tests, the examples and the code of README.md, below
# .build-clients/typescript. What has not changed is not compiled again.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
cd "$REPO/clients/typescript"
source ./toolchain.sh

out=$REPO/.build-clients/typescript
command -v tsc >/dev/null || die "tsc is missing" "clients/typescript/setup.sh installs it"
mkdir -p "$out"/{package,dev,examples,node_modules,readme}
printf '{ "type": "module" }\n' >"$out/package.json"
# As `npm pack` takes it.
tsc -p tsconfig.json
cp package.json README.md "$out/package/"
tsc -p tsconfig.dev.json
# Examples import the package by its name.
ln -sfn ../package "$out/node_modules/hito"
python3 tests/readme.py README.md "$out/readme/readme.ts"
tsc -p tsconfig.examples.json
