#!/usr/bin/env bash
# Builds and runs the fuzzer of the guard and protobuf-c behind it, in C alone, with the address and the
# undefined-behaviour sanitizer: run.sh CORPUS [OPTION OF LIBFUZZER...]. Needs the clang of the Swift
# toolchain.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
work=.build-fuzz/guard
mkdir -p "$work"
clang=${CLANG:-$(dirname "$(readlink -f "$(command -v swift)")")/clang}
mapfile -t sources < <(find Tests/Fixtures/CFixtureMessages Sources/Generated/CMessages -name '*.c')
"$clang" -g -O1 -fuse-ld=lld -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
  -ISources/CProtobufC -ISources/CProtobufC/include -ISources/Generated/CMessages/include \
  -ITests/Fixtures/CFixtureMessages/include -I"$here/include" "$here"/*.c Sources/CProtobufC/*.c \
  "${sources[@]}" -lprotobuf-c -o "$work/fuzz_guard"
exec "$work/fuzz_guard" "$@"
