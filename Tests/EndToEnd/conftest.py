"""Servers, people and clients for the end-to-end tests."""

from __future__ import annotations

import itertools
from typing import AsyncIterator, Awaitable, Callable, Iterator

import pytest
import pytest_asyncio
from hito_server import HitoServer, Login

import hito

Connect = Callable[..., Awaitable[hito.Client]]
Join = Callable[..., Login]

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[HitoServer]:
    """A server that all tests share; nobody kills it."""
    yield from _running()


@pytest.fixture(scope="module")
def mortal() -> Iterator[HitoServer]:
    """A server of the module's own, to kill and restart."""
    yield from _running()


def _running() -> Iterator[HitoServer]:
    running = HitoServer()
    try:
        running.start()
        yield running
        status = running.stop() if running.is_running else 0
        assert status == 0, f"the server ended with {status}\n{running.tail()}"
    finally:
        running.remove()


def _join(server: HitoServer, name: str, role: str) -> Login:
    return server.join(name, role, external_id=f"{name}-{next(_numbers)}".lower())


@pytest.fixture(scope="session")
def admin(server: HitoServer) -> Login:
    return _join(server, "Root", "admin")


@pytest.fixture
def ana(server: HitoServer) -> Login:
    """A learner without a past."""
    return _join(server, "Ana", "learner")


@pytest.fixture
def berta(server: HitoServer) -> Login:
    """Another learner."""
    return _join(server, "Berta", "learner")


@pytest.fixture(scope="session")
def ines(server: HitoServer) -> Login:
    """An instructor."""
    return _join(server, "Ines", "instructor")


@pytest.fixture(scope="module")
def mortal_ana(mortal: HitoServer) -> Login:
    return _join(mortal, "Ana", "learner")


@pytest.fixture(scope="module")
def mortal_admin(mortal: HitoServer) -> Login:
    return _join(mortal, "Root", "admin")


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Connect]:
    """`await connect(server, login)`: a client that is closed at the end of the test."""
    clients = []

    async def connect(server: HitoServer, login: Login | None = None, **options: object):
        client = await server.connect(login, **options)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        await client.close()
