"""Starts a server and runs the extension's tests against it, as a learner."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(REPOSITORY / "Tests/EndToEnd"), str(REPOSITORY / "clients/python/src")]

from hito_server import HitoServer  # noqa: E402

BUILD = REPOSITORY / ".build-clients/vscode/build"


def main() -> int:
    server = HitoServer()
    try:
        server.start()
        environment = {
            "HITO_ADDRESS": server.address, "HITO_CA": server.ca_file, "HITO_TOKEN": server.join("Ana").token,
            "HITO_REPOSITORY": str(REPOSITORY),
        }  # fmt: skip
        tests = sorted(str(path) for path in (BUILD / "tests").glob("*.test.js"))
        return subprocess.run(
            ["node", "--test", *tests], env={**os.environ, **environment}, timeout=300, check=False
        ).returncode
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
