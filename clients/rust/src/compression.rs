//! Messages as they go compressed over the wire (W6.9): `u8 encoding | u32 size | data`. Pure.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{decompress, DecompressorOxide};
use miniz_oxide::inflate::TINFLStatus;

pub(crate) const DEFLATE: u8 = 1;
/// Below this a message is sent as it is: what is gained is a packet at most.
pub(crate) const SIZE_MIN: usize = 4096;
/// Fast rather than small: a caller waits.
const LEVEL: u8 = 1;
const HEAD_SIZE: usize = 5;

/// A message compressed; none where that is not worth it, or the receiver would refuse it.
pub(crate) fn pack(message: &[u8]) -> Option<Vec<u8>> {
    if message.len() < SIZE_MIN {
        return None;
    }
    let size = u32::try_from(message.len()).ok()?;
    let data = compress_to_vec_zlib(message, LEVEL);
    if data.len() > message.len() - message.len() / 8 || message.len() > size_max(data.len()) {
        return None;
    }
    let mut packed = Vec::with_capacity(HEAD_SIZE + data.len());
    packed.push(DEFLATE);
    packed.extend_from_slice(&size.to_be_bytes());
    packed.extend_from_slice(&data);
    Some(packed)
}

/// What a message is of, or why it is refused. No more memory is used than its size says, and that is held to its
/// limits first.
pub(crate) fn unpack(packed: &[u8], message_max: usize) -> Result<Vec<u8>, String> {
    let [encoding, a, b, c, d, data @ ..] = packed else {
        return Err("a compressed message without data".into());
    };
    let size = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
    if *encoding != DEFLATE || size == 0 {
        return Err("a compressed message of no known encoding or of no bytes".into());
    }
    if size > message_max {
        return Err(format!("a message larger than {message_max} bytes"));
    }
    if size > size_max(data.len()) {
        return Err("a message that is more than 64 times what it is compressed to".into());
    }
    let mut message = vec![0; size];
    let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_COMPUTE_ADLER32 | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut decompressor = Box::<DecompressorOxide>::default();
    let (status, read, written) = decompress(&mut decompressor, data, &mut message, 0, flags);
    // It is done only where the checksum was right, too.
    if status != TINFLStatus::Done || read != data.len() || written != size {
        return Err("a compressed message that does not expand to its size".into());
    }
    Ok(message)
}

fn size_max(data_size: usize) -> usize {
    65536 + 64 * data_size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(size: usize) -> Vec<u8> {
        (0..size).map(|place| b"Aprender FastAPI, "[(place * place / 7) % 18]).collect()
    }

    #[test]
    fn what_is_packed_comes_out() {
        let message = text(100_000);
        let packed = pack(&message).unwrap();
        assert!(packed.len() < message.len());
        assert_eq!(unpack(&packed, 100_000), Ok(message));
    }

    #[test]
    fn small_messages_and_noise_are_not_packed() {
        assert_eq!(pack(&text(SIZE_MIN - 1)), None);
        let mut state = 1u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(SIZE_MIN)
        .collect();
        assert_eq!(pack(&noise), None);
        // The receiver would refuse what expands 64 times and more.
        assert_eq!(pack(&vec![0; 4 << 20]), None);
    }

    #[test]
    fn what_is_not_what_it_says_is_refused() {
        let packed = pack(&text(10_000)).unwrap();
        assert!(unpack(&packed, 9_999).is_err());
        assert!(unpack(&packed[..packed.len() - 1], 10_000).is_err());
        for size in [0u32, 9_999, 10_001, u32::MAX] {
            let mut wrong = packed.clone();
            wrong[1..5].copy_from_slice(&size.to_be_bytes());
            assert!(unpack(&wrong, usize::MAX).is_err(), "{size}");
        }
        for place in [0, 5, 6, packed.len() / 2, packed.len() - 1] {
            let mut wrong = packed.clone();
            wrong[place] ^= 0x15;
            assert!(unpack(&wrong, 10_000).is_err(), "{place}");
        }
        let mut longer = packed;
        longer.push(0);
        assert!(unpack(&longer, 10_000).is_err());
        assert!(unpack(&[], 10_000).is_err());
    }
}
