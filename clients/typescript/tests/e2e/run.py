"""Starts a server, runs the client's programs against it, kills the server when they say so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

REPOSITORY = Path(__file__).resolve().parents[4]
sys.path[:0] = [str(REPOSITORY / "Tests/EndToEnd"), str(REPOSITORY / "clients/python/src")]

from hito_server import HitoServer  # noqa: E402

OUT = REPOSITORY / ".build-clients/typescript/examples"
TIMEOUT = 300.0


def main(certificates: str) -> int:
    server = HitoServer()
    server.options += ["--tls-client-ca", f"{certificates}/ca.pem"]
    try:
        server.start()
        environment = {
            "HITO_ADDRESS": server.address, "HITO_CA": server.ca_file,
            "HITO_ADMIN_TOKEN": server.admin().token, "HITO_CERTIFICATES": certificates,
            "HITO_OTHER_CA": f"{certificates}/stranger.pem",
        }  # fmt: skip
        programs = [
            OUT / "clients/typescript/tests/e2e/journey.js",
            OUT / "clients/typescript/examples/goals.js",
            OUT / ".build-clients/typescript/readme/readme.js",
        ]
        return max(run(program, server, environment) for program in programs)
    finally:
        server.remove()


def run(program: Path, server: HitoServer, environment: Dict[str, str]) -> int:
    command: List[str] = ["node", str(program)]
    said: List[str] = []
    with subprocess.Popen(
        ["timeout", str(TIMEOUT), *command], stdout=subprocess.PIPE, text=True,
        env={**os.environ, **environment},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if line == "kill\n":
                server.kill()
                server.start()
            else:
                said.append(line)
            if line.startswith("ok "):
                print(f"# {program.stem}: {line}", end="", flush=True)
    if process.returncode != 0:
        print("".join(said[-50:]), server.tail(), file=sys.stderr)
        print(f"not ok - {program.stem} ended with {process.returncode}", flush=True)
    else:
        print(f"ok - {program.stem}", flush=True)
    return min(abs(process.returncode), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
