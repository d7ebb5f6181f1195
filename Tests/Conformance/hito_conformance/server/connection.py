"""W1, W4: the handshake and HELLO."""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import Optional, Tuple

from .. import wire
from ..cases import ALL, Failure, TWO
from ..tls import Closed
from ..wire import FRAME_TOO_LARGE, HELLO_TIMEOUT, PROTOCOL_ERROR, u16, u32
from .test import CHECK, SERVING, ServerTest, case, table


@case("W1.1", "tls-1.3")
async def tls_13(t: ServerTest) -> None:
    peer = await t.dial()
    if peer.stream.tls.version() != "TLSv1.3":
        raise Failure(f"expected TLSv1.3, got {peer.stream.tls.version()}")


@case("W1.1", "tls-1.2-is-refused")
async def tls_12(t: ServerTest) -> None:
    await _refused(t, "hito/1", ssl.TLSVersion.TLSv1_2, "PROTOCOL_VERSION")


@table("W1.2", {"h2": "h2", "http-1.1": "http/1.1", "hito-2": "hito/2", "none": None, "longer": "hito/1x"})
async def alpn(t: ServerTest, name: Optional[str]) -> None:
    await _refused(t, name, ssl.TLSVersion.TLSv1_3, "NO_APPLICATION_PROTOCOL")


async def _refused(t: ServerTest, alpn: Optional[str], version: ssl.TLSVersion, alert: str) -> None:
    try:
        peer = await t.dial(alpn, version)
        # The alert of a server may come after the client's own part of the handshake.
        await peer.send(wire.hello())
        frame = await peer.frame()
    except ssl.SSLError as error:
        said = str(error).upper().replace(" ", "_")
    except Closed as closed:
        said = closed.how
    else:
        raise Failure(f"expected the alert {alert}, got {frame}")
    if alert not in said:
        raise Failure(f"expected the alert {alert}, got {said!r}")


GARBAGE = {
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": bytes(4096),
    "hello-in-clear": wire.hello(),
    "record-of-64-kib": b"\x16\x03\x01\xff\xff" + bytes(70000),
}


@table("W1.2", {f"clear-{name}": data for name, data in GARBAGE.items()})
async def clear(t: ServerTest, data: bytes) -> None:
    reader, writer = await t.tcp()
    got = b""
    try:
        writer.write(data)
        got = await reader.read()
    except ConnectionError:
        pass
    finally:
        writer.close()
    # At most an alert of TLS: type 21, two bytes of it.
    if got and not (got[0] == 0x15 and len(got) <= 7):
        raise Failure(f"expected nothing, or an alert, in clear, got {got[:40]!r}")


@case("W1.3", "certificate-names-the-host")
async def certificate(t: ServerTest) -> None:
    await t.dial()  # Verifies chain and name.


@case("W1.4", "silent-before-the-handshake", seconds=40)
async def silent(t: ServerTest) -> None:
    limit = t.seconds("hello")
    reader, writer = await t.tcp()
    try:
        await _within(limit, reader.read(), "the server to hang up")
    finally:
        writer.close()


@table("W1.4", {"silent": b"", "half-a-header": wire.hello()[:5], "half-a-hello": wire.hello((2, b"agent"))[:14]},
       seconds=40)  # fmt: skip
async def no_hello(t: ServerTest, data: bytes) -> None:
    limit = t.seconds("hello")
    peer = await t.dial()
    await peer.send(data)
    await _within(limit, peer.expect_goaway(HELLO_TIMEOUT), "GOAWAY HELLO_TIMEOUT")


async def _within(limit: float, work: object, what: str) -> None:
    try:
        await asyncio.wait_for(work, limit + 4)  # type: ignore[arg-type]
    except asyncio.TimeoutError:
        raise Failure(f"waited {limit + 4:g} s in vain for {what}") from None


@case("W1.6", "killed-with-calls-open")
async def killed(t: ServerTest) -> None:
    bystander = await t.connect()
    for _ in range(5):
        peer = await t.connect()
        await peer.call(1, "hito.v1.HealthService/Watch")
        await peer.expect(wire.MESSAGE, 1)
        peer.kill()
    await bystander.call(1, CHECK)
    await bystander.expect_status(1, wire.OK)


@case("W1.6", "close-notify-alone")
async def close_notify(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.stream.shutdown()
    await peer.expect_closed(("close_notify", "end of file"))


@case("W2.1", "several-frames-in-a-record", ALL)
async def several(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.send(*(wire.ping(bytes([n]) * 8) for n in range(3)))
    await peer.call(1, CHECK)
    await peer.call(3, CHECK)
    for stream in (1, 3):
        end = await peer.expect_status(stream, wire.OK)
        if end.message != SERVING:
            raise Failure(f"expected {SERVING!r}, got {end.message!r}")


FIRST = {
    "W4.1:http": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", (FRAME_TOO_LARGE, PROTOCOL_ERROR)),
    "W4.1:call-first": (wire.call(1, CHECK), (PROTOCOL_ERROR,)),
    "W4.1:ping-first": (wire.ping(), (PROTOCOL_ERROR,)),
    "W4.1:goaway-is-not-hello": (wire.goaway(0, 1), (PROTOCOL_ERROR, -1)),
    "W4.1:credit-first": (wire.credit(0, 10), (PROTOCOL_ERROR,)),
    "W2.2:hello-of-8193": (wire.header(8193, wire.HELLO), (FRAME_TOO_LARGE,)),
    "W2.2:hello-of-4-gib": (wire.header(0xFFFFFFFF, wire.HELLO), (FRAME_TOO_LARGE,)),
    "W2.3:hello-on-a-stream": (wire.frame(wire.HELLO, 0, 1, wire.block()), (PROTOCOL_ERROR,)),
    "W2.4:hello-with-end": (wire.frame(wire.HELLO, 1, 0, wire.block()), (PROTOCOL_ERROR,)),
    "W2.4:hello-with-flag-80": (wire.frame(wire.HELLO, 0x80, 0, wire.block()), (PROTOCOL_ERROR,)),
    "W3.1:hello-without-block": (wire.frame(wire.HELLO), (PROTOCOL_ERROR,)),
    "W3.1:hello-of-one-byte": (wire.frame(wire.HELLO, 0, 0, b"\0"), (PROTOCOL_ERROR,)),
    "W3.1:bytes-behind-hello": (wire.frame(wire.HELLO, 0, 0, wire.block() + b"x"), (PROTOCOL_ERROR,)),
    "W3.3:block-past-its-frame": (wire.frame(wire.HELLO, 0, 0, b"\0\5"), (PROTOCOL_ERROR,)),
    "W3.3:field-past-its-block": (wire.frame(wire.HELLO, 0, 0, b"\0\4\1\0\2\0"), (PROTOCOL_ERROR,)),
    "W3.3:field-cut-in-its-length": (wire.frame(wire.HELLO, 0, 0, b"\0\2\1\0"), (PROTOCOL_ERROR,)),
    "W3.3:version-of-one-byte": (wire.hello((1, b"\0")), (PROTOCOL_ERROR,)),
    "W3.3:version-of-four-bytes": (wire.hello((1, u32(0))), (PROTOCOL_ERROR,)),
    "W3.3:version-twice": (wire.hello((1, u16(0)), (1, u16(0))), (PROTOCOL_ERROR,)),
    "W3.3:agent-twice": (wire.hello((2, b"a"), (2, b"b")), (PROTOCOL_ERROR,)),
    "W3.3:token-twice": (wire.hello((8, b"a"), (8, b"b")), (PROTOCOL_ERROR,)),
    "W3.4:agent-not-utf-8": (wire.hello((2, b"\xff")), (PROTOCOL_ERROR,)),
    "W3.4:agent-cut-in-a-letter": (wire.hello((2, b"\xc3")), (PROTOCOL_ERROR,)),
    "W3.4:agent-with-a-surrogate": (wire.hello((2, b"\xed\xa0\x80")), (PROTOCOL_ERROR,)),
    "W3.4:agent-with-nul": (wire.hello((2, b"a\0b")), (PROTOCOL_ERROR,)),
    "W3.4:agent-of-129": (wire.hello((2, b"a" * 129)), (PROTOCOL_ERROR,)),
    "W3.4:token-of-257": (wire.hello((8, b"a" * 257)), (PROTOCOL_ERROR,)),
    "W3.4:token-not-utf-8": (wire.hello((8, b"\xff")), (PROTOCOL_ERROR,)),
    "W4.4:frames-of-16383": (wire.hello((3, u32(16383))), (PROTOCOL_ERROR,)),
    "W4.4:frames-of-0": (wire.hello((3, u32(0))), (PROTOCOL_ERROR,)),
    "W4.4:frames-above-1-mib": (wire.hello((3, u32((1 << 20) + 1))), (PROTOCOL_ERROR,)),
    "W4.4:messages-of-16383": (wire.hello((4, u32(16383))), (PROTOCOL_ERROR,)),
    "W4.4:stream-credit-of-2-gib": (wire.hello((6, u32(1 << 31))), (PROTOCOL_ERROR,)),
    "W4.4:connection-credit-of-4-gib": (wire.hello((7, u32(0xFFFFFFFF))), (PROTOCOL_ERROR,)),
    "W4.4:calls-of-one-byte": (wire.hello((5, b"\1")), (PROTOCOL_ERROR,)),
    "W4.4:interval-of-one-byte": (wire.hello((9, b"\1")), (PROTOCOL_ERROR,)),
    "W4.4:server-id-not-utf-8": (wire.hello((10, b"\xff")), (PROTOCOL_ERROR,)),
}  # fmt: skip


@table("W4.1", FIRST, ALL)
async def first(t: ServerTest, row: Tuple[bytes, Tuple[int, ...]]) -> None:
    data, reasons = row
    peer = await t.dial()
    await peer.send(data)
    if -1 in reasons:
        # A client that is gone before it was there needs no answer, only an end.
        await peer.expect_closed()
        return
    await peer.expect_goaway(*reasons)


FINE = {
    "W3.1:empty-hello": (),
    "W3.2:unknown-tags-twice": ((200, b"x"), (200, b""), (255, b"y" * 200)),
    "W3.2:any-order": ((7, u32(70000)), (2, b"agent"), (1, u16(0))),
    "W4.2:limits-least": ((3, u32(16384)), (4, u32(16384)), (6, u32(0)), (7, u32(0))),
    "W4.2:limits-most": ((3, u32(1 << 20)), (4, u32(0xFFFFFFFF)), (6, u32(wire.STREAM_MAX)), (7, u32(wire.STREAM_MAX))),
    "W4.2:agent-of-128": ((2, b"a" * 128),),
    "W4.2:agent-of-no-bytes": ((2, b""),),
    "W4.2:agent-of-letters": ((2, "añ☺😈".encode()),),
    "W4.3:minor-version-of-later": ((1, u16(0xFFFF)),),
    "W4.4:tags-of-servers": ((5, u32(0)), (9, u32(0)), (10, b"server")),
    "W4.5:wrong-token": ((8, b"not a token"),),
}  # fmt: skip


@table("W4.2", FINE, ALL)
async def fine(t: ServerTest, fields: Tuple[wire.Field, ...]) -> None:
    peer = await t.connect(*fields)
    await peer.alive()
    # Replies wait for credit, and credit is given here.
    await peer.call(1, CHECK)
    if (6, u32(0)) in fields:
        await peer.send(wire.credit(0, 100), wire.credit(1, 100))
    end = await peer.expect_status(1, wire.OK)
    if end.message != SERVING:
        raise Failure(f"expected {SERVING!r}, got {end.message!r}")


@case("W4.1", "second-hello", ALL)
async def second_hello(t: ServerTest) -> None:
    peer = await t.connect()
    await peer.send(wire.hello())
    await peer.expect_goaway(PROTOCOL_ERROR)


@case("W4.1", "hello-of-8192-bytes", TWO)
async def largest_hello(t: ServerTest) -> None:
    peer = await t.connect((200, bytes(8192 - 5)))
    await peer.alive()


@case("W4.1", "random-bytes", ("whole", "random"))
async def random_bytes(t: ServerTest) -> None:
    peer = await t.dial()
    await peer.send(b"\x7f" + os.urandom(200))
    await peer.expect_goaway(FRAME_TOO_LARGE)
