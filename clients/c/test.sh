#!/usr/bin/env bash
# Builds and tests the C client: compilers' and cppcheck's warnings, tests with sanitizers and under valgrind, the code of
# README.md against an installed library, and the real server that HITO_BINARY names.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
cd "$REPO/clients/c"

plain=$REPO/.build-clients/c/plain asan=$REPO/.build-clients/c/asan
tests=(wire messages machines tokens hostile client memory)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HITO_VECTORS=$REPO/Tests/Vectors

./build.sh plain
./build.sh asan

# The other compiler, where there is one.
if command -v clang >/dev/null; then
  # shellcheck disable=SC2046
  clang -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wvla -Werror \
    -Iinclude -Igenerated -Isrc $(pkg-config --cflags openssl libprotobuf-c zlib) -fsyntax-only src/*.c conformance/*.c \
    examples/*.c generated/hito/v1/*_client.c
fi
if command -v cppcheck >/dev/null; then
  cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
    --suppress=missingIncludeSystem -D__GNUC__ -Iinclude -Isrc src conformance examples
fi

for test in "${tests[@]}"; do timeout 120 "$asan/tests/test_$test"; done
"$REPO/.venv/bin/python" tests/resuming.py "$asan"
"$REPO/.venv/bin/python" tests/refreshing.py "$asan"
if command -v valgrind >/dev/null; then
  for test in machines tokens client; do
    timeout 120 valgrind --quiet --error-exitcode=1 --leak-check=full --show-leak-kinds=all \
      --errors-for-leak-kinds=definite,indirect,possible "$plain/tests/test_$test"
  done
fi

if command -v doxygen >/dev/null; then
  (cd "$REPO" && doxygen clients/c/Doxyfile)
fi

# A program outside of the tree, against an installed library: README's code.
make -s BUILD="$plain" install PREFIX="$work/prefix"
export PKG_CONFIG_PATH=$work/prefix/lib/pkgconfig LD_LIBRARY_PATH=$work/prefix/lib
python3 tests/readme.py README.md >"$work/readme.c"
# shellcheck disable=SC2046
cc -std=c11 -Wall -Wextra -Werror -o "$work/readme" "$work/readme.c" $(pkg-config --cflags --libs hito)
# shellcheck disable=SC2046
cc -std=c11 -o "$work/static" "$work/readme.c" $(pkg-config --cflags hito) "$work/prefix/lib/libhito.a" \
  $(pkg-config --libs openssl libprotobuf-c zlib)
if command -v g++ >/dev/null; then
  printf '#include <hito/hito.h>\n' >"$work/headers.cpp"
  # shellcheck disable=SC2046
  g++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only $(pkg-config --cflags hito) "$work/headers.cpp"
fi
foreign=$(nm -D --defined-only "$work/prefix/lib/libhito.so" | awk '{print $3}' \
  | grep -vE '^(hito_|hito__v1__|google__protobuf__)' || true)
[ -z "$foreign" ] || die "the library exports what is not its own:" "$foreign"
note "README.md compiles"

if [ -n "${HITO_BINARY:-}" ]; then
  "$REPO/.venv/bin/python" tests/end_to_end.py "$asan" "$work/readme"
else
  note "HITO_BINARY is not set: nothing is tested against a server"
fi
note "all tests of the C client passed"
