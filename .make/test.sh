#!/usr/bin/env bash
# Runs every test: Swift, then the Python client and the end-to-end tests where there are any.
# All of them run even when one fails; the exit status says whether all passed.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

swift build --build-tests

failed=()
swift test --skip-build --disable-xctest --enable-swift-testing || failed+=("swift test")

suites=()
for folder in clients/python/tests Tests/EndToEnd; do
  if compgen -G "$folder/test_*.py" >/dev/null || compgen -G "$folder/**/test_*.py" >/dev/null; then
    suites+=("$folder")
  fi
done
# The end-to-end tests drive the program itself.
HITO_BINARY=$(swift build --show-bin-path)/hito
export HITO_BINARY
for folder in ${suites[@]+"${suites[@]}"}; do
  "$REPO/.venv/bin/python" -m pytest -q "$folder" || failed+=("pytest $folder")
done

if [ ${#failed[@]} -gt 0 ]; then
  die "failed: $(printf '%s; ' "${failed[@]}")"
fi
note "all tests passed: swift test${suites[*]:+, pytest ${suites[*]}}"
