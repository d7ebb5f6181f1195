"""Frames and blocks byte by byte, against hand-made bytes."""

from __future__ import annotations

import pytest

from hito import _wire
from hito._credit import ReceiveWindow, SendWindow
from hito._wire import CallHeader, Frame, FrameDecoder, Hello, WireError


def frames(data: bytes, limit: int = 16384) -> list:
    return list(FrameDecoder(limit).feed(data))


def header(length: int, kind: int, flags: int = 0, stream: int = 0) -> bytes:
    return bytes.fromhex(f"{length:08x}{kind:02x}{flags:02x}{stream:08x}")


def test_a_frame_is_a_header_of_ten_bytes_and_its_payload():
    data = bytes.fromhex("00000003 03 02 00000005 616263")
    assert _wire.encode_frame(3, 2, 5, b"abc") == data
    assert frames(data) == [Frame(_wire.MESSAGE, _wire.FLAG_MORE, 5, b"abc")]


def test_frames_arrive_whole_however_the_bytes_are_cut():
    data = _wire.encode_frame(7, 0, 0, b"12345678") + _wire.encode_frame(3, 0, 1, b"xyz")
    expected = [Frame(7, 0, 0, b"12345678"), Frame(3, 0, 1, b"xyz")]
    for cut in range(len(data) + 1):
        decoder = FrameDecoder(16384)
        assert list(decoder.feed(data[:cut])) + list(decoder.feed(data[cut:])) == expected
    decoder = FrameDecoder(16384)
    assert [f for i in range(len(data)) for f in decoder.feed(data[i : i + 1])] == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (header(16385, 3, 0, 1), _wire.FRAME_TOO_LARGE),
        (header(8193, 1), _wire.FRAME_TOO_LARGE),
        (header(0xFFFFFFFF, 4, 0, 1), _wire.FRAME_TOO_LARGE),
        (header(0, 0), _wire.PROTOCOL_ERROR),
        (header(0, 10), _wire.PROTOCOL_ERROR),
        (header(2, _wire.CALL, 0, 1), _wire.PROTOCOL_ERROR),
        (header(0, _wire.CANCEL, 0, 1), _wire.PROTOCOL_ERROR),
        (header(2, _wire.MESSAGE, _wire.FLAG_END, 1), _wire.PROTOCOL_ERROR),
        (header(2, _wire.END, _wire.FLAG_MORE, 1), _wire.PROTOCOL_ERROR),
        (header(8, _wire.PING, 1), _wire.PROTOCOL_ERROR),
        (header(7, _wire.PING), _wire.PROTOCOL_ERROR),
        (header(5, _wire.CREDIT, 0, 1), _wire.PROTOCOL_ERROR),
        (header(8, _wire.PONG, 0, 1), _wire.PROTOCOL_ERROR),
        (header(2, _wire.MESSAGE, 0, 0), _wire.PROTOCOL_ERROR),
        (header(2, _wire.MESSAGE, 0, 2), _wire.PROTOCOL_ERROR),
        (header(4, _wire.CREDIT, 0, 4), _wire.PROTOCOL_ERROR),
        (header(2, _wire.MESSAGE, 0, 0x80000001), _wire.PROTOCOL_ERROR),
        (header(0, _wire.MESSAGE, _wire.FLAG_MORE, 1), _wire.PROTOCOL_ERROR),
    ],
)
def test_a_header_that_is_not_allowed_is_refused_before_its_payload(data, reason):
    with pytest.raises(WireError) as caught:
        frames(data)
    assert caught.value.reason == reason


def test_a_block_skips_nothing_and_returns_what_follows_it():
    data = bytes.fromhex("0009 01 0002 0005 09 0001 ff 6d7367")
    assert _wire.decode_block(data) == ([(1, b"\x00\x05"), (9, b"\xff")], b"msg")
    assert _wire.encode_block([(1, b"\x00\x05"), (9, b"\xff")]) + b"msg" == data
    assert _wire.decode_block(b"\0\0") == ([], b"")


@pytest.mark.parametrize("data", ["", "00", "0001", "0003010001", "0002 0100", "0004 01000200"])
def test_a_block_that_runs_past_its_end_is_refused(data):
    with pytest.raises(WireError) as caught:
        _wire.decode_block(bytes.fromhex(data))
    assert caught.value.reason == _wire.PROTOCOL_ERROR


def test_a_client_hello_says_what_it_accepts():
    encoded = _wire.encode_hello(Hello(agent="a", token="t"))
    assert encoded == bytes.fromhex(
        "0029" "0100020000" "02000161" "03000400004000" "04000400400000" "06000400040000"
        "07000400100000" "08000174"
    )  # fmt: skip


def test_a_server_hello_without_fields_means_the_defaults():
    assert _wire.decode_hello(b"\0\0") == Hello()


def test_a_server_hello_says_its_limits_and_unknown_tags_are_skipped():
    hello = _wire.decode_hello(
        bytes.fromhex(
            "001d" "63000155" "05000400000007" "09000400000064" "03000400008000" "0a000173"
        )
    )  # fmt: skip
    assert (hello.streams_max, hello.ping_interval_ms, hello.frame_payload_max) == (7, 100, 32768)
    assert hello.server_id == "s"


@pytest.mark.parametrize(
    "fields",
    [
        [(3, b"\0\0\0\1")],
        [(3, b"\0\x20\0\0")],
        [(4, b"\0\0\0\1")],
        [(6, b"\xff\xff\xff\xff")],
        [(5, b"\0\1")],
        [(5, b"\0\0\0\1"), (5, b"\0\0\0\1")],
        [(10, b"\xff")],
        [(10, b"a\0b")],
    ],
)
def test_a_server_hello_out_of_bounds_is_refused(fields):
    with pytest.raises(WireError):
        _wire.decode_hello(_wire.encode_block(fields))


def test_a_call_block_holds_its_fields_in_their_widths():
    call = CallHeader("a/B", 1_000_000, "k", "t", "s", {"x": "y"})
    assert _wire.encode_call(call) == bytes.fromhex(
        "0023" "010003612f42" "02000800000000000f4240" "0300016b" "04000174" "05000173"
        "060003017879"
    )  # fmt: skip


@pytest.mark.parametrize(
    "call",
    [
        CallHeader(""),
        CallHeader("a" * 257),
        CallHeader("a\0b"),
        CallHeader("a", idempotency_key="k" * 129),
        CallHeader("a", metadata={"Upper": "x"}),
        CallHeader("a", metadata={"": "x"}),
        CallHeader("a", metadata={"k": "x" * 8192}),
        CallHeader("a", metadata={f"k{i}": "x" for i in range(65)}),
    ],
)
def test_a_call_that_the_protocol_does_not_allow_is_the_callers_mistake(call):
    with pytest.raises(ValueError):
        _wire.encode_call(call)


def test_an_end_holds_status_text_details_cursor_trailers_and_message():
    data = _wire.encode_block(
        [
            (1, b"\0\5"), (2, b"gone"), (3, b"\x08\1"), (4, b"c7"), (6, b"\1kv"),
            (7, b"\0" * 7 + b"\x09"),
        ]
    )  # fmt: skip
    end, message = _wire.decode_end(data + b"rest")
    assert end == _wire.End(5, "gone", b"\x08\1", "c7", {"k": "v"}, 9)
    assert message == b"rest"


def test_text_of_an_end_that_is_not_text_does_not_hide_the_status():
    end, _ = _wire.decode_end(_wire.encode_block([(1, b"\0\5"), (2, b"\xffa\0")]))
    assert end.status == 5
    assert end.message == "\ufffda\ufffd"


@pytest.mark.parametrize("fields", [[(1, b"\0")], [(1, b"\0\1"), (1, b"\0\1")], [(6, b"\5k")]])
def test_an_end_that_is_malformed_is_refused(fields):
    with pytest.raises(WireError):
        _wire.decode_end(_wire.encode_block(fields))


def test_a_goaway_says_the_last_stream_reason_and_text():
    data = bytes.fromhex("7fffffff 0000 6279 65")
    assert _wire.decode_goaway(data) == _wire.GoAway(0x7FFFFFFF, 0, "bye")
    assert _wire.encode_goaway(0x7FFFFFFF, 0, "bye") == data
    assert _wire.decode_goaway(bytes.fromhex("00000000ffff")).reason == _wire.INTERNAL
    with pytest.raises(WireError):
        _wire.decode_goaway(b"\0\0\0")


def test_credit_of_nothing_is_refused():
    assert _wire.decode_credit(b"\0\0\1\0") == 256
    with pytest.raises(WireError):
        _wire.decode_credit(b"\0\0\0\0")


def test_a_window_above_the_maximum_or_overdrawn_is_a_flow_control_error():
    window = SendWindow(10)
    window.take(4)
    window.grant(_wire.CREDIT_MAX - 6)
    for attempt in (lambda: window.grant(1), lambda: ReceiveWindow(3).received(4)):
        with pytest.raises(WireError) as caught:
            attempt()
        assert caught.value.reason == _wire.FLOW_CONTROL


def test_consumed_bytes_are_granted_again_in_steps_of_a_quarter():
    window = ReceiveWindow(10_000)
    window.received(10_000)
    assert [window.consumed(n) for n in (1000, 1400, 100, 2400, 3000)] == [0, 0, 2500, 0, 5400]
    window.received(7900)
    small = ReceiveWindow(2047)
    small.received(2)
    assert [small.consumed(1), small.consumed(1)] == [1, 1], "a small window goes back at once"
