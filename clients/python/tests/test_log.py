"""What a client tells of itself (clients/BEHAVIOUR.md, C5.9)."""

from __future__ import annotations

import asyncio
import logging

import pytest

import hito
from fake_peer import MESSAGE, FakeServer
from hito import v1
from hito._log import Log


def shown(records):
    return [(record.level, record.event) for record in records]


def of(records, event):
    return [record.fields for record in records if record.event == event]


async def test_a_call_is_told_from_beginning_to_end(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.fail(stream, 14, "busy\n\x1b[31mnow")
        stream, _, _ = await peer.call()
        peer.reply(stream, b"")
        await peer.at_end()

    records = []
    async with FakeServer(tls, script) as server:
        client = await connect(server.address, token="s3cret", log=records.append)
        await client.goals.get_goal(v1.GetGoalRequest(goal_id="h1dden"), metadata={"k": "pr1vate"})
        await client.close()
    assert shown(records) == [
        ("debug", "connecting"), ("info", "connected"), ("debug", "call_started"), ("info", "call_repeated"),
        ("debug", "call_ended"), ("info", "disconnected"),
    ]  # fmt: skip
    (connected,) = of(records, "connected")
    assert connected["address"] == server.address and connected["duration_ms"] >= 0
    (repeated,) = of(records, "call_repeated")
    assert repeated["attempt"] == 2 and repeated["status"] == "UNAVAILABLE" and repeated["delay_ms"] > 0
    (ended,) = of(records, "call_ended")
    assert (ended["call"], ended["method"]) == (1, "hito.v1.GoalService/GetGoal")
    assert (ended["status"], ended["attempts"]) == ("OK", 2)
    everything = repr(records)
    for secret in ("s3cret", "h1dden", "pr1vate", "\\n", "\\x1b"):
        assert secret not in everything
    assert "busy\N{REPLACEMENT CHARACTER}" in everything


async def test_failures_streams_and_lost_servers_are_told(tls, connect):
    async def script(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.fail(stream, 5, "none")
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, v1.WatchResponse(cursor="1").SerializeToString())
        await asyncio.sleep(0.1)
        peer.kill()

    async def again(peer):
        await peer.greet()
        stream, _, _ = await peer.call()
        peer.send(MESSAGE, 0, stream, v1.WatchResponse(cursor="2").SerializeToString())
        await peer.at_end()

    records = []
    async with FakeServer(tls, script, again) as server:
        client = await connect(server.address, log=records.append)
        with pytest.raises(hito.NotFound):
            await client.goals.get_goal(v1.GetGoalRequest())
        async with client.progress.watch_resuming(v1.WatchRequest()) as watch:
            assert [(await anext(watch)).cursor for _ in range(2)] == ["1", "2"]
        await client.close()
    ended = [(fields["call"], fields["status"]) for fields in of(records, "call_ended")]
    assert ended == [(1, "NOT_FOUND"), (2, "UNAVAILABLE"), (3, "CANCELLED")]
    (resumed,) = of(records, "watch_resumed")
    assert resumed["method"] == "hito.v1.ProgressService/Watch" and resumed["status"] == "UNAVAILABLE"
    levels = [record.level for record in records if record.event == "disconnected"]
    assert levels == ["warning", "info"]


async def test_servers_that_cannot_be_reached_and_tokens_are_told(tls, connect):
    async def script(peer):
        await peer.greet()
        for status in (16, 0):
            stream, _, _ = await peer.call()
            peer.fail(stream, status) if status else peer.reply(stream, b"")
        await peer.at_end()

    records = []
    with pytest.raises(hito.Unavailable):
        await connect("127.0.0.1:1", log=records.append)
    (failed,) = of(records, "connect_failed")
    assert failed["address"] == "127.0.0.1:1" and "cannot connect" in failed["reason"]
    records.clear()
    texts = iter(["t0ken-1", "t0ken-2"])
    async with FakeServer(tls, script) as server:
        client = await connect(
            server.address, token_provider=lambda: hito.Token(next(texts), 60), log=records.append
        )
        await client.goals.get_goal(v1.GetGoalRequest())
        await client.close()
    assert of(records, "token_refreshed") == [{"valid_ms": 60_000}] * 2
    assert of(records, "call_repeated")[0]["status"] == "UNAUTHENTICATED"
    assert "t0ken" not in repr(records)


def test_what_a_listener_throws_changes_nothing():
    def log(record):
        raise OSError("the disk is full")

    Log(log).tell("info", "connected", "x", address="a")


def test_a_standard_logger_gets_text_and_fields(caplog):
    log = hito.log_to(logging.getLogger("hito.test"))
    with caplog.at_level(logging.INFO, "hito.test"):
        log(hito.LogRecord("debug", "connecting", "no", {}))
        log(hito.LogRecord("warning", "connect_failed", "100% wrong", {"address": "a:1"}))
    (record,) = caplog.records
    assert (record.getMessage(), record.levelno) == ("100% wrong", logging.WARNING)
    assert (record.hito_event, record.hito_address) == ("connect_failed", "a:1")
