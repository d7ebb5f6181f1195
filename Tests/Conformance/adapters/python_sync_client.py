#!/usr/bin/env python3
"""The Python client that blocks as a program under test of runner.py: see docs/conformance.md for the lines. Each
request has a thread."""

from __future__ import annotations

import json
import queue
import re
import sys
import threading
import time
from concurrent.futures import Future
from typing import Any, Dict, Iterator, List, Optional

from python_client import SERVICES, Line, chosen, failure, shown

import hito
import hito.sync
from google.protobuf.message import Message

HEAD_START = 0.01
OUTPUT = threading.Lock()
PAUSES: Dict[int, threading.Event] = {}
"""Calls that wait for `resume`."""


class Call:
    """One that runs: how to end it."""

    def __init__(self) -> None:
        self.scope = hito.sync.CancelScope()
        self.stream: Optional[Any] = None
        self.is_cancelled = False
        self.ended = threading.Event()

    def cancel(self) -> None:
        self.is_cancelled = True
        self.scope.cancel()
        self.ended.set()
        if self.stream is not None:
            self.stream.close()


class Adapter:
    """Takes lines, makes calls, answers."""

    def __init__(self) -> None:
        self._clients: Dict[str, "Future[hito.sync.Client]"] = {}
        self._opening: Dict[str, hito.sync.CancelScope] = {}
        self._calls: Dict[int, Call] = {}

    def serve(self) -> None:
        for line in sys.stdin:
            request = json.loads(line)
            # In the order of the lines: a client is there before its calls begin.
            if request["op"] == "open":
                self._clients[request["client"]] = Future()
                self._opening[request["client"]] = hito.sync.CancelScope()
            if request["op"] == "call":
                self._calls[request["id"]] = Call()
            threading.Thread(target=self._take, args=(request,), daemon=True).start()
            if request["op"] == "call":
                # Threads have no order, and calls begin in that of their lines.
                time.sleep(HEAD_START)
        for future in list(self._clients.values()):
            if future.done() and future.exception() is None:
                future.result().close()

    def _take(self, request: Line) -> None:
        try:
            reply: Line = getattr(self, f"_{request['op']}")(request)
        except hito.HitoError as error:
            reply = failure(error)
        except Exception as error:
            reply = {"error": repr(error)}
        with OUTPUT:
            sys.stdout.write(json.dumps({"id": request["id"], **reply}) + "\n")
            sys.stdout.flush()

    def _open(self, request: Line) -> Line:
        options: Line = {}
        names = {"connections": "connections_per_address", "message_max": "message_max"}
        options |= {ours: request[name] for name, ours in names.items() if name in request}
        if "keepalive_ms" in request:
            options["keepalive"] = request["keepalive_ms"] / 1000
        if request.get("health"):
            options["health_check"] = True
        if request.get("compression"):
            options["compression"] = True
        wait = request.get("wait_for_ready", True)
        future = self._clients[request["client"]]
        try:
            with self._opening[request["client"]]:
                future.set_result(
                    hito.sync.Client.connect(
                        request["addresses"], ca_file=request["ca_file"], token=request.get("token", ""),
                        wait_for_ready=wait, wait_for_connect=wait,
                        balancing=request.get("balancing", "pick_first"), **options,
                    )
                )  # fmt: skip
        except BaseException as error:
            future.set_exception(error)
            raise
        return {"status": 0}

    def _close(self, request: Line) -> Line:
        self._opening[request["client"]].cancel()
        future = self._clients[request["client"]]
        if future.exception() is None:
            future.result().close()
        return {}

    def _cancel(self, request: Line) -> Line:
        call = self._calls.get(request["call"])
        if call is not None:
            call.cancel()
        return {}

    def _resume(self, request: Line) -> Line:
        PAUSES.setdefault(request["call"], threading.Event()).set()
        return {}

    def _call(self, request: Line) -> Line:
        messages: List[bytes] = []
        said = hito.ResponseInfo()
        call = self._calls[request["id"]]
        try:
            client = self._clients[request["client"]].result()
            with call.scope:
                status = make(client, request, messages, said, call)
        except hito.HitoError as error:
            own = call.is_cancelled and not error.from_server
            reply = {"status": 1} if own else failure(error)
            return {**reply, **shown(said), "messages": [message.hex() for message in messages]}
        except ValueError as error:
            return {"status": 3, "text": str(error)}
        finally:
            self._calls.pop(request["id"], None)
            call.ended.set()
        return {"status": status, **shown(said), "messages": [message.hex() for message in messages]}


def make(
    client: hito.sync.Client, request: Line, messages: List[bytes], said: hito.ResponseInfo, call: Call
) -> int:
    """Makes a call; `messages` gets its responses as they come. 0, or 1 where it was left."""
    service, _, name = request["method"].rpartition(".")[2].partition("/")
    place, module = SERVICES[service]
    method = module.DESCRIPTOR.services_by_name[service].methods_by_name[name]
    request_type = method.input_type._concrete_class
    sent = [request_type.FromString(bytes.fromhex(message)) for message in request["messages"]]
    function = getattr(getattr(client, place), re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
    options, kind = chosen(request), request["kind"]
    if request.get("resuming"):
        return read(client.progress.watch_resuming(sent[0]), request, messages, said, call)
    if kind == "unary":
        messages.append(function(sent[0], response_info=said, **options).SerializeToString())
        return 0
    if kind == "client_stream":
        reply = function(requests(sent, request, None, call), response_info=said, **options)
        messages.append(reply.SerializeToString())
        return 0
    if kind == "bidi":
        turns: "Optional[queue.SimpleQueue[None]]" = queue.SimpleQueue() if request.get("in_turn") else None
        stream = function(requests(sent, request, turns, call), **options)
        return read(stream, request, messages, said, call, turns)
    return read(function(sent[0], **options), request, messages, said, call)


def requests(
    sent: List[Message], request: Line, turns: "Optional[queue.SimpleQueue[None]]", call: Call
) -> Iterator[Message]:
    for number, message in enumerate(sent):
        if turns is not None and number:
            turns.get()
        yield message
    if turns is not None and sent:
        turns.get()
    if request.get("keep_open"):
        call.ended.wait()


def read(
    stream: Any, request: Line, messages: List[bytes], said: hito.ResponseInfo, call: Call,
    turns: "Optional[queue.SimpleQueue[None]]" = None,
) -> int:  # fmt: skip
    """`cancel_after`: leaves the stream after so many. `pause_after`: reads so many, and no more until `resume`."""
    call.stream = stream
    try:
        with stream:
            for response in stream:
                messages.append(response.SerializeToString())
                if turns is not None:
                    turns.put(None)
                if len(messages) == request.get("cancel_after"):
                    return 1
                if len(messages) == request.get("pause_after"):
                    PAUSES.setdefault(request["id"], threading.Event()).wait()
    finally:
        if isinstance(stream, hito.sync.ResponseStream):
            said.metadata, said.trailers = stream.metadata, stream.trailers
    return 0


if __name__ == "__main__":
    Adapter().serve()
