//! `X-Forwarded-For`: addresses joined by commas.

use std::net::{IpAddr, Ipv6Addr};

use crate::client_address::UnknownReason;
use crate::node;

/// Where the last element begins: just after this comma.
pub(crate) fn last_comma(list: &[u8]) -> Option<usize> {
    list.iter().rposition(|&byte| byte == b',')
}

/// The canonical address in one element.
pub(crate) fn address(element: &[u8]) -> Result<IpAddr, UnknownReason> {
    let text = std::str::from_utf8(element.trim_ascii()).map_err(|_| UnknownReason::Malformed)?;
    match text.parse::<Ipv6Addr>() {
        Ok(address) => Ok(address.to_canonical()),
        Err(_) => node::address(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_address_with_or_without_a_port() {
        #[track_caller]
        fn check(element: &str, expected: &str) {
            assert_eq!(address(element.as_bytes()), Ok(expected.parse().unwrap()));
        }
        check("192.0.2.60", "192.0.2.60");
        check(" \t192.0.2.60\t ", "192.0.2.60");
        check("192.0.2.60:4711", "192.0.2.60");
        check("2001:db8::17", "2001:db8::17");
        check("2001:DB8::17", "2001:db8::17");
        check("[2001:db8::17]", "2001:db8::17");
        check("[2001:db8::17]:4711", "2001:db8::17");
        check("::ffff:192.0.2.60", "192.0.2.60");
        check("::ffff:c000:23c", "192.0.2.60");
        check("[::ffff:192.0.2.60]:80", "192.0.2.60");
    }

    #[test]
    fn refuses_what_is_no_address() {
        #[track_caller]
        fn check(element: &[u8], expected: UnknownReason) {
            assert_eq!(address(element), Err(expected));
        }
        check(b"", UnknownReason::Malformed);
        check(b"  ", UnknownReason::Malformed);
        check(b"\"192.0.2.60\"", UnknownReason::Malformed);
        check(b"for=192.0.2.60", UnknownReason::Malformed);
        check(b"192.0.2.60 192.0.2.61", UnknownReason::Malformed);
        check(b"192.0.2.060", UnknownReason::Malformed);
        check(b"3221226044", UnknownReason::Malformed);
        check(b"fe80::1%eth0", UnknownReason::Malformed);
        check(b"[fe80::1%25eth0]:80", UnknownReason::Malformed);
        check(b"192.0.2.60\xff", UnknownReason::Malformed);
        check("１92.0.2.60".as_bytes(), UnknownReason::Malformed);
        check(b"unix:", UnknownReason::Malformed);
        check(b"unknown", UnknownReason::Obfuscated);
    }
}
