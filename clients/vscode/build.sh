#!/usr/bin/env bash
# Builds the extension below .build-clients/vscode: `extension` is what an editor loads, `build` what the tests run.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"

"$REPO/clients/typescript/build.sh"
cd "$REPO/clients/vscode"
out=$REPO/.build-clients/vscode
mkdir -p "$out/build" "$out/node_modules/vscode"
printf '{ "type": "module" }\n' >"$out/build/package.json"
# The stand-in, under the name that an editor gives its own module.
printf '{ "type": "module", "exports": "./index.js" }\n' >"$out/node_modules/vscode/package.json"
printf 'export * from "../../build/tests/vscode.js";\n' >"$out/node_modules/vscode/index.js"
ln -sfn ../../typescript/package "$out/node_modules/hito"
tsc -p tsconfig.json
rm -rf "$out/extension"
mkdir -p "$out/extension/node_modules"
cp -r package.json README.md "$out/extension/"
cp -r "$out/build/src" "$out/extension/dist"
cp -r "$REPO/.build-clients/typescript/package" "$out/extension/node_modules/hito"
