"""Streams: reading, leaving, request streams, and resuming."""

from __future__ import annotations

import asyncio
import gc
import struct

import pytest

import hito
from fake_peer import CALL, CANCEL, CREDIT, END, MESSAGE, FakeServer, block, parse_block
from hito import v1


def event(number: int) -> bytes:
    response = v1.WatchResponse(cursor=f"c{number}", event=v1.Event(id=str(number)))
    return response.SerializeToString()


def start_of(message: bytes) -> str:
    request = v1.WatchRequest.FromString(message)
    return request.after_cursor or ("beginning" if request.from_beginning else "live")


async def test_a_stream_gives_its_messages_and_ends(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, fields, message = await peer.call()
        assert 2 not in fields, "a stream has no deadline unless one is asked for"
        assert start_of(message) == "beginning"
        for number in range(3):
            peer.send(MESSAGE, 0, stream, event(number))
        peer.send(END, 0, stream, block())

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        stream = client.progress.watch(v1.WatchRequest(from_beginning=True))
        assert [r.event.id async for r in stream] == ["0", "1", "2"]
        with pytest.raises(StopAsyncIteration):
            await stream.__anext__()


async def test_messages_before_an_error_are_given_first(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, event(1))
        peer.fail(stream, 14, "drain", cursor="c9")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        stream = client.progress.watch(v1.WatchRequest())
        assert (await stream.__anext__()).event.id == "1"
        with pytest.raises(hito.Unavailable) as caught:
            await stream.__anext__()
        assert caught.value.resume_cursor == "c9"


async def test_a_resuming_watch_ends_where_the_log_has_lost_what_it_gave(tls, connect):
    reason = v1.ErrorReason.ERROR_REASON_LOG_FORKED
    details = v1.ErrorDetails(reason=reason).SerializeToString()

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, event(1))
        peer.fail(stream, 11, "forked", details=details, cursor="c0")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        watch = client.progress.watch_resuming(v1.WatchRequest())
        assert (await watch.__anext__()).event.id == "1"
        with pytest.raises(hito.OutOfRange) as caught:
            await watch.__anext__()
        assert caught.value.reason == reason
        assert watch.cursor == caught.value.resume_cursor == "c0"


async def test_breaking_out_of_a_stream_cancels_it(tls, connect):
    cancelled = asyncio.Event()

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, event(1))
        frame = await peer.frame()
        assert (frame.kind, frame.stream) == (CANCEL, stream)
        cancelled.set()

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        async for _ in client.progress.watch(v1.WatchRequest()):
            break
        gc.collect()
        await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_slow_reader_stops_the_sender_and_costs_only_itself(tls, connect):
    body = v1.WatchResponse(event=v1.Event(payload_json="x" * 10_000)).SerializeToString()
    window = 256 << 10

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        for _ in range(window // len(body)):
            peer.send(MESSAGE, 0, stream, body)
        other, _, _ = await peer.call()
        peer.reply(other, b"")
        # Only now does the reader read: credit comes back in steps of a quarter.
        frame = await peer.frame()
        assert (frame.kind, frame.stream) == (CREDIT, stream)
        assert struct.unpack(">I", frame.payload)[0] >= window // 4
        peer.send(END, 0, stream, block())

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        stream = client.progress.watch(v1.WatchRequest())
        await stream.__anext__()
        await client.goals.get_goal(v1.GetGoalRequest())
        assert len([r async for r in stream]) == window // len(body) - 1


async def test_a_stream_with_a_deadline_ends_at_it(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, fields, _ = await peer.call()
        assert 0 < struct.unpack(">Q", fields[2])[0] <= 50_000
        assert (await peer.frame()).kind == CANCEL

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(hito.DeadlineExceeded):
            async for _ in client.progress.watch(v1.WatchRequest(), timeout=0.05):
                pass


async def test_a_flood_of_unread_empty_messages_ends_the_stream(tls, connect):
    cancelled = asyncio.Event()

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, event(1))
        for _ in range(1100):
            peer.send(MESSAGE, 0, stream, b"")
        assert (await peer.frame()).kind == CANCEL
        cancelled.set()

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        stream = client.progress.watch(v1.WatchRequest())
        # The flood may come with the first message or after it.
        with pytest.raises(hito.ResourceExhausted):
            await stream.__anext__()
            await cancelled.wait()
            await stream.__anext__()
        await cancelled.wait()


async def test_a_request_stream_is_sent_message_by_message_and_half_closed(tls, connect):
    async def script(peer):
        await peer.greet()
        frame = await peer.frame()
        assert (frame.kind, frame.flags) == (CALL, 0)
        fields, rest = parse_block(frame.payload)
        assert rest == b"" and fields[1] == b"hito.v1.CourseService/IngestDocuments"
        paths = []
        while (frame := await peer.frame()).kind == MESSAGE:
            assert frame.flags == 0
            paths.append(v1.IngestDocumentsRequest.FromString(frame.payload).document.path)
        assert (frame.kind, frame.flags, frame.payload) == (END, 0, b"")
        assert paths == ["a", "b"]
        answer = v1.IngestDocumentsResponse(documents_received=2).SerializeToString()
        peer.reply(frame.stream, answer)

    async def documents():
        for path in "ab":
            yield v1.IngestDocumentsRequest(document=v1.CourseDocument(path=path))

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        assert (await client.courses.ingest_documents(documents())).documents_received == 2


async def test_a_request_stream_stops_when_the_server_has_heard_enough(tls, connect):
    async def script(peer):
        await peer.greet()
        frame = await peer.frame()
        peer.fail(frame.stream, 3, "first message must name the course")

    async def endless():
        while True:
            yield v1.IngestDocumentsRequest()
            await asyncio.sleep(0)

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(hito.InvalidArgument):
            await client.courses.ingest_documents(endless())


async def test_both_sides_of_a_bidirectional_call_stream(tls, connect):
    async def script(peer):
        await peer.greet()
        stream = (await peer.frame()).stream
        for number in range(2):
            frame = await peer.frame()
            assert v1.ConsumeRequest.FromString(frame.payload).join.group == str(number)
            peer.send(MESSAGE, 0, stream, v1.ConsumeResponse(attempt=number).SerializeToString())
        assert (await peer.frame()).kind == END
        peer.send(END, 0, stream, block())

    answered: asyncio.Queue = asyncio.Queue()

    async def requests():
        for number in range(2):
            yield v1.ConsumeRequest(join=v1.JoinGroup(group=str(number)))
            await answered.get()

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        attempts = []
        async for response in client.events.consume(requests()):
            attempts.append(response.attempt)
            answered.put_nowait(None)
        assert attempts == [0, 1]


async def test_a_watch_resumes_behind_the_last_cursor_through_kills_drains_and_ends(tls, connect):
    starts = []

    def serving(first, last, how):
        async def script(peer):
            await peer.greet()
            stream, _, message = await peer.call()
            starts.append(start_of(message))
            for number in range(first, last):
                peer.send(MESSAGE, 0, stream, event(number))
            await peer.writer.drain()
            if how == "kill":
                # Killed servers lose what the client has not got; it gets it again.
                peer.writer.close()
            elif how == "drain":
                peer.goaway(stream, 0)
                peer.fail(stream, 14, "draining", cursor="c-filtered")
            elif how == "end":
                peer.send(END, 0, stream, block())
            await peer.at_end()

        return script

    interruptions = []
    scripts = [
        serving(0, 3, "kill"), serving(3, 3, "kill"), serving(3, 5, "drain"),
        serving(5, 7, "stay"),
    ]  # fmt: skip
    async with FakeServer(tls, *scripts) as server:
        client = await connect(server.address)
        ids = []
        watch = client.progress.watch_resuming(
            v1.WatchRequest(from_beginning=True), on_interruption=interruptions.append
        )
        async with watch:
            async for response in watch:
                ids.append(int(response.event.id))
                if len(ids) == 7:
                    break
        assert watch.cursor == "c6"
        await client.close()
    assert ids == list(range(7))
    assert starts == ["beginning", "c2", "c2", "c-filtered"]
    # The second try broke before it gave anything: the stream itself began again.
    assert len(interruptions) == watch.interruptions == 2


async def test_a_watch_gives_up_on_errors_that_trying_again_does_not_mend(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, event(0))
        peer.fail(stream, 16, "token revoked")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        watch = client.progress.watch_resuming(v1.WatchRequest())
        await watch.__anext__()
        with pytest.raises(hito.Unauthenticated, match="revoked"):
            await watch.__anext__()
        with pytest.raises(StopAsyncIteration):
            await watch.__anext__()
