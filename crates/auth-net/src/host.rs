//! The host of a URL, read the way the most lenient client would read it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a host stands for before any name is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Literal {
    Address(IpAddr),
    Loopback,
    Metadata,
    Name,
}

/// Reads a host, or `None` if the text is not one.
pub(crate) fn parse(host: &str) -> Option<Literal> {
    if let Some(bracketed) = host.strip_prefix('[') {
        let address: Ipv6Addr = bracketed.strip_suffix(']')?.parse().ok()?;
        return Some(Literal::Address(address.to_canonical()));
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    if name.len() > NAME_BYTES || !name.split('.').all(is_label) {
        return None;
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    if is_numeric(last) {
        return inet_aton(name).map(|address| Literal::Address(address.into()));
    }
    let is = |known: &&str| name.eq_ignore_ascii_case(known);
    Some(if last.eq_ignore_ascii_case("localhost") || LOOPBACK.iter().any(is) {
        Literal::Loopback
    } else if METADATA.iter().any(is) {
        Literal::Metadata
    } else {
        Literal::Name
    })
}

/// RFC 1035 section 3.1, without the length octets.
const NAME_BYTES: usize = 253;

/// Names that common `hosts` files give to loopback, apart from `localhost` and those below it.
const LOOPBACK: &[&str] = &["localhost.localdomain", "ip6-localhost", "ip6-loopback"];

const METADATA: &[&str] = &[
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data",
    "instance-data.ec2.internal",
];

/// Letters, digits, hyphens, and the underscore that some names have in practice.
fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !label.is_empty() && label.bytes().all(allowed)
}

/// Whether a client tries to read a host with this last label as IPv4: all digits, or `0x` and
/// hexadecimal digits, perhaps none.
fn is_numeric(label: &str) -> bool {
    match hexadecimal(label) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// One to four numbers, each an octet but the last, which fills what is left.
fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let count = text.split('.').count();
    if count > 4 {
        return None;
    }
    let mut address = 0_u32;
    for (index, part) in text.split('.').enumerate() {
        let value = number(part)?;
        let (most, shift) =
            if index + 1 == count { (u32::MAX >> (8 * index), 0) } else { (255, 24 - 8 * index) };
        if value > most {
            return None;
        }
        address |= value << shift;
    }
    Some(Ipv4Addr::from_bits(address))
}

/// A decimal or hexadecimal number. Octal is refused: the URL Standard reads `010` as 8, other
/// clients as 10, and one of the two may be denied.
fn number(text: &str) -> Option<u32> {
    match hexadecimal(text) {
        Some("") => Some(0),
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None if text.len() > 1 && text.starts_with('0') => None,
        None => text.parse().ok(),
    }
}

fn hexadecimal(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(host: &str, expected: Option<Literal>) {
        assert_eq!(parse(host), expected, "{host}");
    }

    #[test]
    fn reads_ipv4_in_every_unambiguous_form() {
        #[track_caller]
        fn reads(host: &str, expected: [u8; 4]) {
            check(host, Some(Literal::Address(Ipv4Addr::from(expected).into())));
        }
        reads("127.0.0.1", [127, 0, 0, 1]);
        reads("127.0.0.1.", [127, 0, 0, 1]);
        reads("127.0.1", [127, 0, 0, 1]);
        reads("127.1", [127, 0, 0, 1]);
        reads("127.65535", [127, 0, 255, 255]);
        reads("1.2.772", [1, 2, 3, 4]);
        reads("2130706433", [127, 0, 0, 1]);
        reads("4294967295", [255, 255, 255, 255]);
        reads("0", [0, 0, 0, 0]);
        reads("0x", [0, 0, 0, 0]);
        reads("0x7f.1", [127, 0, 0, 1]);
        reads("0X7F.0x0.0.0x1", [127, 0, 0, 1]);
        reads("0x7f000001", [127, 0, 0, 1]);
        reads("0x000000007f000001", [127, 0, 0, 1]);
        reads("0xa9fea9fe", [169, 254, 169, 254]);
        reads("169.254.43518", [169, 254, 169, 254]);
    }

    #[test]
    fn refuses_numbers_that_are_no_address_or_two() {
        for host in [
            "0177.0.0.1",
            "010.8.8.8",
            "00",
            "08.1",
            "127.0.0.01",
            "256.0.0.1",
            "1.256.0.1",
            "1.2.65536",
            "1.16777216",
            "4294967296",
            "0x100000000",
            "99999999999999999999",
            "1.2.3.4.5",
            "1.2.3.4.5.6.7.8.9",
            "example.1",
            "example.com.0x7f",
            "1.x.3.4",
            "1..4",
        ] {
            check(host, None);
        }
    }

    #[test]
    fn reads_ipv6_in_brackets_only() {
        #[track_caller]
        fn reads(host: &str, expected: &str) {
            check(host, Some(Literal::Address(expected.parse().unwrap())));
        }
        reads("[::1]", "::1");
        reads("[2001:DB8::1]", "2001:db8::1");
        reads("[::ffff:127.0.0.1]", "127.0.0.1");
        reads("[0:0:0:0:0:ffff:7f00:1]", "127.0.0.1");
        for host in [
            "::1",
            "[]",
            "[::1",
            "::1]",
            "[::1]:80",
            "[::1].",
            "[[::1]]",
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]",
            "[127.0.0.1]",
            "[v1.fe80]",
        ] {
            check(host, None);
        }
    }

    #[test]
    fn knows_the_names_of_loopback_and_metadata() {
        for host in [
            "localhost",
            "LocalHost",
            "localhost.",
            "a.localhost",
            "a.b.LOCALHOST.",
            "localhost.localdomain",
            "ip6-loopback",
        ] {
            check(host, Some(Literal::Loopback));
        }
        for host in ["metadata", "Metadata.Google.Internal.", "metadata.goog", "instance-data"] {
            check(host, Some(Literal::Metadata));
        }
        for host in [
            "localhost.example.com",
            "notlocalhost",
            "metadata.example.com",
            "my-metadata",
            "127.0.0.1.nip.io",
            "0xexample",
            "1e3",
            "xn--nxasmq6b.example",
            "_dmarc.example.com",
            "hooks.example.com.",
        ] {
            check(host, Some(Literal::Name));
        }
    }

    #[test]
    fn refuses_what_is_not_a_host_alone() {
        for host in [
            "",
            ".",
            "..",
            ".example.com",
            "example..com",
            "example.com..",
            "user@example.com",
            "example.com@127.0.0.1",
            "127.0.0.1:80",
            "example.com:443",
            "example.com/",
            "example.com\\@127.0.0.1",
            "example.com#@127.0.0.1",
            "example.com?",
            " 127.0.0.1",
            "127.0.0.1 ",
            "127.0.0.1\t",
            "127.0.0.1\0",
            "127.0.0.1%00",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "127。0。0。1",
            "①②⑦.0.0.1",
            "loc\u{ad}alhost",
            "ｌocalhost",
            "http://127.0.0.1",
            "+1",
        ] {
            check(host, None);
        }
        let label = "a".repeat(49) + ".";
        check(&(label.repeat(5) + "abc"), Some(Literal::Name));
        check(&(label.repeat(5) + "abc."), Some(Literal::Name));
        check(&(label.repeat(5) + "abcd"), None);
    }

    proptest! {
        #[test]
        fn reads_any_address_in_any_notation(
            octets in any::<[u8; 4]>(),
            count in 1..=4_usize,
            hex in any::<[bool; 4]>(),
        ) {
            let bits = u32::from_be_bytes(octets);
            let mut numbers: Vec<u32> = octets[..count - 1].iter().map(|o| u32::from(*o)).collect();
            numbers.push(if count == 1 { bits } else { bits & (u32::MAX >> (8 * (count - 1))) });
            let parts: Vec<String> = numbers
                .iter()
                .zip(hex)
                .map(|(number, hex)| if hex { format!("{number:#x}") } else { number.to_string() })
                .collect();
            let expected = Some(Literal::Address(Ipv4Addr::from(octets).into()));
            prop_assert_eq!(parse(&parts.join(".")), expected);
        }

        #[test]
        fn agrees_with_the_standard_library_on_ipv6(bits in any::<u128>()) {
            let address = Ipv6Addr::from_bits(bits);
            let expected = Some(Literal::Address(address.to_canonical()));
            prop_assert_eq!(parse(&format!("[{address}]")), expected);
        }

        #[test]
        fn never_panics_on_any_text(host in any::<String>()) {
            if let Some(Literal::Name) = parse(&host) {
                prop_assert!(host.is_ascii());
            }
        }
    }
}
