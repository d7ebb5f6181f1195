#!/usr/bin/env python3
"""Holds our own server and clients to the protocol: `make conformance`.

Starts a server of its own (HITO_BINARY, or the debug build), whose limits are short so that no case waits long, and runs runner.py against it and against each client. Its options: those of runner.py that both sides have.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import List

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(REPOSITORY / "Tests" / "EndToEnd"), str(REPOSITORY / "clients" / "python" / "src")]

from hito_server import HitoServer, debug_binary  # noqa: E402

LIMITS = {
    "keepalive_idle": ("--keepalive-idle", 4), "keepalive_timeout": ("--keepalive-timeout", 3),
    "idle_anonymous": ("--connection-idle-anonymous", 8), "stall": ("--stream-stall", 4),
}  # fmt: skip
OTHERS = {path.parent.name: path for path in sorted((REPOSITORY / "clients").glob("*/conformance.sh"))}
"""Built by `make test-clients`."""
CLIENTS = list(dict.fromkeys(["python", "python-sync", "swift", *OTHERS]))
BY_DEFAULT = ("server", "python", "swift")


def main() -> int:
    sides = [name for name in ("server", *CLIENTS) if name in sys.argv[1:]] or list(BY_DEFAULT)
    options = [argument for argument in sys.argv[1:] if argument not in ("server", *CLIENTS)]
    failed = [side for side in sides if not (server(options) if side == "server" else client(side, options))]
    if failed:
        print(f"# does not conform: {', '.join(failed)}")
    return 1 if failed else 0


def server(options: List[str]) -> bool:
    held = HitoServer()
    for option, seconds in LIMITS.values():
        held.options += [option, str(seconds)]
    held.options += ["--grace", "5"]
    try:
        held.start()
        limits = ",".join(f"{name}={seconds}" for name, (_, seconds) in LIMITS.items())
        command = [
            *runner(), "server", "--address", held.address, "--ca", held.ca_file,
            "--token-file", str(held.data / "admin.token"), "--started-with", limits,
            "--drain", f"kill -TERM {held.pid}", *known("server"), *options,
        ]  # fmt: skip
        return subprocess.run(command, check=False).returncode == 0
    finally:
        held.remove()


def client(name: str, options: List[str]) -> bool:
    command = [*runner(), "client", *known(name), *options, "--", *program(name)]
    return subprocess.run(command, check=False).returncode == 0


def program(name: str) -> List[str]:
    if name.startswith("python"):
        return [sys.executable, str(HERE / "adapters" / f"{name.replace('-', '_')}_client.py")]
    # Built with the tests.
    return [str(OTHERS[name] if name in OTHERS else Path(debug_binary()).parent / "conformance-client")]


def runner() -> List[str]:
    return [sys.executable, str(HERE / "runner.py")]


def known(name: str) -> List[str]:
    path = HERE / f"known-failing-{name}.txt"
    return ["--known-failing", str(path)] if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
