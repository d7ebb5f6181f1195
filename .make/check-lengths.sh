#!/usr/bin/env bash
# Files are at most 300 lines, 500 at the very most; functions are judged by reviewers. Generated
# code, its tables and data are excepted.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$REPO"
limit=500
advice=300
failed=0
while IFS= read -r -d '' file; do
  lines=$(wc -l < "$file")
  if [ "$lines" -gt "$limit" ]; then
    printf '%s: %d lines, more than %d: split it\n' "$file" "$lines" "$limit" >&2
    failed=1
  elif [ "$lines" -gt "$advice" ]; then
    printf 'note: %s has %d lines, more than %d\n' "$file" "$lines" "$advice" >&2
  fi
done < <(
  find Sources Tests clients .make -type f \
    \( -name '*.swift' -o -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.py' -o -name '*.sh' \) \
    -not -path '*/[Gg]enerated/*' -not -path '*/.build/*' -not -path '*/Reference/*' -print0 2>/dev/null
)
exit "$failed"
