#!/usr/bin/env python3
"""The Python client as a program under test of runner.py: see docs/conformance.md for the lines."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any, AsyncIterator, Dict, List, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "clients" / "python" / "src"))

from google.protobuf.message import Message  # noqa: E402

import hito  # noqa: E402
from hito.v1 import courses_pb2, events_pb2, goals_pb2, progress_pb2, server_pb2  # noqa: E402

Line = Dict[str, Any]

SERVICES = {
    "HealthService": ("health", server_pb2), "GoalService": ("goals", goals_pb2),
    "CourseService": ("courses", courses_pb2), "EventService": ("events", events_pb2),
    "ProgressService": ("progress", progress_pb2),
}  # fmt: skip

PAUSES: Dict[int, asyncio.Event] = {}
"""Calls that wait for `resume`."""


class Adapter:
    """Takes lines, makes calls, answers."""

    def __init__(self) -> None:
        self._clients: Dict[str, "asyncio.Task[hito.Client]"] = {}
        self._calls: Dict[int, "asyncio.Task[None]"] = {}

    async def serve(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            request = json.loads(line)
            task = asyncio.create_task(self._take(request))
            if request["op"] == "call":
                self._calls[request["id"]] = task
                task.add_done_callback(lambda _, number=request["id"]: self._calls.pop(number, None))
            else:
                self._calls[-request["id"]] = task
                task.add_done_callback(lambda _, number=-request["id"]: self._calls.pop(number, None))
            # In the order of the lines: a client is opened before its calls begin.
            await asyncio.sleep(0)
        for task in list(self._calls.values()):
            task.cancel()

    async def _take(self, request: Line) -> None:
        reply: Line
        try:
            reply = await getattr(self, f"_{request['op']}")(request)
        except hito.HitoError as error:
            reply = failure(error)
        except Exception as error:
            reply = {"error": repr(error)}
        sys.stdout.write(json.dumps({"id": request["id"], **reply}) + "\n")
        sys.stdout.flush()

    async def _open(self, request: Line) -> Line:
        options: Line = {}
        if "keepalive_ms" in request:
            options["keepalive"] = request["keepalive_ms"] / 1000
        if "connections" in request:
            options["connections_per_address"] = request["connections"]
        if "message_max" in request:
            options["message_max"] = request["message_max"]
        if request.get("health"):
            options["health_check"] = True
        if request.get("compression"):
            options["compression"] = True
        wait = request.get("wait_for_ready", True)
        task = self._clients[request["client"]] = asyncio.create_task(
            hito.Client.connect(
                request["addresses"], ca_file=request["ca_file"], token=request.get("token", ""),
                wait_for_ready=wait, wait_for_connect=wait, balancing=request.get("balancing", "pick_first"),
                **options,
            )
        )  # fmt: skip
        await task
        return {"status": 0}

    async def _close(self, request: Line) -> Line:
        task = self._clients[request["client"]]
        if task.done() and not task.cancelled() and task.exception() is None:
            await task.result().close()
        else:
            task.cancel()
        return {}

    async def _cancel(self, request: Line) -> Line:
        task = self._calls.get(request["call"])
        if task is not None:
            task.cancel()
        return {}

    async def _resume(self, request: Line) -> Line:
        PAUSES.setdefault(request["call"], asyncio.Event()).set()
        return {}

    async def _call(self, request: Line) -> Line:
        messages: List[bytes] = []
        said = hito.ResponseInfo()
        try:
            client = await asyncio.shield(self._clients[request["client"]])
            status = await call(client, request, messages, said)
        except hito.HitoError as error:
            return {**failure(error), **shown(said), "messages": [message.hex() for message in messages]}
        except ValueError as error:
            # What may not be sent is refused as any wrong argument in Python.
            return {"status": 3, "text": str(error)}
        except asyncio.CancelledError:
            status = 1
        return {"status": status, **shown(said), "messages": [message.hex() for message in messages]}


def shown(said: hito.ResponseInfo) -> Line:
    return {"metadata": entries(said.metadata), "trailers": entries(said.trailers)}


def entries(metadata: hito.Metadata) -> List[List[str]]:
    return [[key, value.hex() if isinstance(value, bytes) else value] for key, value in metadata.items()]


async def call(
    client: hito.Client, request: Line, messages: List[bytes], said: hito.ResponseInfo
) -> int:
    """Makes a call; `messages` gets its responses as they come. 0, or 1 where it was left."""
    service, _, name = request["method"].rpartition(".")[2].partition("/")
    place, module = SERVICES[service]
    method = module.DESCRIPTOR.services_by_name[service].methods_by_name[name]
    request_type = method.input_type._concrete_class
    sent = [request_type.FromString(bytes.fromhex(message)) for message in request["messages"]]
    function = getattr(getattr(client, place), re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
    options = chosen(request)
    if request.get("resuming"):
        stream = client.progress.watch_resuming(sent[0])
        return await read(stream, request, messages, said)
    kind = request["kind"]
    if kind == "unary":
        messages.append((await function(sent[0], response_info=said, **options)).SerializeToString())
        return 0
    if kind == "client_stream":
        reply = await function(requests(sent, request, None), response_info=said, **options)
        messages.append(reply.SerializeToString())
        return 0
    if kind == "bidi":
        turns: Optional[asyncio.Queue[None]] = asyncio.Queue() if request.get("in_turn") else None
        return await read(function(requests(sent, request, turns), **options), request, messages, said, turns)
    return await read(function(sent[0], **options), request, messages, said)


def chosen(request: Line) -> Line:
    options: Line = {}
    if request.get("timeout_ms") is not None:
        options["timeout"] = request["timeout_ms"] / 1000
    if request.get("metadata"):
        options["metadata"] = {
            key: bytes.fromhex(value) if key.endswith("-bin") else value
            for key, value in request["metadata"].items()
        }
    if request.get("key"):
        options["idempotency_key"] = request["key"]
    if request.get("hedge_after_ms"):
        options["hedging"] = hito.Hedging(request["hedge_after_ms"] / 1000, request.get("copies", 2))
    options |= {
        name: request[name] for name in ("token", "traceparent", "wait_for_ready") if name in request
    }
    return options


async def requests(
    sent: List[Message], request: Line, turns: "Optional[asyncio.Queue[None]]"
) -> AsyncIterator[Message]:
    for number, message in enumerate(sent):
        if turns is not None and number:
            await turns.get()
        yield message
    if turns is not None and sent:
        await turns.get()
    if request.get("keep_open"):
        await asyncio.Event().wait()


async def read(
    stream: Any, request: Line, messages: List[bytes], said: hito.ResponseInfo,
    turns: "Optional[asyncio.Queue[None]]" = None,
) -> int:  # fmt: skip
    """`cancel_after`: leaves the stream after so many. `pause_after`: reads so many, and no more until `resume`."""
    try:
        async with stream:
            async for response in stream:
                messages.append(response.SerializeToString())
                if turns is not None:
                    turns.put_nowait(None)
                if len(messages) == request.get("cancel_after"):
                    return 1
                if len(messages) == request.get("pause_after"):
                    await PAUSES.setdefault(request["id"], asyncio.Event()).wait()
    finally:
        if isinstance(stream, hito.ResponseStream):
            said.metadata, said.trailers = stream.metadata, stream.trailers
    return 0


def failure(error: hito.HitoError) -> Line:
    return {
        "status": int(error.code), "text": error.message, "details": error.details.SerializeToString().hex(),
        "cursor": error.resume_cursor, "not_started": error.not_started,
    }  # fmt: skip


async def main() -> None:
    reader = asyncio.StreamReader(limit=64 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await Adapter().serve(reader)


if __name__ == "__main__":
    asyncio.run(main())
