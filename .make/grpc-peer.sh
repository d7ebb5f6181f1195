# shellcheck shell=bash
# Sourced by benchmarks, after common.sh: gRPC for C++, and the server that others are measured beside.

# build_grpc_peer FOLDER: FOLDER/grpc, with the code of its messages beside.
build_grpc_peer() {
  local peers=$REPO/Tests/Benchmarks/peers out=$1 grpc
  mkdir -p "$out"
  install_packages libgrpc++-dev protobuf-compiler-grpc libprotobuf-dev pkg-config
  if [ "$peers/grpc.cc" -nt "$out/grpc" ] || [ "$peers/bench.proto" -nt "$out/grpc" ]; then
    protoc -I "$peers" --cpp_out="$out" --grpc_out="$out" --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" \
      bench.proto
    read -ra grpc <<<"$(pkg-config --libs --cflags grpc++ protobuf)"
    c++ -O2 -std=c++17 -I "$out" -o "$out/grpc" "$peers/grpc.cc" "$out"/bench.pb.cc "$out"/bench.grpc.pb.cc \
      "${grpc[@]}"
  fi
}
