#!/usr/bin/env bash
# build.sh [LANGUAGE...]: builds the programs of the matrix, below .build-clients, with the clients that they use. Without
# a language: all that this machine can have; what it cannot have is named, and with HITO_CLIENTS=all an error.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
here=$REPO/Tests/Matrix
out=$REPO/.build-clients/matrix
mkdir -p "$out"

build_program() {
  case $1 in
    python | swift) ;; # Python programs; what they use is built by others.
    go)
      (
        source "$REPO/clients/go/env.sh"
        use_go
        cd "$REPO/clients/go" || exit
        go build -o "$out/go" "$here/go/main.go"
      )
      ;;
    c)
      local built=$REPO/.build-clients/c/plain parts
      parts=$(pkg-config --cflags --libs openssl libprotobuf-c zlib)
      # shellcheck disable=SC2086 # many arguments
      cc -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -g -Wall -Wextra -Wpedantic -Werror -I"$REPO/clients/c/include" \
        -I"$REPO/clients/c/generated" -o "$out/c" "$here/c/main.c" "$built/libhito.a" $parts
      ;;
    java)
      local built=$REPO/.build-clients/java
      javac -Xlint:all -Werror -d "$out/java" \
        -cp "$built/hito-client/classes:$built/hito-messages/classes:/usr/share/java/protobuf-3.21.12.jar" \
        "$here/java/Main.java"
      ;;
    rust)
      mkdir -p "$out/rust"
      sed "s|@REPO@|$REPO|" "$here/rust/manifest.toml" > "$out/rust/Cargo.toml.new"
      cmp -s "$out/rust/Cargo.toml.new" "$out/rust/Cargo.toml" || mv "$out/rust/Cargo.toml.new" "$out/rust/Cargo.toml"
      (
        cd "$REPO/clients/rust" || exit
        source ./cargo.sh
        run_cargo build --quiet --manifest-path "$out/rust/Cargo.toml"
      )
      ;;
    typescript)
      (
        source "$REPO/clients/typescript/toolchain.sh"
        tsc -p "$here/typescript/tsconfig.json"
      )
      ;;
    *) die "no program of the matrix in $1" ;;
  esac
}

# Whether it could be had.
build_language() {
  local status=0
  case $1 in python | swift) return 0 ;; esac
  "$REPO/clients/$1/setup.sh" >&2 || status=$?
  [ "$status" -ne 3 ] || return 3
  [ "$status" -eq 0 ] || die "clients/$1/setup.sh failed"
  "$REPO/clients/$1/build.sh" >&2 || die "clients/$1 cannot be built"
  build_program "$1" || die "the program in $1 cannot be built"
}

[ $# -gt 0 ] || set -- c go java rust typescript
for language in "$@"; do
  status=0
  build_language "$language" || status=$?
  [ "$status" -eq 0 ] && continue
  [ "$status" -eq 3 ] || exit "$status"
  [ "${HITO_CLIENTS:-}" != all ] || die "$language cannot be had on this machine"
  note "left out: $language cannot be had on this machine"
done
