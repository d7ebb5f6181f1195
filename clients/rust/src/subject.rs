//! The IP addresses of a certificate (subjectAltName, RFC 5280 4.2.1.6), which webpki does not compare.
//!
//! Only for a certificate whose chain has been verified: webpki has read it as a whole by then.

use std::net::IpAddr;

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// [3], constructed: the extensions of a TBSCertificate.
const EXTENSIONS: u8 = 0xa3;
/// [7], primitive: iPAddress of a GeneralName.
const IP_ADDRESS: u8 = 0x87;
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// Whether a certificate (DER) is for an address. What cannot be read is for none.
pub(crate) fn names_address(certificate: &[u8], address: &IpAddr) -> bool {
    let octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    addresses(certificate).is_some_and(|addresses| addresses.contains(&octets.as_slice()))
}

/// The octets of the addresses; none where the certificate cannot be read.
fn addresses(certificate: &[u8]) -> Option<Vec<&[u8]>> {
    let mut outer = Reader(certificate);
    let mut certificate = Reader(outer.expect(SEQUENCE)?);
    if !outer.0.is_empty() {
        return None;
    }
    let mut fields = Reader(certificate.expect(SEQUENCE)?);
    let mut extensions = loop {
        let (tag, value) = fields.next()?;
        if tag == EXTENSIONS {
            break Reader(Reader(value).expect(SEQUENCE)?);
        }
    };
    let mut found = None;
    while !extensions.0.is_empty() {
        let mut extension = Reader(extensions.expect(SEQUENCE)?);
        if extension.expect(OBJECT_IDENTIFIER)? != SUBJECT_ALT_NAME {
            continue;
        }
        // Said twice it is not said.
        if found.is_some() {
            return None;
        }
        // Perhaps `critical` comes before.
        let value = loop {
            let (tag, value) = extension.next()?;
            if tag == OCTET_STRING {
                break value;
            }
        };
        found = Some(Reader(value).expect(SEQUENCE)?);
    }
    let mut names = Reader(found?);
    let mut addresses = Vec::new();
    while !names.0.is_empty() {
        let (tag, value) = names.next()?;
        if tag == IP_ADDRESS {
            addresses.push(value);
        }
    }
    Some(addresses)
}

/// Reads values of DER one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        // Tags of several bytes are in no certificate.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, mut rest) = rest.split_first()?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let count = usize::from(first & 0x7f);
            if !(1..=3).contains(&count) || rest.len() < count {
                return None;
            }
            let (bytes, after) = rest.split_at(count);
            rest = after;
            bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        };
        if length > rest.len() {
            return None;
        }
        let (value, rest) = rest.split_at(length);
        self.0 = rest;
        Some((tag, value))
    }

    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value of DER.
    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let value = parts.concat();
        let mut bytes = vec![tag];
        if value.len() < 0x80 {
            bytes.push(value.len() as u8);
        } else {
            bytes.extend_from_slice(&[0x82, (value.len() >> 8) as u8, value.len() as u8]);
        }
        bytes.extend_from_slice(&value);
        bytes
    }

    fn extension(oid: &[u8], names: &[&[u8]], is_critical: bool) -> Vec<u8> {
        let critical = if is_critical { der(0x01, &[&[0xff]]) } else { Vec::new() };
        let value = der(OCTET_STRING, &[&der(SEQUENCE, names)]);
        der(SEQUENCE, &[&der(OBJECT_IDENTIFIER, &[oid]), &critical, &value])
    }

    fn certificate(extensions: &[&[u8]]) -> Vec<u8> {
        let version = der(0xa0, &[&der(0x02, &[&[2]])]);
        let extensions = der(EXTENSIONS, &[&der(SEQUENCE, extensions)]);
        let body = der(SEQUENCE, &[&version, &der(0x02, &[&[1]]), &der(SEQUENCE, &[&[0; 200]]), &extensions]);
        der(SEQUENCE, &[&body, &der(SEQUENCE, &[]), &der(0x03, &[&[0]])])
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_found_among_the_names() {
        let v6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        for is_critical in [false, true] {
            let names: [&[u8]; 3] =
                [&der(0x82, &[b"localhost"]), &der(IP_ADDRESS, &[&[127, 0, 0, 1]]), &der(IP_ADDRESS, &[&v6])];
            let other = extension(&[0x55, 0x1d, 0x13], &[], true);
            let der = certificate(&[&other, &extension(SUBJECT_ALT_NAME, &names, is_critical)]);
            assert!(names_address(&der, &address("127.0.0.1")));
            assert!(names_address(&der, &address("2001:db8::1")));
            assert!(!names_address(&der, &address("127.0.0.2")));
            assert!(!names_address(&der, &address("::ffff:127.0.0.1")));
        }
    }

    #[test]
    fn text_that_looks_like_an_address_is_none() {
        let names: [&[u8]; 3] =
            [&der(0x82, &[b"127.0.0.1"]), &der(0x86, &[&[127, 0, 0, 1]]), &der(IP_ADDRESS, &[&[127, 0, 0]])];
        let der = certificate(&[&extension(SUBJECT_ALT_NAME, &names, false)]);
        assert!(!names_address(&der, &address("127.0.0.1")));
    }

    #[test]
    fn what_is_said_twice_or_damaged_is_for_none() {
        let good = extension(SUBJECT_ALT_NAME, &[&der(IP_ADDRESS, &[&[127, 0, 0, 1]])], false);
        assert!(names_address(&certificate(&[&good]), &address("127.0.0.1")));
        assert!(!names_address(&certificate(&[&good, &good]), &address("127.0.0.1")));
        assert!(!names_address(&certificate(&[]), &address("127.0.0.1")));
        let whole = certificate(&[&good]);
        for size in 0..whole.len() {
            assert!(!names_address(&whole[..size], &address("127.0.0.1")), "{size}");
        }
        let mut longer = whole;
        longer.push(0);
        assert!(!names_address(&longer, &address("127.0.0.1")));
    }
}
