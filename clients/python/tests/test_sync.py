"""The client that blocks, against a peer that speaks the protocol's bytes."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import hito
import hito.sync
from fake_peer import CALL, CANCEL, CREDIT, GOAWAY, MESSAGE, parse_block
from hito import v1
from server_thread import client_threads, connect, health, interrupt, serving, when

__all__ = ["connect"]


def goal_reply(title):
    return v1.CreateGoalResponse(goal=v1.Goal(title=title)).SerializeToString()


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


def test_an_option_that_there_is_not_is_refused(certificates):
    with pytest.raises(TypeError, match="no option tokn"):
        hito.sync.Client.connect("127.0.0.1:1", ca_file=certificates.ca_file, tokn="x")
    assert not client_threads()


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


def test_closing_the_client_ends_calls_of_all_threads_and_later_ones_fail(tls, connect):
    four = threading.Event()

    async def script(peer):
        await peer.greet()
        for _ in range(4):
            await peer.call()
        four.set()
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)

        def call(_):
            with pytest.raises(hito.CancelledCall):
                client.goals.get_goal(v1.GetGoalRequest())

        with ThreadPoolExecutor(4) as threads:
            calls = threads.map(call, range(4))
            assert four.wait(10)
            began = time.monotonic()
            client.close()
            list(calls)
        assert time.monotonic() - began < 3
        with pytest.raises(hito.CancelledCall) as caught:
            client.goals.get_goal(v1.GetGoalRequest())
        assert caught.value.not_started
        client.close()


def test_ctrl_c_cancels_the_call(tls, connect):
    called, cancelled = threading.Event(), threading.Event()

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        called.set()
        assert (await peer.frame(CREDIT)).kind == CANCEL
        cancelled.set()
        stream, _, _ = await peer.call()
        peer.reply(stream, goal_reply("after"))
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)
        when(called, interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.goals.create_goal(v1.CreateGoalRequest())
        assert cancelled.wait(5)
        assert client.goals.create_goal(v1.CreateGoalRequest()).goal.title == "after"
        client.close()


def test_another_thread_cancels_through_a_scope(tls, connect):
    called = [threading.Event(), threading.Event()]

    async def script(peer):
        await peer.greet()
        for event in called:
            await peer.call()
            event.set()
            assert (await peer.frame(CREDIT)).kind == CANCEL
        stream, _, _ = await peer.call()
        peer.reply(stream, goal_reply("outside"))
        await peer.at_end()

    with serving(tls, script) as server:
        client = connect(server.address)
        for event in called:
            outer = hito.sync.CancelScope()
            when(event, outer.cancel)
            with outer, hito.sync.CancelScope():
                with pytest.raises(hito.CancelledCall):
                    client.goals.create_goal(v1.CreateGoalRequest())
                with pytest.raises(hito.CancelledCall) as caught:
                    client.goals.create_goal(v1.CreateGoalRequest())
                assert caught.value.not_started
        assert client.goals.create_goal(v1.CreateGoalRequest()).goal.title == "outside"
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


LEFT_OPEN = '''\
import sys
import hito.sync
from hito import v1

client = hito.sync.Client.connect(sys.argv[1], ca_file=sys.argv[2])
stream = client.health.watch(v1.HealthWatchRequest())
next(stream)
'''


def test_a_program_that_closes_nothing_ends_and_says_goodbye(tls, certificates):
    last = []

    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, b"")
        last.extend(frame.kind for frame in await peer.at_end())

    with serving(tls, script) as server:
        subprocess.run(
            [sys.executable, "-W", "error", "-c", LEFT_OPEN, server.address, certificates.ca_file],
            check=True, timeout=20, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
    assert last[-1] == GOAWAY and CANCEL in last


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
