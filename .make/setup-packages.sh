#!/usr/bin/env bash
# Debian packages. As root, installs those that are missing; otherwise says which command to run.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

packages=(
  bubblewrap          # the sandbox that learners' code runs in
  ca-certificates
  g++                 # libstdc++ headers for the C++ shim of Arrow; learners' C++
  gcc                 # learners' C
  git                 # SwiftPM fetches with it
  libgomp1            # threads of the tests' language model
  libmd4c-dev         # Markdown
  libcurl4-openssl-dev # HTTP to other services
  libpq-dev           # PostgreSQL client library
  zlib1g-dev          # compressed messages
  libprotobuf-c-dev   # message encoding
  librabbitmq-dev     # client of a message broker
  libssl-dev          # TLS 1.3
  libtomlplusplus-dev # the file of settings, front matter; headers only
  libyaml-dev         # front matter of documents
  make
  nodejs              # learners' JavaScript
  openssl             # certificates of tests and of the TLS scan
  passwd              # useradd, for the database's own user
  pkg-config
  protobuf-c-compiler # protoc-c and protoc: only `make generate` and `make check` run them
  protobuf-compiler
  protoc-gen-go-1-5   # the same for messages of the client in Go
  python3             # learners' Python; the Python of the tools
  python3-venv
  shellcheck          # scripts of learners, and our own
  util-linux          # setpriv, flock
)

if ! command -v dpkg-query >/dev/null; then
  note "not a Debian system: make sure that you have the equivalent of: ${packages[*]}"
  exit 0
fi

install_packages "${packages[@]}"
