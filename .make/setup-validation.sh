#!/usr/bin/env bash
# What code is validated with, beside Debian's packages: ruff, pytest, and tree-sitter with its grammars,
# in one folder that the sandbox reads. Run by the system's Python, which is the one inside the sandbox.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

component=$(validation_component)
stamp=$(validation_stamp)
find_component "$component" "$stamp" >/dev/null && exit 0
lock_components
find_component "$component" "$stamp" >/dev/null && exit 0  # another clone was faster

root=$(components_root)
note "installing the tools of code validation in $root"
work=$(mktemp -d "$root/.validation.XXXXXX")
trap 'rm -rf "$work"' EXIT
built=$work/root
mkdir -p "$built"
"$REPO/.venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps \
  --only-binary :all: --require-hashes --dest "$work/wheels" \
  --python-version "$(validation_python)" --implementation cp \
  --platform "manylinux_2_28_$ARCHITECTURE" --platform "manylinux2014_$ARCHITECTURE" \
  --requirement "$REPO/.make/validation-requirements.txt" \
  || die "could not download the tools of code validation" "is the network there? Run it again"
mkdir -p "$built/python"
for wheel in "$work"/wheels/*.whl; do
  "$REPO/.venv/bin/python" -m zipfile -e "$wheel" "$built/python"
done
mkdir -p "$built/bin"
cp "$built/python"/ruff-*.data/scripts/ruff "$built/bin/ruff"
chmod 0755 "$built/bin/ruff"
rm -rf "$built/python"/ruff-*.data
"$built/bin/ruff" --version >/dev/null || die "the downloaded ruff does not run here"
# Once here, so that no run has to: the sandbox reads this folder only.
/usr/bin/python3 -I -m compileall -q "$built/python" >/dev/null || die "pytest does not compile"
printf '%s\n' "$stamp" > "$built/.stamp"
publish_component "$built" "$component" validation
