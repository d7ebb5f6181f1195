#!/usr/bin/env bash
# Installs everything that Hito needs to be built and run. Idempotent: a run that finds all in
# place changes nothing and does not touch the network.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case "$ARCHITECTURE" in
  x86_64 | aarch64) ;;
  *) die "unsupported processor: $ARCHITECTURE (x86_64 and aarch64 are supported)" ;;
esac
[ "$(uname -s)" = Linux ] || die "Hito is set up on Linux (Debian 12); this is $(uname -s)"
command -v swift >/dev/null || die "swift is not installed" "install Swift 6.3 from swift.org and put it in PATH"

# Two runs in one work tree would meet in .venv.
exec 9<"$REPO"
flock 9

"$REPO/.make/setup-packages.sh"
"$REPO/.make/setup-python.sh"
"$REPO/.make/setup-postgres.sh"
"$REPO/.make/setup-arrow.sh"
"$REPO/.make/setup-embedder.sh"
"$REPO/.make/setup-llm.sh"
"$REPO/.make/setup-validation.sh"
