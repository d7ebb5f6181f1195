"""Tokens that are made anew while a client lives (clients/BEHAVIOUR.md, C5.8)."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

import hito
from fake_peer import CREDIT, END, MESSAGE, FakeServer, block, parse_block
from hito import v1
from hito._log import Log
from hito._token import Tokens

PERMISSION_DENIED, UNAUTHENTICATED = 7, 16


class Provider:
    """Gives one text after the other, the last for ever; an exception is raised."""

    def __init__(self, *answers, delay=0.0):
        self.answers = list(answers)
        self.delay = delay
        self.asked = 0

    async def __call__(self):
        self.asked += 1
        await asyncio.sleep(self.delay)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def gate(*good, seen=None):
    """A script that answers calls under these tokens and refuses all others."""

    async def script(peer):
        hello = await peer.greet()
        assert 8 not in hello, "HELLO has no token"
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                frame = await peer.frame(CREDIT, 5, 9)
                if frame.kind != 2:
                    continue
                fields, _ = parse_block(frame.payload)
                if seen is not None:
                    seen.append((fields.get(5, b"").decode(), fields.get(3)))
                if fields.get(5, b"").decode() in good:
                    peer.reply(frame.stream, b"")
                else:
                    peer.fail(frame.stream, UNAUTHENTICATED, "no such token")

    return script


async def get(client, **options):
    return await client.goals.get_goal(v1.GetGoalRequest(), **options)


async def test_the_first_calls_share_one_question(tls, connect):
    provider = Provider("a", delay=0.1)
    async with FakeServer(tls, gate("a")) as server:
        client = await connect(server.address, token_provider=provider)
        assert provider.asked == 0, "connecting needs none"
        await asyncio.gather(*(get(client) for _ in range(20)))
        await get(client)
        assert provider.asked == 1
        await client.close()


async def test_a_refused_token_is_replaced_and_the_call_repeated_under_the_same_key(tls, connect):
    seen = []
    provider = Provider("old", "new")
    async with FakeServer(tls, gate("new", seen=seen)) as server:
        client = await connect(server.address, token_provider=provider)
        await client.goals.create_goal(v1.CreateGoalRequest())
        assert [token for token, _ in seen] == ["old", "new"]
        assert seen[0][1] == seen[1][1] is not None
        await get(client)
        assert provider.asked == 2
        await client.close()


async def test_calls_that_are_refused_together_share_the_question(tls, connect):
    provider = Provider("old", "new", delay=0.05)
    async with FakeServer(tls, gate("new")) as server:
        client = await connect(server.address, token_provider=provider)
        await asyncio.gather(*(get(client) for _ in range(20)))
        assert provider.asked == 2
        await client.close()


async def test_a_second_refusal_is_the_callers_and_providers_are_not_stormed(tls, connect):
    seen = []
    texts = [f"bad-{number}" for number in range(1000)]
    provider = Provider(*texts)
    async with FakeServer(tls, gate("good", seen=seen)) as server:
        client = await connect(server.address, token_provider=provider)
        with pytest.raises(hito.Unauthenticated) as caught:
            await get(client)
        assert caught.value.from_server and [token for token, _ in seen] == ["bad-0", "bad-1"]
        for _ in range(200):
            with pytest.raises(hito.Unauthenticated):
                await get(client)
        assert provider.asked < 30 and len(seen) < 30
        await client.close()


async def test_the_same_token_again_is_the_servers_error(tls, connect):
    seen = []
    async with FakeServer(tls, gate("good", seen=seen)) as server:
        client = await connect(server.address, token_provider=Provider("bad"))
        with pytest.raises(hito.Unauthenticated) as caught:
            await get(client)
        assert caught.value.from_server and len(seen) == 1
        await client.close()


@pytest.mark.parametrize(
    "answer", [OSError("the secret is s3cret"), "", "x" * 257, "a\0b", "\ud800", 7, hito.Token("a", 0)]
)
async def test_a_provider_that_fails_ends_the_call_before_it_begins(tls, connect, answer):
    provider = Provider(answer)
    async with FakeServer(tls, gate("good")) as server:
        client = await connect(server.address, token_provider=provider)
        with pytest.raises(hito.Unauthenticated) as caught:
            await client.goals.create_goal(v1.CreateGoalRequest())
        assert caught.value.not_started and not caught.value.from_server
        assert "s3cret" not in str(caught.value)
        if isinstance(answer, OSError):
            assert caught.value.__cause__ is answer
        asked = provider.asked
        for _ in range(50):
            with pytest.raises(hito.Unauthenticated):
                await get(client)
        assert provider.asked - asked < 15, "it rests"
        provider.answers = ["good"]
        async with asyncio.timeout(5):
            while True:
                try:
                    await get(client)
                    break
                except hito.Unauthenticated:
                    await asyncio.sleep(0.02)
        await client.close()


async def test_a_provider_that_fails_behind_a_refusal_leaves_the_servers_error(tls, connect):
    provider = Provider("bad", OSError("gone"))
    async with FakeServer(tls, gate("good")) as server:
        client = await connect(server.address, token_provider=provider)
        with pytest.raises(hito.Unauthenticated, match="no such token") as caught:
            await get(client)
        assert caught.value.from_server
        await client.close()


async def test_a_provider_has_its_time(tls, connect):
    provider = Provider("late", delay=5)
    async with FakeServer(tls, gate("late")) as server:
        client = await connect(server.address, token_provider=provider, token_timeout=0.1)
        with pytest.raises(hito.Unauthenticated, match="did not answer in time"):
            await get(client)
        await client.close()


async def test_a_call_waits_for_a_token_within_its_own_time_and_leaves_the_question(tls, connect):
    provider = Provider("a", delay=0.4)
    async with FakeServer(tls, gate("a")) as server:
        client = await connect(server.address, token_provider=provider)
        with pytest.raises(hito.DeadlineExceeded) as caught:
            await get(client, timeout=0.1)
        assert caught.value.not_started
        waiting = asyncio.create_task(get(client))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await get(client)
        assert provider.asked == 1
        await client.close()


class Clock:
    """In place of the loop's."""

    def __init__(self):
        self.now = 0.0

    def time(self):
        return self.now


async def test_a_token_is_renewed_before_it_expires_and_used_on_where_that_fails():
    provider = Provider(hito.Token("a", 1000), OSError("gone"), hito.Token("b", 50), hito.Token("c"))
    tokens = Tokens(provider, 1.0, Log(None), chance=lambda: 1.0)
    clock = tokens._loop = Clock()
    for now, text, asked in (
        (0, "a", 1), (989, "a", 1),  # Ten seconds are left from here on.
        (990.5, "a", 2), (990.54, "a", 2),  # It failed, and rests.
        (990.6, "b", 3), (1035, "b", 3),
        (1036, "c", 4), (1e9, "c", 4),  # A tenth was left.
    ):  # fmt: skip
        clock.now = now
        assert (await tokens.get(), provider.asked) == (text, asked), now


async def test_a_token_that_has_expired_is_not_used():
    provider = Provider(hito.Token("a", 1000), OSError("gone"))
    tokens = Tokens(provider, 1.0, Log(None))
    clock = tokens._loop = Clock()
    assert await tokens.get() == "a"
    clock.now = 1000
    with pytest.raises(hito.Unauthenticated):
        await tokens.get()


async def test_a_token_of_a_call_is_its_own(tls, connect):
    provider = Provider("good")
    seen = []
    async with FakeServer(tls, gate("good", seen=seen)) as server:
        client = await connect(server.address, token_provider=provider)
        with pytest.raises(hito.Unauthenticated):
            await get(client, token="mine")
        with pytest.raises(hito.Unauthenticated):
            await get(client, token="")
        assert provider.asked == 0 and [token for token, _ in seen] == ["mine", ""]
        await client.close()


async def test_a_plain_function_may_block(tls, connect):
    names = []

    def provider():
        names.append(threading.current_thread())
        return hito.Token("a")

    async with FakeServer(tls, gate("a")) as server:
        client = await connect(server.address, token_provider=provider)
        await get(client)
        assert names[0] is not threading.main_thread()
        await client.close()


async def test_a_token_and_a_provider_are_one_too_many(tls, connect):
    with pytest.raises(ValueError, match="not both"):
        await connect("127.0.0.1:1", token="a", token_provider=Provider("b"))


async def test_closing_ends_the_question(tls, connect):
    provider = Provider("a", delay=30)
    async with FakeServer(tls, gate("a")) as server:
        client = await connect(server.address, token_provider=provider)
        call = asyncio.create_task(get(client))
        while not provider.asked:
            await asyncio.sleep(0.01)
        await client.close()
        with pytest.raises(hito.CancelledCall) as caught:
            await asyncio.wait_for(call, 5)
        assert caught.value.not_started
        with pytest.raises(hito.CancelledCall):
            await get(client)
        assert provider.asked == 1


def streaming(*turns):
    """A script that answers each call by what its turn says: responses, and how it ends."""

    async def script(peer):
        await peer.greet()
        for token, count, status in turns:
            stream, fields, _ = await peer.call()
            assert fields[5].decode() == token
            for number in range(count):
                response = v1.WatchResponse(cursor=f"{token}{number}")
                peer.send(MESSAGE, 0, stream, response.SerializeToString())
            if status is not None:
                peer.fail(stream, status, "no")
            else:
                peer.send(END, 0, stream, block())
        await peer.at_end()

    return script


async def test_a_stream_is_repeated_before_its_first_response_and_not_behind_it(tls, connect):
    turns = ("a", 0, UNAUTHENTICATED), ("b", 2, UNAUTHENTICATED), ("c", 1, None)
    async with FakeServer(tls, streaming(*turns)) as server:
        client = await connect(server.address, token_provider=Provider("a", "b", "c"))
        stream = client.progress.watch(v1.WatchRequest())
        assert (await anext(stream)).cursor == "b0"
        assert (await anext(stream)).cursor == "b1"
        with pytest.raises(hito.Unauthenticated):
            await anext(stream)
        assert [r.cursor async for r in client.progress.watch(v1.WatchRequest())] == ["c0"]
        await client.close()


async def test_a_watch_goes_on_under_a_new_token(tls, connect):
    turns = ("a", 1, UNAUTHENTICATED), ("b", 1, UNAUTHENTICATED), ("c", 0, UNAUTHENTICATED)
    async with FakeServer(tls, streaming(*turns, ("d", 0, UNAUTHENTICATED))) as server:
        client = await connect(server.address, token_provider=Provider("a", "b", "c", "d"))
        watch = client.progress.watch_resuming(v1.WatchRequest())
        assert [(await anext(watch)).cursor for _ in range(2)] == ["a0", "b0"]
        with pytest.raises(hito.Unauthenticated):
            await anext(watch)
        await client.close()


async def test_a_watch_that_was_repeated_ends_with_what_lasts(tls, connect):
    turns = ("a", 0, UNAUTHENTICATED), ("b", 1, PERMISSION_DENIED)
    async with FakeServer(tls, streaming(*turns)) as server:
        client = await connect(server.address, token_provider=Provider("a", "b"))
        watch = client.progress.watch_resuming(v1.WatchRequest())
        assert (await anext(watch)).cursor == "b0"
        with pytest.raises(hito.PermissionDenied):
            await anext(watch)
        await client.close()


async def test_a_request_stream_that_is_refused_is_the_callers_and_the_next_has_a_new_token(tls, connect):
    async def requests():
        yield v1.IngestDocumentsRequest()

    async def script(peer):
        await peer.greet()
        for token in (b"a", b"b"):
            frame = await peer.frame(CREDIT, MESSAGE, END, 5)
            assert parse_block(frame.payload)[0][5] == token
            if token == b"a":
                peer.fail(frame.stream, UNAUTHENTICATED, "no")
            else:
                peer.reply(frame.stream, b"")
        await peer.at_end()

    async with FakeServer(tls, script) as server:
        client = await connect(server.address, token_provider=Provider("a", "b"))
        with pytest.raises(hito.Unauthenticated):
            await client.courses.ingest_documents(requests())
        await client.courses.ingest_documents(requests())
        await client.close()


async def test_a_proven_token_that_is_revoked_costs_no_rest():
    tokens = Tokens(Provider("a", "b", "c", "d"), 1.0, Log(None), chance=lambda: 1.0)
    for text in "abc":
        assert await tokens.get() == text
        tokens.taken(text)
        tokens.refused(text)
    assert await tokens.get() == "d"
    tokens.refused("a")
    assert await tokens.get() == "d", "another one was refused"
