# Sourced by .make/generate.sh: protobuf-c's messages and our stubs, into $client; and the stubs of the generator's
# fixture, which its tests compare.
# shellcheck shell=sh disable=SC2086,SC2154
replace "$client/generated"
protoc -I Protos --c_out="$client/generated" $messages $google
# What the options are made of is for generators.
find "$client/generated" -name '*.pb-c.h' -exec sed -i "\\|${options%.proto}.pb-c.h|d" {} +
hito mode=c "$client/generated" -I Protos $messages
replace "$out/Tests/Fixtures/c"
hito mode=c "$out/Tests/Fixtures/c" -I Tests/Fixtures/protos -I Protos $fixture
