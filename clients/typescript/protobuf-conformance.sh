#!/usr/bin/env bash
# Holds the client's codec to the official conformance suite of protobuf: proto3, binary, required and recommended. No
# test fails. Ends with 3 where the runner, protoc or our generator (HITO_GENERATOR) is not here.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
cd "$REPO/clients/typescript"
source ./toolchain.sh

missing() {
  note "protobuf's conformance suite was not run: $1"
  exit 3
}
folder=$(find_component "$(conformance_component)" "$(conformance_stamp)") \
  || missing "its runner is not here: .make/setup-conformance.sh installs it"
generator=${HITO_GENERATOR:-$REPO/.build/debug/protoc-gen-hito}
[ -x "$generator" ] || missing "there is no $generator"
command -v protoc >/dev/null || missing "there is no protoc"

out=$REPO/.build-clients/typescript/protobuf
mkdir -p "$out/gen"
printf '{ "type": "module" }\n' >"$out/package.json"
include=$folder/include
# Numbers of 64 bits as bigints: the suite goes to their ends. Its messages contain themselves.
(cd "$include" && protoc -I . --plugin=protoc-gen-hito="$generator" \
  --hito_opt=mode=typescript,int64=bigint,recursion=allowed,runtime=../../../../clients/typescript/src \
  --hito_out="$out/gen" conformance/conformance.proto conformance/messages/test_messages_proto3.proto \
  google/protobuf/{any,duration,empty,field_mask,struct,timestamp,wrappers}.proto)
tsc -p tsconfig.protobuf.json
printf '#!/bin/sh\nexec node %s\n' "$out/dist/clients/typescript/tests/protobuf/testee.js" >"$out/testee"
chmod +x "$out/testee"

libraries=$(dirname "$(find "$folder/system/usr/lib" -name 'libc.so.6' | head -n 1)")
loader=$(find "$libraries/" -name 'ld-linux-*.so.*' | head -n 1)
cd "$out"
"$loader" --library-path "$libraries" "$folder/bin/conformance_test_runner" --enforce_recommended "$@" "$out/testee"
