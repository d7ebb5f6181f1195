//! Frames (W2), and the payloads of those that have no block.

use super::{lenient_text, WireError, CREDIT_MAX, HEADER_SIZE, HELLO_PAYLOAD_MAX, STREAM_ID_MAX};

/// What a frame is (W2.3).
pub(crate) mod kind {
    pub const HELLO: u8 = 1;
    pub const CALL: u8 = 2;
    pub const MESSAGE: u8 = 3;
    pub const END: u8 = 4;
    pub const CANCEL: u8 = 5;
    pub const CREDIT: u8 = 6;
    pub const PING: u8 = 7;
    pub const PONG: u8 = 8;
    pub const GOAWAY: u8 = 9;
    pub const HEAD: u8 = 10;
}

/// W2.4.
pub(crate) mod flag {
    pub const END: u8 = 0x01;
    pub const MORE: u8 = 0x02;
    pub const HAS_MESSAGE: u8 = 0x04;
    pub const COMPRESSED: u8 = 0x08;
}

/// Of GOAWAY (W11.2).
pub(crate) mod reason {
    pub const NO_ERROR: u16 = 0;
    pub const PROTOCOL_ERROR: u16 = 1;
    pub const FRAME_TOO_LARGE: u16 = 2;
    pub const FLOW_CONTROL: u16 = 3;
    pub const INTERNAL: u16 = 7;
    pub const IDLE: u16 = 8;
    pub const MAX_AGE: u16 = 9;
}

/// One frame (W2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: &'a [u8],
}

/// Appends a frame whose payload is of two parts.
pub(crate) fn encode_frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, head: &[u8], rest: &[u8]) {
    // Payloads are bounded by the peer's maximum, which is below 2^32.
    let length = (head.len() + rest.len()) as u32;
    out.reserve(HEADER_SIZE + head.len() + rest.len());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(head);
    out.extend_from_slice(rest);
}

/// Cuts a stream of bytes into the frames that a server may send.
#[derive(Debug)]
pub(crate) struct FrameDecoder {
    payload_max: usize,
    minor_version: u16,
    buffer: Vec<u8>,
    offset: usize,
}

struct Header {
    length: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl FrameDecoder {
    pub fn new(payload_max: u32) -> FrameDecoder {
        FrameDecoder { payload_max: payload_max as usize, minor_version: 0, buffer: Vec::new(), offset: 0 }
    }

    /// Both sides speak this minor version.
    pub fn agreed(&mut self, minor_version: u16) {
        self.minor_version = minor_version;
    }

    /// Takes what arrived. `next` has to be called until it has nothing more.
    pub fn feed(&mut self, data: &[u8]) {
        self.buffer.drain(..self.offset);
        self.offset = 0;
        self.buffer.extend_from_slice(data);
    }

    /// The next frame that is whole. A header is held to its limits before the payload is waited for.
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, WireError> {
        let Some(header) = self.header() else { return Ok(None) };
        self.check(&header)?;
        let begin = self.offset + HEADER_SIZE;
        let end = begin + header.length;
        if self.buffer.len() < end {
            return Ok(None);
        }
        self.offset = end;
        let payload = &self.buffer[begin..end];
        Ok(Some(Frame { kind: header.kind, flags: header.flags, stream: header.stream, payload }))
    }

    fn header(&self) -> Option<Header> {
        let bytes: &[u8; HEADER_SIZE] = self.buffer.get(self.offset..self.offset + HEADER_SIZE)?.try_into().ok()?;
        Some(Header {
            length: u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize,
            kind: bytes[4],
            flags: bytes[5],
            stream: u32::from_be_bytes([bytes[6], bytes[7], bytes[8], bytes[9]]),
        })
    }

    fn check(&self, header: &Header) -> Result<(), WireError> {
        let Header { length, kind, flags, stream } = *header;
        let length_max = if kind == kind::HELLO { HELLO_PAYLOAD_MAX } else { self.payload_max };
        if length > length_max {
            return Err(WireError::new(reason::FRAME_TOO_LARGE, format!("frame of {length} bytes")));
        }
        let is_allowed = allowed_flags(kind, self.minor_version).is_some_and(|allowed| flags & !allowed == 0);
        if !is_allowed || (kind == kind::END && flags == flag::COMPRESSED) {
            return Err(WireError::protocol(format!("frame kind {kind} with flags {flags}")));
        }
        let is_of_connection = matches!(kind, kind::HELLO | kind::PING | kind::PONG | kind::GOAWAY);
        let is_on_connection = stream == 0 && (is_of_connection || kind == kind::CREDIT);
        let is_on_call = stream % 2 == 1 && stream <= STREAM_ID_MAX && !is_of_connection;
        if !is_on_connection && !is_on_call {
            return Err(WireError::protocol(format!("frame kind {kind} on stream {stream}")));
        }
        let is_fitting = match kind {
            kind::CREDIT => length == 4,
            kind::PING | kind::PONG => length == 8,
            kind::MESSAGE => flags & flag::MORE == 0 || length > 0,
            _ => true,
        };
        if !is_fitting {
            return Err(WireError::protocol(format!("frame kind {kind} of {length} bytes")));
        }
        Ok(())
    }
}

/// What a server may send (W2.3, W2.4).
fn allowed_flags(kind: u8, minor_version: u16) -> Option<u8> {
    let compressed = if minor_version >= 1 { flag::COMPRESSED } else { 0 };
    match kind {
        kind::HELLO | kind::CREDIT | kind::PING | kind::PONG | kind::GOAWAY => Some(0),
        kind::MESSAGE => Some(flag::MORE | compressed),
        kind::END => Some(flag::HAS_MESSAGE | compressed),
        kind::HEAD if minor_version >= 1 => Some(0),
        _ => None,
    }
}

/// The peer takes no more calls (W11.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GoAway {
    pub last_stream: u32,
    pub reason: u16,
    pub text: String,
}

impl GoAway {
    pub fn is_drain(&self) -> bool {
        matches!(self.reason, reason::NO_ERROR | reason::IDLE | reason::MAX_AGE)
    }
}

const GOAWAY_TEXT_MAX: usize = 512;

pub(crate) fn encode_goaway(last_stream: u32, reason: u16, text: &str) -> Vec<u8> {
    let mut payload = Vec::new();
    payload.extend_from_slice(&last_stream.to_be_bytes());
    payload.extend_from_slice(&reason.to_be_bytes());
    let mut size = text.len().min(GOAWAY_TEXT_MAX);
    while !text.is_char_boundary(size) {
        size -= 1;
    }
    payload.extend_from_slice(&text.as_bytes()[..size]);
    payload
}

pub(crate) fn decode_goaway(payload: &[u8]) -> Result<GoAway, WireError> {
    let [a, b, c, d, e, f, text @ ..] = payload else {
        return Err(WireError::protocol("short GOAWAY"));
    };
    let number = u16::from_be_bytes([*e, *f]);
    Ok(GoAway {
        last_stream: u32::from_be_bytes([*a, *b, *c, *d]),
        reason: if number > reason::MAX_AGE { reason::INTERNAL } else { number },
        text: lenient_text(&text[..text.len().min(GOAWAY_TEXT_MAX)]),
    })
}

/// The amount of a CREDIT, whose payload has been checked to be 4 bytes.
pub(crate) fn decode_credit(payload: &[u8]) -> Result<u32, WireError> {
    let bytes = payload.try_into().map_err(|_| WireError::protocol("CREDIT of a wrong size"))?;
    match u32::from_be_bytes(bytes) {
        0 => Err(WireError::protocol("CREDIT of nothing")),
        amount if amount > CREDIT_MAX => Err(WireError::new(reason::FLOW_CONTROL, "credit above its maximum")),
        amount => Ok(amount),
    }
}
