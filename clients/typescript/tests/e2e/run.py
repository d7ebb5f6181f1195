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
        failed = [program.stem for program in programs if run(program, server, environment) != 0]
        code = Path(certificates) / "saludo.py"
        code.write_text("def saludo(:\n    return 1\n")
        if not terminal(code, {**environment, "HITO_TOKEN": server.join("Ana").token}):
            failed.append("hito-tui")
        return 1 if failed else 0
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


def terminal(code: Path, environment: Dict[str, str]) -> bool:
    """The whole way through examples/hito-tui.ts: a goal, its tasks, a file, and what it says live."""
    lines = ["add Terminal: Una, Dos", "list", "start 1", "done 1", "list", f"check {code}", "done 9", "quit"]
    done = subprocess.run(
        ["node", str(OUT / "clients/typescript/examples/hito-tui.js")], input="\n".join(lines),
        capture_output=True, text=True, timeout=TIMEOUT, env={**os.environ, **environment}, check=False,
    )  # fmt: skip
    expected = [
        "○ Terminal (0 %)", "  2 ○ Dos", "◐ Terminal (50 %)", "  1 ● Una", "· goal.created Terminal",
        "· task.completed Una", f"{code}:1:", "verdict: ", "! RangeError: there is no task 9",
    ]  # fmt: skip
    missing = [text for text in expected if text not in done.stdout]
    print("ok - hito-tui" if not missing else f"not ok - hito-tui: no {missing}\n{done.stdout}{done.stderr}")
    return not missing and done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
