#!/usr/bin/env python3
"""Runs a command beside a real server: drive.py COMMAND...

The command finds the server in HITO_ADDRESS, HITO_CA and HITO_TOKEN (of a learner), HITO_ADMIN_TOKEN, and may ask on the
Unix socket HITO_CONTROL for `kill` (-9) and `start`, each a line that is answered by `done`. HITO_BINARY names the
program of the server.
"""

from __future__ import annotations

import os
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from typing import List

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(REPOSITORY / "Tests" / "EndToEnd"), str(REPOSITORY / "clients" / "python" / "src")]

from hito_server import HitoServer  # noqa: E402


class Control(socketserver.ThreadingUnixStreamServer):
    """Kills and starts the server for the program that is tested."""

    daemon_threads = True

    def __init__(self, path: str, server: HitoServer) -> None:
        super().__init__(path, ControlHandler)
        self.held = server


class ControlHandler(socketserver.StreamRequestHandler):
    server: Control

    def handle(self) -> None:
        for line in self.rfile:
            {b"kill": self.server.held.kill, b"start": self.server.held.start}[line.strip()]()
            self.wfile.write(b"done\n")


def main(command: List[str]) -> int:
    server = HitoServer()
    try:
        server.start()
        path = str(server.folder / "control")
        control = Control(path, server)
        threading.Thread(target=control.serve_forever, daemon=True).start()
        environment = {
            **os.environ, "HITO_ADDRESS": server.address, "HITO_CA": server.ca_file, "HITO_CONTROL": path,
            "HITO_TOKEN": server.join("Ana").token, "HITO_ADMIN_TOKEN": server.admin().token,
        }  # fmt: skip
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
