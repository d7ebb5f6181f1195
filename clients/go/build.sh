#!/usr/bin/env bash
# Builds the library, its examples and the program that is held to the protocol, below .build-clients/go.
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
use_go
cd "$CLIENT"
go build ./...
go build -o "$GO_BUILD/conformance" ./conformance
