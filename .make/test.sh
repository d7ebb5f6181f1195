#!/usr/bin/env bash
# Runs every test: Swift, the Python client, the checks' own, the end-to-end tests, and with HITO_TEST_CLIENTS=all,
# as in CI, the clients in all other languages. All of them run even when one fails; the exit status says whether
# all passed.
#
# Each Swift target and each Python suite is a run of its own, with an end: one that hangs costs minutes
# and has a name. Two run at a time (HITO_TEST_JOBS); the output of each is shown whole when it ends.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
source "$REPO/.make/runs.sh"
cd "$REPO"

# In seconds; the longest target takes four minutes on two cores, the end-to-end tests 20.
target_limit=${HITO_TEST_LIMIT:-600}
suite_limit=$((target_limit * 3))

began=$SECONDS
"$REPO/.make/setup-tests.sh"
languages=python
[ "${HITO_TEST_CLIENTS:-}" != all ] || languages=$("$REPO/.make/setup-clients.sh")
# shellcheck disable=SC2086 # a word for each
[ "${HITO_TEST_CLIENTS:-}" != all ] || "$REPO/Tests/Matrix/build.sh" $languages
"$REPO/.make/build-tests.sh"
"$REPO/.make/build.sh" release --product hito
"$REPO/.make/build.sh" release --product hito-sandbox
binaries=$(swift build --show-bin-path)
# The end-to-end tests drive the program as it is shipped, a debug build for what only that knows; the checks'
# tests the generator.
export HITO_BINARY=${HITO_BINARY:-$REPO/.build/release/hito} HITO_E2E_DEBUG_BINARY=$binaries/hito
export HITO_GENERATOR=$binaries/protoc-gen-hito
note "$(printf 'ok      %4d s  build' $((SECONDS - began)))"

run_swift() {
  local arguments=()
  # Its tests wait for the clock of a peer, one after the other.
  [ "$1" != ModelsTests ] || arguments=(--no-parallel)
  # Nothing is built here: the lock on the build folder would only make one run wait for another.
  timeout --kill-after=20 "$target_limit" swift test --ignore-lock --skip-build --disable-xctest \
    --enable-swift-testing ${arguments[@]+"${arguments[@]}"} --filter "^$1\\."
}
# run_python SUITE [OPTION...]
run_python() {
  timeout --kill-after=20 "$suite_limit" "$REPO/.venv/bin/python" -m pytest -q "$@"
}

# The longest first. The end-to-end tests have two processes, each with servers of its own, and a
# file's tests stay together.
start "pytest Tests/EndToEnd" run_python Tests/EndToEnd --numprocesses 2 --dist loadfile
for suite in Tests/Attacks Tests/Checks; do
  start "pytest $suite" run_python "$suite"
done
for language in $languages; do start "client: $language" "$REPO/.make/test-client.sh" "$language"; done
for folder in Tests/*Tests; do start "$(basename "$folder")" run_swift "$(basename "$folder")"; done
summary
note "all tests passed in $SECONDS s"
