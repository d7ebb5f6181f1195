#!/usr/bin/env bash
# build.sh debug|release [SWIFT-BUILD-OPTION...]: one scratch folder for all configurations.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
configuration=${1:?debug or release}
shift
cd "$REPO"
exec swift build --configuration "$configuration" "$@"
