#!/usr/bin/env bash
# Builds, lints (javac -Xlint:all -Werror, javadoc's doclint), and tests the Java client: units and golden vectors,
# the code of README.md, and end to end against the server that HITO_BINARY names.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
source "$REPO/clients/java/maven.sh"
cd "$REPO"

# A test that fails ends this.
rm -rf "$build/hito-client/surefire-reports"
hito_mvn package
sed -n 's/^Tests run: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\).*/\1 \2 \3/p' \
  "$build"/hito-client/surefire-reports/*.txt \
  | awk '{ run += $1; failed += $2 + $3 } END { print "# units: " run " tests, " failed " failed" }'

classes=$build/hito-client/classes:$build/hito-messages/classes:$protobuf

javadoc -quiet -Xdoclint:all,-missing -Xwerror --release 17 -encoding UTF-8 -d "$build/javadoc" \
  -classpath "$classes" -sourcepath clients/java/client/src/main/java -subpackages hito

# One example for Kotlin, where there is a compiler.
if command -v kotlinc >/dev/null; then
  kotlinc -nowarn -cp "$classes" -d "$build/kotlin" clients/java/examples/src/main/kotlin 2>/dev/null
  echo "ok - the example for Kotlin"
else
  note "no kotlinc: the example for Kotlin was not compiled"
fi

python=$REPO/.venv/bin/python
"$python" clients/java/tests/readme.py clients/java/README.md "$build/readme/ReadmeExample.java"
javac -Xlint:all -Werror --release 17 -cp "$classes" -d "$build/readme" "$build/readme/ReadmeExample.java"

if [ -z "${HITO_BINARY:-}" ]; then
  note "HITO_BINARY names no server: nothing was tested end to end"
  exit 0
fi
"$python" clients/java/tests/end_to_end.py \
  "$build/readme:$build/hito-client/test-classes:$classes" hito.e2e.EndToEnd ReadmeExample
