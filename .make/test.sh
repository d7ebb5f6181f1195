#!/usr/bin/env bash
# Runs every test: Swift, the Python client, the checks' own, and the end-to-end tests. All of them run
# even when one fails; the exit status says whether all passed.
#
# Each Swift target and each Python suite is a run of its own, with an end: one that hangs costs minutes
# and has a name. Two run at a time (HITO_TEST_JOBS), since most of them wait more than they compute;
# the output of each is shown whole when it ends.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

jobs=${HITO_TEST_JOBS:-2}
# In seconds; the longest target takes four minutes on two cores, the end-to-end tests 20.
target_limit=${HITO_TEST_LIMIT:-600}
suite_limit=$((target_limit * 3))

began=$SECONDS
"$REPO/.make/setup-tests.sh"
"$REPO/.make/build-tests.sh"
"$REPO/.make/build.sh" release --product hito
"$REPO/.make/build.sh" release --product hito-sandbox
binaries=$(swift build --show-bin-path)
# The end-to-end tests drive the program as it is shipped, a debug build for what only that knows; the checks'
# tests the generator.
export HITO_BINARY=${HITO_BINARY:-$REPO/.build/release/hito} HITO_E2E_DEBUG_BINARY=$binaries/hito
export HITO_GENERATOR=$binaries/protoc-gen-hito
note "$(printf 'ok      %4d s  build' $((SECONDS - began)))"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

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

# failures NAME LOG: what the runner says of the tests that failed. Everything is read: whoever writes into a
# closed pipe fails, and all other runs would end with it.
failures() {
  printf '\n== %s\n' "$1"
  { grep -aE '^(✘|FAILED |ERROR |E  )|error:|Fatal error' "$2" || tail -n 20 "$2"; } | cut -c 1-400 | sed -n 1,30p
}

# run NAME COMMAND...: one run, its output kept until it ends.
run() {
  local name=$1 began=$SECONDS state=ok log
  log=$(mktemp "$work/log.XXXXXX")
  shift
  "$@" >"$log" 2>&1 || state=FAILED
  {
    flock 9
    # Said again at the end, where a log that is cut still has it.
    [ "$state" = ok ] || failures "$name" "$log" >>"$work/failures"
    printf '\n== %s\n' "$name"
    cat "$log"
    printf '%-8s%4d s  %s\n' "$state" $((SECONDS - began)) "$name" | tee -a "$work/summary" >&2
  } 9>"$work/lock"
}

# start NAME COMMAND...: a run in the background, when one of those before it has ended.
start() {
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
  run "$@" &
}

# The longest first. The end-to-end tests have two processes, each with servers of its own, and a
# file's tests stay together.
start "pytest Tests/EndToEnd" run_python Tests/EndToEnd --numprocesses 2 --dist loadfile
for suite in Tests/Attacks clients/python/tests Tests/Checks; do
  start "pytest $suite" run_python "$suite"
done
for folder in Tests/*Tests; do start "$(basename "$folder")" run_swift "$(basename "$folder")"; done
wait

note ""
cat "$work/summary" >&2
[ ! -s "$work/failures" ] || cat "$work/failures" >&2
failed=$(sed -n 's/^FAILED *[0-9]* s  //p' "$work/summary" | paste -sd ';')
[ -z "$failed" ] || die "failed after $SECONDS s: $failed"
note "all tests passed in $SECONDS s"
