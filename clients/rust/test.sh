#!/bin/bash
# Lints the Rust client and runs its tests; those against a real server where HITO_BINARY names one.
cd "$(dirname "$0")"
# shellcheck source=clients/rust/cargo.sh
source ./cargo.sh

./build.sh
if cargo fmt --version >/dev/null 2>&1; then cargo fmt --check; fi
if cargo clippy --version >/dev/null 2>&1; then run_cargo clippy --quiet --all-targets -- -D warnings; fi
RUSTDOCFLAGS="-D warnings" run_cargo doc --quiet --no-deps
run_cargo test --quiet
python=$REPO/.venv/bin/python
[ -x "$python" ] || python=python3
HITO_BINARY=${HITO_BINARY:-$REPO/.build/debug/hito}
if [ -x "$HITO_BINARY" ]; then
  HITO_BINARY=$HITO_BINARY "$python" tests/end_to_end.py "$BUILD/target/debug/examples/end_to_end"
else
  note "no $HITO_BINARY: the tests against a real server are left out (make build, or set HITO_BINARY)"
fi
