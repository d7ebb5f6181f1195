"""A broker that does not let Hito in, speaks wrongly, or takes less than it should: it is said what is wrong,
and nobody waits for it."""

from __future__ import annotations

import asyncio
import os
import ssl
import struct
import subprocess
from typing import Any, Awaitable, Callable, Dict, Iterator

import pytest
from certificates import Authority
from google.protobuf.field_mask_pb2 import FieldMask
from history import eventually
from hito import v1
from hito_server import HitoServer
from publication import Condition, Published, becomes, pipeline, write
from rabbitmq import Broker

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    running = Broker({"max_message_size": "12000"})
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture(scope="module")
def refused() -> Iterator[HitoServer]:
    """A server that is started again for each test, with another broker."""
    running = HitoServer()
    try:
        yield running
    finally:
        running.remove()


async def start(server: HitoServer, **environment: str) -> None:
    if server.is_running:
        assert await asyncio.to_thread(server.stop) == 0, server.tail()
    server.environment = environment
    await server.restart()


async def says(server: HitoServer, connect: Any, *words: str) -> None:
    """Writes go through, and the pipeline says what is wrong."""
    admin = await connect(server, server.admin())
    ana = await connect(server, server.join("Ana"))
    await asyncio.wait_for(write(ana, 3), 20)
    state = await becomes(admin, Condition.PIPELINE_CONDITION_AWAY)

    async def is_said() -> bool:
        nonlocal state
        state = await pipeline(admin)
        return any(word in state.last_error for word in words)

    await eventually(f"one of {words} to be said", is_said, 40)
    assert state.lag_events > 0
    assert "publishing to amqp" in server.log.read_text(errors="replace")


def guest(broker: Broker, login: str = "guest:guest", path: str = "") -> str:
    return f"amqp://{login}@127.0.0.1:{broker.port}{path}"


@pytest.mark.parametrize(
    "login, path, words",
    [
        ("guest:wrong", "", ("does not let us in", "ACCESS_REFUSED")),
        ("nobody:guest", "", ("does not let us in",)),
        ("guest:guest", "/missing", ("refuses (530)", "not found")),
    ],
)
async def test_a_login_that_is_not_taken(refused, broker, connect, login, path, words):
    await start(refused, HITO_BROKER_URL=guest(broker, login, path))
    await says(refused, connect, *words)
    assert "wrong" not in refused.log.read_text(errors="replace").replace("wrongly", "")


def test_the_doctor_says_what_is_wrong_and_what_to_do(refused, broker):
    for url, verdict, words in (
        (guest(broker), "ok", "lets us in"),
        (guest(broker, "guest:wrong"), "fail", "correct the login"),
        (guest(broker, path="/missing"), "fail", "make the virtual host"),
        ("amqp://guest:guest@127.0.0.1:1", "fail", "start it"),
    ):
        done = subprocess.run(
            [refused.program, "doctor"], env={**os.environ, "HITO_BROKER_URL": url},
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        [line] = [line for line in done.stdout.splitlines() if " broker " in f"{line} "]
        assert line.startswith(verdict), done.stdout
        assert words in done.stdout, done.stdout


async def test_a_user_who_may_not_publish(refused, broker, connect):
    broker.control("add_user", "reader", "secret")
    broker.control("set_permissions", "reader", "^$", "^$", ".*")
    await start(refused, HITO_BROKER_URL=guest(broker, "reader:secret"))
    await says(refused, connect, "does not let us in")


async def test_an_exchange_that_is_of_another_kind(refused, broker, connect):
    with broker.channel() as channel:
        channel.exchange_declare("other.events", "fanout", durable=True)
    await start(
        refused, HITO_BROKER_URL=guest(broker), HITO_BROKER_EXCHANGE="other.events"
    )
    await says(refused, connect, "refuses (406)")
    # As soon as that is put right, everything comes.
    with broker.channel() as channel:
        channel.exchange_delete("other.events")
    admin = await connect(refused, refused.admin())
    await becomes(admin, Condition.PIPELINE_CONDITION_CONNECTED)


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(8)
    writer.write(bytes(range(256)) * 64)
    await writer.drain()


async def another_protocol(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(8)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


async def a_huge_frame(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(8)
    writer.write(struct.pack("!BHI", 1, 0, 0x7FFFFFF0) + b"x" * 100_000)
    await writer.drain()


async def a_table_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """connection.start, whose table says that it is longer than the frame."""
    await reader.read(8)
    payload = struct.pack("!HHBBI", 10, 10, 0, 9, 0xFFFFFFF0) + b"F" * 200
    writer.write(struct.pack("!BHI", 1, 0, len(payload)) + payload + b"\xce")
    await writer.drain()


async def another_version(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(8)
    writer.write(b"AMQP\x00\x01\x00\x00")


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(8)


async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(
    "serve",
    [garbage, another_protocol, a_huge_frame, a_table_without_end, another_version, closes,
     says_nothing],
    ids=lambda serve: serve.__name__,
)  # fmt: skip
async def test_a_peer_that_is_no_broker(refused, connect, serve):
    counts = {"connections": 0}

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counts["connections"] += 1
        try:
            await serve(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(once, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        await start(refused, HITO_BROKER_URL=f"amqp://guest:guest@127.0.0.1:{port}")
        await says(refused, connect, "AMQP", "broke", "cannot be reached")
        # Publisher, lake and embedder: each comes back with growing pauses, and not in a loop.
        assert 1 <= counts["connections"] < 60
    finally:
        listener.close()
        assert await asyncio.to_thread(refused.stop) == 0, refused.tail()


@pytest.mark.parametrize("days, name", [(-1, "IP:127.0.0.1"), (2, "DNS:elsewhere.example")])
async def test_a_certificate_that_does_not_hold(refused, connect, tmp_path, days, name):
    authority = Authority(tmp_path, "authority")
    certificate = authority.sign("broker", name, days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    listener = await asyncio.start_server(says_nothing, "127.0.0.1", 0, ssl=context)
    port = listener.sockets[0].getsockname()[1]
    try:
        await start(
            refused, HITO_BROKER_URL=f"amqps://guest:guest@127.0.0.1:{port}",
            HITO_BROKER_CA=authority.files.certificate,
        )  # fmt: skip
        await says(refused, connect, "TLS is not trusted")
    finally:
        listener.close()
        assert await asyncio.to_thread(refused.stop) == 0, refused.tail()


async def test_events_larger_than_the_broker_takes_go_without_their_payload(
    refused, broker, connect
):
    broker.declare("large", exchange="large.events")
    published = Published(broker, "large")
    await start(
        refused, HITO_BROKER_URL=guest(broker), HITO_BROKER_EXCHANGE="large.events"
    )
    admin = await connect(refused, refused.admin())
    ana = await connect(refused, refused.join("Ana"))
    await write(ana, 2)
    # The setting says 16 MiB, the broker 12,000 bytes: it closes the channel, and one learns.
    [large] = await write(ana, 1, "Grande " + "x" * 190)
    await ana.goals.update_goal(_description(large, "y" * 9_000))
    await ana.goals.update_goal(_description(large, "ñ" * 9_000))
    await write(ana, 2)
    await published.has_all(admin)
    cut = [body for body in published.bodies if body["payload"] is None]
    assert [body["entity_id"] for body in cut] == [large]
    assert cut[0]["cut_bytes"] > 12_000 and cut[0]["type"] == "goal.updated"
    state = await becomes(admin, Condition.PIPELINE_CONDITION_CONNECTED)
    assert state.lag_events == 0
    assert "too large for the broker" in refused.log.read_text(errors="replace")


def _description(goal: str, text: str) -> v1.UpdateGoalRequest:
    return v1.UpdateGoalRequest(
        goal_id=goal, goal=v1.Goal(description=text), update_mask=FieldMask(paths=["description"])
    )


def test_settings_that_make_no_sense_are_refused(refused):
    cases: Dict[str, str] = {
        "HITO_BROKER_URL": "http://127.0.0.1",
        "HITO_BROKER_EXCHANGE": "amq.topic",
        "HITO_BROKER_PREFETCH": "0",
        "HITO_BROKER_MESSAGE_BYTES": "10",
    }
    for name, value in cases.items():
        environment = {**os.environ, "HITO_BROKER_URL": "amqp://127.0.0.1", name: value}
        done = subprocess.run(
            [refused.program, "config"], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 64, f"{name}: {done.stdout}"
        setting = name.removeprefix("HITO_").lower().replace("_", "-")
        assert setting in done.stderr, done.stderr
    secret = {**os.environ, "HITO_BROKER_URL": "amqp://ana:geheim@127.0.0.1"}
    done = subprocess.run(
        [refused.program, "config"], env=secret, capture_output=True, text=True
    )
    assert done.returncode == 0 and "geheim" not in done.stdout + done.stderr
    flagged = subprocess.run(
        [refused.program, "serve", "--broker-url", "amqp://a:b@c"], capture_output=True, text=True
    )
    assert flagged.returncode == 64, "a login must not stand on a command line"
