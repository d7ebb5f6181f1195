#!/usr/bin/env bash
# bench-clients.sh [OPTION...]: what a call costs each client beside its language's gRPC, as far as that can be installed,
# in turns in one run. Clients are built first; a language whose toolchain cannot be had is left out. Needs `make build`.
#
# Each program becomes .build-clients/bench/LANGUAGE/ours or theirs, which take ADDRESS CA_FILE TOKEN_FILE SECONDS IN_FLIGHT.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
source "$REPO/.make/grpc-peer.sh"
cd "$REPO"
programs=$REPO/Tests/Benchmarks/clients
proto=$REPO/Tests/Benchmarks/peers
bench=$REPO/.build-clients/bench
peer=$REPO/.build-peers
GRPC_PYTHON=("grpcio==1.85.3" "protobuf==7.36.2")

# starter FILE COMMAND...: a program that is a command with arguments.
starter() {
  local file=$1
  shift
  printf '#!/bin/sh\nexec%s "$@"\n' "$(printf ' %q' "$@")" >"$file"
  chmod +x "$file"
}

build_python() {
  local out=$bench/python
  local python=$out/environment/bin/python
  if [ "$(cat "$out/.stamp" 2>/dev/null)" != "${GRPC_PYTHON[*]}" ]; then
    rm -rf "$out"
    python3 -m venv "$out/environment"
    "$python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "${GRPC_PYTHON[@]}"
    printf '%s\n' "${GRPC_PYTHON[*]}" >"$out/.stamp"
  fi
  protoc -I "$proto" --python_out="$out" bench.proto
  local way=PYTHONPATH=$REPO/clients/python/src:$out
  starter "$out/ours" env "$way" "$python" "$programs/python/ours.py"
  starter "$out/theirs" env "$way" "$python" "$programs/python/theirs.py"
}

build_c() {
  local library=$REPO/.build-clients/c/plain client=$REPO/clients/c grpc
  clients/c/build.sh
  cc -O2 -std=gnu11 -Wall -Wextra -I "$client/include" -I "$client/generated" -o "$bench/c/ours" "$programs/c/ours.c" \
    "$library/libhito.a" -lssl -lcrypto -lprotobuf-c -lz
  read -ra grpc <<<"$(pkg-config --libs --cflags grpc++ protobuf)"
  c++ -O2 -std=c++17 -I "$peer" -o "$bench/c/theirs" "$programs/c/theirs.cc" "$peer"/bench.pb.cc "$peer"/bench.grpc.pb.cc \
    "${grpc[@]}"
}

build_go() {
  local out=$bench/go
  install_packages golang-google-grpc-dev
  clients/go/build.sh
  (
    source clients/go/env.sh
    use_go
    printf 'go 1.23\n\nuse (\n\t%s\n\t%s\n\t%s\n)\n' "$CLIENT" "$GO_BUILD/protobuf" "$programs/go" >"$out/go.work"
    cd "$programs/go"
    GOWORK=$out/go.work go build -o "$out/ours" ./ours
    # Debian's packages are made for the way without modules.
    mkdir -p "$out/path/src/bench/pb"
    protoc -I "$proto" --go_out="$out/path/src" --go_opt=Mbench.proto=bench/pb bench.proto
    cp -r measure "$out/path/src/bench/"
    GOWORK=off GO111MODULE=off GOPATH=$out/path:/usr/share/gocode go build -o "$out/theirs" theirs/main.go
  )
}

build_java() {
  local out=$bench/java jars=/usr/share/java client=$REPO/.build-clients/java
  local ours=$out/classes:$client/hito-client/classes:$client/hito-messages/classes:$jars/protobuf-3.21.12.jar
  local theirs=$out/classes jar
  install_packages libgrpc-java libnetty-java libnetty-tcnative-java libguava-java libperfmark-java protobuf-compiler-grpc-java-plugin
  clients/java/build.sh
  for jar in grpc-{api,context,core,netty,protobuf,protobuf-lite,stub} guava perfmark-api \
    netty-{buffer,codec,codec-http,codec-http2,common,handler,resolver,transport,tcnative} protobuf-3.21.12; do
    theirs+=:$jars/$jar.jar
  done
  rm -rf "$out/generated" "$out/classes"
  mkdir -p "$out/generated" "$out/classes"
  protoc -I "$proto" --java_out="$out/generated" --grpc-java_out="$out/generated" \
    --plugin=protoc-gen-grpc-java="$(command -v grpc_java_plugin)" bench.proto
  # An annotation that JDKs no longer have.
  sed -i '/^@javax.annotation.Generated(/,/)$/d' "$out"/generated/bench/*.java
  javac -nowarn -cp "$ours" -d "$out/classes" "$programs"/java/{measure,ours}/*.java
  javac -nowarn -cp "$theirs" -d "$out/classes" "$out"/generated/bench/*.java "$programs"/java/theirs/*.java
  starter "$out/ours" java -cp "$ours" Ours
  # OpenSSL under its engine, as programs with gRPC mostly have it; Debian's Netty has no ALPN with the JDK's own. It looks
  # for the library under a name that Debian's does not have.
  mkdir -p "$out/native"
  cp "$(dpkg-query --listfiles libnetty-tcnative-jni | grep '/libnetty-tcnative\.so$')" "$out/native/libnetty_tcnative.so"
  starter "$out/theirs" java -Djava.library.path="$out/native" -cp "$theirs" Theirs
}

build_rust() {
  cd "$REPO/clients/rust"
  source ./cargo.sh
  run_cargo build --quiet --release --manifest-path "$programs/rust/Cargo.toml" --target-dir "$bench/rust/target"
  starter "$bench/rust/ours" "$bench/rust/target/release/bench"
}

build_typescript() {
  local out=$bench/typescript
  clients/typescript/build.sh
  source clients/typescript/toolchain.sh
  mkdir -p "$out/node_modules"
  ln -sfn "$REPO/.build-clients/typescript/package" "$out/node_modules/hito"
  tsc -p "$programs/typescript/tsconfig.json"
  starter "$out/ours" "$(command -v node)" "$out/ours.mjs"
}

build_grpc_peer "$peer"
languages=()
while read -r language; do
  languages+=("$language")
  mkdir -p "$bench/$language"
  (build_"$language") >&2
done < <(.make/setup-clients.sh python c go java typescript rust)
exec "$REPO/.venv/bin/python" "$programs/clients.py" --programs "$bench" --peer "$peer/grpc" \
  --server "${HITO_BIN:-$REPO/.build/release/hito}" --languages "${languages[@]}" "$@"
