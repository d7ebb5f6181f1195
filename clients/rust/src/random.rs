//! Chance: of waits, and of idempotency keys.

/// Between 0 and 1.
pub(crate) fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without chance, which no system lacks, waits are the middle ones.
    if getrandom::getrandom(&mut bytes).is_err() {
        return 0.5;
    }
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}

/// A random UUID (version 4), as text.
pub(crate) fn uuid() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 16];
    getrandom::getrandom(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (place, byte) in bytes.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_uuids_and_differ() {
        let (first, second) = (uuid().unwrap(), uuid().unwrap());
        assert_eq!((first.len(), &first[14..15]), (36, "4"));
        assert_ne!(first, second);
        assert!((0.0..=1.0).contains(&chance()));
    }
}
