"""A certificate of the client's own, for a server that asks for one."""

from __future__ import annotations

import ssl

import pytest

import hito
from fake_peer import FakeServer
from hito import v1


@pytest.fixture(name="asking")
def _asking(certificates) -> ssl.SSLContext:
    context = certificates.server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates.ca_file)
    return context


async def script(peer):
    await peer.greet()
    stream, _, _ = await peer.call()
    assert peer.writer.get_extra_info("ssl_object").getpeercert()["subject"] == ((("commonName", "test"),),)
    peer.reply(stream, b"")
    await peer.at_end()


async def test_it_is_shown(asking, connect, certificates):
    files = certificates.own
    async with FakeServer(asking, script) as server:
        client = await connect(server.address, client_certificate=files[0], client_key=files[1])
        await client.goals.get_goal(v1.GetGoalRequest())
        await client.close()


async def test_without_it_no_call_is_made(asking, connect):
    async def never(peer):
        raise AssertionError("it was let in")

    async with FakeServer(asking, never) as server:
        with pytest.raises(hito.Unavailable):
            await connect(server.address)


async def test_a_key_of_another_certificate_is_the_callers_mistake(certificates, connect):
    with pytest.raises(ssl.SSLError):
        await connect(
            "127.0.0.1:1", client_certificate=certificates.own[0], client_key=certificates.ca_key
        )
