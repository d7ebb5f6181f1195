#!/usr/bin/env bash
# bench.sh NAME [OPTION...]: builds and runs one benchmark of Tests/Benchmarks.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
name=${1:?the name of a benchmark}
shift
cd "$REPO"
[ -f Tests/Benchmarks/Package.swift ] || die "there are no benchmarks in Tests/Benchmarks yet"
exec swift run --package-path Tests/Benchmarks --scratch-path .build/benchmarks \
  --configuration release "$name" "$@"
