#!/usr/bin/env bash
# Builds the client, checks it with its linter and a second type checker, and runs its tests: golden bytes, machines, a
# scripted server, and a real one (HITO_BINARY), which also runs the examples and the code of README.md.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
cd "$REPO/clients/typescript"
source ./toolchain.sh

out=$REPO/.build-clients/typescript
./build.sh
deno=$REPO/.venv/bin/deno
[ -x "$deno" ] || die "the linter is missing" "clients/typescript/setup.sh installs it"
# Deno has types of Node.js built in, and looks for others where there is a package.json.
export DENO_NO_PACKAGE_JSON=1 DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
"$deno" lint --quiet src tests conformance examples
"$deno" check --quiet --sloppy-imports src/index.ts src/codec.ts
# What must run without Node.js needs nothing of it.
if grep -rlE 'from "node:|require\(' src/codec src/rpc src/gen src/codec.ts; then
  die "these files are for every platform, and import from Node.js"
fi
(cd "$out/package" && npm pack --silent --pack-destination "$out" >/dev/null) || die "npm pack failed"

./protobuf-conformance.sh 2>&1 | { grep -aE "^CONFORMANCE SUITE|^ERROR|error|not run" || true; } \
  || [ "${PIPESTATUS[0]}" -eq 3 ] || die "the codec fails protobuf's conformance suite"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests/certificates.sh "$work"
HITO_REPOSITORY=$REPO HITO_TEST_CERTIFICATES=$work node --test "$out"/dev/tests/*.test.js
"$REPO/.venv/bin/python" tests/e2e/run.py "$work"
