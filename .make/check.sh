#!/usr/bin/env bash
# Everything that is checked without running the tests. All checks run; one failure fails all.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

failed=()
run() {
  local name=$1 began=$SECONDS state=ok
  shift
  "$@" || { state=FAILED; failed+=("$name"); }
  note "$(printf '%-8s%-12s%4d s' "$state" "$name" $((SECONDS - began)))"
}
python() { "$REPO/.venv/bin/python" "$@"; }
# SC2164: every script ends at a failed cd by itself (set -e in common.sh).
scripts() { shellcheck --external-sources --severity=warning --exclude=SC2164 .make/*.sh clients/*/*.sh .ci/run; }
packages() {
  local count
  # One line per package, those of packages included.
  count=$(grep -c '"identity"' Package.resolved)
  note "$count resolved Swift packages; 13 are allowed"
  [ "$count" -le 13 ]
}
named_things() { "$(swift build --show-bin-path)/hito" --experimental-dump-help | python .make/check_docs.py; }

# What needs no build.
run format .make/format.sh --check
run layers .make/check-layers.sh
run rules .make/check-rules.sh
run lengths .make/check-lengths.sh
run scripts scripts
run figures python .make/check_figures.py
run benchmarks python .make/check_benchmarks.py

# The build that the tests use as well.
run build .make/build-tests.sh
run packages packages
HITO_GENERATOR=$(swift build --show-bin-path)/protoc-gen-hito
export HITO_GENERATOR
run generated .make/check-generated.sh
run compat .make/check-compat.sh
run settings .make/check-settings.sh
run docs named_things
run tls .make/check-tls.sh

[ ${#failed[@]} -eq 0 ] || die "failed after $SECONDS s: ${failed[*]}"
note "all checks passed in $SECONDS s"
