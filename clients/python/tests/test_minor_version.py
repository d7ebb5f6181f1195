"""Minor version 1: metadata before the answer, metadata that is bytes, compressed messages."""

from __future__ import annotations

import struct
import zlib

import pytest

import hito
from fake_peer import CALL, CREDIT, END, GOAWAY, HEAD, MESSAGE, FakeServer, block, parse_block
from hito import _compression, v1

LONG = "".join(f"meta {n * 7919 % 10007}, " for n in range(5000))


def entry(key: str, value: bytes) -> bytes:
    return bytes([len(key)]) + key.encode() + value


def packed(message: bytes, size: int | None = None, encoding: int = 1) -> bytes:
    head = struct.pack(">BI", encoding, len(message) if size is None else size)
    return head + zlib.compress(message)


def goal_reply(title: str) -> bytes:
    return v1.CreateGoalResponse(goal=v1.Goal(title=title)).SerializeToString()


# Metadata


async def test_metadata_of_both_kinds_goes_out_and_comes_with_the_answer(tls, connect):
    async def script(peer):
        hello = await peer.greet(minor_version=1)
        assert hello[1] == b"\0\1"
        frame = await peer.frame()
        assert entry("raw-bin", b"\0\xff") in frame.payload and entry("t", b"text") in frame.payload
        peer.send(HEAD, 0, 1, block((6, entry("a", b"1")), (6, entry("b-bin", b"\0\xff"))))
        peer.send(END, 0x04, 1, block((6, entry("c-bin", b"\xfe"))) + goal_reply("x"))

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        info = hito.ResponseInfo()
        await client.goals.create_goal(
            v1.CreateGoalRequest(), metadata={"raw-bin": b"\0\xff", "t": "text"}, response_info=info
        )
        assert info.metadata == {"a": "1", "b-bin": b"\0\xff"}
        assert info.trailers == {"c-bin": b"\xfe"}


async def test_metadata_comes_with_a_failed_call_too(tls, connect):
    async def script(peer):
        await peer.greet(minor_version=1)
        stream, _, _ = await peer.call()
        peer.send(HEAD, 0, stream, block((6, entry("a", b"1"))))
        peer.send(END, 0, stream, block((1, struct.pack(">H", 9)), (6, entry("why", b"so"))))

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        info = hito.ResponseInfo()
        with pytest.raises(hito.FailedPrecondition):
            await client.goals.create_goal(v1.CreateGoalRequest(), response_info=info)
        assert (info.metadata, info.trailers) == ({"a": "1"}, {"why": "so"})


async def test_a_stream_has_metadata_before_its_first_answer(tls, connect):
    async def script(peer):
        await peer.greet(minor_version=1)
        stream, _, _ = await peer.call()
        peer.send(HEAD, 0, stream, block((6, entry("a", b"1"))))
        peer.send(MESSAGE, 0, stream, v1.HealthCheckResponse().SerializeToString())
        peer.send(END, 0, stream, block((6, entry("z", b"9"))))

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        stream = client.health.watch(v1.HealthWatchRequest())
        assert stream.metadata == {}
        await anext(stream)
        assert stream.metadata == {"a": "1"}
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        assert stream.trailers == {"z": "9"}


@pytest.mark.parametrize("metadata", [{"k-bin": "text"}, {"k": b"bytes"}])
async def test_a_key_says_what_its_value_is(tls, connect, metadata):
    async def script(peer):
        await peer.greet(minor_version=1)

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(ValueError, match="-bin"):
            await client.goals.create_goal(v1.CreateGoalRequest(), metadata=metadata)


async def test_an_old_server_gets_no_bytes(tls, connect):
    async def script(peer):
        await peer.greet()

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(hito.Unimplemented):
            await client.goals.create_goal(v1.CreateGoalRequest(), metadata={"k-bin": b"x"})


@pytest.mark.parametrize(
    "version, frames",
    [
        (0, [(HEAD, 0, block())]),
        (1, [(HEAD, 0, block()), (HEAD, 0, block())]),
        (1, [(MESSAGE, 0, b""), (HEAD, 0, block())]),
        (1, [(HEAD, 0, block() + b"x")]),
        (1, [(HEAD, 0x01, block())]),
        (0, [(MESSAGE, 0x08, packed(b"x" * 100))]),
        (1, [(MESSAGE, 0x02, b"x"), (MESSAGE, 0x08, b"y")]),
        (1, [(END, 0x08, block())]),
    ],
)
async def test_what_a_server_may_not_send_ends_the_connection(tls, connect, version, frames):
    goodbye = []

    async def script(peer):
        await peer.greet(minor_version=version)
        stream, _, _ = await peer.call()
        for kind, flags, payload in frames:
            peer.send(kind, flags, stream, payload)
        goodbye.extend(await peer.at_end())

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        stream = client.health.watch(v1.HealthWatchRequest())
        with pytest.raises(hito.InternalError, match="broke the protocol"):
            async for _ in stream:
                pass
        await client.close()
    [frame] = [frame for frame in goodbye if frame.kind == GOAWAY]
    assert struct.unpack(">H", frame.payload[4:6])[0] == 1


# Compression


async def test_large_messages_go_compressed_both_ways(tls, connect):
    async def script(peer):
        hello = await peer.greet(minor_version=1, encodings=b"\2\1")
        assert hello[11] == b"\1"
        frame = await peer.frame()
        assert (frame.kind, frame.flags) == (CALL, 0x0D)
        message = parse_block(frame.payload)[1]
        assert len(message) < len(LONG) / 2
        encoding, size = struct.unpack(">BI", message[:5])
        request = zlib.decompress(message[5:])
        assert (encoding, size) == (1, len(request))
        assert v1.CreateGoalRequest.FromString(request).description == LONG
        peer.send(END, 0x0C, 1, block() + packed(goal_reply(LONG)))
        stream, _, message = await peer.call()
        assert v1.CreateGoalRequest.FromString(message).title == "small"
        whole = packed(goal_reply(LONG))
        peer.send(MESSAGE, 0x0A, stream, whole[:3])
        peer.send(MESSAGE, 0x02, stream, whole[3:1000])
        peer.send(MESSAGE, 0, stream, whole[1000:])
        peer.send(END, 0, stream, block())

    async with FakeServer(tls, script) as server:
        client = await connect(server.address, compression=True)
        reply = await client.goals.create_goal(v1.CreateGoalRequest(description=LONG))
        assert reply.goal.title == LONG
        reply = await client.goals.create_goal(v1.CreateGoalRequest(title="small"))
        assert reply.goal.title == LONG


@pytest.mark.parametrize("asked, version, encodings", [(False, 1, b"\1"), (True, 0, b"\1"), (True, 1, b"\2")])
async def test_nothing_is_compressed_that_one_side_does_not_want(tls, connect, asked, version, encodings):
    async def script(peer):
        hello = await peer.greet(minor_version=version, encodings=encodings)
        assert (11 in hello) == asked
        received = 0
        while True:
            frame = await peer.frame(CREDIT)
            assert not frame.flags & 0x08
            received += len(parse_block(frame.payload)[1] if frame.kind == CALL else frame.payload)
            if frame.flags & 0x01:
                break
        assert received > len(LONG)
        peer.reply(1, b"")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address, compression=asked)
        await client.goals.create_goal(v1.CreateGoalRequest(description=LONG))


@pytest.mark.parametrize(
    "message",
    [
        b"", b"\1\0\0\0\1", packed(b"x" * 5000, encoding=9), packed(b"x" * 5000, 0),
        packed(b"x" * 5000, 4999), packed(b"x" * 5000, 5001), packed(b"x", 1 << 31),
        packed(bytes(8 << 20)), packed(bytes(4 << 20)), packed(b"x" * 5000) + b"y",
        packed(b"x" * 5000)[:-1], struct.pack(">BI", 1, 100) + b"no zlib" * 9,
    ],
)  # fmt: skip
async def test_a_hostile_compressed_answer_ends_its_call_alone(tls, connect, message):
    async def script(peer):
        await peer.greet(minor_version=1, encodings=b"\1")
        stream, _, _ = await peer.call()
        peer.send(END, 0x0C, stream, block() + message)
        stream, _, _ = await peer.call()
        peer.reply(stream, goal_reply("after"))

    async with FakeServer(tls, script) as server:
        client = await connect(server.address, compression=True)
        with pytest.raises(hito.InternalError, match="compressed|larger|64 times"):
            await client.goals.create_goal(v1.CreateGoalRequest())
        reply = await client.goals.create_goal(v1.CreateGoalRequest())
        assert reply.goal.title == "after"


def test_what_grows_or_hardly_shrinks_is_left_as_it_is():
    import random

    noise = random.Random(7).randbytes(50_000)
    assert _compression.pack(noise) is None
    assert _compression.pack(b"x" * 4095) is None
    # It would be refused: more than 64 times its data.
    assert _compression.pack(b"x" * (4 << 20)) is None
    text = LONG.encode()
    assert _compression.unpack(_compression.pack(text) or b"", 4 << 20) == text
