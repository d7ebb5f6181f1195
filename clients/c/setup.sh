#!/usr/bin/env bash
# What the C client is built and tested with: Debian's compiler, OpenSSL, protobuf-c, zlib, cppcheck and valgrind.
# Idempotent; quick where all is there.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"

if ! command -v dpkg-query >/dev/null; then
  note "no Debian packages here: libssl-dev, libprotobuf-c-dev and zlib1g-dev are needed"
  exit 3
fi
install_packages gcc make pkg-config libssl-dev libprotobuf-c-dev zlib1g-dev cppcheck valgrind
