#!/usr/bin/env bash
# Builds, lints (javac -Xlint:all -Werror, javadoc's doclint), and tests the Java client: units and golden vectors,
# the code of README.md, and end to end against the server that HITO_BINARY names.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
source "$REPO/clients/java/maven.sh"
cd "$REPO"

# JUnit's closing lines are shown where it is not quiet; a test that fails ends this.
hito_mvn package | sed -n '/^Tests run:.*Time/d; /^Tests run:/p; /ERROR/p; /FAIL/p; /warning/p'

protobuf=/usr/share/java/protobuf-3.21.12.jar
classes=$build/hito-client/classes:$build/hito-messages/classes:$protobuf

javadoc -quiet -Xdoclint:all,-missing -Xwerror --release 17 -encoding UTF-8 -d "$build/javadoc" \
  -classpath "$classes" -sourcepath clients/java/client/src/main/java -subpackages hito

python=$REPO/.venv/bin/python
"$python" clients/java/tests/readme.py clients/java/README.md "$build/readme/ReadmeExample.java"
javac -Xlint:all -Werror --release 17 -cp "$classes" -d "$build/readme" "$build/readme/ReadmeExample.java"

if [ -z "${HITO_BINARY:-}" ]; then
  note "HITO_BINARY names no server: nothing was tested end to end"
  exit 0
fi
"$python" clients/java/tests/end_to_end.py \
  "$build/readme:$build/hito-client/test-classes:$classes" hito.e2e.EndToEnd ReadmeExample
