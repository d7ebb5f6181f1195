#!/usr/bin/env bash
# The Java client as a program under test of Tests/Conformance/runner.py; build.sh builds it.
build=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)/.build-clients/java
classes=$build/hito-conformance/classes:$build/hito-client/classes:$build/hito-messages/classes
classes+=:$build/repository/com/google/protobuf/protobuf-java/3.21.12/protobuf-java-3.21.12.jar
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx512m -cp "$classes" hito.conformance.Adapter
