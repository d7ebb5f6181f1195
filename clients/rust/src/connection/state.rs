//! A connection's side of the protocol, under its lock: frames in and out, calls, credit, drain.

use std::collections::{HashMap, VecDeque};
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::call_state::CallState;
use crate::compression;
use crate::credit::{ReceiveWindow, SendWindow};
use crate::error::{Code, Error};
use crate::wire::{
    decode_credit, decode_end, decode_goaway, decode_head, decode_hello, encode_frame, encode_goaway, encode_hello,
    flag, kind, reason, Frame, FrameDecoder, GoAway, Hello, WireError, STREAM_ID_MAX,
};

/// Only control frames pass the pump's own bound; a peer that asks for this many never reads.
const OUTPUT_MAX: usize = 8 << 20;

/// What the owner of a connection hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// It takes no more calls, whether it was established or not.
    Retired,
    /// The server has answered, for the first time.
    Served,
    /// One of its calls has ended.
    CallEnded,
    /// It is no more.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// What is queued is written, and the end said.
    Closing,
    /// It ends without a word.
    Aborting,
    Lost,
}

pub(super) struct State {
    pub own: Hello,
    pub peer: Hello,
    pub minor_version: u16,
    pub compresses: bool,
    pub phase: Phase,
    pub has_hello: bool,
    pub is_draining: bool,
    pub failure: Option<Error>,
    /// Why it ends, where that is in order.
    pub order: Option<String>,
    pub calls: HashMap<u32, CallState>,
    /// Calls whose message waits for credit or the socket, in the order of their turns.
    pub sending: VecDeque<u32>,
    pub send_credit: SendWindow,
    pub out: Vec<u8>,
    pub driver: Option<Waker>,
    /// Who waits for HELLO or the end.
    pub watchers: Vec<Waker>,
    pub woken: Vec<Waker>,
    pub notices: Vec<Notice>,
    pub next_stream: u32,
    running: usize,
    receive_credit: ReceiveWindow,
    decoder: FrameDecoder,
    is_retired: bool,
    /// What the server said where it drains.
    drained: Option<String>,
    has_served: bool,
    keepalive: Duration,
    received_at: Instant,
    pinged_at: Option<Instant>,
}

impl State {
    pub fn new(own: Hello, keepalive: Duration) -> State {
        let mut out = Vec::new();
        encode_frame(&mut out, kind::HELLO, 0, 0, &encode_hello(&own), &[]);
        State {
            receive_credit: ReceiveWindow::new(own.connection_credit),
            decoder: FrameDecoder::new(own.frame_payload_max),
            own,
            peer: Hello::default(),
            minor_version: 0,
            compresses: false,
            phase: Phase::Open,
            has_hello: false,
            is_draining: false,
            failure: None,
            order: None,
            calls: HashMap::new(),
            sending: VecDeque::new(),
            send_credit: SendWindow::new(0),
            out,
            driver: None,
            watchers: Vec::new(),
            woken: Vec::new(),
            notices: Vec::new(),
            next_stream: 1,
            running: 0,
            is_retired: false,
            drained: None,
            has_served: false,
            keepalive,
            received_at: Instant::now(),
            pinged_at: None,
        }
    }

    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open && self.failure.is_none()
    }

    // Calls

    /// Makes a call of the next id.
    pub fn add_call(&mut self, now: Instant) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        let call = CallState::new(self.peer.stream_credit, self.own.stream_credit, self.own.message_max);
        self.calls.insert(stream, call);
        if self.running == 0 {
            // Silence counts from when somebody waits.
            self.received_at = self.received_at.max(now);
        }
        self.running += 1;
        if self.next_stream > STREAM_ID_MAX {
            self.retire();
        }
        stream
    }

    /// A call that has not ended.
    pub fn running(&mut self, stream: u32) -> Option<&mut CallState> {
        self.calls.get_mut(&stream).filter(|call| !call.is_done)
    }

    /// The call has ended, with `error` unless it has one.
    pub fn finish(&mut self, stream: u32, error: Option<Error>) {
        let Some(call) = self.running(stream) else { return };
        if call.error.is_none() {
            call.error = error;
        }
        let wakers = call.finish();
        self.woken.extend(wakers.into_iter().flatten());
        self.sending.retain(|other| *other != stream);
        self.running -= 1;
        self.notices.push(Notice::CallEnded);
        if self.is_draining && self.running == 0 && self.is_open() {
            self.say_goodbye(reason::NO_ERROR, "");
        }
    }

    /// Gives a call up, if it has not ended, and what of it was not read.
    pub fn cancel(&mut self, stream: u32, error: Option<Error>) {
        if self.running(stream).is_some() {
            self.write(kind::CANCEL, 0, stream, &[], &[]);
            self.finish(stream, error);
        }
        let consumed = self.calls.get_mut(&stream).map_or(0, CallState::drop_messages);
        self.consumed(consumed);
    }

    /// Bytes that take no more room: of the connection alone.
    pub fn consumed(&mut self, amount: usize) {
        if let Some(granted) = self.receive_credit.consumed(amount) {
            self.write(kind::CREDIT, 0, 0, &granted.to_be_bytes(), &[]);
        }
    }

    /// Bytes of a call that take no more room.
    pub fn consumed_of(&mut self, stream: u32, amount: usize) {
        self.consumed(amount);
        let granted = self.running(stream).and_then(|call| call.receive_window.consumed(amount));
        if let Some(granted) = granted {
            self.write(kind::CREDIT, 0, stream, &granted.to_be_bytes(), &[]);
        }
    }

    pub fn write(&mut self, kind: u8, flags: u8, stream: u32, head: &[u8], rest: &[u8]) {
        if self.phase != Phase::Open {
            return;
        }
        encode_frame(&mut self.out, kind, flags, stream, head, rest);
        if self.out.len() > OUTPUT_MAX {
            self.fail(Error::unavailable("the server does not read"));
            self.abort();
        }
    }

    // Frames

    /// Takes what the socket had.
    pub fn received(&mut self, data: &[u8], now: Instant) {
        self.received_at = now;
        self.pinged_at = None;
        let mut decoder = std::mem::replace(&mut self.decoder, FrameDecoder::new(0));
        decoder.feed(data);
        let result = self.take_frames(&mut decoder);
        self.decoder = decoder;
        if let Err(error) = result {
            self.fail(Error::new(Code::Internal, format!("the server broke the protocol: {}", error.text)));
            self.say_goodbye(error.reason, &error.text);
        }
        self.pump();
    }

    fn take_frames(&mut self, decoder: &mut FrameDecoder) -> Result<(), WireError> {
        while self.is_open() {
            let Some(frame) = decoder.next()? else { break };
            if self.has_hello {
                self.frame_received(&frame)?;
            } else {
                self.first_frame_received(&frame)?;
                decoder.agreed(self.minor_version);
            }
        }
        Ok(())
    }

    fn first_frame_received(&mut self, frame: &Frame<'_>) -> Result<(), WireError> {
        match frame.kind {
            kind::GOAWAY => {
                let refusal = decode_goaway(frame.payload)?;
                self.fail(Error::unavailable(format!("refused: {}", why(&refusal))));
                self.say_goodbye(reason::NO_ERROR, "");
            }
            kind::HELLO => self.hello_received(decode_hello(frame.payload)?),
            _ => return Err(WireError::protocol("the first frame is not HELLO")),
        }
        Ok(())
    }

    fn hello_received(&mut self, peer: Hello) {
        self.minor_version = self.own.minor_version.min(peer.minor_version);
        let is_listed = self.minor_version >= 1 && peer.encodings.contains(&compression::DEFLATE);
        self.compresses = is_listed && !self.own.encodings.is_empty();
        self.send_credit = SendWindow::new(peer.connection_credit);
        // Above the server's least interval: sooner counts as abuse (W10.2).
        let least = Duration::from_millis(peer.ping_interval_ms.into()).mul_f64(1.1);
        self.keepalive = self.keepalive.max(least);
        self.peer = peer;
        self.has_hello = true;
        self.woken.append(&mut self.watchers);
    }

    fn frame_received(&mut self, frame: &Frame<'_>) -> Result<(), WireError> {
        match frame.kind {
            kind::MESSAGE => self.message_received(frame),
            kind::END => self.end_received(frame),
            kind::HEAD => self.head_received(frame),
            kind::CREDIT => self.credit_received(frame),
            kind::PING => {
                self.write(kind::PONG, 0, 0, frame.payload, &[]);
                Ok(())
            }
            kind::GOAWAY => {
                self.goaway_received(&decode_goaway(frame.payload)?);
                Ok(())
            }
            kind::HELLO => Err(WireError::protocol("a second HELLO")),
            _ => Ok(()),
        }
    }

    fn message_received(&mut self, frame: &Frame<'_>) -> Result<(), WireError> {
        let size = frame.payload.len();
        self.receive_credit.received(size)?;
        let Some(call) = self.running(frame.stream) else {
            return self.stray(frame.stream, size);
        };
        let outcome = call.message_received(frame.payload, frame.flags)?;
        if frame.flags & flag::MORE == 0 {
            let reader = call.reader.take();
            self.woken.extend(reader);
        }
        self.served();
        if outcome.gives_up.is_some() {
            self.consumed(outcome.consumed);
            self.cancel(frame.stream, outcome.gives_up);
        } else {
            self.consumed_of(frame.stream, outcome.consumed);
        }
        Ok(())
    }

    fn end_received(&mut self, frame: &Frame<'_>) -> Result<(), WireError> {
        let (end, rest) = decode_end(frame.payload, self.minor_version)?;
        let message = (frame.flags & flag::HAS_MESSAGE != 0).then_some(rest);
        if message.is_none() && !rest.is_empty() {
            return Err(WireError::protocol("bytes after the block of END"));
        }
        self.receive_credit.received(rest.len())?;
        let Some(call) = self.running(frame.stream) else {
            return self.stray(frame.stream, rest.len());
        };
        call.end_received(end, message, frame.flags)?;
        self.served();
        self.finish(frame.stream, None);
        Ok(())
    }

    fn head_received(&mut self, frame: &Frame<'_>) -> Result<(), WireError> {
        let metadata = decode_head(frame.payload)?;
        match self.running(frame.stream) {
            Some(call) => call.head_received(metadata),
            None => self.stray(frame.stream, 0),
        }
    }

    fn credit_received(&mut self, frame: &Frame<'_>) -> Result<(), WireError> {
        if frame.stream == 0 {
            return self.send_credit.grant(decode_credit(frame.payload)?);
        }
        match self.running(frame.stream) {
            Some(call) => call.send_window.grant(decode_credit(frame.payload)?),
            // Ended, and then anything goes, also nothing (W5.9).
            None => self.stray(frame.stream, 0),
        }
    }

    /// Something for a call that is not there: it crossed with our CANCEL, and only the connection's credit is owed
    /// (W9.6), or it was never opened.
    fn stray(&mut self, stream: u32, size: usize) -> Result<(), WireError> {
        if stream >= self.next_stream {
            return Err(WireError::protocol(format!("stream {stream} was never opened")));
        }
        self.consumed(size);
        Ok(())
    }

    fn goaway_received(&mut self, goaway: &GoAway) {
        self.is_draining = true;
        // First: what ends here must not be given to a call that waits for room.
        self.retire();
        let why = why(goaway);
        for stream in self.running_above(goaway.last_stream) {
            let error = Error::unavailable(format!("the server is going away: {why}")).not_started();
            self.finish(stream, Some(error));
        }
        if goaway.is_drain() {
            self.drained = Some(format!("the server is going away: {why}"));
        } else {
            self.fail(Error::unavailable(format!("the server ended the connection: {why}")));
        }
        if self.running == 0 {
            self.say_goodbye(reason::NO_ERROR, "");
        }
    }

    /// The calls that have not ended, above an id.
    pub fn running_above(&self, last: u32) -> Vec<u32> {
        let above = self.calls.iter().filter(|(stream, call)| !call.is_done && **stream > last);
        let mut streams: Vec<u32> = above.map(|(stream, _)| *stream).collect();
        streams.sort_unstable();
        streams
    }

    fn served(&mut self) {
        if !self.has_served {
            self.has_served = true;
            self.notices.push(Notice::Served);
        }
    }

    // The end

    /// No more calls; those under way end with `error`.
    pub fn fail(&mut self, error: Error) {
        let error = self.failure.get_or_insert(error).clone();
        self.retire();
        for stream in self.running_above(0) {
            self.finish(stream, Some(error.clone()));
        }
        self.woken.append(&mut self.watchers);
    }

    pub fn retire(&mut self) {
        if !self.is_retired {
            self.is_retired = true;
            self.notices.push(Notice::Retired);
        }
    }

    pub fn say_goodbye(&mut self, reason: u16, text: &str) {
        if self.phase != Phase::Open {
            return;
        }
        self.write(kind::GOAWAY, 0, 0, &encode_goaway(0, reason, text), &[]);
        if self.failure.is_none() {
            self.order = Some(self.drained.take().unwrap_or_else(|| "closed".to_owned()));
        }
        self.is_draining = true;
        self.retire();
        if self.phase == Phase::Open {
            self.phase = Phase::Closing;
        }
    }

    pub fn abort(&mut self) {
        if self.phase != Phase::Lost {
            self.phase = Phase::Aborting;
        }
    }

    /// The socket is gone.
    pub fn lost(&mut self, why: &str) {
        if self.phase == Phase::Lost {
            return;
        }
        self.phase = Phase::Lost;
        let text = if why.is_empty() { "connection lost".to_owned() } else { format!("connection lost: {why}") };
        self.fail(Error::unavailable(text));
        self.out = Vec::new();
        self.notices.push(Notice::Ended);
    }

    /// Asks whether the server is still there when calls wait and nothing arrives (W10); when to look again.
    pub fn watch_over(&mut self, now: Instant) -> Instant {
        if let Some(pinged_at) = self.pinged_at {
            if now >= pinged_at + self.keepalive {
                self.fail(Error::unavailable("the server does not answer any more"));
                self.abort();
            }
            return pinged_at + self.keepalive;
        }
        if !self.has_hello || self.running == 0 {
            return now + self.keepalive;
        }
        let due = self.received_at + self.keepalive;
        if now < due {
            return due;
        }
        self.pinged_at = Some(now);
        self.write(kind::PING, 0, 0, b"hitoping", &[]);
        now + self.keepalive
    }
}

fn why(goaway: &GoAway) -> String {
    if goaway.text.is_empty() {
        format!("reason {}", goaway.reason)
    } else {
        goaway.text.clone()
    }
}
