//! A connection's side of the protocol as lines of frames, without a socket.

use std::time::Duration;

use tokio::time::Instant;

use super::call_state::Outgoing;
use super::state::{Notice, Phase, State};
use crate::error::Code;
use crate::wire::{encode_call, encode_frame, encode_goaway, flag, kind, reason, CallHeader, Hello};

struct Side {
    state: State,
}

/// A frame that went out: kind, flags, stream, and how many bytes followed the header.
type Sent = (u8, u8, u32, usize);

impl Side {
    /// A connection to a server that grants so much.
    fn new(connection_credit: u32, stream_credit: u32) -> Side {
        let mut side = Side { state: State::new(Hello::default(), Duration::from_secs(10)) };
        let fields = [
            &[6, 0, 4][..],
            &stream_credit.to_be_bytes(),
            &[7, 0, 4],
            &connection_credit.to_be_bytes(),
            &[1, 0, 2, 0, 1],
        ]
        .concat();
        let block = [&(fields.len() as u16).to_be_bytes()[..], &fields].concat();
        side.receive(kind::HELLO, 0, 0, &block);
        assert!(side.state.has_hello);
        side.sent();
        side
    }

    fn receive(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut bytes = Vec::new();
        encode_frame(&mut bytes, kind, flags, stream, payload, &[]);
        self.state.received(&bytes, Instant::now());
    }

    fn call(&mut self, size: usize) -> u32 {
        let block = encode_call(&CallHeader { path: "a/B", ..CallHeader::default() }).unwrap();
        let stream = self.state.add_call(Instant::now());
        let message = Outgoing { data: vec![b'x'; size], sent: 0, flags: 0, half_closes: true };
        self.state.begin(stream, &block, Some(message));
        stream
    }

    fn sent(&mut self) -> Vec<Sent> {
        let bytes = std::mem::take(&mut self.state.out);
        self.state.pump();
        let mut rest = bytes.as_slice();
        let mut frames = Vec::new();
        while let [a, b, c, d, kind, flags, e, f, g, h, payload @ ..] = rest {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            frames.push((*kind, *flags, u32::from_be_bytes([*e, *f, *g, *h]), length));
            rest = &payload[length..];
        }
        frames
    }

    fn grant(&mut self, stream: u32, amount: u32) -> Vec<Sent> {
        self.receive(kind::CREDIT, 0, stream, &amount.to_be_bytes());
        self.sent()
    }

    fn code(&self, stream: u32) -> Option<Code> {
        self.state.calls[&stream].error.as_ref().map(|error| error.code())
    }

    fn is_not_started(&self, stream: u32) -> bool {
        self.state.calls[&stream].error.as_ref().is_some_and(|error| error.is_not_started())
    }
}

const BLOCK: usize = 8;

#[test]
fn a_request_that_fits_is_one_frame() {
    let mut side = Side::new(1 << 20, 1 << 18);
    side.call(3);
    assert_eq!(side.sent(), [(kind::CALL, flag::HAS_MESSAGE | flag::END, 1, BLOCK + 3)]);
}

#[test]
fn streams_that_wait_for_the_connections_credit_take_turns() {
    let mut side = Side::new(2048, 1 << 18);
    let (first, second) = (side.call(8_000), side.call(8_000));
    let begun = side.sent();
    assert_eq!(begun[0], (kind::CALL, flag::HAS_MESSAGE | flag::MORE, first, BLOCK + 2048));
    assert_eq!(begun[1], (kind::CALL, 0, second, BLOCK));
    // A later call does not overtake them, however small it is.
    let third = side.call(100);
    assert_eq!(side.sent(), [(kind::CALL, 0, third, BLOCK)]);
    // Too little for a fragment, and then enough for one: each grant goes to who got nothing of the one before.
    assert_eq!(side.grant(0, 512), []);
    let turns: Vec<u32> = [512, 1024, 1024, 1024].iter().flat_map(|grant| side.grant(0, *grant)).map(|s| s.2).collect();
    assert_eq!(turns, [first, second, third, first]);
}

#[test]
fn a_stream_without_credit_of_its_own_holds_up_nobody() {
    let mut side = Side::new(1 << 20, 1024);
    let first = side.call(4_000);
    let second = side.call(1_000);
    let sent = side.sent();
    assert_eq!(sent[0], (kind::CALL, flag::HAS_MESSAGE | flag::MORE, first, BLOCK + 1024));
    assert_eq!(sent[1], (kind::CALL, flag::HAS_MESSAGE | flag::END, second, BLOCK + 1000));
    assert_eq!(side.grant(first, 4096), [(kind::MESSAGE, flag::END, first, 2976)]);
}

#[test]
fn a_peer_that_sends_more_than_was_granted_has_broken_the_protocol() {
    let mut side = Side::new(1 << 20, 1 << 18);
    let stream = side.call(1);
    side.sent();
    for _ in 0..17 {
        side.receive(kind::MESSAGE, 0, stream, &[0; 16384]);
    }
    assert_eq!(side.code(stream), Some(Code::Internal));
    assert_eq!(side.sent().last().map(|frame| frame.0), Some(kind::GOAWAY));
    assert_eq!((side.state.phase, &side.state.order), (Phase::Closing, &None));
}

#[test]
fn a_message_above_the_maximum_and_a_flood_of_empty_ones_end_their_call() {
    let mut side = Side::new(1 << 20, 1 << 18);
    let (large, empty) = (side.call(1), side.call(1));
    for _ in 0..257 {
        side.receive(kind::MESSAGE, flag::MORE, large, &[0; 16384]);
    }
    for _ in 0..1025 {
        side.receive(kind::MESSAGE, 0, empty, &[]);
    }
    for stream in [large, empty] {
        assert_eq!(side.code(stream), Some(Code::ResourceExhausted));
        assert!(side.sent().iter().all(|frame| frame.0 != kind::GOAWAY));
    }
    assert!(side.state.is_open() && side.state.calls[&empty].messages.is_empty());
}

#[test]
fn a_drain_says_which_calls_were_not_started() {
    let mut side = Side::new(1 << 20, 1 << 18);
    let (first, second) = (side.call(1), side.call(1));
    side.receive(kind::GOAWAY, 0, 0, &encode_goaway(first, reason::NO_ERROR, "draining"));
    assert_eq!((side.code(first), side.code(second)), (None, Some(Code::Unavailable)));
    assert!(side.is_not_started(second) && side.state.is_draining);
    assert_eq!(side.state.notices, [Notice::Retired, Notice::CallEnded]);
    side.receive(kind::END, 0, first, &[0, 0]);
    assert_eq!(side.state.phase, Phase::Closing);
    assert_eq!(side.state.order.as_deref(), Some("the server is going away: draining"));
}

#[test]
fn a_call_that_is_given_up_frees_its_place_and_its_credit() {
    let mut side = Side::new(1 << 20, 1 << 18);
    let stream = side.call(1);
    for _ in 0..16 {
        side.receive(kind::MESSAGE, 0, stream, &[0; 16384]);
    }
    side.sent();
    side.state.cancel(stream, None);
    assert_eq!(side.sent(), [(kind::CANCEL, 0, stream, 0), (kind::CREDIT, 0, 0, 4)]);
    assert_eq!(side.state.notices, [Notice::Served, Notice::CallEnded]);
    // What crossed with it is ignored, and a stream that was never opened is not.
    side.receive(kind::MESSAGE, 0, stream, &[0; 100]);
    assert!(side.state.is_open());
    side.receive(kind::MESSAGE, 0, stream + 2, &[0; 100]);
    assert!(!side.state.is_open());
}

#[test]
fn what_ended_before_the_client_closed_can_still_be_read() {
    let mut side = Side::new(1 << 20, 1 << 18);
    let (ended, running) = (side.call(1), side.call(1));
    side.receive(kind::END, flag::HAS_MESSAGE, ended, &[0, 0, 1, 2]);
    assert_eq!(side.state.running_above(0), [running]);
    side.state.fail(crate::error::Error::unavailable("closed"));
    let call = side.state.calls.get_mut(&ended).unwrap();
    assert_eq!(call.take_message().map(|message| message.data), Some(vec![1, 2]));
    assert!(call.error.is_none() && call.is_done);
}

#[test]
fn silence_is_asked_about_while_calls_wait_and_then_ends_the_connection() {
    let mut side = Side::new(1 << 20, 1 << 18);
    let now = Instant::now();
    let at = |seconds| now + Duration::from_secs(seconds);
    side.state.watch_over(at(60));
    assert_eq!(side.sent(), []);
    let stream = side.call(1);
    side.sent();
    // A tenth above the server's interval of 10 s.
    side.state.watch_over(at(10));
    assert_eq!(side.sent(), []);
    side.state.watch_over(at(12));
    assert_eq!(side.sent(), [(kind::PING, 0, 0, 8)]);
    side.state.watch_over(at(24));
    assert_eq!((side.code(stream), side.state.phase), (Some(Code::Unavailable), Phase::Aborting));
}
