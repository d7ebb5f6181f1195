#!/usr/bin/env bash
# exercism.sh TRACK [OPTION...]: judges every practice exercise of a checkout of an Exercism track.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
track=${1:-}
[ -d "$track/exercises/practice" ] || die "TRACK must be a checkout of an Exercism track" \
  "for example: make exercism TRACK=/path/to/exercism/python"
shift
cd "$REPO"
swift build --product exercism-check >&2
swift build --product hito-sandbox >&2
exec "$(swift build --show-bin-path)/exercism-check" "$track" "$@"
