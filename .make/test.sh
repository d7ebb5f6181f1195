#!/usr/bin/env bash
# Runs every test: Swift, then the Python client and the end-to-end tests where there are any.
# All of them run even when one fails; the exit status says whether all passed.
#
# Each Swift target is a run of its own, with an end: what one of them keeps busy starves no
# other's deadlines, and one that hangs costs minutes and has a name.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

# In seconds; the longest takes about two minutes on two cores.
target_limit=${HITO_TEST_LIMIT:-600}
suite_limit=$((target_limit * 2))

swift build --build-tests

# The tests of one target run one after the other where they wait for the clock of a peer.
declare -A arguments=([ModelsTests]=--no-parallel)

failed=()
targets=()
for folder in Tests/*Tests; do targets+=("$(basename "$folder")"); done
for target in "${targets[@]}"; do
  note "== $target"
  timeout --kill-after=20 "$target_limit" swift test --skip-build --disable-xctest \
    --enable-swift-testing ${arguments[$target]:-} --filter "^$target\\." || failed+=("$target")
done

suites=()
for folder in clients/python/tests Tests/EndToEnd; do
  if compgen -G "$folder/test_*.py" >/dev/null || compgen -G "$folder/**/test_*.py" >/dev/null; then
    suites+=("$folder")
  fi
done
# The end-to-end tests drive the program itself.
HITO_BINARY=$(swift build --show-bin-path)/hito
export HITO_BINARY
for folder in ${suites[@]+"${suites[@]}"}; do
  note "== pytest $folder"
  timeout --kill-after=20 "$suite_limit" "$REPO/.venv/bin/python" -m pytest -q "$folder" \
    || failed+=("pytest $folder")
done

if [ ${#failed[@]} -gt 0 ]; then
  die "failed: $(printf '%s; ' "${failed[@]}")"
fi
note "all tests passed: ${targets[*]}${suites[*]:+, pytest ${suites[*]}}"
