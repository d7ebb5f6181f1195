#!/usr/bin/env bash
# bench-peers.sh [OPTION...]: what a call costs beside gRPC for C++, grpc-swift-2 and plain C, all built here and run in
# turns in one run, with one client for all. Needs `make build`.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
source "$REPO/.make/grpc-peer.sh"
cd "$REPO"
peers=$REPO/Tests/Benchmarks/peers
out=$REPO/.build-peers
mkdir -p "$out"
build_grpc_peer "$out"

messages=$REPO/Sources/Generated/CMessages
cc -O2 -o "$out/load" "$peers/load.c" -lssl -lcrypto
cc -O2 -I "$messages/include" -o "$out/limit" "$peers/limit.c" "$messages"/hito/v1/{server,common}.pb-c.c \
  "$messages"/google/protobuf/timestamp.pb-c.c -lprotobuf-c -lssl -lcrypto
swift build --configuration release --product StreamServer >&2
swift build --configuration release --package-path "$peers/grpc-swift" --scratch-path "$out/grpc-swift" >&2
exec "$REPO/.venv/bin/python" "$peers/peers.py" --programs "$out" \
  --stream-server "$REPO/.build/release/StreamServer" --server "${HITO_BIN:-$REPO/.build/release/hito}" "$@"
