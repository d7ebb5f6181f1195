"""What a call costs the server beside gRPC for C++ (the better of its two ways), grpc-swift-2 and plain C.

All servers run at once on one core and are asked in turns, by one client on another core: one call in flight, 64 on one
connection, one on each of 64 connections, and a stream of small messages. Processor time is the kernel's of the server's process. Prints a table of
medians and a FIGURE line for each ratio; above 1 ours is better, also beside C, which it never is.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Tuple

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "Tests" / "EndToEnd"))

from hito_server import HitoServer  # noqa: E402

LOADS = {"w1": ("check", 1, 1), "w2": ("check", 1, 64), "w3": ("check", 64, 1), "w4": ("watch", 1, 1)}
WORDS = {
    "w1": "one call in flight", "w2": "64 in flight on one connection",
    "w3": "one on each of 64 connections", "w4": "a message of a stream",
}  # fmt: skip
# Wanted: theirs to ours.
GOALS = {
    "w1": {
        "rpc.w1.vs_grpc_cpp": 1.6, "rpc.w1.vs_grpc_swift": 6.0, "rpc.w1.vs_c": 0.67,
    },
    "w2": {
        "rpc.w2.vs_grpc_cpp": 9.0, "rpc.w2.vs_grpc_swift": 45.0, "rpc.w2.vs_c": 0.33,
    },
    "w3": {
        "rpc.w3.vs_grpc_cpp": 3.2, "rpc.w3.vs_grpc_swift": 12.0, "rpc.w3.vs_c": 0.77,
    },
    "w4": {
        "rpc.w4.vs_grpc_cpp": 20.0, "rpc.w4.vs_grpc_swift": 1.0, "rpc.w4.vs_c": 0.67,
    },
}  # fmt: skip
MESSAGES = 4000
"""Of a stream. Their bytes are less than the credit that a stream has at its start, also in HTTP/2."""
NAMES = {"vs_grpc_cpp": "gRPC C++", "vs_grpc_swift": "grpc-swift-2", "vs_c": "plain C"}


class Server(NamedTuple):
    name: str
    protocol: str
    port: int
    pid: int
    token: str
    loads: Tuple[str, ...] = tuple(LOADS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--programs", type=Path, required=True, help="where the peers were built")
    parser.add_argument("--server", required=True, help="the program that is measured")
    parser.add_argument("--stream-server", required=True, help="the same transport, with a stream from memory")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hito-peers-")))
        servers = [
            *ours(stack, arguments.server, arguments.stream_server, folder),
            *peers(stack, arguments.programs, folder),
        ]
        for server in servers:
            pin(server.pid)
        found: Dict[Tuple[str, str], List[float]] = {}
        for _ in range(arguments.rounds):
            for load in LOADS:
                for server in servers:
                    if load not in server.loads:
                        continue
                    cost = measure(arguments.programs, server, load, arguments.seconds)
                    found.setdefault((server.name, load), []).append(cost)
    costs = {key: statistics.median(values) for key, values in found.items()}
    report(costs, list(dict.fromkeys(server.name for server in servers)))
    return 0


def ours(
    stack: contextlib.ExitStack, program: str, stream_program: str, folder: Path
) -> Iterator[Server]:
    os.environ["HITO_BINARY"] = program
    server = HitoServer()
    server.options += ["--calls-per-second", "1000000", "--threads", "1"]
    stack.callback(server.remove)
    server.start()
    stack.callback(server.stop)
    port = int(server.address.rpartition(":")[2])
    yield Server("hito", "hito", port, server.pid, server.admin().token, ("w1", "w2", "w3"))
    port, pid = start(stack, "hito", [stream_program], certificate(folder))
    yield Server("hito", "hito", port, pid, "bench", ("w4",))


def peers(stack: contextlib.ExitStack, programs: Path, folder: Path) -> Iterator[Server]:
    swift = programs / "grpc-swift" / "release" / "peer"
    for name, protocol, command in [
        ("plain C", "hito", [programs / "limit"]),
        ("gRPC C++ callback", "grpc", [programs / "grpc", "callback"]),
        ("gRPC C++ async", "grpc", [programs / "grpc", "async"]),
        ("grpc-swift-2", "grpc", [swift]),
    ]:
        port, pid = start(stack, name, [str(part) for part in command], certificate(folder))
        yield Server(name, protocol, port, pid, "bench")


def certificate(folder: Path) -> Tuple[str, str]:
    """A certificate and its key."""
    path, key = folder / "cert.pem", folder / "key.pem"
    if not path.exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", key, "-out", path, "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True,
        )  # fmt: skip
    return str(path), str(key)


def start(
    stack: contextlib.ExitStack, name: str, command: List[str], files: Tuple[str, str]
) -> Tuple[int, int]:
    """A server's port and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*command, str(port), *files, str(MESSAGES)])
    stack.callback(process.wait)
    stack.callback(process.kill)
    listening(name, process, port)
    return port, process.pid


def listening(name: str, process: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + 20
    while True:
        if process.poll() is not None:
            raise SystemExit(f"{name} ended at its start")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if time.monotonic() > end:
            raise SystemExit(f"{name} does not listen")
        time.sleep(0.05)


def pin(pid: int) -> None:
    """All threads of a server on the first core."""
    if (os.cpu_count() or 1) > 1:
        subprocess.run(["taskset", "-a", "-c", "-p", "0", str(pid)], check=True, capture_output=True)


def measure(programs: Path, server: Server, load: str, seconds: float) -> float:
    """Microseconds of the server's processor time for a call."""
    method, connections, in_flight = LOADS[load]
    command = [
        str(programs / "load"), server.protocol, method, str(server.port), str(connections), str(in_flight),
        str(seconds), str(server.pid), server.token,
    ]  # fmt: skip
    done = subprocess.run(
        ["taskset", "-c", "1", *command] if (os.cpu_count() or 1) > 1 else command,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{server.name}, {load}: {done.stderr or done.stdout}")
    return float(json.loads(done.stdout)["server_cpu_us"])


def report(costs: Dict[Tuple[str, str], float], names: List[str]) -> None:
    print("| server CPU µs | " + " | ".join(WORDS[load] for load in LOADS) + " |")
    print("|---|" + "---:|" * len(LOADS))
    for name in names:
        print(f"| {name} | " + " | ".join(f"{costs[name, load]:.2f}" for load in LOADS) + " |")
    for load, goals in GOALS.items():
        own = costs["hito", load]
        for name, goal in goals.items():
            peer = name.rpartition(".")[2]
            theirs = cost_of(costs, peer, load)
            ratio = theirs / own
            state = "holds" if ratio >= goal else "MISSED"
            print(f"{state}: {name} at least {goal:g} ({ratio:.2f})")
            figure = {
                "name": name, "ours": round(own, 3), "peer": NAMES[peer],
                "theirs": round(theirs, 3), "ratio": round(ratio, 3),
                "unit": f"server CPU µs/{'message' if load == 'w4' else 'call'}",
            }  # fmt: skip
            print("FIGURE " + json.dumps(figure, ensure_ascii=False))


def cost_of(costs: Dict[Tuple[str, str], float], peer: str, load: str) -> float:
    if peer == "vs_grpc_cpp":
        return min(costs["gRPC C++ callback", load], costs["gRPC C++ async", load])
    return costs[NAMES[peer], load]


if __name__ == "__main__":
    sys.exit(main())
