#!/bin/sh
# Fails when a generated file differs from what .make/generate.sh makes of the protos now.
set -eu
cd "$(dirname "$0")/.."
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
.make/generate.sh "$fresh"

# Folders of clients that were written to: what is in them is generated, all of it.
clients=$(cd "$fresh" && find clients -type f -exec dirname {} + | LC_ALL=C sort -u)

drift=0
for path in Sources/Generated/CMessages Sources/Contract/Generated $clients \
  $(cd "$fresh" && ls -d Tests/Fixtures/*) \
  Tests/CodecTests/Generated docs/access.md; do
  diff -r -q -x __pycache__ "$path" "$fresh/$path" || drift=1
done
if [ "$drift" -ne 0 ]; then
  echo "generated files are stale: run .make/generate.sh and commit the result" >&2
  exit 1
fi
