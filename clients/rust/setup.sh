#!/bin/bash
# What the Rust client is built with: Rust by rustup or Debian, and the crates of Debian's archive, so that builds need
# no network. Quick where all is there. Exit status 3 where the toolchain cannot be had on this machine.
cd "$(dirname "$0")"
# shellcheck source=.make/common.sh
source ../../.make/common.sh

PACKAGES=(
  librust-futures-core-dev librust-getrandom-dev librust-log-dev librust-miniz-oxide-dev librust-prost-derive-dev
  librust-prost-dev librust-prost-types-dev librust-rustls-dev librust-rustls-pemfile-dev librust-serde-json-dev
  gcc libc6-dev librust-tokio-dev librust-tokio-macros-dev librust-tokio-rustls-dev librust-webpki-dev openssl
)

cannot() {
  note "the Rust client: $*"
  exit 3
}

command -v apt-get >/dev/null || cannot "its crates come from Debian's archive, and there is no apt-get"
(install_packages "${PACKAGES[@]}") || cannot "its crates cannot be installed from Debian's archive"

export PATH="$HOME/.cargo/bin:$PATH"
if ! command -v cargo >/dev/null; then
  # Not `cargo` and `rustc`, which are older than the client.
  (install_packages cargo-web rustc-web) || cannot "there is no cargo, and Debian's cannot be installed"
fi
# Of the client: edition 2021 with `let … else`, and what its tests use.
version=$(rustc --version | cut -d ' ' -f 2)
least=1.70
[ "$(printf '%s\n' "$least" "$version" | sort -V | head -n 1)" = "$least" ] \
  || cannot "it needs Rust $least, and this is $version"
