"""What the seals over the log and the audit cost.

Learners create goals and complete their tasks; then all seals are taken away, and the server makes them again, from
the first event on. Tells the CPU of an event's write (server and PostgreSQL), that of its seal, the bytes that a
seal keeps of it, and how fast `hito audit verify` compares. Prints FIGURE lines.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import List

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path[:0] = [
    str(REPOSITORY / "clients" / "python" / "src"),
    str(REPOSITORY / "Tests" / "EndToEnd"),
]

from hito_server import HitoServer  # noqa: E402
from psql import Session  # noqa: E402

from hito import v1  # noqa: E402

LEARNERS = 16
ROUNDS = 3
SEAL = 1000
TICK = os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--goals", type=int, default=2500, help="goals, of about 10 events each")
    arguments = parser.parse_args()
    server = HitoServer()
    try:
        asyncio.run(measure(server, arguments.goals))
        return 0
    finally:
        if server.is_running:
            server.stop()
        server.remove()


async def measure(server: HitoServer, count: int) -> None:
    await server.restart()
    logins = [await asyncio.to_thread(server.join, f"Ana {n}") for n in range(LEARNERS)]
    clients = [await server.connect(login, timeout=120.0) for login in logins]
    session = await Session.open(server)

    async def work(number: int) -> None:
        client = clients[number]
        for goal in range(number, count, LEARNERS):
            made = await client.goals.create_goal(
                v1.CreateGoalRequest(
                    title=f"Aprender la cosa número {goal}", description="Bien y despacio.",
                    tasks=[v1.NewTask(title=f"Paso {step}") for step in range(3)],
                )
            )  # fmt: skip
            for task in made.tasks:
                await client.tasks.complete_task(v1.CompleteTaskRequest(task_id=task.id))

    before = cpu(server)
    await asyncio.gather(*(work(number) for number in range(LEARNERS)))
    written = cpu(server) - before
    events = int((await session.run("SELECT max(position) FROM event_positions;"))[0])
    await sealed(session, events)
    write = 1e6 * written / events
    # What the server does while nothing comes.
    before = cpu(server)
    await asyncio.sleep(5)
    idle = (cpu(server) - before) / 5
    costs: List[float] = []
    rates: List[float] = []
    for _ in range(ROUNDS):
        await session.run("DELETE FROM log_seals;")
        before = cpu(server)
        waited = time.monotonic()
        while await position(session) == 0:
            await asyncio.sleep(0.005)
        # The rest, less than a seal takes, waits for the next time.
        began = time.monotonic()
        await sealed(session, events - events % SEAL)
        rates.append((events - events % SEAL - SEAL) / (time.monotonic() - began))
        await sealed(session, events)
        spent = cpu(server) - before - idle * (time.monotonic() - waited)
        costs.append(1e6 * spent / events)
    size = float(
        (
            await session.run(
                "SELECT sum(pg_column_size(s.*))::float8 / max(s.last_position) FROM log_seals s;"
            )
        )[0]
    )
    row = float((await session.run("SELECT avg(pg_column_size(e.*))::float8 FROM events e;"))[0])
    await session.close()
    verify = [await verified(server, events) for _ in range(ROUNDS)]
    seal = statistics.median(costs)
    figure("audit.seal_cpu_us_per_event", seal, "CPU µs/event", "writing the event", write)
    figure("audit.sealed_events_per_second", statistics.median(rates), "events/s")
    figure("audit.seal_bytes_per_event", size, "bytes/event", "the event's own row", row)
    figure("audit.verified_events_per_second", statistics.median(verify), "events/s")


def figure(name: str, ours: float, unit: str, peer: str = "", theirs: float = 0.0) -> None:
    line = {
        "name": name, "ours": round(ours, 2), "peer": peer or None,
        "theirs": round(theirs, 2) if peer else None,
        "ratio": round(theirs / ours, 2) if peer and ours > 0 else None, "unit": unit,
    }  # fmt: skip
    print("FIGURE " + json.dumps(line, ensure_ascii=False), flush=True)


async def position(session: Session) -> int:
    return int((await session.run("SELECT coalesce(max(last_position), 0) FROM log_seals;"))[0])


async def sealed(session: Session, events: int) -> None:
    async with asyncio.timeout(120):
        while await position(session) < events:
            await asyncio.sleep(0.02)


async def verified(server: HitoServer, events: int) -> float:
    """Events a second, without the start of the command."""
    data = ["--data-dir", str(server.data)]
    began = time.monotonic()
    head = await asyncio.to_thread(server.command, "audit", "head", *data)
    start = time.monotonic() - began
    began = time.monotonic()
    result = await asyncio.to_thread(server.command, "audit", "verify", *data)
    took = time.monotonic() - began
    if head.returncode or result.returncode:
        raise SystemExit(f"{result.stdout}{result.stderr}")
    return events / max(took - start, 0.001)


def cpu(server: HitoServer) -> float:
    """Seconds of the server, and of PostgreSQL's processes, also of those that have ended."""
    postmaster = server.postmaster()
    total = used(server.pid)[0]
    own, ended, _ = used(postmaster)
    total += own + ended
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                process = used(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
            if process[2] == postmaster:
                total += process[0]
    return total


def used(pid: int) -> "tuple[float, float, int]":
    """Seconds of the process, of its children that ended, and its parent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    own, ended = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
    return own / TICK, ended / TICK, int(fields[1])


if __name__ == "__main__":
    sys.exit(main())
