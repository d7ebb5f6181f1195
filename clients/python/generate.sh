# Sourced by .make/generate.sh: protoc's own messages, their types and our stubs, into $client.
# shellcheck shell=sh disable=SC2086,SC2154
replace "$client/src/hito/v1"
protoc -I Protos --python_out="$client/src" $own
hito mode=python "$client/src" -I Protos $messages
# No message of a call has what the options are made of: its types are protoc's, and it leaves some arguments open.
protoc -I Protos --pyi_out="$client/src" $options
sed -i 's/_Mapping\]/_Mapping[str, object]]/g; s/^\([A-Z_]*\): _ClassVar\[int\]/\1: int/' "$client/src/${options%.proto}_pb2.pyi"
