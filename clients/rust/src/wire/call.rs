//! The blocks of CALL (W5), END and HEAD (W7).

use super::block::{decode_block, lenient_text, u16_of, u64_of, Block};
use super::{WireError, METADATA_BYTES_MAX, METADATA_ENTRIES_MAX};
use crate::error::{Code, Error};
use crate::metadata::{Metadata, MetadataValue};

/// What a CALL says besides its message (W5.2).
#[derive(Clone, Debug, Default)]
pub(crate) struct CallHeader<'a> {
    pub path: &'a str,
    pub timeout_us: Option<u64>,
    pub key: Option<&'a str>,
    pub traceparent: Option<&'a str>,
    pub token: Option<&'a str>,
    pub metadata: Option<&'a Metadata>,
}

/// The block of a CALL. INVALID_ARGUMENT where the caller's texts are not allowed (W5.2, W5.3).
pub(crate) fn encode_call(call: &CallHeader<'_>) -> Result<Vec<u8>, Error> {
    let mut block = Block::default();
    block.field(1, text("method path", call.path, 256)?, &[]);
    if let Some(timeout) = call.timeout_us {
        block.field(2, &timeout.to_be_bytes(), &[]);
    }
    if let Some(key) = call.key {
        block.field(3, text("idempotency key", key, 128)?, &[]);
    }
    if let Some(traceparent) = call.traceparent {
        block.field(4, text("traceparent", traceparent, 128)?, &[]);
    }
    if let Some(token) = call.token {
        block.field(5, text("token", token, 256)?, &[]);
    }
    if let Some(metadata) = call.metadata {
        encode_metadata(metadata, &mut block)?;
    }
    Ok(block.finish())
}

/// What a server's END says besides its message (W7.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub status: u16,
    pub message: String,
    pub details: Vec<u8>,
    pub resume_cursor: String,
    pub trailers: Metadata,
    pub server_us: Option<u64>,
    pub is_not_started: bool,
}

/// An END's block, and the message bytes after it. Bad text never hides the status (W3.4).
pub(crate) fn decode_end(payload: &[u8], minor_version: u16) -> Result<(End, &[u8]), WireError> {
    let (fields, rest) = decode_block(payload)?;
    let mut end = End::default();
    let mut seen = 0u16;
    for (tag, value) in fields {
        if matches!(tag, 1..=4 | 7 | 8) {
            if seen & (1 << tag) != 0 {
                return Err(WireError::protocol(format!("END has field {tag} twice")));
            }
            seen |= 1 << tag;
        }
        match tag {
            1 => end.status = u16_of(value)?,
            2 => end.message = lenient_text(value),
            3 => end.details = value.to_vec(),
            4 => end.resume_cursor = lenient_text(value),
            6 => decode_metadata(value, minor_version, &mut end.trailers)?,
            7 => end.server_us = Some(u64_of(value)?),
            8 if !value.is_empty() => return Err(WireError::protocol("END's field 8 carries bytes")),
            8 => end.is_not_started = true,
            _ => {}
        }
    }
    Ok((end, rest))
}

/// A server's HEAD (W7.7): metadata before the first message of a call.
pub(crate) fn decode_head(payload: &[u8]) -> Result<Metadata, WireError> {
    let (fields, rest) = decode_block(payload)?;
    if !rest.is_empty() {
        return Err(WireError::protocol("bytes after the block of HEAD"));
    }
    let mut metadata = Metadata::new();
    for (_, value) in fields.into_iter().filter(|(tag, _)| *tag == 6) {
        decode_metadata(value, 1, &mut metadata)?;
    }
    Ok(metadata)
}

fn text<'a>(what: &str, text: &'a str, limit: usize) -> Result<&'a [u8], Error> {
    if text.is_empty() || text.len() > limit || text.contains('\0') {
        return Err(refused(format!("{what}: 1 to {limit} bytes of UTF-8 without NUL")));
    }
    Ok(text.as_bytes())
}

/// A token that HELLO may carry.
pub(crate) fn check_token(token: &str) -> Result<(), Error> {
    text("token", token, 256).map(drop)
}

fn encode_metadata(metadata: &Metadata, block: &mut Block) -> Result<(), Error> {
    if metadata.len() > METADATA_ENTRIES_MAX {
        return Err(refused(format!("more than {METADATA_ENTRIES_MAX} metadata entries")));
    }
    let mut total = 0;
    for (key, value) in metadata.iter() {
        let is_key = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
        if key.is_empty() || key.len() > 64 || !key.bytes().all(is_key) {
            return Err(refused(format!("metadata key {key:?}: 1 to 64 of a-z 0-9 _ . -")));
        }
        let is_binary = matches!(value, MetadataValue::Binary(_));
        if is_binary != key.ends_with("-bin") {
            return Err(refused(format!("metadata {key:?}: keys that end with -bin have bytes, others text")));
        }
        let bytes = value.bytes();
        if !is_binary && bytes.contains(&0) {
            return Err(refused(format!("metadata {key:?} contains NUL")));
        }
        total += key.len() + bytes.len();
        if total > METADATA_BYTES_MAX {
            return Err(refused(format!("more than {METADATA_BYTES_MAX} bytes of metadata")));
        }
        let mut head = vec![key.len() as u8];
        head.extend_from_slice(key.as_bytes());
        block.field(6, &head, bytes);
    }
    Ok(())
}

fn decode_metadata(value: &[u8], minor_version: u16, into: &mut Metadata) -> Result<(), WireError> {
    let past = || WireError::protocol("metadata runs past its field");
    let (&size, rest) = value.split_first().ok_or_else(past)?;
    if rest.len() < usize::from(size) {
        return Err(past());
    }
    let (key, content) = rest.split_at(usize::from(size));
    let key = lenient_text(key);
    if minor_version >= 1 && key.ends_with("-bin") {
        into.insert(key, content.to_vec());
    } else {
        into.insert(key, lenient_text(content));
    }
    Ok(())
}

fn refused(text: String) -> Error {
    Error::new(Code::InvalidArgument, text).not_started()
}
