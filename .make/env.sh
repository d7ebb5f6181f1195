# shellcheck shell=bash
# The environment that builds and tests need, in one place. Sourced by the scripts in .make/;
# for a shell of your own: `source .make/env.sh`.
_hito_env=$(
  # In a subshell: the caller's shell options stay as they are.
  source "$(dirname "${BASH_SOURCE[0]:-$0}")/common.sh"
  postgres=$(find_component "$(postgres_component)" "$(postgres_stamp)" \
    || find_component "$(postgres_debian_component)" "$(postgres_debian_stamp)" \
    || printf '%s/postgres' "$(components_root)")
  arrow=$(find_component "$(arrow_component)" "$(arrow_stamp)" \
    || printf '%s/%s' "$(components_root)" "$(arrow_component)")
  printf 'export HITO_POSTGRES=%q\n' "$postgres"
  # Arrow's .pc files and, because SwiftPM drops the run path of .pc files, the folder that
  # Package.swift writes into the executables.
  printf 'export HITO_ARROW=%q\n' "$arrow"
  printf 'export ARROW_RPATH=%q\n' "$arrow/lib"
  printf 'export PKG_CONFIG_PATH=%q\n' "$arrow/lib/pkgconfig"
)
# An own PKG_CONFIG_PATH stays in force, after ours.
_hito_pkg_config_path=${PKG_CONFIG_PATH:-}
eval "$_hito_env"
case ":$_hito_pkg_config_path:" in
  *":$PKG_CONFIG_PATH:"*) PKG_CONFIG_PATH=$_hito_pkg_config_path ;;
  ::) ;;
  *) PKG_CONFIG_PATH=$PKG_CONFIG_PATH:$_hito_pkg_config_path ;;
esac
unset _hito_env _hito_pkg_config_path
