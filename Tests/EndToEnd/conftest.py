"""Servers, people and clients for the end-to-end tests."""

from __future__ import annotations

import itertools
from typing import AsyncIterator, Awaitable, Callable, Dict, Iterator, NamedTuple
from typing import Optional, Sequence

import embedding_world
import model_steps
import pytest
import pytest_asyncio
from embedding_world import World
from hito import v1
from hito_server import HitoServer, Login
from learning import GET_USER_BY_ID, Person, join, validated_code
from scripted_model import ScriptedModel

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


@pytest.fixture(scope="module")
def without_first_wall(provider: ScriptedModel) -> Iterator[HitoServer]:
    """A server whose statements ask for everybody's rows; debug builds only."""
    yield from _running({**language_model(provider), "HITO_TEST_FIRST_WALL_IS_DOWN": "1"})


@pytest.fixture(scope="session")
def provider() -> Iterator[ScriptedModel]:
    """A provider of models that all tests share."""
    shared = ScriptedModel(model_steps.default)
    yield shared
    shared.stop()


@pytest.fixture
def model(provider: ScriptedModel) -> ScriptedModel:
    """The shared provider, with nothing scripted."""
    provider.clear()
    return provider


@pytest.fixture(scope="session")
def thinking(provider: ScriptedModel) -> Iterator[HitoServer]:
    """A server with a language model that all tests share; nobody kills it."""
    yield from _running(language_model(provider))


@pytest.fixture(scope="module")
def mortal_thinking(provider: ScriptedModel) -> Iterator[HitoServer]:
    """A server with a language model of the module's own."""
    yield from _running(language_model(provider))


def language_model(provider: ScriptedModel) -> Dict[str, str]:
    return {"HITO_MODEL_URL": provider.url, "HITO_MODEL": "scripted"}


def _running(
    environment: Optional[Dict[str, str]] = None, options: Sequence[str] = ()
) -> Iterator[HitoServer]:
    running = HitoServer(environment=environment)
    running.options += options
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


@pytest_asyncio.fixture
async def lea(thinking: HitoServer, connect: Connect) -> Person:
    """A learner without a past, of the server that has a model."""
    return await join(thinking, connect, "Lea")


@pytest_asyncio.fixture
async def judge(thinking: HitoServer, connect: Connect) -> Person:
    """Who may decide about code there."""
    return await join(thinking, connect, "Juez", "admin")


@pytest_asyncio.fixture
async def teacher(thinking: HitoServer, connect: Connect) -> Person:
    """An instructor there."""
    return await join(thinking, connect, "Ines", "instructor")


class Example(NamedTuple):
    """A file of validated code that its author shares."""

    id: str
    author: str


@pytest_asyncio.fixture
async def example(thinking: HitoServer, judge: Person, connect: Connect) -> AsyncIterator[Example]:
    """The notes' `get_user_by_id`; its author takes it back at the end."""
    author = await join(thinking, connect, "Autor")
    made = await validated_code(author, judge, "users.py", GET_USER_BY_ID, shared=True)
    yield Example(made, author.id)
    request = v1.SetSharingRequest(snapshot_id=made, shared=False)
    await author.client.code_validation.set_sharing(request)


@pytest.fixture(scope="module")
def changing() -> Iterator[HitoServer]:
    """A server of the module's own, to restart with one embedding model and another."""
    yield from _running()


@pytest_asyncio.fixture
async def world(changing: HitoServer, connect: Connect) -> World:
    """A learner's small world there."""
    return await embedding_world.make(changing, connect)
