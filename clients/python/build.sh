#!/usr/bin/env bash
# The wheel and the source archive, below .build-clients/python/dist; the wheel is made of the unpacked archive. Nothing is
# fetched: what builds them is in .venv.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"
client=$REPO/clients/python
out=$REPO/.build-clients/python
stamp=$out/dist/.stamp

wanted=$(cd "$client" && find src README.md pyproject.toml -type f \
  -not -path '*/__pycache__/*' -not -path '*.egg-info/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

# Of a copy: setuptools leaves folders beside what it builds.
rm -rf "$out/source" "$out/dist"
mkdir -p "$out/source"
(cd "$client" && tar --exclude=__pycache__ --exclude='*.egg-info' -cf - src README.md pyproject.toml) \
  | tar -xf - -C "$out/source"
log=$out/build.log
"$REPO/.venv/bin/python" -m build --no-isolation --outdir "$out/dist" "$out/source" >"$log" 2>&1 \
  || { cat "$log" >&2; die "the Python client could not be packed"; }
printf '%s\n' "$wanted" >"$stamp"
