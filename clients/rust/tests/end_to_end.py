#!/usr/bin/env python3
"""Runs the scenarios of examples/end_to_end against a real server (HITO_BINARY): end_to_end.py PROGRAM."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import Dict, List

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
sys.path[:0] = [str(REPOSITORY / "Tests" / "EndToEnd"), str(REPOSITORY / "clients" / "python" / "src")]

from certificates import Authority  # noqa: E402
from hito_server import HitoServer  # noqa: E402

SCENARIO_SECONDS = 120
SCENARIOS = ["journey", "errors", "certificates", "kinds", "time", "options", "retry", "readme", "load", "consumer", "watch"]


def main() -> int:
    program = sys.argv[1]
    failed = [] if readme_is_run() else ["README"]
    total = 1
    server = HitoServer()
    try:
        with tempfile.TemporaryDirectory() as folder:
            authority, strange = Authority(Path(folder), "ours"), Authority(Path(folder), "strange")
            server.start()
            environment = {
                "HITO_STRANGE_CA": strange.files.certificate,
                **named("CLIENT", authority), **named("STRANGE", strange),
            }  # fmt: skip
            failed += run_all(program, SCENARIOS, server, environment)
            server.kill()
            server.options += ["--tls-client-ca", authority.files.certificate]
            server.start()
            failed += run_all(program, ["mutual"], server, environment)
            total += len(SCENARIOS) + 1
    finally:
        server.remove()
    print(f"# {total} scenarios: {total - len(failed)} passed, {len(failed)} failed {' '.join(failed)}".rstrip())
    return 1 if failed else 0


def named(name: str, authority: Authority) -> Dict[str, str]:
    made = authority.sign("client", "DNS:client.example")
    return {f"HITO_{name}_CERTIFICATE": made.certificate, f"HITO_{name}_KEY": made.key}


def run_all(program: str, names: List[str], server: HitoServer, environment: Dict[str, str]) -> List[str]:
    return [name for name in names if not run(program, name, server, environment)]


def run(program: str, name: str, server: HitoServer, environment: Dict[str, str]) -> bool:
    own = {
        **os.environ, **environment, "HITO_ADDRESS": server.address, "HITO_CA": server.ca_file,
        # Everybody starts with an empty list.
        "HITO_TOKEN": server.join(f"Ana {name}").token, "HITO_ADMIN_TOKEN": server.admin().token,
    }  # fmt: skip
    began = time.monotonic()
    process = subprocess.Popen([program, name], env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    for line in process.stdout:
        if line.strip() == "kill":
            server.kill()
            server.start()
            process.stdin.write("done\n")
            process.stdin.flush()
    passed = process.wait(SCENARIO_SECONDS) == 0
    print(f"{'ok' if passed else 'not ok'} {name} {time.monotonic() - began:.1f} s", flush=True)
    return passed


def readme_is_run() -> bool:
    """Whether the code of the page is what the scenario `readme` runs."""
    code = flat((HERE.parent / "examples" / "end_to_end" / "readme.rs").read_text())
    blocks = (HERE.parent / "README.md").read_text().split("```rust\n")[1:]
    missing = [block for block in (b.split("```")[0] for b in blocks) if flat(block) not in code]
    for block in missing:
        print("not ok README: no scenario has\n" + textwrap.indent(block, "# "))
    return not missing and len(blocks) > 0


def flat(text: str) -> str:
    """Without what differs by where it stands: space, and the marks of what a program says beside its results."""
    return "".join(text.replace('println!("# ', 'println!("').split())


if __name__ == "__main__":
    sys.exit(main())
