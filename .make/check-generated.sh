#!/bin/sh
# Fails when a generated file differs from what .make/generate.sh makes of the protos now.
set -eu
cd "$(dirname "$0")/.."
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
.make/generate.sh "$fresh"

drift=0
for path in Sources/Generated/CMessages Sources/Contract/Generated clients/python/src/hito/v1 \
  Tests/Fixtures/CFixtureMessages Tests/Fixtures/python Tests/Fixtures/descriptors \
  Tests/CodecTests/Generated docs/access.md; do
  diff -r -q -x __pycache__ "$path" "$fresh/$path" || drift=1
done
if [ "$drift" -ne 0 ]; then
  echo "generated files are stale: run .make/generate.sh and commit the result" >&2
  exit 1
fi
