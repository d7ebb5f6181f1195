"""The client under test: a program that is told in lines of JSON what to call, and says what came of it."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from typing import Any, Awaitable, Callable, Dict, List, NamedTuple, Optional

from .cases import Failure

LINE_MAX = 64 << 20


class Result(NamedTuple):
    """What came of a call."""

    status: int
    text: str
    messages: List[bytes]
    details: bytes
    trailers: List[List[str]]
    cursor: str
    not_started: Optional[bool]
    """None where the client does not say."""
    metadata: List[List[str]]
    """As trailers: before the first response."""


class Program:
    """A process that answers each request by its id, in any order."""

    def __init__(self, command: List[str]) -> None:
        self._command = command
        self._process: Optional[asyncio.subprocess.Process] = None
        self._waiting: Dict[int, "asyncio.Future[Dict[str, Any]]"] = {}
        self._ids = itertools.count(1)
        self._reader: Optional["asyncio.Task[None]"] = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            limit=LINE_MAX,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read())

    def ask(self, **request: Any) -> "Answer":
        """Sends a request; await the answer for its reply."""
        assert self._process is not None and self._process.stdin is not None
        number = next(self._ids)
        future: asyncio.Future[Dict[str, Any]] = asyncio.get_running_loop().create_future()
        if self._reader is None or self._reader.done():
            future.set_exception(Failure("the program under test has ended"))
        else:
            self._waiting[number] = future
            self._process.stdin.write(json.dumps({"id": number, **request}).encode() + b"\n")
        return Answer(number, future)

    async def stop(self) -> int:
        """Closes its input; a program under test ends by itself then."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.close()
        try:
            return await asyncio.wait_for(self._process.wait(), 10)
        except asyncio.TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise Failure("the program did not end within 10 s of the end of its input") from None

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                reply = json.loads(line)
                future = self._waiting.pop(reply.pop("id"), None)
                if future is not None and not future.done():
                    future.set_result(reply)
        except (ValueError, KeyError, TypeError) as error:
            print(f"# the program under test does not speak our lines: {error!r}", file=sys.stderr)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Failure("the program under test has ended"))


class Answer:
    """A request that was sent."""

    def __init__(self, number: int, future: "asyncio.Future[Dict[str, Any]]") -> None:
        self.number = number
        self._future = future
        self.before: Optional[Callable[[], Awaitable[None]]] = None
        """What is done before the answer is waited for."""
        # Nobody need wait for it.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())

    @property
    def is_done(self) -> bool:
        return self._future.done()

    async def reply(self) -> Dict[str, Any]:
        if self.before is not None:
            await self.before()
        reply = await asyncio.shield(self._future)
        if "unsupported" in reply:
            raise Failure(f"the client has no {reply['unsupported']}")
        if "error" in reply:
            raise Failure(f"the program failed: {reply['error']}")
        return reply

    async def result(self) -> Result:
        reply = await self.reply()
        return Result(
            int(reply.get("status", 0)), reply.get("text", ""),
            [bytes.fromhex(message) for message in reply.get("messages", [])],
            bytes.fromhex(reply.get("details", "")), reply.get("trailers", []), reply.get("cursor", ""),
            reply.get("not_started"), reply.get("metadata", []),
        )  # fmt: skip
