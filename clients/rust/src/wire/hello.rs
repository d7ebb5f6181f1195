//! HELLO (W4).

use super::block::{decode_block, strict_text, u16_of, u32_of, Block};
use super::{WireError, CREDIT_MAX, ENCODINGS_MAX, FRAME_PAYLOAD_MAX, FRAME_PAYLOAD_MIN};

/// What a side says of itself (W4.2); the defaults are those of absent fields.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hello {
    pub minor_version: u16,
    pub agent: String,
    pub frame_payload_max: u32,
    pub message_max: u32,
    pub streams_max: u32,
    pub stream_credit: u32,
    pub connection_credit: u32,
    pub token: String,
    pub ping_interval_ms: u32,
    pub server_id: String,
    pub encodings: Vec<u8>,
}

impl Default for Hello {
    fn default() -> Self {
        Hello {
            minor_version: 0,
            agent: String::new(),
            frame_payload_max: 16384,
            message_max: 4 << 20,
            streams_max: 100,
            stream_credit: 256 << 10,
            connection_credit: 1 << 20,
            token: String::new(),
            ping_interval_ms: 10_000,
            server_id: String::new(),
            encodings: Vec::new(),
        }
    }
}

/// The payload of a client's HELLO. The token has been checked.
pub(crate) fn encode_hello(hello: &Hello) -> Vec<u8> {
    let mut block = Block::default();
    let mut size = hello.agent.len().min(128);
    while !hello.agent.is_char_boundary(size) {
        size -= 1;
    }
    block.field(1, &hello.minor_version.to_be_bytes(), &[]);
    block.field(2, &hello.agent.as_bytes()[..size], &[]);
    block.field(3, &hello.frame_payload_max.to_be_bytes(), &[]);
    block.field(4, &hello.message_max.to_be_bytes(), &[]);
    block.field(6, &hello.stream_credit.to_be_bytes(), &[]);
    block.field(7, &hello.connection_credit.to_be_bytes(), &[]);
    if !hello.token.is_empty() {
        block.field(8, hello.token.as_bytes(), &[]);
    }
    if !hello.encodings.is_empty() {
        block.field(11, &hello.encodings, &[]);
    }
    block.finish()
}

/// A server's HELLO, checked (W4.4).
pub(crate) fn decode_hello(payload: &[u8]) -> Result<Hello, WireError> {
    let (fields, rest) = decode_block(payload)?;
    if !rest.is_empty() {
        return Err(WireError::protocol("bytes after the block of HELLO"));
    }
    let mut hello = Hello::default();
    let mut seen = 0u16;
    for (tag, value) in fields {
        if (1..=11).contains(&tag) {
            if seen & (1 << tag) != 0 {
                return Err(WireError::protocol(format!("HELLO has field {tag} twice")));
            }
            seen |= 1 << tag;
        }
        take(&mut hello, tag, value)?;
    }
    let is_in_range = (FRAME_PAYLOAD_MIN..=FRAME_PAYLOAD_MAX).contains(&hello.frame_payload_max)
        && hello.message_max >= 16384
        && hello.stream_credit.max(hello.connection_credit) <= CREDIT_MAX;
    if !is_in_range {
        return Err(WireError::protocol("a limit in HELLO is out of its range"));
    }
    Ok(hello)
}

fn take(hello: &mut Hello, tag: u8, value: &[u8]) -> Result<(), WireError> {
    match tag {
        1 => hello.minor_version = u16_of(value)?,
        2 => hello.agent = strict_text(value, 128)?,
        3 => hello.frame_payload_max = u32_of(value)?,
        4 => hello.message_max = u32_of(value)?,
        5 => hello.streams_max = u32_of(value)?,
        6 => hello.stream_credit = u32_of(value)?,
        7 => hello.connection_credit = u32_of(value)?,
        // A client's, without effect, but of its type all the same (W4.4).
        8 => drop(strict_text(value, 256)?),
        9 => hello.ping_interval_ms = u32_of(value)?,
        10 => hello.server_id = strict_text(value, 128)?,
        11 if value.len() > ENCODINGS_MAX => return Err(WireError::protocol("HELLO lists too many encodings")),
        11 => hello.encodings = value.to_vec(),
        _ => {}
    }
    Ok(())
}
