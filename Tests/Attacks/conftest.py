"""The besieged servers, and what the attacks cost in all."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from typing import Dict, Iterator, Set

import pytest
from hito import v1
from hito_server import HitoServer, Login
from siege import Cost, Siege

TOKENLESS_MIB_MAX = 64.0
CALLER_MIB_MAX = 256.0
IS_IDLE = os.environ.get("HITO_ATTACK_TIMES") == "1"
"""Whether the machine does nothing else (`make bench-attacks`): then times are held to their bounds."""

_sieges: Dict[str, Siege] = {}
_survived: Set[str] = set()


def _besieged(name: str) -> Iterator[Siege]:
    server = HitoServer()
    try:
        server.start()
        login = server.join("Honesta", "learner", external_id="honesta")
        siege = Siege(server, login, asyncio.run(_goal(server, login)))
        _sieges[name] = siege
        yield siege
        status = server.stop() if server.is_running else 0
        assert status == 0, f"the server ended with {status}\n{server.tail()}"
    finally:
        server.remove()


async def _goal(server: HitoServer, login: Login) -> str:
    async with await server.connect(login) as client:
        request = v1.CreateGoalRequest(title="Aprender a escribir pruebas")
        return (await client.goals.create_goal(request)).goal.id


@pytest.fixture(scope="session")
def tokenless() -> Iterator[Siege]:
    """A server that peers without a token attack."""
    yield from _besieged("tokenless")


@pytest.fixture(scope="session")
def caller() -> Iterator[Siege]:
    """A server that one caller with a token attacks."""
    yield from _besieged("caller")


@pytest.fixture
def mallory(caller: Siege) -> Login:
    """The one caller."""
    return caller.server.join("Mallory", "learner", external_id=f"mallory-{uuid.uuid4()}")


@pytest.fixture(autouse=True)
def bounds() -> Iterator[None]:
    """After each attack: what it cost is within the bounds."""
    before = {name: len(siege.costs) for name, siege in _sieges.items()}
    yield
    for name, siege in _sieges.items():
        for cost in siege.costs[before.get(name, 0) :]:
            hold(name, siege, cost)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        _survived.add(report.nodeid)
    elif report.failed:
        _survived.discard(report.nodeid)


def hold(name: str, siege: Siege, cost: Cost) -> None:
    limit = CALLER_MIB_MAX if name == "caller" else TOKENLESS_MIB_MAX
    assert cost.growth_mib < limit, f"{cost.growth_mib:.0f} MiB, allowed are {limit:.0f}"
    bound = siege.bound_ms(name == "caller", is_idle=IS_IDLE)
    value = cost.p99_ms["all"]
    assert value < bound, f"p99 of a call: {value:.0f} ms, allowed are {bound:.0f}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    costs = [(name, siege, cost) for name, siege in _sieges.items() for cost in siege.costs]
    if not costs:
        return
    write = terminalreporter.write_line
    for name, siege in _sieges.items():
        idle = ", ".join(f"{kind} {ms:.1f}" for kind, ms in siege.idle_p99_ms.items())
        write(f"{name}: {siege.before_mib:.0f} MiB before, p99 in ms: {idle}")
    for name, _, cost in costs:
        times = ", ".join(f"{kind} {ms:.1f}" for kind, ms in cost.p99_ms.items() if kind != "missed")
        write(f"  {name:<10}{cost.attack:<32}{cost.growth_mib:7.1f} MiB  {times} ({cost.calls} calls)")
    worst = max((cost.p99_ms.get("all", 0.0) for _, _, cost in costs), default=0.0)
    _figure(write, "attack.tokenless_rss_growth_mib", _growth("tokenless"), "MiB, allowed are 64")
    _figure(write, "attack.caller_rss_growth_mib", _growth("caller"), "MiB, allowed are 256")
    _figure(write, "attack.honest_p99_ms", worst, "ms a call, worst of all attacks")
    _figure(write, "attack.survived", float(len(_survived)), "attacks")


def _growth(name: str) -> float:
    return _sieges[name].growth_mib if name in _sieges else 0.0


def _figure(write: object, name: str, value: float, unit: str) -> None:
    figure = {
        "name": name, "ours": round(value, 1),
        "peer": None, "theirs": None, "ratio": None, "unit": unit,
    }  # fmt: skip
    write(f"FIGURE {json.dumps(figure)}")  # type: ignore[operator]
