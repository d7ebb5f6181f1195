# shellcheck shell=bash
# Runs of tests beside each other, each with its output kept until it ends. Sourced after common.sh.

# Two at a time, since most of them wait more than they compute.
jobs=${HITO_TEST_JOBS:-2}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# failures NAME LOG: what the runner says of the tests that failed. Everything is read: whoever writes into a
# closed pipe fails, and all other runs would end with it.
failures() {
  printf '\n== %s\n' "$1"
  { grep -aE '^(✘|FAILED |ERROR |E  |not ok |--- FAIL)|error:|Fatal error' "$2" || tail -n 20 "$2"; } \
    | cut -c 1-400 | sed -n 1,30p
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

# summary: waits for all runs, says again which failed, and ends with 1 where one did.
summary() {
  local failed
  wait
  note ""
  cat "$work/summary" >&2
  [ ! -s "$work/failures" ] || cat "$work/failures" >&2
  failed=$(sed -n 's/^FAILED *[0-9]* s  //p' "$work/summary" | paste -sd ';')
  [ -z "$failed" ] || die "failed after $SECONDS s: $failed"
}
