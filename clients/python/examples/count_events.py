"""A consumer of Hito's events in a RabbitMQ: counts them by type, each once.

    pip install pika
    python count_events.py --url amqp://guest:guest@127.0.0.1:5672 --counts counts.db
    python count_events.py --counts counts.db --show

What it shows is what every consumer has to do (docs/broker.md):

- a queue of its own, durable and replicated, bound by event types (`goal.*`, or `#` for all);
- an event may come twice, after a crash or a lost connection: its id is stored in the same transaction as
  its effect, and what was seen before is passed over;
- a message is acknowledged once its effect is stored, and not before;
- the broker may go and come: it connects again, with pauses.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sqlite3
import sys
import time
from typing import Any

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError

EXCHANGE = "hito.events"


class Counts:
    """Counts and ids of events, in a file."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(
            """
            CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS counts (type TEXT PRIMARY KEY, count INTEGER NOT NULL);
            """
        )

    def add(self, event: dict[str, Any]) -> None:
        """Counts an event, unless it was counted before: both or nothing."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            new = self._database.execute(
                "INSERT INTO seen VALUES (?) ON CONFLICT DO NOTHING", (event["id"],)
            )
            if new.rowcount == 1:
                self._database.execute(
                    "INSERT INTO counts VALUES (?, 1) "
                    "ON CONFLICT (type) DO UPDATE SET count = count + 1",
                    (event["type"],),
                )

    def all(self) -> dict[str, int]:
        return dict(self._database.execute("SELECT type, count FROM counts ORDER BY type"))


def declare(channel: BlockingChannel, queue: str, types: list[str]) -> None:
    """The exchange is Hito's: it is only looked for. The queue is ours."""
    channel.exchange_declare(EXCHANGE, passive=True)
    channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
    for one in types:
        channel.queue_bind(queue, EXCHANGE, one)


def consume(options: argparse.Namespace, counts: Counts) -> None:
    """Counts until the connection breaks."""
    connection = pika.BlockingConnection(pika.URLParameters(options.url))
    try:
        channel = connection.channel()
        declare(channel, options.queue, options.types)
        channel.basic_qos(prefetch_count=100)
        for method, _, body in channel.consume(options.queue):
            counts.add(json.loads(body))
            channel.basic_ack(method.delivery_tag)
    finally:
        if connection.is_open:
            connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="amqp://guest:guest@127.0.0.1:5672")
    parser.add_argument("--queue", default="example.counts")
    parser.add_argument("--types", nargs="+", default=["#"], help="routing keys, such as goal.*")
    parser.add_argument("--counts", default="counts.db", help="the file of the counts")
    parser.add_argument("--show", action="store_true", help="print the counts as JSON, and end")
    parser.add_argument("--declare-only", action="store_true", help="make the queue, and end")
    options = parser.parse_args()
    counts = Counts(options.counts)
    if options.show:
        print(json.dumps(counts.all()))
        return 0
    if options.declare_only:
        with pika.BlockingConnection(pika.URLParameters(options.url)) as connection:
            declare(connection.channel(), options.queue, options.types)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    pause = 0.5
    while True:
        try:
            began = time.monotonic()
            consume(options, counts)
        except AMQPError as error:
            if time.monotonic() - began > 30:
                pause = 0.5
            print(f"the broker is away, trying again: {error!r}", file=sys.stderr)
            time.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, 30)


if __name__ == "__main__":
    sys.exit(main())
