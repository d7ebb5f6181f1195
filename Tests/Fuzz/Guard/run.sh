#!/bin/sh
# Fuzzes the guard and protobuf-c behind it: run.sh [seconds]. Starts from the message vectors and
# from cases/, where inputs that once failed are kept. Needs the clang of the Swift toolchain.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/corpus" "$here/cases"

# The first byte chooses the type, in the order of `types` in fuzz_guard.c.
python3 - "$work/corpus" <<'PYTHON'
import json, pathlib, sys
types = ["Scalars", "Lists", "Maps", "Choices", "Tree", "Names"]
vectors = json.loads(pathlib.Path("Tests/Vectors/messages/vectors.json").read_text())["vectors"]
for index, vector in enumerate(vectors):
    name = vector["type"].rpartition(".")[2]
    if name in types:
        data = bytes([types.index(name)]) + bytes.fromhex(vector["bytes"])
        (pathlib.Path(sys.argv[1]) / str(index)).write_bytes(data)
PYTHON

clang=${CLANG:-$(dirname "$(readlink -f "$(command -v swift)")")/clang}
sources=$(find Tests/Fixtures/CFixtureMessages Sources/Generated/CMessages/google -name '*.c')
"$clang" -g -O1 -fsanitize=fuzzer,address \
  -ISources/CProtobufC -ISources/CProtobufC/include -ISources/Generated/CMessages/include \
  -ITests/Fixtures/CFixtureMessages/include "$here/fuzz_guard.c" Sources/CProtobufC/*.c $sources \
  -lprotobuf-c -o "$work/fuzz_guard"
"$work/fuzz_guard" -max_total_time="${1:-60}" -max_len=4096 -artifact_prefix="$here/cases/" \
  "$work/corpus" "$here/cases"
