"""Interceptors, hedging and what else a call of the client's own goes through."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import List

import pytest

import hito
from fake_peer import CANCEL, END, MESSAGE, FakeServer, block
from hito import v1


class Noting:
    """Gives each call a trace, and notes what came of it."""

    def __init__(self, name: str, notes: List[str]) -> None:
        self._name, self._notes = name, notes

    async def intercept(self, method, options, proceed):
        self._notes.append(f"{self._name} before {method.path}")
        try:
            result = await proceed(dataclasses.replace(options, traceparent=f"{options.traceparent}-{self._name}"))
        except hito.HitoError as error:
            self._notes.append(f"{self._name} {error.code.name}")
            raise
        self._notes.append(f"{self._name} {type(result).__name__}")
        return result


async def test_interceptors_see_each_call_and_what_came_of_it(tls, connect):
    traces: List[bytes] = []

    async def script(peer):
        await peer.greet()
        stream, fields, _ = await peer.call()
        traces.append(fields[4])
        peer.reply(stream, b"")
        stream, fields, _ = await peer.call()
        traces.append(fields[4])
        peer.fail(stream, 5, "no")
        stream, fields, _ = await peer.call()
        traces.append(fields[4])
        peer.send(MESSAGE, 0, stream, v1.WatchResponse(cursor="c").SerializeToString())
        peer.send(END, 0, stream, block())
        await peer.at_end()

    notes: List[str] = []
    async with FakeServer(tls, script) as server:
        client = await connect(
            server.address, interceptors=[Noting("outer", notes), Noting("inner", notes)]
        )
        await client.goals.get_goal(v1.GetGoalRequest(), traceparent="t")
        with pytest.raises(hito.NotFound):
            await client.goals.get_goal(v1.GetGoalRequest(), traceparent="t")
        stream = client.progress.watch(v1.WatchRequest(), traceparent="t")
        assert [response.cursor async for response in stream] == ["c"]
        await client.close()
    get, watch = "hito.v1.GoalService/GetGoal", "hito.v1.ProgressService/Watch"
    assert notes == [
        f"outer before {get}", f"inner before {get}", "inner GetGoalResponse", "outer GetGoalResponse",
        f"outer before {get}", f"inner before {get}", "inner NOT_FOUND", "outer NOT_FOUND",
        f"outer before {watch}", f"inner before {watch}", "inner ResponseStream", "outer ResponseStream",
    ]  # fmt: skip
    assert traces == [b"t-outer-inner"] * 3


async def test_an_interceptor_that_refuses_sends_nothing(tls, connect):
    class Refusing:
        async def intercept(self, method, options, proceed):
            raise hito.PermissionDenied("not here")

    async def script(peer):
        await peer.greet()
        assert [frame.kind for frame in await peer.at_end()] == [9]

    async with FakeServer(tls, script) as server:
        client = await connect(server.address, interceptors=[Refusing()])
        with pytest.raises(hito.PermissionDenied):
            await client.goals.get_goal(v1.GetGoalRequest())
        with pytest.raises(hito.PermissionDenied):
            await anext(client.progress.watch(v1.WatchRequest()))
        await client.close()


@pytest.mark.parametrize("where", ["client", "call"])
async def test_the_faster_copy_counts_and_the_other_is_cancelled(tls, connect, where):
    async def script(peer):
        await peer.greet()
        first, _, _ = await peer.call()
        second, _, _ = await peer.call()
        reply = v1.GetGoalResponse(goal=v1.Goal(title="second"))
        peer.reply(second, reply.SerializeToString())
        frame = await peer.frame()
        assert (frame.kind, frame.stream) == (CANCEL, first)
        await peer.at_end()

    hedging = hito.Hedging(0.02)
    async with FakeServer(tls, script) as server:
        client = await connect(server.address, hedging=hedging if where == "client" else None)
        options = {"hedging": hedging} if where == "call" else {}
        reply = await client.goals.get_goal(v1.GetGoalRequest(), **options)
        assert reply.goal.title == "second"
        await client.close()


async def test_a_hedged_call_that_is_cancelled_gives_back_its_places(tls, connect):
    async def script(peer):
        await peer.greet(streams_max=2)
        cancelled = 0
        while cancelled < 6:
            cancelled += (await peer.frame()).kind == CANCEL
        stream, _, _ = await peer.call()
        peer.reply(stream, b"")
        await peer.at_end()

    async with FakeServer(tls, script) as server:
        client = await connect(server.address, connections_per_address=1)
        for _ in range(3):
            call = asyncio.create_task(
                client.goals.get_goal(v1.GetGoalRequest(), hedging=hito.Hedging(0.01, 5))
            )
            pool = client._channel._pool
            [connection] = pool._connections.values()
            while len(connection._calls) < 2:
                await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        await client.goals.get_goal(v1.GetGoalRequest())
        await client.close()


async def test_a_write_is_not_hedged_without_its_callers_key(tls, connect):
    async def script(peer):
        await peer.greet()
        assert [frame.kind for frame in await peer.at_end()] == [9]

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(ValueError, match="idempotency_key"):
            await client.goals.create_goal(v1.CreateGoalRequest(), hedging=hito.Hedging(0.1))
        await client.close()


async def test_a_call_that_waits_for_room_and_is_cancelled_takes_no_place(tls, connect):
    async def script(peer):
        await peer.greet(streams_max=1)
        for _ in range(2):
            stream, _, _ = await peer.call()
            peer.reply(stream, b"")
        await peer.at_end()

    async with FakeServer(tls, script) as server:
        client = await connect(server.address, connections_per_address=1)
        pool = client._channel._pool
        held = await pool.connection()
        waiting = [asyncio.create_task(pool.connection()) for _ in range(3)]
        await asyncio.sleep(0)
        # The place is given to the first and taken back before it can use it.
        pool.release(held)
        waiting[0].cancel()
        await asyncio.gather(waiting[0], return_exceptions=True)
        pool.release(await waiting[1])
        pool.release(await waiting[2])
        for _ in range(2):
            await client.goals.get_goal(v1.GetGoalRequest())
        await client.close()
