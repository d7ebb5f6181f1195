#!/usr/bin/env bash
# What the Swift client is built with: Swift itself, and three C libraries with their headers. Nothing of the server's.
# Quick where all is there; exit status 3 where there is no Swift on this machine.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"

if ! command -v swift >/dev/null; then
  note "there is no Swift, which https://swift.org/install has for this machine"
  exit 3
fi
install_packages libprotobuf-c-dev libssl-dev pkg-config zlib1g-dev
