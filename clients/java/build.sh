#!/usr/bin/env bash
# Builds messages, client, examples and the conformance program below .build-clients/java; what has not
# changed stays.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
source "$REPO/clients/java/maven.sh"

hito_mvn package -Dmaven.test.skip=true
