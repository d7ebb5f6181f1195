#!/bin/bash
# Builds the library, its examples and the conformance program into .build-clients/rust, without network.
cd "$(dirname "$0")"
# shellcheck source=clients/rust/cargo.sh
source ./cargo.sh

run_cargo build --all-targets
