"""The scripted peer for tests that block: in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import ssl
import threading
from typing import Callable, Iterator, List

import pytest
from fake_peer import END, MESSAGE, FakeServer, Script, block

import hito.sync
from hito import v1


@contextlib.contextmanager
def serving(tls: ssl.SSLContext, *scripts: Script) -> Iterator[FakeServer]:
    """A server while the block runs; what a script found wrong is raised behind it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    server = FakeServer(tls, *scripts)
    try:
        run(server.__aenter__())
        try:
            yield server
        except BaseException as error:
            run(server.__aexit__(type(error), error, None))
            raise
        run(server.__aexit__(None, None, None))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def connect(certificates) -> Iterator[Callable[..., hito.sync.Client]]:
    """Connects clients that block, which are closed at the end of the test."""
    clients: List[hito.sync.Client] = []

    def connect(address, **options):
        client = hito.sync.Client.connect(address, ca_file=certificates.ca_file, **options)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()
    assert not client_threads(), "closing frees the thread"


def when(event: threading.Event, function: Callable[[], object]) -> None:
    """Runs something in a thread once an event has come."""

    def run() -> None:
        event.wait(20)
        function()

    threading.Thread(target=run, daemon=True).start()


def interrupt() -> None:
    """Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


def client_threads() -> List[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "hito client"]


def health(count: int) -> Script:
    """A script that answers one stream with so many responses."""

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        for number in range(count):
            message = v1.HealthCheckResponse(status=1 + number % 2).SerializeToString()
            peer.send(MESSAGE, 0, stream, message)
        peer.send(END, 0, stream, block((6, b"\x05trail" + b"er")))
        await peer.at_end()

    return script
