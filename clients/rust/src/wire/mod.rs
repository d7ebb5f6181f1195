//! Frames and blocks of `hito/1` as bytes. Pure: no sockets, no clocks.
//!
//! The clause numbers (W2.1) are those of Protos/PROTOCOL.md.

mod block;
mod call;
mod frame;
mod hello;

pub(crate) use block::lenient_text;
pub(crate) use call::{check_token, decode_end, decode_head, encode_call, CallHeader, End};
pub(crate) use frame::{
    decode_credit, decode_goaway, encode_frame, encode_goaway, flag, kind, reason, Frame, FrameDecoder, GoAway,
};
pub(crate) use hello::{decode_hello, encode_hello, Hello};

pub(crate) const MINOR_VERSION: u16 = 1;
pub(crate) const HEADER_SIZE: usize = 10;
pub(crate) const HELLO_PAYLOAD_MAX: usize = 8192;
pub(crate) const FRAME_PAYLOAD_MIN: u32 = 16384;
pub(crate) const FRAME_PAYLOAD_MAX: u32 = 1 << 20;
pub(crate) const CREDIT_MAX: u32 = (1 << 31) - 1;
pub(crate) const FRAGMENT_MIN: usize = 1024;
pub(crate) const STREAM_ID_MAX: u32 = (1 << 31) - 1;
pub(crate) const METADATA_ENTRIES_MAX: usize = 64;
pub(crate) const METADATA_BYTES_MAX: usize = 8192;
pub(crate) const ENCODINGS_MAX: usize = 16;

/// The peer broke the protocol: the connection ends with GOAWAY and this reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireError {
    pub reason: u16,
    pub text: String,
}

impl WireError {
    pub fn new(reason: u16, text: impl Into<String>) -> WireError {
        WireError { reason, text: text.into() }
    }

    pub fn protocol(text: impl Into<String>) -> WireError {
        WireError::new(reason::PROTOCOL_ERROR, text)
    }
}

#[cfg(test)]
mod tests;
