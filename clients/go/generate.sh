# Sourced by .make/generate.sh: the messages by protobuf's own plugin, and our stubs, into $client.
# shellcheck shell=sh disable=SC2086,SC2154
[ -x /usr/bin/protoc-gen-go ] || {
  echo "generate: need protoc-gen-go 1.28 (Debian 12: protoc-gen-go-1-5)" >&2
  exit 1
}
replace "$client/v1"
replace "$client/services"
# The contract does not know of Go: which package a file is in is said here.
go_options=paths=source_relative
for file in $own; do
  go_options="$go_options,M$file=hito.example/hito/v1;hitov1"
done
mkdir -p "$work/go"
protoc -I Protos --plugin=protoc-gen-go=/usr/bin/protoc-gen-go --go_out="$work/go" --go_opt="$go_options" $own
mv "$work"/go/hito/v1/*.pb.go "$client/v1/"
hito mode=go "$client/services" -I Protos $messages

# The generator's fixture, which the tests read golden messages with and compile.
replace "$client/internal/fixture/v1"
replace "$client/internal/fixture/services"
protoc -I Tests/Fixtures/protos -I Protos --plugin=protoc-gen-go=/usr/bin/protoc-gen-go --go_out="$work/go" \
  --go_opt="$go_options,M$fixture=hito.example/hito/internal/fixture/v1;fixturev1" $fixture
mv "$work"/go/fixture/v1/*.pb.go "$client/internal/fixture/v1/"
hito mode=go "$client/internal/fixture/services" -I Tests/Fixtures/protos -I Protos $fixture
