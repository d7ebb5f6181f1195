"""What an attack costs: the server's memory and an honest caller's time while it lasts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

from hito_server import REPOSITORY, HitoServer, Login

HERE = Path(__file__).resolve().parent
FLOOR_MS = 100.0
BUSY_FACTOR = 20
"""In `make test` other suites use the processors too: then only what stands still for seconds is too long."""
SAMPLE_SECONDS = 0.02


class Cost(NamedTuple):
    """What one attack cost."""

    attack: str
    growth_mib: float
    """The server's largest resident memory during the attack, less that before the first."""
    p99_ms: Dict[str, float]
    """By kind of call."""
    calls: int
    failures: List[str]


class Honest:
    """The process of honest.py."""

    def __init__(self, server: HitoServer, login: Login, goal_id: str) -> None:
        paths = [str(HERE), str(HERE.parent / "EndToEnd"), str(REPOSITORY / "clients/python/src")]
        self._process = subprocess.Popen(
            [
                sys.executable, str(HERE / "honest.py"),
                server.address, server.ca_file, login.token, goal_id,
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )  # fmt: skip
        assert self._process.stdout is not None
        ready = json.loads(self._process.stdout.readline())
        assert ready["ready"], ready

    def end(self) -> Dict[str, object]:
        """Tells it to stop; what it measured."""
        out, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, f"the honest caller ended: {out}"
        return json.loads(out.splitlines()[-1])

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class Memory:
    """Watches the resident memory of a server; the largest that was seen, in MiB."""

    def __init__(self, server: HitoServer) -> None:
        self._server = server
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.largest = server.resident_mib
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            try:
                self.largest = max(self.largest, self._server.resident_mib)
            except (OSError, IndexError):
                # It has ended, which the attack finds.
                return

    def end(self) -> float:
        self._ended.set()
        self._thread.join()
        return self.largest


class Siege:
    """A server, its honest caller and what it took before the first attack."""

    def __init__(self, server: HitoServer, login: Login, goal_id: str) -> None:
        self.server = server
        self._login = login
        self._goal_id = goal_id
        # Twice: what the server makes once (the encoder's weights, prepared statements, buffers)
        # is not the attack's.
        self._calm()
        self.idle_p99_ms = self._calm()
        self.before_mib = server.resident_mib
        self.costs: List[Cost] = []

    def _calm(self) -> Dict[str, float]:
        honest = Honest(self.server, self._login, self._goal_id)
        threading.Event().wait(2.0)
        return p99(honest.end()["times"])  # type: ignore[arg-type]

    def attack(self, name: str) -> "Attack":
        """`with siege.attack("name"):` around an attack."""
        return Attack(self, name)

    def bound_ms(self, has_token: bool, is_idle: bool) -> float:
        """What the honest caller's calls may take at p99, on a machine that is idle otherwise or not."""
        bound = max(FLOOR_MS, 5 * self.idle_p99_ms["all"]) if has_token else FLOOR_MS
        return bound if is_idle else BUSY_FACTOR * bound

    @property
    def growth_mib(self) -> float:
        return max((cost.growth_mib for cost in self.costs), default=0.0)

    def honest(self) -> Honest:
        return Honest(self.server, self._login, self._goal_id)


class Attack:
    """One attack. At its end the server runs, and the honest caller was served all the time."""

    def __init__(self, siege: Siege, name: str) -> None:
        self._siege = siege
        self._name = name
        self.cost: Optional[Cost] = None

    def __enter__(self) -> "Attack":
        self._honest = self._siege.honest()
        self._memory = Memory(self._siege.server)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        largest = self._memory.end()
        if kind is not None:
            self._honest.kill()
            return
        measured = self._honest.end()
        times: Dict[str, List[float]] = measured["times"]  # type: ignore[assignment]
        failures: List[str] = measured["failures"]  # type: ignore[assignment]
        cost = Cost(
            self._name, largest - self._siege.before_mib, p99(times),
            sum(len(values) for kind, values in times.items() if kind != "missed"), failures,
        )  # fmt: skip
        self._siege.costs.append(cost)
        self.cost = cost
        assert self._siege.server.is_running, self._siege.server.tail()
        assert not failures, f"{len(failures)} calls of an honest caller failed: {failures[:5]}"
        assert times["read"], "the honest caller was not served at all"


def p99(times: Dict[str, List[float]]) -> Dict[str, float]:
    """The 99th percentile in milliseconds of all calls, those that were missed too, and by kind: the
    largest of fewer than 100."""
    everything = {"all": [value for values in times.values() for value in values], **times}
    return {
        kind: sorted(values)[max(0, -(-len(values) * 99 // 100) - 1)]
        for kind, values in everything.items()
        if values
    }
