"""Unary calls against a peer that speaks the protocol's bytes."""

from __future__ import annotations

import asyncio
import gc
import struct

import pytest

import hito
from fake_peer import CALL, CANCEL, CREDIT, END, GOAWAY, MESSAGE, PING, PONG, FakeServer, block
from fake_peer import error_end, parse_block
from hito import v1


def goal_reply(title: str) -> bytes:
    return v1.CreateGoalResponse(goal=v1.Goal(title=title)).SerializeToString()


async def test_a_unary_call_is_one_frame_each_way(tls, connect):
    async def script(peer):
        hello = await peer.greet()
        assert hello[8] == b"secret"
        frame = await peer.frame()
        assert (frame.kind, frame.flags, frame.stream) == (CALL, 0x05, 1)
        fields, message = parse_block(frame.payload)
        assert fields[1] == b"hito.v1.GoalService/CreateGoal"
        assert 29_000_000 < struct.unpack(">Q", fields[2])[0] <= 30_000_000
        assert len(fields[3]) == 36, "a write carries a random idempotency key"
        assert v1.CreateGoalRequest.FromString(message).title == "Aprender"
        peer.reply(1, goal_reply("Aprender"))
        assert [f.kind for f in await peer.at_end()] == [GOAWAY]

    async with FakeServer(tls, script) as server:
        client = await connect(server.address, token="secret")
        reply = await client.goals.create_goal(v1.CreateGoalRequest(title="Aprender"))
        assert reply.goal.title == "Aprender"
        await client.close()


async def test_a_read_carries_no_key_and_a_given_key_is_used(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, fields, _ = await peer.call()
        assert 3 not in fields
        peer.reply(stream, b"")
        stream, fields, _ = await peer.call()
        assert fields[3] == b"mine"
        assert fields[6] == b"\x01kv"
        peer.reply(stream, b"")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        await client.goals.get_goal(v1.GetGoalRequest())
        await client.goals.create_goal(
            v1.CreateGoalRequest(), idempotency_key="mine", metadata={"k": "v"}
        )


async def test_calls_share_a_connection_and_are_answered_in_any_order(tls, connect):
    async def script(peer):
        await peer.greet()
        calls = [await peer.call() for _ in range(3)]
        assert [stream for stream, _, _ in calls] == [1, 3, 5]
        for stream, _, message in reversed(calls):
            title = v1.CreateGoalRequest.FromString(message).title
            peer.reply(stream, goal_reply(title))

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        replies = await asyncio.gather(
            *(client.goals.create_goal(v1.CreateGoalRequest(title=t)) for t in "abc")
        )
        assert [reply.goal.title for reply in replies] == ["a", "b", "c"]


@pytest.mark.parametrize("code", list(hito.StatusCode)[1:])
async def test_every_status_is_its_own_error_with_details(tls, connect, code):
    details = v1.ErrorDetails(
        reason=v1.ErrorReason.ERROR_REASON_INVALID_FIELD,
        field_violations=[v1.FieldViolation(field="title", description="must not be empty")],
        retry_delay_us=1_500_000,
    )

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.fail(stream, code, "no", details=details.SerializeToString())

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(hito.HitoError) as caught:
            await client.goals.get_goal(v1.GetGoalRequest(), timeout=1.0)
        error = caught.value
        assert error.code == code and type(error).code == code
        assert error.from_server and error.details == details
        assert error.retry_delay == 1.5
        assert error.reason == v1.ErrorReason.ERROR_REASON_INVALID_FIELD
        assert str(error) == f"{code.name}: no - title: must not be empty"


async def test_a_status_of_the_future_is_unknown(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.fail(stream, 99, "new")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(hito.UnknownError, match="new"):
            await client.goals.get_goal(v1.GetGoalRequest())


async def test_a_large_message_is_cut_into_frames_and_waits_for_credit(tls, connect):
    text = "x" * 50_000

    async def script(peer):
        await peer.greet(stream_credit=20_000, connection_credit=30_000)
        frame = await peer.frame()
        assert (frame.kind, frame.flags) == (CALL, 0x06) and len(frame.payload) == 16384
        _, message = parse_block(frame.payload)
        second = await peer.frame()
        assert (second.kind, second.flags) == (MESSAGE, 0x02)
        message += second.payload
        assert len(message) == 20_000, "the stream's credit is spent to the last byte"
        peer.send(CREDIT, 0, 1, struct.pack(">I", 100_000))
        third = await peer.frame()
        message += third.payload
        assert len(message) == 30_000, "then the connection's"
        peer.send(CREDIT, 0, 0, struct.pack(">I", 100_000))
        while True:
            frame = await peer.frame()
            message += frame.payload
            if frame.flags == 0x01:
                break
            assert frame.flags == 0x02
        assert v1.CreateGoalRequest.FromString(message).description == text
        peer.reply(1, b"")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        await client.goals.create_goal(v1.CreateGoalRequest(description=text))


async def test_no_fragment_is_under_1_kib_unless_it_is_the_last(tls, connect):
    async def script(peer):
        await peer.greet(stream_credit=100)
        frame = await peer.frame()
        assert (frame.kind, frame.flags) == (CALL, 0), "too little credit for a fragment"
        peer.send(CREDIT, 0, 1, struct.pack(">I", 923))
        peer.send(PING, 0, 0, bytes(8))
        assert (await peer.frame()).kind == PONG, "1023 bytes are too little, too"
        peer.send(CREDIT, 0, 1, struct.pack(">I", 1))
        first = await peer.frame()
        assert (first.kind, first.flags, len(first.payload)) == (MESSAGE, 0x02, 1024)
        peer.send(CREDIT, 0, 1, struct.pack(">I", 1024))
        last = await peer.frame()
        assert (last.kind, last.flags) == (MESSAGE, 0x01) and len(last.payload) < 1024
        peer.reply(1, b"")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        await client.goals.create_goal(v1.CreateGoalRequest(description="x" * 1500))


async def test_a_reply_in_fragments_is_put_together_and_its_credit_is_returned(tls, connect):
    reply = goal_reply("y" * 600_000)

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        credit, sent = 256 << 10, 0
        while sent < len(reply):
            size = min(16384, len(reply) - sent)
            while credit < size:
                frame = await peer.frame()
                assert frame.kind == CREDIT
                if frame.stream == stream:
                    credit += struct.unpack(">I", frame.payload)[0]
            more = 0x02 if sent + size < len(reply) else 0
            peer.send(MESSAGE, more, stream, reply[sent : sent + size])
            credit -= size
            sent += size
        peer.send(END, 0, stream, block())

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        answer = await client.goals.create_goal(v1.CreateGoalRequest())
        assert len(answer.goal.title) == 600_000


async def test_a_deadline_ends_the_call_and_cancels_it_at_the_server(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        frame = await peer.frame()
        assert (frame.kind, frame.stream, frame.payload) == (CANCEL, stream, b"")
        # A late answer crosses with the CANCEL and is ignored.
        peer.reply(stream, goal_reply("late"))
        stream, _, _ = await peer.call()
        peer.reply(stream, goal_reply("next"))

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(hito.DeadlineExceeded):
            await client.goals.create_goal(v1.CreateGoalRequest(), timeout=0.05)
        assert (await client.goals.create_goal(v1.CreateGoalRequest())).goal.title == "next"


async def test_cancelling_the_task_cancels_the_call(tls, connect):
    called = asyncio.Event()

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        called.set()
        frame = await peer.frame()
        assert (frame.kind, frame.stream) == (CANCEL, stream)

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        task = asyncio.create_task(client.goals.create_goal(v1.CreateGoalRequest()))
        await called.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_ping_is_answered_with_its_bytes(tls, connect):
    async def script(peer):
        await peer.greet()
        peer.send(PING, 0, 0, b"\1\2\3\4\5\6\7\x08")
        assert await peer.frame() == (PONG, 0, 0, b"\1\2\3\4\5\6\7\x08")

    async with FakeServer(tls, script) as server:
        await connect(server.address)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ((99, 0, 0, b""), 1),
        ((MESSAGE, 0, 7, b"x"), 1),
        ((MESSAGE, 0, 1, b"x" * 16385), 2),
        ((CREDIT, 0, 0, b"\x7f\xff\xff\xff"), 3),
        ((END, 0x04, 1, error_end(5)), 1),
        ((END, 0, 1, b"\0\x09"), 1),
        ((1, 0, 0, block()), 1),
    ],
)
async def test_a_server_that_breaks_the_protocol_hears_why_and_calls_fail(
    tls, connect, frame, reason
):
    async def script(peer):
        await peer.greet()
        await peer.call()
        peer.send(*frame)
        last = (await peer.at_end())[-1]
        assert (last.kind, last.payload[:6]) == (GOAWAY, struct.pack(">IH", 0, reason))

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(hito.InternalError, match="broke the protocol"):
            await client.goals.create_goal(v1.CreateGoalRequest())


async def test_a_reply_without_a_message_or_with_two_is_internal(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.send(END, 0, stream, block())
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, b"")
        peer.reply(stream, b"")
        stream, _, _ = await peer.call()
        peer.reply(stream, b"\xff\xff")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        for _ in range(3):
            with pytest.raises(hito.InternalError):
                await client.goals.create_goal(v1.CreateGoalRequest())


async def test_no_more_calls_run_on_a_connection_than_the_server_takes(tls, connect):
    async def script(peer):
        await peer.greet(streams_max=1)
        first, _, _ = await peer.call()
        peer.reply(first, b"")
        second, _, _ = await peer.call()
        peer.reply(second, b"")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address, connections_per_address=1)
        await asyncio.gather(
            *(client.goals.get_goal(v1.GetGoalRequest()) for _ in range(2))
        )
        assert server.accepted == 1


async def test_a_full_connection_gets_a_second_one(tls, connect):
    both = asyncio.Barrier(2)

    async def script(peer):
        await peer.greet(streams_max=1)
        stream, _, _ = await peer.call()
        await both.wait()
        peer.reply(stream, b"")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        await asyncio.gather(
            *(client.goals.get_goal(v1.GetGoalRequest()) for _ in range(2))
        )


async def test_closing_the_client_ends_its_calls_and_leaves_no_task(tls, connect):
    called = asyncio.Event()

    async def script(peer):
        await peer.greet()
        await peer.call()
        called.set()
        assert [f.kind for f in await peer.at_end()] == [CANCEL, GOAWAY]

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        task = asyncio.create_task(client.goals.create_goal(v1.CreateGoalRequest()))
        await called.wait()
        await client.close()
        with pytest.raises(hito.CancelledCall):
            await task
        with pytest.raises(hito.CancelledCall):
            await client.goals.create_goal(v1.CreateGoalRequest())
        gc.collect()
        names = [t.get_name() for t in asyncio.all_tasks()]
        assert not [name for name in names if name.startswith("hito")]


async def test_a_request_above_the_servers_limit_is_not_sent(tls, connect):
    async def script(peer):
        await peer.greet(message_max=16384)
        stream, _, _ = await peer.call()
        assert stream == 1
        peer.reply(stream, b"")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(hito.ResourceExhausted):
            await client.goals.create_goal(v1.CreateGoalRequest(description="x" * 20_000))
        await client.goals.create_goal(v1.CreateGoalRequest())
