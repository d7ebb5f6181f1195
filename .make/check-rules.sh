#!/usr/bin/env bash
# Rules of STYLE that a machine can check: nothing in Sources ends the process because of an input,
# and what the compiler takes on trust has its proof beside it.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$REPO"

failed=0
mapfile -d '' files < <(find Sources -name '*.swift' -not -path '*/Generated/*' -print0)
awk '
  function refuse(message) { printf "%s:%d: %s\n", FILENAME, FNR, message; bad = 1 }
  FNR == 1 { comment = 0 }
  { text = $0; sub(/^[ \t]+/, "", text) }
  text ~ /^\/\// { comment = FNR; if (text ~ /TODO|FIXME|XXX/) refuse("finish it, or leave it out"); next }
  text ~ /(^|[^A-Za-z_])try!/ { refuse("try! ends the process: handle the error") }
  text ~ /(^|[^A-Za-z_])as! / { refuse("as! ends the process: use as? and handle nil") }
  text ~ /(^|[^A-Za-z_.])fatalError\(/ && text !~ /out of memory/ {
    refuse("fatalError ends the process: throw")
  }
  text ~ /@unchecked Sendable|nonisolated\(unsafe\)/ && comment < FNR - 1 {
    refuse("say in a comment just above why this is safe")
  }
  END { exit bad }
' "${files[@]}" >&2 || failed=1
exit "$failed"
