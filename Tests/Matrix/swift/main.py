"""The Swift client in the matrix (Tests/Matrix/README.md), as the command line has it: `hito call` writes, each
with a client of its own, and `hito watch` watches. HITO_BINARY names the program; BALANCING is always pick_first."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

BINARY = os.environ["HITO_BINARY"]


def say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


class Program:
    def __init__(self, environment: dict[str, str], name: str, rate: float) -> None:
        self._environment = environment
        self._name = name
        self._pause = 1 / rate
        self._next = time.monotonic()
        self._seen: set[str] = set()
        self._changed = asyncio.Event()
        self.interruptions = 0

    async def _run(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            BINARY, *arguments, "--wait-for-server", env=self._environment, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=1 << 22,
        )  # fmt: skip

    async def write_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        number = 0
        while time.monotonic() < end:
            number += 1
            await self._write_goal(f"{self._name}-{number}")

    async def _write_goal(self, key: str) -> None:
        new = {"title": key, "tasks": [{"title": key}]}
        made = await self._write("CreateGoal", new, key, "goal.created", "")
        if made is None:
            return
        task = made["tasks"][0]["id"]
        if await self._write("StartTask", {"taskId": task}, f"{key}-start", "task.started", task):
            done = f"{key}-complete"
            await self._write("CompleteTask", {"taskId": task}, done, "task.completed", task)

    async def _write(
        self, method: str, request: dict[str, Any], key: str, kind: str, entity: str
    ) -> Any:
        """The reply, or None where it failed. `entity`: empty where the reply names it."""
        self._next = max(self._next + self._pause, time.monotonic())
        await asyncio.sleep(self._next - time.monotonic())
        process = await self._run(
            "call", method, json.dumps(request), "--idempotency-key", key, "--timeout", "30s",
            "--output", "json",
        )  # fmt: skip
        out, told = await process.communicate()
        if process.returncode != 0:
            say(failed=told.decode(errors="replace").strip().split("\n")[0], key=key)
            return None
        reply = json.loads(out)
        receipt = reply["receipt"]
        say(wrote={
            "entity": entity or reply["goal"]["id"], "kind": kind, "key": key,
            "cursor": receipt["cursor"], "replayed": receipt.get("replayed", False),
        })  # fmt: skip
        return reply

    async def watch(self) -> None:
        process = await self._run("watch", "--from", "beginning", "--json")
        assert process.stdout is not None and process.stderr is not None
        try:
            counting = asyncio.create_task(self._count(process.stderr))
            async for text in process.stdout:
                event = json.loads(text).get("event")
                if event is not None:
                    say(saw={
                        "cursor": event["cursor"], "event": event["id"], "entity": event["entityId"],
                        "version": int(event["version"]), "type": event["type"],
                    })  # fmt: skip
                    self._seen.add(event["cursor"])
                    self._changed.set()
            await counting
            raise RuntimeError("hito watch ended")
        finally:
            if process.returncode is None:
                process.kill()

    async def _count(self, told: asyncio.StreamReader) -> None:
        async for line in told:
            self.interruptions += b"reconnecting" in line
            sys.stderr.buffer.write(line)

    async def has_seen(self, cursor: str) -> None:
        while cursor not in self._seen:
            self._changed.clear()
            await self._changed.wait()


async def main() -> None:
    addresses, ca_file, token_file, seconds, name, _, rate = sys.argv[1:]
    token = Path(token_file).read_text().strip()
    environment = {**os.environ, "HITO_ADDRESS": addresses, "HITO_CA": ca_file, "HITO_TOKEN": token}
    program = Program(environment, name, float(rate))
    watching = asyncio.create_task(program.watch())
    await program.write_for(float(seconds))
    say(written=True)
    cursor = (await asyncio.to_thread(sys.stdin.readline)).strip()
    seen = asyncio.create_task(program.has_seen(cursor))
    await asyncio.wait({seen, watching}, return_when=asyncio.FIRST_COMPLETED)
    if watching.done():
        watching.result()
    say(done=True, interruptions=program.interruptions)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


asyncio.run(main())
