"""How many events a second `hito replay` folds, from the log and from the lake.

Learners create goals and work through their tasks; then both are rebuilt and compared, and as a peer the
same events are copied by one statement of PostgreSQL, which folds nothing. Prints FIGURE lines, and ends
with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import sys
import time
from pathlib import Path


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--goals", type=int, default=1500, help="goals, of about 10 events each")
    arguments = parser.parse_args()
    server = HitoServer()
    try:
        return asyncio.run(measure(server, arguments.goals))
    finally:
        server.remove()


async def measure(server: HitoServer, count: int) -> int:
    await server.restart()
    logins = [await asyncio.to_thread(server.join, f"Ana {n}") for n in range(LEARNERS)]
    clients = [await server.connect(login, timeout=120.0) for login in logins]

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

    await asyncio.gather(*(work(number) for number in range(LEARNERS)))
    admin = await server.connect(server.admin(), timeout=120.0)
    await admin.server.flush_lake(v1.FlushLakeRequest())
    copied = statistics.median([await copy(server) for _ in range(ROUNDS)])
    rates = {}
    for source in ("log", "lake"):
        rates[source] = statistics.median([await replay(server, source) for _ in range(ROUNDS)])
    for source, name in (("log", "replay.events_per_second"), ("lake", "replay.lake_events_per_second")):
        figure = {
            "name": name, "ours": round(rates[source]), "peer": "CREATE TABLE AS",
            "theirs": round(copied), "ratio": round(rates[source] / copied, 3), "unit": "events/s",
        }  # fmt: skip
        print("FIGURE " + json.dumps(figure))
    return 0


async def copy(server: HitoServer) -> float:
    """Events a second of a plain copy."""
    session = await Session.open(server)
    try:
        began = time.monotonic()
        (count,) = await session.run(
            "CREATE TABLE copied AS SELECT * FROM events; SELECT count(*) FROM copied;", 120.0
        )
        took = time.monotonic() - began
        await session.run("DROP TABLE copied;")
    finally:
        await session.close()
    return int(count) / took


async def replay(server: HitoServer, source: str) -> float:
    """Events a second, as the command says, of a rebuild without a difference."""
    result = await asyncio.to_thread(
        server.command, "replay", "--from", source, "--data-dir", str(server.data)
    )
    if result.returncode != 0:
        raise SystemExit(f"{result.stdout}{result.stderr}")
    found = re.search(r"applied in .* \((\d+) a second\)", result.stderr)
    assert found, result.stderr
    return float(found[1])


if __name__ == "__main__":
    sys.exit(main())
