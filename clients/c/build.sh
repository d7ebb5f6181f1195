#!/usr/bin/env bash
# Builds the library, the examples, the tests and the program of the conformance runner below .build-clients/c/plain;
# with `asan`, the same with sanitizers below .build-clients/c/asan.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"

folder=$REPO/.build-clients/c/${1:-plain}
options=()
[ "${1:-plain}" = plain ] || options=(SANITIZE=1 "CFLAGS=-O1 -g")
make -s -C "$REPO/clients/c" BUILD="$folder" ${options[@]+"${options[@]}"} all programs
