"""Who may call which method: the rules that the contract declares, against a running server."""

from __future__ import annotations

import struct
from typing import Dict, Iterator, List, NamedTuple, Sequence

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from hito import v1
from hito_server import REPOSITORY, HitoServer, Login
from raw_peer import Ended, RawPeer

from hito.v1 import options_pb2

OK, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED = 0, 7, 12, 16
ROLES = ("learner", "instructor", "service", "admin")
SCOPES = ("read", "GoalService", "EventService/PublishEvents", "ServerService")
# What the rule says, unlike what a service says of an object.
RULE_TEXTS = ("may call this method", "the token's scopes do not cover this method")
LIMITS = ((6, struct.pack(">I", 4 << 20)), (7, struct.pack(">I", 16 << 20)))
HALF_SECOND = (2, struct.pack(">Q", 500_000))
TOGETHER = 20


class Method(NamedTuple):
    """A method and its rule, as the server's own descriptors tell it."""

    path: str
    callers: int
    reads: bool
    unimplemented: bool

    def admits(self, role: str) -> bool:
        least = {"learner": 2, "instructor": 3, "service": 4, "admin": 5}[role]
        return self.callers <= least

    def is_covered(self, scope: str) -> bool:
        name = self.path.rpartition(".")[2]
        return scope in (name, name.partition("/")[0]) or (scope == "read" and self.reads)


@pytest.fixture
async def methods(server, connect) -> List[Method]:
    client = await connect(server)
    reply = await client.reflection.get_descriptor_set(v1.GetDescriptorSetRequest())
    return list(declared(FileDescriptorSet.FromString(reply.descriptor_set)))


def declared(contract: FileDescriptorSet) -> Iterator[Method]:
    for file in contract.file:
        for service in file.service:
            for method in service.method:
                rule = method.options.Extensions[options_pb2.rule]
                yield Method(
                    f"{file.package}.{service.name}/{method.name}",
                    rule.callers,
                    method.options.idempotency_level == method.options.NO_SIDE_EFFECTS,
                    rule.unimplemented,
                )


def answers(server: HitoServer, token: str, methods: Sequence[Method]) -> Dict[str, Ended]:
    """How a call of each method with an empty request ends; subscriptions, by their timeout."""
    ended: Dict[int, Ended] = {}
    with RawPeer(server, token, hello=LIMITS) as peer:
        for start in range(0, len(methods), TOGETHER):
            batch = range(start, min(start + TOGETHER, len(methods)))
            for index in batch:
                peer.call(2 * index + 1, methods[index].path, b"", HALF_SECOND)
            while not all(2 * index + 1 in ended for index in batch):
                end = peer.ended()
                ended[end.stream] = end
    return {method.path: ended[2 * index + 1] for index, method in enumerate(methods)}


def is_refused(ended: Ended) -> bool:
    """Whether the rule refused the call, before the method itself could."""
    return ended.status == PERMISSION_DENIED and ended.text.endswith(RULE_TEXTS)


async def scoped(server: HitoServer, connect, login: Login, scope: str) -> str:
    client = await connect(server, login)
    return (await client.users.create_token(v1.CreateTokenRequest(scopes=[scope]))).secret


async def test_every_method_has_a_rule_and_a_row_in_the_docs(methods):
    assert len(methods) > 80
    assert all(1 <= method.callers <= 5 for method in methods)
    rows = (REPOSITORY / "docs" / "access.md").read_text().splitlines()
    for method in methods:
        cells = ["yes" if method.callers <= who else "–" for who in range(1, 6)]
        cells.append("reads" if method.reads else "writes")
        name = f"`{method.path.partition('/')[2]}`" + " (not yet)" * method.unimplemented
        prefix = "| " + " | ".join([name, *cells]) + " |"
        assert any(row.startswith(prefix) for row in rows), f"docs/access.md lacks {prefix}"


@pytest.mark.parametrize("token", ["", "hito_" + "x" * 43, "nonsense"])
async def test_nobody_may_call_what_is_for_everybody_and_nothing_else(server, methods, token):
    for path, ended in answers(server, token, methods).items():
        method = next(m for m in methods if m.path == path)
        assert (ended.status == UNAUTHENTICATED) == (method.callers > 1), f"{path}: {ended}"


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_call_what_the_rule_says_and_nothing_else(server, methods, role):
    login = server.join(f"Rol {role}", role)
    for path, ended in answers(server, login.token, methods).items():
        method = next(m for m in methods if m.path == path)
        assert ended.status != UNAUTHENTICATED, f"{path}: {ended}"
        assert is_refused(ended) == (not method.admits(role)), f"{path} as {role}: {ended}"
        if method.admits(role):
            assert (ended.status == UNIMPLEMENTED) == method.unimplemented, f"{path}: {ended}"


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_token_may_call_what_its_scope_covers_and_nothing_else(
    server, methods, connect, admin, scope
):
    token = await scoped(server, connect, admin, scope)
    assert any(method.is_covered(scope) for method in methods)
    for path, ended in answers(server, token, methods).items():
        method = next(m for m in methods if m.path == path)
        may_call = method.callers == 1 or method.is_covered(scope)
        assert is_refused(ended) == (not may_call), f"{path} with {scope}: {ended}"


async def test_a_scope_gives_nothing_that_the_role_does_not(server, methods, connect):
    learner = server.join("Corta", "learner")
    token = await scoped(server, connect, learner, "ServerService")
    for path, ended in answers(server, token, methods).items():
        method = next(m for m in methods if m.path == path)
        may_call = method.callers == 1 or (
            method.is_covered("ServerService") and method.admits("learner")
        )
        assert is_refused(ended) == (not may_call), f"{path}: {ended}"
