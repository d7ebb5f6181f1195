"""The client that blocks, against a peer that speaks the protocol's bytes."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import inspect
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import hito
import hito.sync
from fake_peer import CALL, CANCEL, CREDIT, END, GOAWAY, MESSAGE, block, parse_block
from hito import v1
from server_thread import serving


@pytest.fixture
def connect(certificates):
    clients = []

    def connect(address, **options):
        client = hito.sync.Client.connect(address, ca_file=certificates.ca_file, **options)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()
    assert not client_threads(), "closing frees the thread"


def client_threads():
    return [thread for thread in threading.enumerate() if thread.name == "hito client"]


def goal_reply(title):
    return v1.CreateGoalResponse(goal=v1.Goal(title=title)).SerializeToString()


def health(count):
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


async def echo(peer):
    """Answers each call with its title until the client leaves."""
    await peer.greet()
    try:
        while True:
            frame = await peer.frame(CREDIT)
            if frame.kind != CALL:
                return
            title = v1.CreateGoalRequest.FromString(parse_block(frame.payload)[1]).title
            peer.reply(frame.stream, goal_reply(title))
    except asyncio.IncompleteReadError:
        pass


def test_a_call_returns_its_reply_and_closing_says_goodbye(tls, connect):
    async def script(peer):
        hello = await peer.greet()
        assert hello[8] == b"secret"
        stream, fields, _ = await peer.call()
        assert len(fields[3]) == 36
        peer.reply(stream, goal_reply("a"))
        assert [frame.kind for frame in await peer.at_end()] == [GOAWAY]

    with serving(tls, script) as server:
        with connect(server.address, token="secret") as client:
            info = hito.ResponseInfo()
            reply = client.goals.create_goal(v1.CreateGoalRequest(title="a"), response_info=info)
            assert reply.goal.title == "a"
            assert len(client_threads()) == 1
        assert not client_threads()


def test_errors_are_those_of_the_other_client(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.fail(stream, 5, "no such goal")

    with serving(tls, script) as server:
        client = connect(server.address)
        with pytest.raises(hito.NotFound, match="no such goal"):
            client.goals.get_goal(v1.GetGoalRequest(goal_id="x"))
        with pytest.raises(ValueError):
            client.goals.create_goal(v1.CreateGoalRequest(), hedging=hito.Hedging(0.1))


def test_no_server_and_no_thread_is_left(certificates):
    with pytest.raises(hito.Unavailable):
        hito.sync.Client.connect("127.0.0.1:1", ca_file=certificates.ca_file)
    assert not client_threads()


def test_many_threads_share_a_client(tls, connect):
    with serving(tls, echo) as server:
        client = connect(server.address)

        def create(number):
            title = str(number)
            return client.goals.create_goal(v1.CreateGoalRequest(title=title)).goal.title == title

        with ThreadPoolExecutor(16) as threads:
            assert all(threads.map(create, range(200)))
        assert server.accepted == 1
        client.close()


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

    async def granted(peer, seconds):
        """The credit that comes for the stream in so long."""
        sum = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    frame = await peer.frame()
                    assert frame.kind == CREDIT
                    sum += int.from_bytes(frame.payload, "big") if frame.stream else 0
        return sum

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        for _ in range(17):
            peer.send(MESSAGE, 0, stream, message)
        assert await granted(peer, 0.4) <= len(message), "one was read"
        more.set()
        assert await granted(peer, 0.6) >= 8 * len(message), "ten more were"
        peer.send(END, 0, stream, block())
        await peer.at_end()

    more = threading.Event()
    with serving(tls, script) as server:
        client = connect(server.address)
        with client.progress.watch(v1.WatchRequest()) as stream:
            next(stream)
            assert more.wait(5)
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
    async def script(peer):
        await peer.greet()
        await peer.call()
        assert (await peer.frame(CREDIT)).kind == CANCEL
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)
        stream = client.health.watch(v1.HealthWatchRequest())
        threading.Timer(0.2, stream.close).start()
        with pytest.raises(hito.CancelledCall):
            next(stream)
        assert list(stream) == []
        client.close()


def test_closing_the_client_ends_calls_of_all_threads_and_later_ones_fail(tls, connect):
    async def script(peer):
        await peer.greet()
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)

        def call(_):
            with pytest.raises(hito.CancelledCall):
                client.goals.get_goal(v1.GetGoalRequest())

        with ThreadPoolExecutor(4) as threads:
            calls = threads.map(call, range(4))
            time.sleep(0.3)
            began = time.monotonic()
            client.close()
            list(calls)
        assert time.monotonic() - began < 3
        with pytest.raises(hito.CancelledCall) as caught:
            client.goals.get_goal(v1.GetGoalRequest())
        assert caught.value.not_started
        client.close()


def test_ctrl_c_cancels_the_call(tls, connect):
    cancelled = threading.Event()

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        assert (await peer.frame(CREDIT)).kind == CANCEL
        cancelled.set()
        stream, _, _ = await peer.call()
        peer.reply(stream, goal_reply("after"))
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            client.goals.create_goal(v1.CreateGoalRequest())
        assert cancelled.wait(5)
        assert client.goals.create_goal(v1.CreateGoalRequest()).goal.title == "after"
        client.close()


def test_ctrl_c_cancels_a_stream(tls, connect):
    cancelled = threading.Event()

    async def script(peer):
        await peer.greet()
        await peer.call()
        assert (await peer.frame(CREDIT)).kind == CANCEL
        cancelled.set()
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            for _ in client.health.watch(v1.HealthWatchRequest()):
                pass
        assert cancelled.wait(5)
        client.close()


def test_it_works_where_a_loop_runs(tls, connect):
    """As in Jupyter: the cell runs inside a loop."""
    with serving(tls, echo) as server:

        async def cell():
            client = connect(server.address)
            reply = client.goals.create_goal(v1.CreateGoalRequest(title="in a loop"))
            client.close()
            return reply.goal.title

        assert asyncio.run(cell()) == "in a loop"


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


def test_a_client_that_nobody_closes_frees_its_thread(tls, certificates):
    with serving(tls, health(3)) as server:
        stream = hito.sync.Client.connect(
            server.address, ca_file=certificates.ca_file
        ).health.watch(v1.HealthWatchRequest())
        gc.collect()
        assert len(list(stream)) == 3, "its streams keep it"
        del stream
        gc.collect()
        for _ in range(100):
            if not client_threads():
                break
            time.sleep(0.02)
        assert not client_threads()


def test_a_blocking_call_in_its_own_thread_is_refused_at_once(tls, connect):
    found = []

    class Calling:
        async def intercept(self, method, options, proceed):
            try:
                client.goals.get_goal(v1.GetGoalRequest())
            except RuntimeError as error:
                found.append(str(error))
            return await proceed(options)

    with serving(tls, echo) as server:
        client = connect(server.address, interceptors=[Calling()])
        client.goals.create_goal(v1.CreateGoalRequest(title="x"))
        client.close()
    assert found == ["a blocking call in the client's own thread would wait for itself"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_client_of_before_a_fork_says_so(tls, connect):
    with serving(tls, echo) as server:
        client = connect(server.address)
        read, write = os.pipe()
        code = os.fork() if sys.version_info < (3, 12) else None
        if code == 0:
            try:
                client.goals.create_goal(v1.CreateGoalRequest(title="x"))
            except RuntimeError as error:
                os.write(write, str(error).encode())
            os._exit(0)
        if code is not None:
            os.waitpid(code, 0)
            assert b"before a fork" in os.read(read, 1000)
        os.close(read)
        os.close(write)
        client.close()


SERVICES = [name for name in v1.__all__ if name.endswith("ServiceClient") and not name.startswith("Sync")]


@pytest.mark.parametrize("name", SERVICES)
def test_both_clients_have_the_same_methods(name):
    def methods(cls):
        return {
            key: (list(inspect.signature(function).parameters), function.__doc__)
            for key, function in vars(cls).items()
            if not key.startswith("_")
        }

    assert methods(getattr(v1, name)) == methods(getattr(v1, "Sync" + name))


def test_both_clients_have_the_same_services_and_helpers():
    def names(cls):
        return {name for name in dir(cls) if not name.startswith("_")}

    assert names(hito.Client) == names(hito.sync.Client)
    for one, other in (
        (hito.ProgressClient, hito.sync.ProgressClient),
        (hito.EventClient, hito.sync.EventClient),
        (hito.CodeValidationClient, hito.sync.CodeValidationClient),
    ):
        assert names(one) == names(other)
        for name in names(one):
            wanted = inspect.signature(getattr(one, name)).parameters
            assert list(wanted) == list(inspect.signature(getattr(other, name)).parameters)
