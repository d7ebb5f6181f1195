"""What a call costs each client, beside the gRPC client of its language where one can be installed.

One Hito server and one gRPC server for C++ are on one core, and the clients, each a process of its own, on another: they call
for some seconds, with one call and with 64 in flight on one client, in turns. Processor time is the client's process's, with all its threads.
Prints a table of medians and a FIGURE line for each language, of 64 in flight; above 1 ours takes less.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Tuple

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(REPOSITORY / "Tests" / "EndToEnd"), str(REPOSITORY / "Tests" / "Benchmarks" / "peers")]

from hito_server import HitoServer  # noqa: E402
from peers import certificate, pin, start  # noqa: E402

IN_FLIGHT = (1, 64)
FIGURES = {
    "python": "clients.python.cpu_us_per_call", "c": "clients.c.cpu_us_per_call",
    "go": "clients.go.cpu_us_per_call", "java": "clients.java.cpu_us_per_call",
    "typescript": "clients.typescript.cpu_us_per_call", "rust": "clients.rust.cpu_us_per_call",
}  # fmt: skip
CASES = {
    "python": "clients.python.conformance_cases_passed", "c": "clients.c.conformance_cases_passed",
    "go": "clients.go.conformance_cases_passed", "java": "clients.java.conformance_cases_passed",
    "typescript": "clients.typescript.conformance_cases_passed",
    "rust": "clients.rust.conformance_cases_passed",
}  # fmt: skip
PEERS = {"python": "grpcio (asyncio)", "c": "gRPC C++", "go": "grpc-go", "java": "grpc-java"}


class Server(NamedTuple):
    address: str
    ca_file: str
    token_file: str


class Result(NamedTuple):
    calls_per_second: float
    cpu_us: float


Results = Dict[Tuple[str, str, int], Result]
"""Of a language, `ours` or `theirs`, and calls in flight."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--programs", type=Path, required=True, help="where the clients were built")
    parser.add_argument("--peer", required=True, help="the gRPC server")
    parser.add_argument("--server", required=True, help="the program whose clients are measured")
    parser.add_argument("--languages", nargs="+", choices=FIGURES, default=list(FIGURES))
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        servers = {"ours": ours(stack, arguments.server), "theirs": theirs(stack, arguments.peer)}
        found: Dict[Tuple[str, str, int], List[Result]] = {}
        for _ in range(arguments.rounds):
            for key, program in programs(arguments.programs, arguments.languages):
                result = measure(program, servers[key[1]], arguments.seconds, key[2])
                found.setdefault(key, []).append(result)
    results = {
        key: Result(*map(statistics.median, zip(*values, strict=True))) for key, values in found.items()
    }
    report(results, arguments.languages)
    # A fast client that does not conform is none.
    return 0 if all([conforms(language) for language in arguments.languages]) else 1


def conforms(language: str) -> bool:
    command = [
        sys.executable, str(REPOSITORY / "Tests" / "Conformance" / "runner.py"), "client", "--quiet",
        "--time-factor", "4", "--", str(REPOSITORY / "clients" / language / "conformance.sh"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    counted = re.search(r"# (\d+) cases: (\d+) passed", done.stdout)
    if counted is None:
        raise SystemExit(f"{language}: {done.stdout}{done.stderr}")
    cases, passed = map(int, counted.groups())
    figure = {
        "name": CASES[language], "ours": passed, "peer": "all cases", "theirs": cases,
        "ratio": round(passed / cases, 3), "unit": "cases",
    }  # fmt: skip
    print("FIGURE " + json.dumps(figure))
    return done.returncode == 0


def ours(stack: contextlib.ExitStack, program: str) -> Server:
    os.environ["HITO_BINARY"] = program
    server = HitoServer()
    server.options += ["--calls-per-second", "1000000", "--threads", "1"]
    stack.callback(server.remove)
    server.start()
    stack.callback(server.stop)
    pin(server.pid)
    return Server(server.address, server.ca_file, str(server.data / "admin.token"))


def theirs(stack: contextlib.ExitStack, program: str) -> Server:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hito-clients-")))
    token_file = folder / "token"
    token_file.write_text("bench\n")
    files = certificate(folder)
    port, pid = start(stack, "gRPC C++", [program, "callback"], files)
    pin(pid)
    return Server(f"localhost:{port}", files[0], str(token_file))


def programs(folder: Path, languages: List[str]) -> Iterator[Tuple[Tuple[str, str, int], Path]]:
    for language in languages:
        for in_flight in IN_FLIGHT:
            for side in ("ours", "theirs"):
                program = folder / language / side
                if program.exists():
                    yield (language, side, in_flight), program


def measure(program: Path, server: Server, seconds: float, in_flight: int) -> Result:
    command = [str(program), *server, str(seconds), str(in_flight)]
    done = subprocess.run(
        ["taskset", "-c", "1", *command] if (os.cpu_count() or 1) > 1 else command,
        capture_output=True, text=True, timeout=seconds + 60,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr or done.stdout}")
    line = json.loads(done.stdout)
    return Result(line["calls"] / line["seconds"], line["cpu_us_per_call"])


def report(results: Results, languages: List[str]) -> None:
    print("| client | in flight | calls/s | CPU µs/call | gRPC client | calls/s | CPU µs/call | CPU ratio |")
    print("|---|---:|---:|---:|---|---:|---:|---:|")
    for language in languages:
        for in_flight in IN_FLIGHT:
            own, their = results[language, "ours", in_flight], results.get((language, "theirs", in_flight))
            cells = [PEERS[language], *numbers(their), f"{their.cpu_us / own.cpu_us:.2f}"] if their else [""] * 4
            print("| " + " | ".join([language, str(in_flight), *numbers(own), *cells]) + " |")
    for language in languages:
        own, their = results[language, "ours", 64], results.get((language, "theirs", 64))
        figure = {
            "name": FIGURES[language], "ours": round(own.cpu_us, 2),
            "peer": PEERS[language] if their else None,
            "theirs": round(their.cpu_us, 2) if their else None,
            "ratio": round(their.cpu_us / own.cpu_us, 3) if their else None,
            "unit": "client CPU µs/call",
        }  # fmt: skip
        print("FIGURE " + json.dumps(figure, ensure_ascii=False))


def numbers(result: Result) -> List[str]:
    return [f"{result.calls_per_second:.0f}", f"{result.cpu_us:.1f}"]


if __name__ == "__main__":
    sys.exit(main())
