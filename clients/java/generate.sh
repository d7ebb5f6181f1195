# Sourced by .make/generate.sh: protoc's own messages and our stubs into $client, and the stubs of the generator's
# fixture.
# shellcheck shell=sh disable=SC2086,SC2154
replace "$client/messages/src/main/java/hito/v1"
protoc -I Protos --java_out="$client/messages/src/main/java" $own
replace "$client/client/src/main/java/hito/v1"
hito mode=java "$client/client/src/main/java" -I Protos $messages
replace "$out/Tests/Fixtures/java"
hito mode=java "$out/Tests/Fixtures/java" -I Tests/Fixtures/protos -I Protos "$fixture"
