# Sourced by .make/generate.sh: protoc's own messages with their types, and our stubs, into $client.
# shellcheck shell=sh disable=SC2086,SC2154
replace "$client/src/hito/v1"
protoc -I Protos --python_out="$client/src" --pyi_out="$client/src" $own
hito mode=python "$client/src" -I Protos $messages
