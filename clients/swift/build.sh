#!/usr/bin/env bash
# Builds the example as a package of its own that depends on this one: that shows what the client needs, and that nothing
# of the server is built for it. All output is below .build-clients/swift.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
build=$REPO/.build-clients/swift
example=$REPO/clients/swift/example

# The versions that the repository is tested with, where it has resolved them.
if [ -e "$REPO/Package.resolved" ] && [ ! -e "$example/Package.resolved" ]; then
  cp "$REPO/Package.resolved" "$example/Package.resolved"
fi
swift build --package-path "$example" --scratch-path "$build" --product hito-example --quiet

bin=$build/debug
for target in CArrow CCurl CEmbed CRabbitMQ CSandbox CToml PostgresStore Service Domain hito; do
  [ -z "$(find "$bin/$target.build" -name "*.o" 2>/dev/null)" ] \
    || die "the client builds $target, which is of the server"
done
needed=$(readelf --dynamic "$bin/hito-example" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
for library in libssl libcrypto libprotobuf-c libz; do
  grep -q "^$library\.so" <<< "$needed" || die "the client is not linked with $library"
done
if strangers=$(grep -E '^lib(pq|arrow|parquet|curl|rabbitmq|yaml|md4c)' <<< "$needed"); then
  die "the client is linked with libraries of the server: $strangers"
fi
