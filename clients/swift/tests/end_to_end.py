#!/usr/bin/env python3
"""Runs a program beside a real server (HITO_BINARY): end_to_end.py PROGRAM."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(REPOSITORY / "Tests" / "EndToEnd"), str(REPOSITORY / "clients" / "python" / "src")]

from hito_server import HitoServer  # noqa: E402

SECONDS = 120


def main(program: str) -> int:
    server = HitoServer()
    try:
        server.start()
        environment = {
            **os.environ, "HITO_ADDRESS": server.address, "HITO_CA": server.ca_file,
            "HITO_TOKEN": server.join("Ana").token,
        }  # fmt: skip
        return subprocess.run([program], env=environment, timeout=SECONDS, check=False).returncode
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
