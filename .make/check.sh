#!/usr/bin/env bash
# Everything that is checked without running the tests. All checks run; one failure fails all.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

failed=()
run() {
  local name=$1
  shift
  if "$@"; then note "ok      $name"; else note "FAILED  $name"; failed+=("$name"); fi
}

run format .make/format.sh --check
run layers .make/check-layers.sh
run rules .make/check-rules.sh
run lengths .make/check-lengths.sh
for script in check-generated check-compat check-tls; do
  if [ -x ".make/$script.sh" ]; then run "${script#check-}" ".make/$script.sh"; fi
done
run shell bash -c 'for script in .make/*.sh .ci/run; do bash -n "$script" || exit 1; done'
# Package.swift makes every warning an error; undeclared imports are refused as well.
run build swift build --build-tests --explicit-target-dependency-import-check error

[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}"
note "all checks passed"
