"""What the cases of clients share."""

from __future__ import annotations

import socket
from typing import Any, Optional

from .. import wire
from ..peer import Peer
from ..wire import END, MESSAGE, UNAVAILABLE, block, frame
from .test import GENERATE_GOAL, HEALTH_WATCH, SERVING, Called, goal, next_call

DRAIN_LAST = wire.STREAM_MAX
NO_MODEL = 12
"""ERROR_REASON_NO_MODEL."""
LOST = "lost"
REFUSED = (8, b"")
"""Not started (W7.2)."""


async def fail(peer: Peer, stream: int, how: Any) -> bool:
    """Ends a call so; whether the connection is gone with it."""
    if how == LOST:
        await peer.flush()
        peer.kill()
        return True
    if how == REFUSED:
        await peer.send(wire.end_error(stream, UNAVAILABLE, "refused", REFUSED))
        return False
    if how >= 1000:
        await peer.send(wire.goaway(stream - 2 if stream > 1 else 0, how - 1000, "going"))
        await peer.flush()
        return True
    await peer.send(wire.end_error(stream, how, "as the case wants"))
    return False


async def succeed(peer: Peer, call: Called, path: str) -> None:
    if path in (HEALTH_WATCH, GENERATE_GOAL):
        message = SERVING if path == HEALTH_WATCH else b""
        await peer.send(frame(MESSAGE, 0, call.stream, message), frame(END, 0, call.stream, block()))
    else:
        await peer.send(wire.end_ok(call.stream, goal("x")))
    await peer.flush()


async def answer_check(peer: Peer) -> None:
    await peer.send(wire.end_ok((await next_call(peer)).stream, SERVING))
    await peer.flush()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: Optional[int] = probe.getsockname()[1]
    assert port
    return port
