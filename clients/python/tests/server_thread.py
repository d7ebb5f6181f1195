"""The scripted peer for tests that block: in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from typing import Iterator

from fake_peer import FakeServer, Script


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
