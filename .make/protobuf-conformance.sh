#!/usr/bin/env bash
# Holds the server's codec to the official conformance suite of protobuf: proto3, binary, required and
# recommended. Exactly the tests of Tests/ProtobufConformance/expected-failures.txt fail. Ends with 3 where the
# runner is not there for this machine.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$REPO"

folder=$(find_component "$(conformance_component)" "$(conformance_stamp)") || {
  note "the conformance runner of protobuf is not here: .make/setup-conformance.sh installs it"
  exit 3
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
suite=Tests/ProtobufConformance

# The runner's own protos; protoc-gen-c takes them as they are.
include=$folder/include
(cd "$include" && protoc -I . --c_out="$work" conformance/conformance.proto \
  conformance/messages/test_messages_proto3.proto \
  google/protobuf/{any,duration,empty,field_mask,struct,timestamp,wrappers}.proto)
mapfile -t sources < <(find "$work" -name '*.c')
compiler=$(dirname "$(readlink -f "$(command -v swift)")")/clang
"$compiler" -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
  -fuse-ld=lld -ISources/CProtobufC -ISources/CProtobufC/include -I"$work" "$suite/testee.c" \
  Sources/CProtobufC/*.c "${sources[@]}" -lprotobuf-c -o "$work/testee"

# The list without its reasons.
sed -e 's/[[:space:]]*#.*//' -e '/^$/d' "$suite/expected-failures.txt" > "$work/expected"
libraries=$(dirname "$(find "$folder/system/usr/lib" -name 'libc.so.6' | head -n 1)")
loader=$(find "$libraries/" -name 'ld-linux-*.so.*' | head -n 1)
export ASAN_OPTIONS=detect_leaks=0
(cd "$work" && "$loader" --library-path "$libraries" "$folder/bin/conformance_test_runner" \
  --enforce_recommended --failure_list "$work/expected" "$@" "$work/testee")
