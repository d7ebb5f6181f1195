#!/usr/bin/env bash
# bench.sh NAME [OPTION...]: builds and runs one benchmark of Tests/Benchmarks against the server
# that `make build` made. Ends with a table, one FIGURE line per figure, and 1 where a promise does
# not hold.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
name=${1:?the name of a benchmark}
shift
cd "$REPO"
declare -A products=(
  [rpc]=RPCBench [store]=StoreBench [retrieval]=RetrievalBench [lake]=LakeBench
  [sandbox]=SandboxBench [validation]=ValidationBench [groups]=GroupsBench)
product=${products[$name]:?there is no benchmark of this name}
[ "$name" != retrieval ] || "$REPO/.make/setup-reference-encoder.sh"
swift build --configuration release --product "$product" >&2
case $name in
  sandbox | validation) swift build --configuration release --product hito-sandbox >&2 ;;
esac
program=$REPO/.build/release/$product
printf 'machine: %s cores, %s; load %s\ncommit: %s\n' "$(nproc)" \
  "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" \
  "$(cut -d ' ' -f 1-3 /proc/loadavg)" \
  "$(git describe --always --dirty --exclude '*' 2>/dev/null || printf 'no git')"
status=0
"$program" "$@" || status=$?
if [ "$name" = retrieval ]; then
  HITO_BINARY=$REPO/.build/release/hito \
    "$REPO/.venv/bin/python" Tests/Benchmarks/python/remote_embeddings.py || status=$?
fi
if [ "$name" = rpc ] && [ $# -eq 0 ]; then
  "$REPO/.make/bench-peers.sh" || status=$?
fi
exit "$status"
