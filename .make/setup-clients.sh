#!/usr/bin/env bash
# setup-clients.sh [LANGUAGE...]: the toolchains of the clients, each by its clients/LANGUAGE/setup.sh. Idempotent.
# Prints the languages that can be built here. One whose toolchain cannot be had is named and left out;
# with HITO_TEST_CLIENTS=all, as in CI, it is an error.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$REPO"

languages=("$@")
if [ $# -eq 0 ]; then
  for script in clients/*/setup.sh; do languages+=("$(basename "$(dirname "$script")")"); done
fi
for language in "${languages[@]}"; do
  status=0
  "clients/$language/setup.sh" >&2 || status=$?
  case $status in
    0) printf '%s\n' "$language" ;;
    3)
      [ "${HITO_TEST_CLIENTS:-}" != all ] || die "the client in $language cannot be built here"
      note "skipped: the client in $language"
      ;;
    *) die "clients/$language/setup.sh failed" ;;
  esac
done
