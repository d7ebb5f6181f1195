# Sourced by .make/generate.sh: messages for prost's derive macros, and stubs, into $client. No protoc plugin of
# prost is needed: ours writes what prost-build would.
# shellcheck shell=sh disable=SC2086,SC2154
replace "$client/src/generated"
hito mode=rust "$client/src/generated" -I Protos $messages
# The fixture's messages, for the vectors that every client reads and writes in its tests.
replace "$client/tests/fixture"
hito mode=rust "$client/tests/fixture" -I Tests/Fixtures/protos -I Protos $fixture
