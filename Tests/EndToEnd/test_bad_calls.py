"""What a client can get wrong in a call: a typed answer, and the connection lives on."""

from __future__ import annotations

import asyncio
import struct

import pytest
from history import eventually
from raw_peer import CANCEL, CREDIT, END, MESSAGE, RawPeer
from hito import v1

import hito

CHECK = "hito.v1.HealthService/Check"
CREATE = "hito.v1.GoalService/CreateGoal"
LIST = "hito.v1.GoalService/ListGoals"
WATCH = "hito.v1.ProgressService/Watch"

OK, INVALID_ARGUMENT, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED = 0, 3, 4, 8
UNIMPLEMENTED, UNAUTHENTICATED = 12, 16


@pytest.fixture
def peer(server, ana):
    """Ana's connection; after whatever a test sent on it, it still serves."""
    with RawPeer(server, ana.token) as peer:
        yield peer
        peer.call(0x7FFFFFFF, CHECK)
        assert peer.end(0x7FFFFFFF).status == OK
    assert server.is_running


def field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


TITLE = field(1, b"Meta")
MALFORMED = {
    "truncated": b"\x0a\x64abc",
    "a tag alone": b"\x0a",
    "a varint without end": b"\xff" * 11,
    "field number 0": b"\x02\x01x",
    "wire type 6": b"\x0e",
    "wire type 7": b"\x0f",
    "a group that does not end": b"\x0b",
    "a length of 2^63": b"\x0a" + b"\xff" * 8 + b"\x7f",
    "a length of 4 GiB": b"\x0a\xff\xff\xff\xff\x0f",
    "title not UTF-8": field(1, b"\xff\xfe"),
    "title an overlong encoding": field(1, b"\xc0\xaf"),
    "title a surrogate": field(1, b"\xed\xa0\x80"),
    "title with NUL": field(1, b"A\0B"),
    "task title not UTF-8": TITLE + field(4, field(1, b"\xff")),
    "task truncated": TITLE + field(4, b"\x0a\x10a"),
    "title as a number": b"\x08\x01",
    "tasks as a number": TITLE + b"\x20\x01",
    "groups nested 3,500 deep": TITLE + b"\xa3\x06" * 3_500 + b"\xa4\x06" * 3_500,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_message_that_is_no_message_is_an_invalid_argument(peer, name):
    peer.call(1, CREATE, MALFORMED[name])
    ended = peer.end(1)
    assert ended.status == INVALID_ARGUMENT, ended
    assert ended.text


def test_a_depth_bomb_of_40_kb_is_refused(peer):
    ended = peer.send_message(1, CREATE, b"\x0b" * 40_000)
    assert ended.status == INVALID_ARGUMENT


def test_nested_lengths_are_cut_off(peer):
    bomb = b""
    while len(bomb) < 16_000:
        bomb = field(4, bomb)
    peer.call(1, CREATE, TITLE + bomb[:16_000])
    assert peer.end(1).status == INVALID_ARGUMENT


def test_4_mib_of_empty_submessages_are_refused(peer):
    ended = peer.send_message(1, CREATE, TITLE + b"\x22\x00" * (2 * 1024 * 1024 - 16))
    assert ended.status in (INVALID_ARGUMENT, RESOURCE_EXHAUSTED), ended


def test_a_message_above_4_mib_is_refused(peer):
    ended = peer.send_message(1, CREATE, field(2, b"x" * (4 * 1024 * 1024 + 1)))
    assert ended.status == RESOURCE_EXHAUSTED, ended


def test_a_large_message_within_the_limit_is_judged_by_its_fields(peer):
    ended = peer.send_message(1, CREATE, TITLE + field(2, b"x" * (3 * 1024 * 1024)))
    assert ended.status == INVALID_ARGUMENT
    details = v1.ErrorDetails.FromString(ended.fields[3])
    assert [v.field for v in details.field_violations] == ["description"]


def test_unknown_fields_are_passed_over(peer):
    unknown = field(1000, b"\xff\0 anything") + b"\xc0\x3e\x01" + b"\xc5\x3e1234"
    peer.call(1, CREATE, unknown + TITLE + unknown)
    ended = peer.end(1)
    assert ended.status == OK, ended
    assert v1.CreateGoalResponse.FromString(ended.message).goal.title == "Meta"


def test_an_enum_value_of_the_future_is_answered(peer):
    peer.call(1, LIST, b"\x20\x63")
    assert peer.end(1).status in (OK, INVALID_ARGUMENT)
    peer.call(3, LIST, b"\x20" + b"\xff" * 9 + b"\x01")
    assert peer.end(3).status in (OK, INVALID_ARGUMENT)


def test_a_scalar_given_twice_takes_the_last(peer):
    peer.call(1, CREATE, field(1, b"Primera") + field(1, b"Segunda"))
    ended = peer.end(1)
    if ended.status == OK:
        assert v1.CreateGoalResponse.FromString(ended.message).goal.title == "Segunda"
    else:
        assert ended.status == INVALID_ARGUMENT


@pytest.mark.parametrize(
    "path",
    ["hito.v1.GoalService/Nothing", "x", "/", "hito.v1.GoalService/CreateGoal/", "é/ñ", "a" * 256],
)
def test_an_unknown_method_is_unimplemented(peer, path):
    peer.call(1, path)
    assert peer.end(1).status == UNIMPLEMENTED


BAD_FIELDS = {
    "key not UTF-8": (3, b"\xff"),
    "key with NUL": (3, b"a\0b"),
    "key of 129 bytes": (3, b"k" * 129),
    "traceparent of 129 bytes": (4, b"t" * 129),
    "token of 257 bytes": (5, b"t" * 257),
    "metadata key in capitals": (6, b"\x01Kv"),
    "metadata without a key": (6, b"\x00v"),
    "metadata value not UTF-8": (6, b"\x01k\xff"),
    "metadata of 9 KiB": (6, b"\x01k" + b"v" * 9216),
}


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_a_bad_field_of_a_call_is_an_invalid_argument(peer, name):
    peer.call(1, CHECK, b"", BAD_FIELDS[name])
    assert peer.end(1).status == INVALID_ARGUMENT


def test_sixty_five_metadata_entries_are_too_many(peer):
    peer.call(1, CHECK, b"", *[(6, b"\x03k%02dv" % n) for n in range(65)])
    assert peer.end(1).status == INVALID_ARGUMENT


def test_a_call_whose_time_is_up_is_answered_so(peer):
    peer.call(1, CREATE, TITLE, (2, struct.pack(">Q", 0)))
    assert peer.end(1).status == DEADLINE_EXCEEDED


def test_a_watch_ends_at_its_deadline(peer):
    peer.call(1, WATCH, b"", (2, struct.pack(">Q", 200_000)))
    assert peer.end(1).status == DEADLINE_EXCEEDED


def test_a_cancelled_call_is_not_answered(peer):
    peer.call(1, WATCH)
    peer.send(CANCEL, 0, 1)
    peer.call(3, CHECK)
    while (frame := peer.frame()).stream != 3:
        # Events that crossed with the CANCEL may still come; an END may not.
        assert frame.kind in (MESSAGE, CREDIT)
    assert frame.kind == END


@pytest.mark.parametrize("token", ["", "nonsense", "hito_" + "A" * 43, "ñ" * 100])
def test_a_call_without_a_good_token_is_unauthenticated(server, token):
    with RawPeer(server, token) as peer:
        for stream, path in ((1, CREATE), (3, LIST), (5, WATCH)):
            peer.call(stream, path, TITLE if path == CREATE else b"")
            ended = peer.end(stream)
            assert ended.status == UNAUTHENTICATED, ended
            assert token not in ended.text or not token
        peer.call(7, CHECK)
        assert peer.end(7).status == OK, "health needs no token"


def test_a_call_s_own_token_goes_before_the_connection_s(server, ana):
    with RawPeer(server, "nonsense") as peer:
        peer.call(1, LIST, b"", (5, ana.token.encode()))
        assert peer.end(1).status == OK
    with RawPeer(server, ana.token) as peer:
        peer.call(1, LIST, b"", (5, b"nonsense"))
        assert peer.end(1).status == UNAUTHENTICATED


async def test_an_expired_token_stops_working(server, ana, connect):
    client = await connect(server, ana)
    made = await client.users.create_token(v1.CreateTokenRequest(lifetime_seconds=2))
    brief = await connect(server, ana._replace(token=made.secret))
    await brief.goals.list_goals(v1.ListGoalsRequest())
    await eventually("the token to expire", lambda: _is_refused(brief))


async def test_a_revoked_token_stops_working_and_ends_its_streams(server, ana, connect):
    client = await connect(server, ana)
    made = await client.users.create_token(v1.CreateTokenRequest())
    other = await connect(server, ana._replace(token=made.secret))
    watch = other.progress.watch_resuming(v1.WatchRequest(from_beginning=True))
    await watch.__anext__()
    await client.users.revoke_token(v1.RevokeTokenRequest(token_id=made.token.id))
    await eventually("the token to be refused", lambda: _is_refused(other))
    with pytest.raises(hito.Unauthenticated):
        async with asyncio.timeout(45):
            async for _ in watch:
                pass


async def test_what_a_token_made_ends_with_it(server, ana, connect):
    client = await connect(server, ana)
    brief = await client.users.create_token(v1.CreateTokenRequest(lifetime_seconds=60))
    through = await connect(server, ana._replace(token=brief.secret))
    made = await through.users.create_token(v1.CreateTokenRequest(lifetime_seconds=366 * 86_400))
    assert made.token.expires_at == brief.token.expires_at
    child = await connect(server, ana._replace(token=made.secret))
    await child.goals.list_goals(v1.ListGoalsRequest())
    await client.users.revoke_token(v1.RevokeTokenRequest(token_id=brief.token.id))
    await eventually("the child to be refused", lambda: _is_refused(child))
    with pytest.raises(hito.Unauthenticated):
        await child.users.create_token(v1.CreateTokenRequest())


async def test_tokens_made_at_once_keep_to_the_limit(server, ana, connect):
    clients = [await connect(server, ana) for _ in range(4)]
    client = clients[0]
    outcomes = await asyncio.gather(
        *(c.users.create_token(v1.CreateTokenRequest()) for c in clients for _ in range(60)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert all(isinstance(outcome, hito.ResourceExhausted) for outcome in refused)
    listed = await client.users.list_tokens(v1.ListTokensRequest())
    assert len(listed.tokens) == 100
    assert len(outcomes) - len(refused) == 99, "one was there already"


async def _is_refused(client: hito.Client) -> bool:
    try:
        await client.goals.list_goals(v1.ListGoalsRequest())
    except hito.Unauthenticated:
        return True
    return False


def test_a_subscriber_that_does_not_read_costs_only_itself(server, ana):
    small = ((6, struct.pack(">I", 64)), (7, struct.pack(">I", 1 << 20)))
    with RawPeer(server, ana.token, hello=small) as lazy, RawPeer(server, ana.token) as busy:
        lazy.call(1, WATCH, b"\x18\x01")
        for number in range(50):
            busy.call(2 * number + 1, CREATE, TITLE)
        ended = [busy.ended() for _ in range(50)]
        assert {end.status for end in ended} == {OK}
        lazy.send(CANCEL, 0, 1)
        lazy.call(3, CHECK)
        assert lazy.end(3).status == OK
