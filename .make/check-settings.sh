#!/usr/bin/env bash
# Fails when docs/settings.md is not what the program prints of its settings.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

swift build --product hito >&2
program=$(swift build --show-bin-path)/hito
if ! diff -u docs/settings.md <("$program" config --markdown) >&2; then
  die "docs/settings.md is stale: run $program config --markdown > docs/settings.md"
fi
