"""The Python client in the matrix (Tests/Matrix/README.md): writes, and watches what all write."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, Awaitable, Callable

from hito import v1

import hito


def say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


class Program:
    def __init__(self, client: hito.Client, name: str, rate: float) -> None:
        self._client = client
        self._name = name
        self._pause = 1 / rate
        self._next = time.monotonic()
        self._seen: set[str] = set()
        self._changed = asyncio.Event()

    async def write_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        number = 0
        while time.monotonic() < end:
            number += 1
            await self._write_goal(f"{self._name}-{number}")

    async def _write_goal(self, key: str) -> None:
        goals, tasks = self._client.goals, self._client.tasks
        new = v1.CreateGoalRequest(title=key, tasks=[v1.NewTask(title=key)])
        made = await self._write(goals.create_goal, new, key, "goal.created", "")
        if made is None:
            return
        task = made.tasks[0].id
        start = v1.StartTaskRequest(task_id=task)
        if await self._write(tasks.start_task, start, f"{key}-start", "task.started", task):
            complete = v1.CompleteTaskRequest(task_id=task)
            await self._write(
                tasks.complete_task, complete, f"{key}-complete", "task.completed", task
            )

    async def _write(
        self, call: Callable[..., Awaitable[Any]], request: Any, key: str, kind: str, entity: str
    ) -> Any:
        """The reply, or None where it failed. `entity`: empty where the reply names it."""
        self._next = max(self._next + self._pause, time.monotonic())
        await asyncio.sleep(self._next - time.monotonic())
        try:
            reply = await call(request, idempotency_key=key)
        except hito.HitoError as error:
            say(failed=type(error).__name__, key=key)
            return None
        receipt = reply.receipt
        say(wrote={
            "entity": entity or reply.goal.id, "kind": kind, "key": key, "cursor": receipt.cursor,
            "replayed": receipt.replayed,
        })  # fmt: skip
        return reply

    async def watch(self, watch: hito.ResumingWatch) -> None:
        async for step in watch:
            if step.WhichOneof("step") == "event":
                event = step.event
                say(saw={
                    "cursor": step.cursor, "event": event.id, "entity": event.entity_id,
                    "version": event.version, "type": event.type,
                })  # fmt: skip
                self._seen.add(step.cursor)
                self._changed.set()

    async def has_seen(self, cursor: str) -> None:
        while cursor not in self._seen:
            self._changed.clear()
            await self._changed.wait()


async def main() -> None:
    addresses, ca_file, token_file, seconds, name, balancing, rate = sys.argv[1:]
    client = await hito.Client.connect(
        addresses.split(","), ca_file=ca_file, token=Path(token_file).read_text().strip(),
        wait_for_connect=True, balancing="round_robin" if balancing == "round_robin" else "pick_first",
    )  # fmt: skip
    async with client:
        program = Program(client, name, float(rate))
        watch = client.progress.watch_resuming(v1.WatchRequest(from_beginning=True))
        watching = asyncio.create_task(program.watch(watch))
        await program.write_for(float(seconds))
        say(written=True)
        cursor = (await asyncio.to_thread(sys.stdin.readline)).strip()
        seen = asyncio.create_task(program.has_seen(cursor))
        await asyncio.wait({seen, watching}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
        say(done=True, interruptions=watch.interruptions)
        watching.cancel()


asyncio.run(main())
