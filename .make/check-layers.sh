#!/usr/bin/env bash
# The house's layers (docs/architecture.md): what each target may import, what is used in one place
# only, and no cycles between the folders of a target.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$REPO"

failed=0
# The lock is on the build folder, which is not touched.
swift package --ignore-lock dump-package | "$REPO/.venv/bin/python" .make/check_layers.py || failed=1
"$REPO/.venv/bin/python" .make/check_folders.py || failed=1
if grep -rn --include='*.swift' FoundationNetworking Sources Tests >&2; then
  note "FoundationNetworking brings another libcurl with it"
  failed=1
fi
exit "$failed"
