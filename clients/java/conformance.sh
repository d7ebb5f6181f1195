#!/usr/bin/env bash
# The Java client as a program under test of Tests/Conformance/runner.py; build.sh builds it.
build=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)/.build-clients/java
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx512m \
  -cp "$build/hito-conformance/classes:$build/hito-client/classes:$build/hito-messages/classes:/usr/share/java/protobuf-3.21.12.jar" \
  hito.conformance.Adapter
