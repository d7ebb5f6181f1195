"""How fast the log gets into a RabbitMQ, beside librabbitmq alone, and how soon after a call.

Many copies of real events are put into the log at once, and published into a quorum queue; librabbitmq then
publishes the same messages to the same broker, with the same window and flags, in turns. Prints FIGURE lines,
and ends with 1 where Hito is slower than 0.8 of librabbitmq.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Dict, List

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path[:0] = [
    str(REPOSITORY / "clients" / "python" / "src"),
    str(REPOSITORY / "Tests" / "EndToEnd"),
]

from hito_server import HitoServer  # noqa: E402
from psql import Session  # noqa: E402
from rabbitmq import Broker  # noqa: E402

from hito import v1  # noqa: E402

RATIO_MIN = 0.8
WINDOW = 2000
"""`ConfirmWindow.Limits.count`."""
QUIET = {"HITO_LAKE_HERE": "no", "HITO_EMBED_HERE": "no", "HITO_VALIDATE_HERE": "no"}
"""Nothing beside the log: the sandbox would try its limits just when the measure begins."""
FILL = """
    BEGIN;
    WITH copies AS (
      INSERT INTO events (id, event_type, entity_type, entity_id, version, user_id, payload,
        metadata, schema_version, created_at)
      SELECT gen_random_uuid(), s.event_type, s.entity_type, gen_random_uuid(), 1, s.user_id,
        s.payload, s.metadata, s.schema_version, s.created_at
      FROM (SELECT *, count(*) OVER () AS count FROM events WHERE entity_type <> 'user') s
      CROSS JOIN generate_series(1, {count}) AS n
      WHERE n <= {count} / s.count + 1
      LIMIT {count}
      RETURNING *)
    INSERT INTO event_positions (position, seq, event_type, user_id, created_at)
    SELECT (SELECT coalesce(max(position), 0) FROM event_positions) + row_number() OVER (ORDER BY seq),
      seq, event_type, user_id, created_at
    FROM copies;
    COMMIT;
    """
UNSEALED = """
    SELECT (SELECT max(position) FROM event_positions) - max(last_position) FROM log_seals;
    """


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=100.0, help="goals a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    broker = Broker({"vm_memory_high_watermark.absolute": "2GB"})
    server = HitoServer(environment=QUIET)
    try:
        broker.start()
        return asyncio.run(measure(server, broker, arguments))
    finally:
        server.remove()
        broker.remove()


async def measure(server: HitoServer, broker: Broker, arguments: argparse.Namespace) -> int:
    await fill(server, arguments.events)
    peer = build_peer(broker.folder)
    ours: List[float] = []
    theirs: List[float] = []
    for number in range(arguments.rounds):
        ours.append(await publish(server, broker, f"bench{number}", arguments.events))
        bodies = messages(broker, f"bench{number}")
        theirs.append(run_peer(peer, broker, f"peer{number}", bodies, arguments.events))
        print(f"round {number + 1}: {ours[-1]:.0f}/s, librabbitmq alone {theirs[-1]:.0f}/s")
    latency = await delays(server, broker, arguments.rate, arguments.seconds)
    ratio = statistics.median(our / their for our, their in zip(ours, theirs))
    figures: List[Dict[str, object]] = [
        {
            "name": "bus.publish.vs_librabbitmq", "ours": round(statistics.median(ours)),
            "peer": "librabbitmq's own confirmed rate", "theirs": round(statistics.median(theirs)),
            "ratio": round(ratio, 2), "unit": "confirmed messages/s",
        },
        {
            "name": "bus.commit_to_queue_p99_ms", "ours": round(latency[int(len(latency) * 0.99)], 1),
            "peer": None, "theirs": None, "ratio": None,
            "unit": f"ms from a call to its event at a consumer, {arguments.rate:.0f} goals/s",
        },
    ]  # fmt: skip
    print(f"call to consumer: median {statistics.median(latency):.1f} ms")
    for figure in figures:
        print("FIGURE " + json.dumps(figure))
    holds = ratio >= RATIO_MIN
    print(f"{'holds' if holds else 'MISSED'}: at least {RATIO_MIN} of librabbitmq ({ratio:.2f})")
    return 0 if holds else 1


async def fill(server: HitoServer, count: int) -> None:
    """A log of copies, with positions as if they had been given."""
    await server.restart()
    login = await asyncio.to_thread(server.join, "Ana")
    client = await server.connect(login, timeout=60.0)
    for number in range(50):
        made = await client.goals.create_goal(
            v1.CreateGoalRequest(
                title=f"Aprender la cosa número {number}", description="Con calma. " * 10,
                tasks=[v1.NewTask(title=f"Tarea {task}") for task in range(3)],
            )
        )
    await client.events.read_events(v1.ReadEventsRequest(min_cursor=made.receipt.cursor))
    await client.close()
    session = await Session.open(server)
    await session.run(FILL.format(count=count))
    for table in ("events", "event_positions"):
        await session.run(f"VACUUM ANALYZE {table};")
    # What comes of so many events at once, and of no log that grows by itself, is not measured.
    while await session.run(UNSEALED) != ["0"]:
        await asyncio.sleep(0.2)
    await session.close()
    assert server.stop() == 0, server.tail()


async def publish(server: HitoServer, broker: Broker, name: str, count: int) -> float:
    """Publishes the whole log into a queue; messages a second, of all but the first tenth."""
    exchange = f"{name}.events"
    broker.declare(name, exchange=exchange)
    server.environment = {
        **QUIET, "HITO_BROKER_URL": broker.url, "HITO_BROKER_EXCHANGE": exchange,
    }  # fmt: skip
    await server.restart()
    with broker.channel() as channel:

        def depth() -> int:
            return channel.queue_declare(name, passive=True).method.message_count

        while depth() < count // 10:
            time.sleep(0.005)
        before, began = depth(), time.monotonic()
        while (now := depth()) < count:
            time.sleep(0.01)
        rate = (now - before) / (time.monotonic() - began)
    assert server.stop() == 0, server.tail()
    return rate


def messages(broker: Broker, queue: str) -> Path:
    """A file of what came first; empties the queue."""
    path = broker.folder / f"{queue}.tsv"
    with path.open("wb") as file, broker.channel() as channel:
        for _ in range(2000):
            method, properties, body = channel.basic_get(queue, auto_ack=True)
            file.write(f"{method.routing_key}\t{properties.message_id}\t".encode() + body + b"\n")
        channel.queue_delete(queue)
    return path


def build_peer(folder: Path) -> Path:
    program = folder / "peer"
    source = REPOSITORY / "Tests" / "Benchmarks" / "bus" / "peer.c"
    subprocess.run(["cc", "-O2", "-o", program, source, "-lrabbitmq"], check=True)
    return program


def run_peer(peer: Path, broker: Broker, name: str, bodies: Path, count: int) -> float:
    broker.declare(name, exchange=f"{name}.events")
    done = subprocess.run(
        [peer, str(broker.port), f"{name}.events", bodies, str(count), str(WINDOW)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    with broker.channel() as channel:
        channel.queue_delete(name)
    return float(done.stdout)


async def delays(
    server: HitoServer, broker: Broker, rate: float, seconds: float
) -> List[float]:
    """Milliseconds from each call to its event at a consumer, sorted."""
    arrived: Dict[str, float] = {}
    broker.declare("soon", "goal.created")
    server.environment = {**QUIET, "HITO_BROKER_URL": broker.url}
    await server.restart()
    count = int(rate * seconds)
    admin = await server.connect(server.admin(), timeout=60.0)
    # The past first.
    while True:
        reply = await admin.server.get_pipelines(v1.GetPipelinesRequest())
        if all(p.lag_events == 0 for p in reply.pipelines if p.name == "broker"):
            break
        await asyncio.sleep(0.1)
    await admin.close()
    with broker.channel() as channel:
        channel.queue_purge("soon")
    stop = threading.Event()

    def consume() -> None:
        with broker.channel() as channel:
            for method, _, body in channel.consume("soon", auto_ack=True, inactivity_timeout=0.2):
                if method is not None:
                    arrived[json.loads(body)["entity_id"]] = time.monotonic()
                elif stop.is_set():
                    return

    thread = threading.Thread(target=consume)
    thread.start()
    login = await asyncio.to_thread(server.join, "Berta")
    client = await server.connect(login, timeout=60.0)
    began = time.monotonic()
    sent: Dict[str, float] = {}

    async def create(number: int) -> None:
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        at = time.monotonic()
        reply = await client.goals.create_goal(v1.CreateGoalRequest(title=f"Meta {number}"))
        sent[reply.goal.id] = at

    await asyncio.gather(*(create(number) for number in range(count)))
    await client.close()
    while any(goal not in arrived for goal in sent):
        await asyncio.sleep(0.05)
    stop.set()
    thread.join()
    assert server.stop() == 0, server.tail()
    return sorted((arrived[goal] - at) * 1000 for goal, at in sent.items())


if __name__ == "__main__":
    sys.exit(main())
