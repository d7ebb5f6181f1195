#!/usr/bin/env bash
# format.sh [--check]: formats the Swift code, or says what is not formatted. Generated code is
# left alone: its generator is responsible for it.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$REPO"
mapfile -d '' files < <(
  find Package.swift Sources Tests -name '*.swift' -not -path '*/Generated/*' -not -path '*/.build/*' -print0
)
if [ "${1:-}" = --check ]; then
  exec swift format lint --strict --parallel "${files[@]}"
fi
exec swift format --in-place --parallel "${files[@]}"
