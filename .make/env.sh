# shellcheck shell=bash
# The environment that builds and tests need, in one place. Sourced by the scripts in .make/;
# for a shell of your own: `source .make/env.sh`.
#
# Nothing is set where the defaults find the pinned components: then a plain `swift build` and
# `make` build the very same and share what they built.
_hito_env=$(
  # In a subshell: the caller's shell options stay as they are.
  source "$(dirname "${BASH_SOURCE[0]:-$0}")/common.sh"

  # export_component VARIABLE LINK FOLDER: names FOLDER unless LINK, where everybody looks, is it.
  export_component() {
    local root
    for root in "${HOME:-/nonexistent}/.local/lib/hito" /usr/local/lib/hito; do
      if [ -e "$root/$2" ]; then
        [ "$(readlink -f "$root/$2")" != "$(readlink -f "$3")" ] || return 0
        break
      fi
    done
    printf 'export %s=%q\n' "$1" "$3"
  }

  postgres=$(find_component "$(postgres_component)" "$(postgres_stamp)" \
    || find_component "$(postgres_debian_component)" "$(postgres_debian_stamp)" || true)
  arrow=$(find_component "$(arrow_component)" "$(arrow_stamp)" || true)
  embedder=$(find_component "$(embedder_component)" "$(embedder_stamp)" || true)
  llm=$(find_component "$(llm_component)" "$(llm_stamp)" || true)
  if [ -z "${HITO_POSTGRES:-}" ] && [ -n "$postgres" ]; then
    export_component HITO_POSTGRES postgres "$postgres"
  fi
  if [ -z "${HITO_ARROW:-}" ] && [ -n "$arrow" ]; then
    export_component HITO_ARROW arrow "$arrow"
  fi
  if [ -z "${HITO_EMBEDDER:-}" ] && [ -n "$embedder" ]; then
    export_component HITO_EMBEDDER use-multilingual-3 "$embedder"
  fi
  if [ -z "${HITO_TEST_LLM:-}" ] && [ -n "$llm" ]; then
    export_component HITO_TEST_LLM test-llm "$llm"
  fi
)
eval "$_hito_env"
unset _hito_env
