#!/usr/bin/env bash
# .venv: the Python packages of .make/requirements.txt, every file checked by its hash, and our
# own client from clients/python, editable. Also the pip that fetches the other components.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

venv=$REPO/.venv
requirements=$REPO/.make/requirements.txt
client=$REPO/clients/python

# The first Python that the pinned wheels are for and that can make virtual environments.
find_python() {
  local candidate
  for candidate in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv, ensurepip
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  die "no Python 3.11 to 3.13 with venv was found" "on Debian 12: apt-get install python3-venv"
}

# What the environment was made from, and where: virtual environments hold absolute paths.
fingerprint() {
  printf '%s\n' "$venv"
  sha256sum < "$requirements"
  if [ -f "$client/pyproject.toml" ]; then sha256sum < "$client/pyproject.toml"; fi
}

wanted=$(fingerprint)
if [ "$(cat "$venv/.stamp" 2>/dev/null)" = "$wanted" ] && "$venv/bin/python" -c '' 2>/dev/null; then
  exit 0
fi

python=$(find_python)
note "setting up Python packages in .venv"
rm -rf "$venv"
"$python" -m venv "$venv"
pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
"${pip[@]}" --require-hashes --only-binary :all: --requirement "$requirements" \
  || die "could not install the Python packages" "is the network there? Run it again"
if [ -f "$client/pyproject.toml" ]; then
  "${pip[@]}" --no-index --no-deps --no-build-isolation --editable "$client" \
    || die "could not install the client of clients/python"
fi
printf '%s\n' "$wanted" > "$venv/.stamp"
