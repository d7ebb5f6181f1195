//! Frames and blocks byte by byte, against the golden frames of Tests/Vectors and hand-made bytes.

use super::*;
use crate::error::Code;
use crate::metadata::{Metadata, MetadataValue};

fn golden(name: &str) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Tests/Vectors/wire/frames.txt");
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name));
    let hex = line.unwrap_or_else(|| panic!("no frame {name}")).split(' ').nth(2).unwrap();
    (0..hex.len()).step_by(2).map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap()).collect()
}

fn frame(kind: u8, flags: u8, stream: u32, head: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_frame(&mut out, kind, flags, stream, head, rest);
    out
}

/// The payload of a golden frame, whose header is held to what a server may send.
fn received(name: &str) -> (u8, u8, u32, Vec<u8>) {
    let mut decoder = FrameDecoder::new(16384);
    decoder.agreed(1);
    decoder.feed(&golden(name));
    let frame = decoder.next().unwrap().unwrap();
    (frame.kind, frame.flags, frame.stream, frame.payload.to_vec())
}

fn header(length: u32, kind: u8, flags: u8, stream: u32) -> Vec<u8> {
    [&length.to_be_bytes()[..], &[kind, flags], &stream.to_be_bytes()].concat()
}

#[test]
fn what_a_client_sends_is_the_golden_frames() {
    let path = "hito.v1.GoalService/CreateGoal";
    let call = CallHeader { path, timeout_us: Some(30_000_000), key: Some("key-1"), ..CallHeader::default() };
    let block = encode_call(&call).unwrap();
    let flags = flag::END | flag::HAS_MESSAGE;
    assert_eq!(frame(kind::CALL, flags, 1, &block, b"\x0a\x03abc"), golden("call-unary"));
    let plain = encode_call(&CallHeader { path, ..CallHeader::default() }).unwrap();
    assert_eq!(frame(kind::CALL, 0, 5, &plain, &[]), golden("call-no-message"));
    let flags = flag::HAS_MESSAGE | flag::MORE;
    assert_eq!(frame(kind::CALL, flags, 7, &plain, b"abc"), golden("call-first-fragment"));
    assert_eq!(frame(kind::MESSAGE, flag::MORE, 7, &[], b"def"), golden("message-fragment"));
    assert_eq!(frame(kind::MESSAGE, flag::END, 7, &[], b"ghi"), golden("message-last"));
    assert_eq!(frame(kind::END, 0, 3, &[], &[]), golden("half-close"));
    assert_eq!(frame(kind::CANCEL, 0, 5, &[], &[]), golden("cancel"));
    assert_eq!(frame(kind::CREDIT, 0, 0, &262_144u32.to_be_bytes(), &[]), golden("credit-connection"));
    assert_eq!(frame(kind::PING, 0, 0, &[1, 2, 3, 4, 5, 6, 7, 8], &[]), golden("ping"));
    let hello = Hello { agent: "test".into(), token: "secret".into(), ..Hello::default() };
    assert_eq!(frame(kind::HELLO, 0, 0, &encode_hello(&hello), &[]), golden("hello-client"));
}

#[test]
fn what_a_server_sends_is_read() {
    let (kind, _, _, payload) = received("hello-server");
    let hello = decode_hello(&payload).unwrap();
    assert_eq!((kind, hello.agent.as_str(), hello.server_id.as_str()), (kind::HELLO, "test", "hito"));
    assert_eq!((hello.streams_max, hello.ping_interval_ms), (100, 10_000));
    assert!(decode_hello(&received("hello-empty").3).unwrap() == Hello::default());
    let payload = received("end-ok").3;
    let (end, rest) = decode_end(&payload, 1).unwrap();
    assert_eq!((end.status, end.server_us, rest), (0, Some(1234), &b"\x0a\x03abc"[..]));
    let payload = received("end-error").3;
    let (end, rest) = decode_end(&payload, 1).unwrap();
    assert_eq!((end.status, end.message.as_str(), end.resume_cursor.as_str()), (5, "no such goal", "cursor-9"));
    assert!(rest.is_empty() && end.details == [8, 1]);
    let (kind, _, stream, payload) = received("credit-stream");
    assert_eq!((kind, stream, decode_credit(&payload)), (kind::CREDIT, 3, Ok(65536)));
    let first = decode_goaway(&received("goaway-first").3).unwrap();
    assert_eq!((first.last_stream, first.is_drain(), first.text.as_str()), (STREAM_ID_MAX, true, "draining"));
    let fault = decode_goaway(&received("goaway-fault").3).unwrap();
    assert_eq!((fault.last_stream, fault.reason, fault.is_drain()), (7, reason::FLOW_CONTROL, false));
    assert_eq!(received("pong").3, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(received("message-empty"), (kind::MESSAGE, 0, 3, Vec::new()));
}

#[test]
fn frames_arrive_whole_however_the_bytes_are_cut() {
    let data = [frame(kind::PING, 0, 0, b"12345678", &[]), frame(kind::MESSAGE, 0, 1, b"xyz", &[])].concat();
    for size in 1..=data.len() {
        let mut decoder = FrameDecoder::new(16384);
        let mut kinds = Vec::new();
        for piece in data.chunks(size) {
            decoder.feed(piece);
            while let Some(frame) = decoder.next().unwrap() {
                kinds.push((frame.kind, frame.payload.to_vec()));
            }
        }
        assert_eq!(kinds, [(kind::PING, b"12345678".to_vec()), (kind::MESSAGE, b"xyz".to_vec())], "{size}");
    }
}

#[test]
fn a_header_that_is_not_allowed_is_refused_before_its_payload() {
    let refused = [
        (header(16385, 3, 0, 1), reason::FRAME_TOO_LARGE),
        (header(8193, 1, 0, 0), reason::FRAME_TOO_LARGE),
        (header(u32::MAX, 4, 0, 1), reason::FRAME_TOO_LARGE),
        (header(0, 0, 0, 0), reason::PROTOCOL_ERROR),
        (header(0, 11, 0, 0), reason::PROTOCOL_ERROR),
        (header(2, kind::CALL, 0, 1), reason::PROTOCOL_ERROR),
        (header(0, kind::CANCEL, 0, 1), reason::PROTOCOL_ERROR),
        (header(2, kind::MESSAGE, flag::END, 1), reason::PROTOCOL_ERROR),
        (header(2, kind::END, flag::MORE, 1), reason::PROTOCOL_ERROR),
        (header(2, kind::END, flag::COMPRESSED, 1), reason::PROTOCOL_ERROR),
        (header(8, kind::PING, 1, 0), reason::PROTOCOL_ERROR),
        (header(7, kind::PING, 0, 0), reason::PROTOCOL_ERROR),
        (header(5, kind::CREDIT, 0, 1), reason::PROTOCOL_ERROR),
        (header(8, kind::PONG, 0, 1), reason::PROTOCOL_ERROR),
        (header(2, kind::MESSAGE, 0, 0), reason::PROTOCOL_ERROR),
        (header(2, kind::MESSAGE, 0, 2), reason::PROTOCOL_ERROR),
        (header(4, kind::CREDIT, 0, 4), reason::PROTOCOL_ERROR),
        (header(2, kind::MESSAGE, 0, 0x8000_0001), reason::PROTOCOL_ERROR),
        (header(0, kind::MESSAGE, flag::MORE, 1), reason::PROTOCOL_ERROR),
    ];
    for (data, reason) in refused {
        let mut decoder = FrameDecoder::new(16384);
        decoder.agreed(1);
        decoder.feed(&data);
        assert_eq!(decoder.next().unwrap_err().reason, reason, "{data:02x?}");
    }
    // Before it is agreed on, nothing of minor version 1 is there.
    for data in [header(2, kind::HEAD, 0, 1), header(2, kind::MESSAGE, flag::COMPRESSED, 1)] {
        let mut decoder = FrameDecoder::new(16384);
        decoder.feed(&data);
        assert!(decoder.next().is_err());
    }
}

#[test]
fn damaged_blocks_are_refused() {
    for block in [&b""[..], b"\0", b"\0\x01", b"\0\x02\x01\0", b"\0\x03\x01\0\x01", b"\0\x05\x01\0\x02\0"] {
        assert!(decode_end(block, 1).is_err(), "{block:02x?}");
    }
    // A status of a wrong width, one that is said twice, metadata that runs past its field.
    for block in [&b"\0\x04\x01\0\x01\0"[..], b"\0\x0a\x01\0\x02\0\0\x01\0\x02\0\0", b"\0\x05\x06\0\x02\x05a"] {
        assert!(decode_end(block, 1).is_err(), "{block:02x?}");
    }
    assert!(decode_hello(b"\0\x06\x03\0\x04\xff\xff\xff\xff").is_err());
    assert!(decode_hello(b"\0\x07\x03\0\x04\xff\xff\xff\xff").is_err());
    assert!(decode_hello(b"\0\0x").is_err());
}

#[test]
fn bad_text_does_not_hide_a_status() {
    let (end, _) = decode_end(b"\0\x0a\x01\0\x02\0\x05\x02\0\x02\xff\0", 1).unwrap();
    assert_eq!((end.status, end.message.as_str()), (5, "\u{fffd}\u{fffd}"));
}

#[test]
fn what_may_not_be_sent_is_refused() {
    let refused = |metadata: Metadata| {
        let call = CallHeader { path: "a/B", metadata: Some(&metadata), ..CallHeader::default() };
        encode_call(&call).map_err(|error| error.code())
    };
    for key in ["", "A", "a b", "ñ", &"a".repeat(65)] {
        assert_eq!(refused([(key, "x")].into_iter().collect()), Err(Code::InvalidArgument), "{key}");
    }
    assert_eq!(refused([("a", "x\0")].into_iter().collect()), Err(Code::InvalidArgument));
    assert_eq!(refused([("a-bin", "x")].into_iter().collect()), Err(Code::InvalidArgument));
    assert_eq!(refused([("a", b"x".to_vec())].into_iter().collect()), Err(Code::InvalidArgument));
    assert_eq!(refused((0..65).map(|n| (format!("k{n}"), "x")).collect()), Err(Code::InvalidArgument));
    assert_eq!(refused([("a", "x".repeat(8192))].into_iter().collect()), Err(Code::InvalidArgument));
    assert!(refused([("a", "x".repeat(8191))].into_iter().collect()).is_ok());
    let values: [(&str, MetadataValue); 2] = [("a", "ñ".into()), ("b-bin", vec![0, 255].into())];
    assert!(refused(values.into_iter().collect()).is_ok());
    assert!(encode_call(&CallHeader { path: "", ..CallHeader::default() }).is_err());
    assert!(check_token(&"x".repeat(257)).is_err());
}

#[test]
fn no_bytes_that_a_server_can_send_do_harm() {
    let mut state = 7u32;
    let mut chance = |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % below
    };
    for _ in 0..20_000 {
        // Mostly well-formed: small lengths and known tags get further than noise.
        let size = chance(40) as usize;
        let bytes: Vec<u8> = (0..size).map(|_| [chance(256), chance(12), 0][chance(3) as usize] as u8).collect();
        let _ = (decode_hello(&bytes), decode_end(&bytes, 1).map(|end| end.0), decode_head(&bytes));
        let _ = (decode_goaway(&bytes), decode_credit(&bytes), crate::compression::unpack(&bytes, 1 << 20));
        let mut decoder = FrameDecoder::new(16384);
        decoder.agreed(1);
        decoder.feed(&bytes);
        while let Ok(Some(_)) = decoder.next() {}
    }
}
