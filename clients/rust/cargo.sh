# shellcheck shell=bash
# Cargo as the scripts of this folder run it: crates of Debian's archive, everything made in .build-clients/rust.
# Sourced, never run. Elsewhere plain cargo does, with the crates of its registry.
# shellcheck source=.make/common.sh
source ../../.make/common.sh

BUILD=$REPO/.build-clients/rust
export PATH="$HOME/.cargo/bin:$PATH"

run_cargo() {
  mkdir -p "$BUILD"
  cat > "$BUILD/cargo.toml.new" <<END
[source.crates-io]
replace-with = "debian"

[source.debian]
directory = "/usr/share/cargo/registry"

[build]
target-dir = "$BUILD/target"
# Its notes are larger than all else, and the crate is small.
incremental = false

[net]
offline = true
END
  # Only where it differs: cargo need not look twice.
  cmp -s "$BUILD/cargo.toml.new" "$BUILD/cargo.toml" || mv "$BUILD/cargo.toml.new" "$BUILD/cargo.toml"
  # Behind the subcommand: clippy gets it only there.
  local subcommand=$1
  shift
  cargo "$subcommand" --config "$BUILD/cargo.toml" "$@"
}
