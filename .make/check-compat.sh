#!/bin/sh
# Fails when the protos break clients or servers that were built from Protos/compat/v1.binpb.
# After a release with compatible additions, renew the baseline: .make/check-compat.sh --accept
set -eu
cd "$(dirname "$0")/.."
baseline=Protos/compat/v1.binpb
own=$(cd Protos && ls hito/v1/*.proto)

generator=${HITO_GENERATOR:-}
if [ -z "$generator" ]; then
  swift build --product protoc-gen-hito >&2
  generator=$(swift build --product protoc-gen-hito --show-bin-path)/protoc-gen-hito
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -e "$baseline" ]; then
  protoc -I Protos --plugin=protoc-gen-hito="$generator" \
    --hito_opt="mode=compat,baseline=$baseline" --hito_out="$work" $own
fi
if [ "${1:-}" = --accept ]; then
  mkdir -p "$(dirname "$baseline")"
  protoc -I Protos --include_imports --descriptor_set_out="$baseline" $own
fi
