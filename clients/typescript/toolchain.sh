# shellcheck shell=bash
# Sourced by the other scripts, which set REPO: finds Node.js 20 or later, that of .venv where the machine's is older.

is_node_there() {
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null
}

is_node_there || PATH=$REPO/.venv/bin:$PATH
