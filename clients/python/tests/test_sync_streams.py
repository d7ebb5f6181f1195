"""Streams of the client that blocks, against a peer that speaks the protocol's bytes."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import threading
import time

import pytest

import hito
import hito.sync
from fake_peer import CANCEL, CREDIT, END, MESSAGE, block
from hito import v1
from server_thread import connect, health, interrupt, serving, when

__all__ = ["connect"]


def test_a_stream_is_an_iterator_with_metadata_and_trailers(tls, connect):
    with serving(tls, health(5)) as server:
        client = connect(server.address)
        with client.health.watch(v1.HealthWatchRequest()) as stream:
            assert [response.status for response in stream] == [1, 2, 1, 2, 1]
            assert stream.trailers == {"trail": "er"}
            assert list(stream) == []
        client.close()


def test_what_is_not_read_gets_no_credit(tls, connect):
    message = v1.WatchResponse(event=v1.Event(payload_json="x" * 15_000)).SerializeToString()

    async def granted(peer, seconds, enough):
        """The credit that comes for the stream in so long, or until it is enough."""
        sum = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while sum < enough:
                    frame = await peer.frame()
                    assert frame.kind == CREDIT
                    sum += int.from_bytes(frame.payload, "big") if frame.stream else 0
        return sum

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        for _ in range(17):
            peer.send(MESSAGE, 0, stream, message)
        assert await granted(peer, 0.4, 1 << 30) <= len(message), "one was read"
        more.set()
        assert await granted(peer, 10, 8 * len(message)) >= 8 * len(message), "ten more were"
        peer.send(END, 0, stream, block())
        await peer.at_end()

    more = threading.Event()
    with serving(tls, script) as server:
        client = connect(server.address)
        with client.progress.watch(v1.WatchRequest()) as stream:
            next(stream)
            assert more.wait(10)
            for _ in range(10):
                next(stream)
            assert len(list(stream)) == 6
        client.close()


def test_a_stream_that_is_left_is_cancelled(tls, connect):
    cancelled = threading.Event()

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, b"")
        assert (await peer.frame(CREDIT)).kind == CANCEL
        cancelled.set()
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)
        for _ in client.health.watch(v1.HealthWatchRequest()):
            break
        gc.collect()
        assert cancelled.wait(5)
        client.close()


def test_another_thread_may_close_a_stream_that_waits(tls, connect):
    called = threading.Event()

    async def script(peer):
        await peer.greet()
        await peer.call()
        called.set()
        assert (await peer.frame(CREDIT)).kind == CANCEL
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)
        stream = client.health.watch(v1.HealthWatchRequest())
        when(called, stream.close)
        with pytest.raises(hito.CancelledCall):
            next(stream)
        assert list(stream) == []
        client.close()


def test_a_stream_is_closed_in_a_scope_that_is_cancelled(tls, connect):
    cancelled = threading.Event()

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, b"")
        assert (await peer.frame(CREDIT)).kind == CANCEL
        cancelled.set()
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)
        with hito.sync.CancelScope() as scope:
            with client.health.watch(v1.HealthWatchRequest()) as stream:
                next(stream)
                scope.cancel()
            assert cancelled.wait(5)
        client.close()
        stream.close()


def test_ctrl_c_cancels_a_stream(tls, connect):
    called, cancelled = threading.Event(), threading.Event()

    async def script(peer):
        await peer.greet()
        await peer.call()
        called.set()
        assert (await peer.frame(CREDIT)).kind == CANCEL
        cancelled.set()
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)
        when(called, interrupt)
        with pytest.raises(KeyboardInterrupt):
            for _ in client.health.watch(v1.HealthWatchRequest()):
                pass
        assert cancelled.wait(5)
        client.close()


def test_requests_come_from_any_iterable_in_a_thread_of_their_own(tls, connect):
    variable = contextvars.ContextVar("variable", default="none")
    seen = []

    async def script(peer):
        await peer.greet()
        frame = await peer.frame()
        stream, bodies = frame.stream, []
        while (frame := await peer.frame(CREDIT)).kind == MESSAGE:
            bodies.append(v1.IngestDocumentsRequest.FromString(frame.payload))
        assert frame.kind == END and len(bodies) == 3
        peer.reply(stream, v1.IngestDocumentsResponse().SerializeToString())
        await peer.at_end()

    def requests():
        try:
            for _ in range(3):
                seen.append((threading.current_thread().name, variable.get()))
                yield v1.IngestDocumentsRequest()
        finally:
            seen.append("closed")

    with serving(tls, script) as server:
        client = connect(server.address)
        variable.set("mine")
        assert client.courses.ingest_documents(requests()) == v1.IngestDocumentsResponse()
        client.close()
    assert seen == [("hito requests", "mine")] * 3 + ["closed"]


def test_requests_are_taken_one_by_one_as_there_is_credit(tls, connect):
    taken = []

    async def script(peer):
        await peer.greet(stream_credit=100_000)
        await peer.frame()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                while True:
                    await peer.frame()
        assert len(taken) <= 4, "no more than what was sent and the next"
        await peer.at_end()

    def requests():
        while True:
            taken.append(1)
            yield v1.IngestDocumentsRequest(document=v1.CourseDocument(title="x" * 40_000))

    with serving(tls, script) as server:
        client = connect(server.address)
        with pytest.raises(hito.DeadlineExceeded):
            client.courses.ingest_documents(requests(), timeout=1.0)
        client.close()


def test_a_deadline_ends_a_call_whose_requests_block(tls, connect):
    release = threading.Event()

    async def script(peer):
        await peer.greet()
        await peer.at_end()

    def requests():
        release.wait(10)
        yield v1.IngestDocumentsRequest()

    with serving(tls, script) as server:
        client = connect(server.address)
        began = time.monotonic()
        with pytest.raises(hito.DeadlineExceeded):
            client.courses.ingest_documents(requests(), timeout=0.3)
        assert time.monotonic() - began < 2
        client.close()
        release.set()


def test_requests_that_fail_end_the_call(tls, connect):
    async def script(peer):
        await peer.greet()
        await peer.at_end()

    def requests():
        yield v1.IngestDocumentsRequest()
        raise OSError("the file is gone")

    with serving(tls, script) as server:
        client = connect(server.address)
        with pytest.raises(hito.CancelledCall) as caught:
            client.courses.ingest_documents(requests())
        assert isinstance(caught.value.__cause__, OSError)
        client.close()


def test_calls_in_both_directions(tls, connect):
    async def script(peer):
        await peer.greet()
        frame = await peer.frame()
        peer.send(MESSAGE, 0, frame.stream, v1.ConsumeResponse().SerializeToString())
        while (frame := await peer.frame(CREDIT)).kind == MESSAGE:
            peer.send(MESSAGE, 0, frame.stream, v1.ConsumeResponse().SerializeToString())
        assert frame.kind == END
        peer.send(END, 0, frame.stream, block())
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)
        requests = [v1.ConsumeRequest(join=v1.JoinGroup(group="g")), v1.ConsumeRequest()]
        assert len(list(client.events.consume(requests))) == 3
        client.close()


def test_a_watch_resumes(tls, connect):
    def once(cursor, after):
        async def script(peer):
            await peer.greet()
            stream, _, message = await peer.call()
            assert v1.WatchRequest.FromString(message).after_cursor == after
            peer.send(MESSAGE, 0, stream, v1.WatchResponse(cursor=cursor).SerializeToString())
            await asyncio.sleep(0.1)
            peer.kill()

        return script

    with serving(tls, once("1", ""), once("2", "1"), once("3", "2")) as server:
        client = connect(server.address)
        with client.progress.watch_resuming(v1.WatchRequest()) as watch:
            assert [next(watch).cursor for _ in range(3)] == ["1", "2", "3"]
            assert (watch.cursor, watch.interruptions) == ("3", 2)
        client.close()


def test_a_consumer_settles(tls, connect):
    async def script(peer):
        await peer.greet()
        frame = await peer.frame()
        stream = frame.stream
        peer.send(MESSAGE, 0, stream, v1.ConsumeResponse(
            joined=v1.JoinedGroup(consumer="c1", ack_timeout_us=30_000_000)).SerializeToString())
        peer.send(MESSAGE, 0, stream, v1.ConsumeResponse(
            event=v1.Event(id="e1"), attempt=2).SerializeToString())
        while True:
            frame = await peer.frame(CREDIT)
            request = v1.ConsumeRequest.FromString(frame.payload)
            if request.HasField("settle"):
                break
        assert list(request.settle.event_ids) == ["e1"]
        peer.send(MESSAGE, 0, stream, v1.ConsumeResponse(
            settled=v1.Settled(event_ids=["e1"])).SerializeToString())
        assert (await peer.frame(CREDIT)).kind == END
        peer.send(END, 0, stream, block())
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)
        with client.events.consume_resuming("g") as consumer:
            delivery = next(consumer)
            assert (delivery.event.id, delivery.attempt, delivery.is_held) == ("e1", 2, True)
            assert delivery.ack()
            assert not delivery.is_held and consumer.name == "c1"
        client.close()
