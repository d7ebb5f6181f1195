//! Blocks of fields (W3).

use super::WireError;

/// A block while it is written.
#[derive(Debug, Default)]
pub(crate) struct Block(Vec<u8>);

impl Block {
    /// Adds a field, whose value is of two parts. What a value may be has been checked: all are far below 64 KiB.
    pub fn field(&mut self, tag: u8, head: &[u8], rest: &[u8]) {
        let length = (head.len() + rest.len()) as u16;
        self.0.push(tag);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(head);
        self.0.extend_from_slice(rest);
    }

    pub fn finish(self) -> Vec<u8> {
        let mut bytes = (self.0.len() as u16).to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.0);
        bytes
    }
}

/// A tag with its value.
type Field<'a> = (u8, &'a [u8]);

/// The fields of the block at the start of a payload, and what follows the block.
pub(crate) fn decode_block(payload: &[u8]) -> Result<(Vec<Field<'_>>, &[u8]), WireError> {
    let [high, low, rest @ ..] = payload else {
        return Err(WireError::protocol("block without length"));
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > rest.len() {
        return Err(WireError::protocol("block runs past its frame"));
    }
    let (mut block, rest) = rest.split_at(length);
    let mut fields = Vec::new();
    while !block.is_empty() {
        let [tag, high, low, value @ ..] = block else {
            return Err(WireError::protocol("field runs past its block"));
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if length > value.len() {
            return Err(WireError::protocol("field runs past its block"));
        }
        let (value, next) = value.split_at(length);
        fields.push((*tag, value));
        block = next;
    }
    Ok((fields, rest))
}

pub(crate) fn u16_of(value: &[u8]) -> Result<u16, WireError> {
    value.try_into().map(u16::from_be_bytes).map_err(|_| width())
}

pub(crate) fn u32_of(value: &[u8]) -> Result<u32, WireError> {
    value.try_into().map(u32::from_be_bytes).map_err(|_| width())
}

pub(crate) fn u64_of(value: &[u8]) -> Result<u64, WireError> {
    value.try_into().map(u64::from_be_bytes).map_err(|_| width())
}

fn width() -> WireError {
    WireError::protocol("a number of a wrong width")
}

pub(crate) fn strict_text(value: &[u8], limit: usize) -> Result<String, WireError> {
    match std::str::from_utf8(value) {
        Ok(text) if value.len() <= limit && !text.contains('\0') => Ok(text.to_owned()),
        _ => Err(WireError::protocol("text that is not allowed")),
    }
}

/// Bad text never hides what it came with (W3.4).
pub(crate) fn lenient_text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).replace('\0', "\u{FFFD}")
}
