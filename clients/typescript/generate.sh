# Sourced by .make/generate.sh: messages, their codecs and the stubs, into $client; and the same for the
# generator's own fixture, whose numbers of 64 bits are bigints, for the tests.
# shellcheck shell=sh disable=SC2086,SC2154
replace "$client/src/gen"
hito mode=typescript "$client/src/gen" -I Protos $messages $google
replace "$client/tests/gen"
hito mode=typescript,int64=bigint,runtime=../../src "$client/tests/gen" \
  -I Tests/Fixtures/protos -I Protos $fixture hito/v1/common.proto $google
