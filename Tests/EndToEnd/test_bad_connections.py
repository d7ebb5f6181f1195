"""What a stranger can do to the port: each gets a clean end, and others continue to be served."""

from __future__ import annotations

import os
import ssl
import struct

import pytest
from raw_peer import ABUSE, CALL, CANCEL, CREDIT, END, FLAG_END, FLAG_HAS_MESSAGE, FLAG_MORE
from raw_peer import FLOW_CONTROL, FRAME_TOO_LARGE, HELLO, HELLO_TIMEOUT, MESSAGE, PING, PONG
from raw_peer import PROTOCOL_ERROR, RawPeer, block, call_block, is_closed, tcp

from hito import v1

CHECK = "hito.v1.HealthService/Check"
LIST = "hito.v1.GoalService/ListGoals"
WATCH = "hito.v1.ProgressService/Watch"


@pytest.fixture(autouse=True)
def others_continue_being_served(server):
    """A bystander whose connection stays open across every attack of this file."""
    with RawPeer(server) as bystander:
        bystander.call(1, CHECK)
        assert bystander.end(1).status == 0
        yield
        bystander.call(3, CHECK)
        ended = bystander.end(3)
        assert ended.status == 0
        status = v1.HealthCheckResponse.FromString(ended.message).status
        assert status == v1.HealthStatus.HEALTH_STATUS_SERVING
        assert server.is_running


@pytest.mark.parametrize("alpn", ["h2", "http/1.1", "hito/2", None])
def test_a_handshake_without_our_protocol_fails(server, alpn):
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError, AssertionError)):
        with RawPeer(server, alpn=alpn) as peer:
            peer.frame()


def test_tls_1_2_is_refused_with_an_alert(server):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        RawPeer(server, version=ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0" * 4096,
        os.urandom(4096),
        b"\x16\x03\x01\xff\xff" + b"x" * 70000,
    ],
    ids=["http", "zeros", "random", "huge record"],
)
def test_garbage_instead_of_a_handshake_is_hung_up_on(server, garbage):
    with tcp(server) as connection:
        try:
            connection.sendall(garbage)
        except ConnectionError:
            return
        assert is_closed(connection)


def test_a_connection_that_is_dropped_in_the_handshake_costs_nothing(server):
    for _ in range(20):
        with tcp(server) as connection:
            connection.sendall(bytes.fromhex("160301"))


def test_a_silent_client_is_hung_up_on_before_and_after_the_handshake(server):
    with tcp(server, 20) as silent, RawPeer(server, greet=False, seconds=20) as speechless:
        assert speechless.goaway() == HELLO_TIMEOUT
        assert is_closed(silent)


def header(length: int, kind: int, flags: int = 0, stream: int = 0) -> bytes:
    return struct.pack(">IBBI", length, kind, flags, stream)


FIRST = {
    "http": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", {FRAME_TOO_LARGE, PROTOCOL_ERROR}),
    "random": (b"\x7f" + os.urandom(64), {FRAME_TOO_LARGE, PROTOCOL_ERROR}),
    "a call before hello": (header(2, CALL, 0, 1) + b"\0\0", {PROTOCOL_ERROR}),
    "a ping before hello": (header(8, PING) + b"12345678", {PROTOCOL_ERROR}),
    "a hello of 8193 bytes": (header(8193, HELLO), {FRAME_TOO_LARGE}),
    "a hello on a stream": (header(2, HELLO, 0, 1) + b"\0\0", {PROTOCOL_ERROR}),
    "a hello with a flag": (header(2, HELLO, 1) + b"\0\0", {PROTOCOL_ERROR}),
    "a block past its frame": (header(2, HELLO) + b"\0\5", {PROTOCOL_ERROR}),
    "a field past its block": (header(6, HELLO) + b"\0\4\1\0\2\0", {PROTOCOL_ERROR}),
    "a number of one byte": (header(6, HELLO) + b"\0\4\1\0\1\0", {PROTOCOL_ERROR}),
    "a field twice": (header(12, HELLO) + b"\0\x0a" + b"\1\0\2\0\0" * 2, {PROTOCOL_ERROR}),
    "an agent that is not text": (header(6, HELLO) + b"\0\4\2\0\1\xff", {PROTOCOL_ERROR}),
    "an agent of 129 bytes": (
        header(134, HELLO) + b"\0\x84\2\0\x81" + b"a" * 129, {PROTOCOL_ERROR}),
    "tiny frames": (header(9, HELLO) + b"\0\7\3\0\4\0\0\0\1", {PROTOCOL_ERROR}),
    "endless credit": (header(9, HELLO) + b"\0\7\6\0\4\xff\xff\xff\xff", {PROTOCOL_ERROR}),
}  # fmt: skip


@pytest.mark.parametrize("name", FIRST)
def test_a_wrong_first_frame_ends_the_connection(server, name):
    data, reasons = FIRST[name]
    with RawPeer(server, greet=False) as peer:
        peer.raw(data)
        assert peer.goaway() in reasons


LATER = {
    "a second hello": (header(2, HELLO) + b"\0\0", PROTOCOL_ERROR),
    "kind 0": (header(0, 0), PROTOCOL_ERROR),
    "kind 10": (header(0, 10), PROTOCOL_ERROR),
    "kind 255": (header(0, 255, 0, 1), PROTOCOL_ERROR),
    "a frame of 16385 bytes": (header(16385, CALL, 0, 1), FRAME_TOO_LARGE),
    "a frame of 4 GiB": (header(0xFFFFFFFF, MESSAGE, 0, 1), FRAME_TOO_LARGE),
    "a call on an even stream": (header(2, CALL, 0, 2) + b"\0\0", PROTOCOL_ERROR),
    "a call on stream 0": (header(2, CALL, 0, 0) + b"\0\0", PROTOCOL_ERROR),
    "a call on stream 2^31+1": (header(2, CALL, 0, 0x80000001) + b"\0\0", PROTOCOL_ERROR),
    "a call without a method": (header(2, CALL, 0, 1) + b"\0\0", PROTOCOL_ERROR),
    "a call without a block": (header(0, CALL, 0, 1), PROTOCOL_ERROR),
    "a call with bytes it does not have": (header(7, CALL, 0, 1) + b"\0\4\1\0\1xy", PROTOCOL_ERROR),
    "a call with more and end": (header(7, CALL, 7, 1) + b"\0\4\1\0\1xy", PROTOCOL_ERROR),
    "a timeout of two bytes": (header(11, CALL, 0, 1) + b"\0\x09\1\0\1x\2\0\2\0\0", PROTOCOL_ERROR),
    "an unknown flag": (header(8, PING, 0x80) + b"12345678", PROTOCOL_ERROR),
    "a message on a stream that never was": (header(1, MESSAGE, 0, 1) + b"x", PROTOCOL_ERROR),
    "a cancel of a stream that never was": (header(0, CANCEL, 0, 7), PROTOCOL_ERROR),
    "an end of a stream that never was": (header(0, END, 0, 1), PROTOCOL_ERROR),
    "credit for a stream that never was": (header(4, CREDIT, 0, 9) + b"\0\0\0\1", PROTOCOL_ERROR),
    "a cancel with a payload": (header(1, CANCEL, 0, 1) + b"x", PROTOCOL_ERROR),
    "a ping of 7 bytes": (header(7, PING) + b"1234567", PROTOCOL_ERROR),
    "a ping on a stream": (header(8, PING, 0, 1) + b"12345678", PROTOCOL_ERROR),
    "credit of nothing": (header(4, CREDIT) + b"\0\0\0\0", PROTOCOL_ERROR),
    "credit of 3 bytes": (header(3, CREDIT) + b"\0\0\1", PROTOCOL_ERROR),
    "credit beyond the maximum": (header(4, CREDIT) + b"\x7f\xff\xff\xff", FLOW_CONTROL),
    "a goaway of 5 bytes": (header(5, 9) + b"\0\0\0\0\0", PROTOCOL_ERROR),
}  # fmt: skip


@pytest.mark.parametrize("name", LATER)
def test_a_frame_that_is_not_allowed_ends_the_connection(server, name):
    data, reason = LATER[name]
    with RawPeer(server) as peer:
        peer.raw(data)
        assert peer.goaway() == reason


def test_a_frame_that_is_cut_off_is_no_ones_trouble(server):
    whole = header(30, CALL, FLAG_HAS_MESSAGE | FLAG_END, 1) + call_block(CHECK)
    for cut in range(0, len(whole), 3):
        with RawPeer(server) as peer:
            peer.raw(whole[:cut])


def test_frames_arrive_byte_by_byte(server):
    payload = call_block(CHECK)
    data = header(len(payload), CALL, FLAG_HAS_MESSAGE | FLAG_END, 1) + payload
    with RawPeer(server) as peer:
        for byte in data:
            peer.raw(bytes([byte]))
        assert peer.end(1).status == 0


def test_stream_ids_only_go_up(server):
    with RawPeer(server) as peer:
        peer.call(9, CHECK)
        assert peer.end(9).status == 0
        peer.call(7, CHECK)
        assert peer.goaway() == PROTOCOL_ERROR


def test_frames_for_a_stream_that_has_ended_are_passed_over(server):
    with RawPeer(server) as peer:
        peer.call(1, CHECK)
        assert peer.end(1).status == 0
        peer.send(MESSAGE, 0, 1, b"late")
        peer.send(END, 0, 1)
        peer.send(CANCEL, 0, 1)
        peer.send(CREDIT, 0, 1, b"\0\0\1\0")
        peer.call(3, CHECK)
        assert peer.end(3).status == 0


def test_frames_after_the_half_close_end_the_connection(server, ana):
    with RawPeer(server, ana.token) as peer:
        peer.call(1, WATCH)
        peer.send(MESSAGE, 0, 1, b"more")
        assert peer.goaway() == PROTOCOL_ERROR


def test_an_empty_fragment_with_more_ends_the_connection(server, ana):
    with RawPeer(server, ana.token) as peer:
        peer.send(CALL, FLAG_HAS_MESSAGE | FLAG_MORE, 1, call_block(WATCH))
        assert peer.goaway() == PROTOCOL_ERROR


def test_a_half_close_inside_a_message_ends_the_connection(server, ana):
    with RawPeer(server, ana.token) as peer:
        peer.send(CALL, FLAG_HAS_MESSAGE | FLAG_MORE, 1, call_block(WATCH) + b"\x08")
        peer.send(END, 0, 1)
        assert peer.goaway() == PROTOCOL_ERROR


def test_pings_are_answered_and_too_many_are_abuse(server):
    with RawPeer(server) as peer:
        peer.send(PING, 0, 0, b"\0\1\2\3\4\5\6\7")
        assert peer.frame() == (PONG, 0, 0, b"\0\1\2\3\4\5\6\7")
        for _ in range(8):
            peer.send(PING, 0, 0, b"12345678")
        assert peer.goaway() == ABUSE


def test_rapid_cancels_are_abuse(server, ana):
    call = call_block(WATCH)
    frames = b"".join(
        header(len(call), CALL, FLAG_HAS_MESSAGE | FLAG_END, stream) + call
        + header(0, CANCEL, 0, stream)
        for stream in range(1, 8001, 2)
    )  # fmt: skip
    with RawPeer(server, ana.token) as peer:
        peer.raw(frames)
        assert peer.goaway() == ABUSE


def test_ever_new_invented_tokens_are_abuse(server, ana):
    """Also those that look like ours."""
    with RawPeer(server) as peer:
        for number in range(90):
            token = b"hito_" + b"%043d" % number
            peer.call(2 * number + 1, LIST, b"", (5, token))
        assert peer.goaway() == ABUSE
    with RawPeer(server, ana.token) as peer:
        peer.call(1, LIST)
        assert peer.end(1).status == 0


def test_more_streams_than_the_server_takes_are_refused_one_by_one(server, ana):
    with RawPeer(server, ana.token) as peer:
        limit = struct.unpack(">I", peer.server_hello.get(5, b"\0\0\0\x64"))[0]
        for number in range(limit + 1):
            peer.call(2 * number + 1, WATCH)
        assert peer.end(2 * limit + 1).status == 8
        peer.send(CANCEL, 0, 1)
        peer.call(2 * limit + 3, CHECK)
        assert peer.end(2 * limit + 3).status in (0, 14)


def test_unknown_tags_are_passed_over(server):
    with RawPeer(server, hello=((200, b"what?"),)) as peer:
        peer.call(1, CHECK, b"", (99, b"?"), (2, struct.pack(">Q", 5_000_000)))
        assert peer.end(1).status == 0
    assert block() == b"\0\0"


def test_large_replies_to_many_small_calls_wait_their_turn(server):
    """A read of 32 KiB holds hundreds of calls; their replies must not all be made at once."""
    most = struct.pack(">I", 2**31 - 1)
    hello = ((3, struct.pack(">I", 1 << 20)), (6, most), (7, most))
    count = 400
    with RawPeer(server, hello=hello) as peer:
        path = "hito.v1.ReflectionService/GetDescriptorSet"
        payload = call_block(path)
        flags = FLAG_HAS_MESSAGE | FLAG_END
        calls = (
            struct.pack(">IBBI", len(payload), CALL, flags, 2 * index + 1) + payload
            for index in range(count)
        )
        peer.raw(b"".join(calls))
        ended = [peer.ended() for _ in range(count)]
    assert {e.status for e in ended} <= {0, 8}, "served, or refused above 100 at once"
    served = [e for e in ended if e.status == 0]
    assert len(served) >= 10 and len({e.message for e in served}) == 1
    assert v1.GetDescriptorSetResponse.FromString(served[0].message).descriptor_set
