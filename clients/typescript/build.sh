#!/usr/bin/env bash
# Builds the package, the examples, the conformance program and the tests, below .build-clients/typescript.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
cd "$REPO/clients/typescript"

out=$REPO/.build-clients/typescript
command -v tsc >/dev/null || die "tsc is missing" "clients/typescript/setup.sh installs it"
mkdir -p "$out/package" "$out/dev" "$out/examples" "$out/node_modules"
# The package, as `npm pack` takes it.
tsc -p tsconfig.json
cp package.json README.md "$out/package/"
# Its name, for the examples and the code of README.md.
ln -sfn ../package "$out/node_modules/hito"
tsc -p tsconfig.dev.json
printf '{ "type": "module" }\n' | tee "$out/dev/package.json" >"$out/examples/package.json"
tsc -p tsconfig.examples.json
