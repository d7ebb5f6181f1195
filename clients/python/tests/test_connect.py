"""Who is trusted, where calls go, and what happens when a server goes away."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct

import pytest

import hito
from fake_peer import PING, FakeServer, block
from hito import v1
from hito._pool import Address
from hito._retry import Backoff, RetryPacer


def goal_reply(title: str) -> bytes:
    return v1.CreateGoalResponse(goal=v1.Goal(title=title)).SerializeToString()


def unused_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


async def idle(peer):
    await peer.greet()
    await peer.at_end()


async def refused(peer):
    await peer.at_end()


async def test_a_certificate_of_an_unknown_authority_is_refused(tls):
    async with FakeServer(tls, refused) as server:
        with pytest.raises(hito.Unavailable, match="certificate refused"):
            await hito.Client.connect(server.address)


async def test_a_certificate_of_another_host_is_refused(tls, connect):
    async with FakeServer(tls, refused) as server:
        with pytest.raises(hito.Unavailable, match="certificate refused"):
            await connect(server.address, server_name="other.example")


async def test_a_server_without_our_protocol_is_refused(certificates, connect):
    async with FakeServer(certificates.server_context("h2"), refused) as server:
        with pytest.raises(hito.Unavailable, match="hito/1|no_application_protocol|ALPN"):
            await connect(server.address)


async def test_tls_1_2_is_refused(certificates, connect):
    old = certificates.server_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with FakeServer(old, refused) as server:
        with pytest.raises(hito.Unavailable, match="TLS"):
            await connect(server.address)


async def test_nobody_there_is_said_at_once(connect):
    with pytest.raises(hito.Unavailable, match="cannot connect to 127.0.0.1"):
        await connect(unused_address())


async def test_a_server_that_refuses_with_goaway_is_quoted(tls, connect):
    async def script(peer):
        await peer.frame()
        peer.goaway(0, 5, "too many of you")
        await peer.at_end()

    async with FakeServer(tls, script) as server:
        with pytest.raises(hito.Unavailable, match="too many of you"):
            await connect(server.address)


async def test_a_first_frame_that_is_not_hello_is_refused(tls, connect):
    async def script(peer):
        await peer.frame()
        peer.send(PING, 0, 0, b"12345678")
        await peer.at_end()

    async with FakeServer(tls, script) as server:
        with pytest.raises(hito.HitoError, match="not HELLO"):
            await connect(server.address)


@pytest.mark.parametrize(
    "text", ["", "host", "host:", ":1", "host:0", "host:65536", "::1:7", "h:x"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError):
        Address.parse(text)


def test_addresses_are_host_and_port():
    assert Address.parse("host:7443") == Address("host", 7443)
    assert Address.parse(" [::1]:7 ") == Address("::1", 7)


@pytest.mark.parametrize("token", ["t" * 257, "a\0b"])
async def test_a_token_that_cannot_be_sent_is_the_callers_mistake(token):
    with pytest.raises(ValueError):
        await hito.Client.connect("127.0.0.1:1", token=token)


async def test_a_write_is_repeated_under_its_key_when_the_connection_is_lost(tls, connect):
    keys = []

    async def killed(peer):
        await peer.greet()
        _, fields, _ = await peer.call()
        keys.append(fields[3])
        peer.kill()

    async def answering(peer):
        await peer.greet()
        stream, fields, _ = await peer.call()
        keys.append(fields[3])
        peer.reply(stream, goal_reply("once"))

    async with FakeServer(tls, killed, answering) as server:
        client = await connect(server.address)
        reply = await client.goals.create_goal(v1.CreateGoalRequest())
        assert reply.goal.title == "once"
        assert keys[0] == keys[1]


async def test_unavailable_is_repeated_after_the_servers_delay(tls, connect):
    details = v1.ErrorDetails(retry_delay_us=200_000).SerializeToString()
    times = []

    async def script(peer):
        await peer.greet()
        for answer in ("busy", "busy", ""):
            stream, _, _ = await peer.call()
            times.append(asyncio.get_running_loop().time())
            if answer:
                peer.fail(stream, 14, answer, details=details)
            else:
                peer.reply(stream, b"")

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        await client.goals.get_goal(v1.GetGoalRequest())
        assert times[1] - times[0] >= 0.2 and times[2] - times[1] >= 0.2


async def test_other_failures_are_not_repeated(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.fail(stream, 10, "stale")
        assert not [f for f in await peer.at_end() if f.kind == 2]

    async with FakeServer(tls, script) as server:
        client = await connect(server.address)
        with pytest.raises(hito.Aborted):
            await client.goals.create_goal(v1.CreateGoalRequest())
        await client.close()


async def test_calls_wait_for_a_server_that_comes_back(tls, connect):
    async def answering(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.reply(stream, goal_reply("back"))

    async with FakeServer(tls, idle) as server:
        client = await connect(server.address)
        server.kill()
    call = asyncio.create_task(client.goals.create_goal(v1.CreateGoalRequest()))
    while client._channel._pool.failure is None:
        await asyncio.sleep(0)
    async with FakeServer(tls, answering, port=server.port):
        assert (await call).goal.title == "back"


async def test_a_call_whose_time_is_up_says_what_it_waited_for(tls, connect):
    async with FakeServer(tls, idle) as server:
        client = await connect(server.address)
        server.kill()
    with pytest.raises(hito.DeadlineExceeded, match="cannot connect"):
        await client.goals.create_goal(v1.CreateGoalRequest(), timeout=0.3)


async def test_without_waiting_a_call_fails_at_once(tls, connect):
    async with FakeServer(tls, idle) as server:
        client = await connect(server.address, wait_for_ready=False)
        server.kill()
    with pytest.raises(hito.Unavailable):
        async with asyncio.timeout(5):
            await client.goals.create_goal(v1.CreateGoalRequest())


async def test_after_goaway_new_calls_use_a_new_connection_and_old_ones_end(tls, connect):
    second_called = asyncio.Event()

    async def draining(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.goaway(0x7FFFFFFF, 0, "drain")
        peer.goaway(stream, 0, "drain")
        await second_called.wait()
        peer.reply(stream, goal_reply("old"))
        frames = await peer.at_end()
        assert [f.kind for f in frames] == [9], "the client closes when its last call has ended"

    async def fresh(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        second_called.set()
        peer.reply(stream, goal_reply("new"))

    async with FakeServer(tls, draining, fresh) as server:
        client = await connect(server.address)
        old = asyncio.create_task(client.goals.create_goal(v1.CreateGoalRequest()))
        while client._channel._pool._machine.connections(0):
            await asyncio.sleep(0)
        assert (await client.goals.create_goal(v1.CreateGoalRequest())).goal.title == "new"
        assert (await old).goal.title == "old"


async def test_calls_behind_the_last_stream_of_a_goaway_were_not_started(tls, connect):
    async def draining(peer):
        await peer.greet()
        await peer.call()
        await peer.call()
        peer.goaway(1, 0)
        peer.reply(1, goal_reply("first"))
        await peer.at_end()

    async def fresh(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.reply(stream, goal_reply("second"))

    async with FakeServer(tls, draining, fresh) as server:
        client = await connect(server.address)
        replies = await asyncio.gather(
            client.goals.create_goal(v1.CreateGoalRequest()),
            client.goals.create_goal(v1.CreateGoalRequest()),
        )
        assert [reply.goal.title for reply in replies] == ["first", "second"]


async def test_of_several_addresses_one_that_answers_is_used(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.reply(stream, b"")

    async with FakeServer(tls, script) as server:
        client = await connect([unused_address(), server.address])
        await client.goals.get_goal(v1.GetGoalRequest())


async def test_round_robin_takes_the_addresses_in_turn(tls, connect):
    async def script(peer):
        await peer.greet()
        for _ in range(3):
            stream, _, _ = await peer.call()
            peer.reply(stream, b"")

    async with FakeServer(tls, script) as one, FakeServer(tls, script) as two:
        client = await connect(f"{one.address},{two.address}", balancing="round_robin")
        for _ in range(6):
            await client.goals.get_goal(v1.GetGoalRequest())


async def test_a_server_that_falls_silent_is_left(tls, connect):
    async def silent(peer):
        await peer.greet(ping_interval_ms=20)
        await peer.call()
        assert (await peer.frame()).kind == PING
        await peer.at_end()

    async def answering(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.reply(stream, goal_reply("elsewhere"))

    async with FakeServer(tls, silent, answering) as server:
        client = await connect(server.address, keepalive=0.05)
        reply = await client.goals.create_goal(v1.CreateGoalRequest())
        assert reply.goal.title == "elsewhere"


def test_backoff_doubles_with_chance_up_to_five_seconds():
    most, least = Backoff(lambda: 1.0), Backoff(lambda: 0.0)
    assert [most.next() for _ in range(9)] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert [least.next() for _ in range(2)] == [0.025, 0.05]
    assert least.next(pushback=7.0) == 7.0
    most.reset()
    assert most.next() == 0.05


def test_retries_beyond_the_burst_are_spread():
    pacer = RetryPacer(burst=2, per_second=10)
    delays = [pacer.delay(100.0) for _ in range(4)]
    assert delays == pytest.approx([0.0, 0.0, 0.1, 0.2])
    assert pacer.delay(200.0) == 0.0


def test_the_fake_peer_counts_blocks_as_the_protocol_does():
    assert block((1, struct.pack(">H", 5))) == bytes.fromhex("0005 01 0002 0005")
