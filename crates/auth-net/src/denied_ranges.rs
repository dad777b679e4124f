//! Where outgoing requests may not go when somebody else chose the URL.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::address_list::AddressList;
use crate::host::{self, Literal};
use crate::special_ranges;

/// The addresses that a request to a URL chosen by a tenant must not reach, so that a webhook or
/// token URL cannot be used to talk to the inside of the network the server stands in
/// (server-side request forgery).
///
/// Everything that is not a public unicast address is denied: all blocks of the IANA IPv4 and
/// IPv6 Special-Purpose Address Registries (RFC 6890) that are not globally reachable, the IETF
/// protocol assignments `192.0.0.0/24` and `2001::/23` as a whole, multicast, and all of IPv6
/// outside `2000::/3`. IPv6 addresses that carry an IPv4 address are judged by it: IPv4-mapped,
/// NAT64 (`64:ff9b::/96`, RFC 6052) and 6to4 (`2002::/16`, RFC 3056). One address that is public
/// by the registries is denied by name: `168.63.129.16`, at which Azure serves the platform to
/// its machines. The metadata addresses of the others (`169.254.169.254`, `fd00:ec2::254`,
/// `100.100.100.200`, `192.0.0.192`) lie in denied ranges.
///
/// # Security
///
/// The check that counts is [`permits`](Self::permits) on each address when it is connected to,
/// in the resolver or connector of the HTTP client. A name that was checked earlier may resolve
/// to something else by then (DNS rebinding). [`permits_host`](Self::permits_host) refuses early
/// what needs no resolving, and gives a tenant an answer while the URL is being configured.
///
/// # Examples
///
/// ```
/// use auth_net::{AddressList, DeniedRanges};
///
/// let denied = DeniedRanges::default();
/// assert!(denied.permits("9.9.9.9".parse()?).is_ok());
/// let refused = denied.permits("169.254.169.254".parse()?).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "expected a public address, found one in 169.254.0.0/16 (link-local)",
/// );
///
/// let for_tests = DeniedRanges::default().allowing_addresses(AddressList::new(["127.0.0.0/8"])?);
/// assert!(for_tests.permits("127.0.0.1".parse()?).is_ok());
/// assert!(for_tests.permits("::1".parse()?).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeniedRanges {
    exceptions: AddressList,
}

impl DeniedRanges {
    /// Permits these addresses in spite of the ranges they are in, such as loopback in tests or
    /// one internal server. Replaces the exceptions named before.
    ///
    /// An exception holds for the address that is connected to. It does not hold for NAT64 and
    /// 6to4 addresses that carry it.
    #[must_use]
    pub fn allowing_addresses(self, exceptions: AddressList) -> Self {
        Self { exceptions }
    }

    /// Whether a connection to this address may be opened.
    ///
    /// # Errors
    ///
    /// [`DeniedDestination::Address`] with the range the address is in.
    pub fn permits(&self, address: IpAddr) -> Result<(), DeniedDestination> {
        if self.exceptions.contains(address) {
            return Ok(());
        }
        match special_ranges::range_of(address) {
            Some((network, name)) => Err(DeniedDestination::Address(DeniedRange { network, name })),
            None => Ok(()),
        }
    }

    /// Whether a URL with this host may be requested, as far as the text tells.
    ///
    /// `host` is the host alone, as it stands in the URL: a name, an IPv4 address, or an IPv6
    /// address in brackets. An IPv4 address may be written as clients read it: one to four
    /// numbers, decimal or hexadecimal, the last one filling what is left (`2130706433`,
    /// `0x7f.1`). Numbers with a leading zero are refused, because the URL Standard reads
    /// `0177.0.0.1` in octal and others do not. A name or IPv4 address may end in a dot.
    ///
    /// ```
    /// use auth_net::{DeniedRanges, Destination};
    ///
    /// let denied = DeniedRanges::default();
    /// assert!(denied.permits_host("0x7f.1").is_err());
    /// assert!(denied.permits_host("[::ffff:10.0.0.1]").is_err());
    /// assert!(denied.permits_host("metadata.google.internal").is_err());
    /// assert_eq!(denied.permits_host("9.9.9.9")?, Destination::Address("9.9.9.9".parse()?));
    /// assert_eq!(denied.permits_host("hooks.example.com")?, Destination::Unresolved);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DeniedDestination::Address`] for an address in a denied range, [`DeniedDestination::Loopback`] and
    /// [`DeniedDestination::Metadata`] for names known to stand for such addresses, and [`DeniedDestination::NotAHost`]
    /// for anything else that is neither a name nor an address: user information, a port, a
    /// path, percent-encoding, a zone id, an empty label, a number that is octal or out of range,
    /// or a letter outside ASCII (internationalised names are expected in their ASCII form).
    pub fn permits_host(&self, host: &str) -> Result<Destination, DeniedDestination> {
        match host::parse(host).ok_or(DeniedDestination::NotAHost)? {
            Literal::Address(address) => {
                self.permits(address)?;
                Ok(Destination::Address(address))
            }
            Literal::Loopback if !self.allows_loopback() => Err(DeniedDestination::Loopback),
            Literal::Metadata => Err(DeniedDestination::Metadata),
            Literal::Loopback | Literal::Name => Ok(Destination::Unresolved),
        }
    }

    fn allows_loopback(&self) -> bool {
        self.exceptions.contains(Ipv4Addr::LOCALHOST.into())
            || self.exceptions.contains(Ipv6Addr::LOCALHOST.into())
    }
}

/// What [`DeniedRanges::permits_host`] learned about a host it does not refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "an unresolved name is not yet permitted"]
pub enum Destination {
    /// The host is this address, and the address is permitted.
    Address(IpAddr),
    /// The host is a name. Nothing is permitted yet: ask [`DeniedRanges::permits`] about each
    /// address it resolves to, when connecting.
    Unresolved,
}

/// Why an outgoing request was refused.
///
/// The message names the range and never the address, so that a tenant does not learn what an
/// internal name resolves to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeniedDestination {
    /// The address is in this range.
    Address(DeniedRange),
    /// The host is `localhost` or below it (RFC 6761 section 6.3).
    Loopback,
    /// The host is the name of a cloud's metadata service.
    Metadata,
    /// The text is not the host of a URL.
    NotAHost,
}

impl DeniedDestination {
    /// A code for the reason that stays the same between versions: `denied_address`,
    /// `denied_loopback_name`, `denied_metadata_name` or `not_a_host`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address(_) => "denied_address",
            Self::Loopback => "denied_loopback_name",
            Self::Metadata => "denied_metadata_name",
            Self::NotAHost => "not_a_host",
        }
    }
}

impl fmt::Display for DeniedDestination {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(range) => write!(out, "expected a public address, found one in {range}"),
            Self::Loopback => out.write_str("expected a public host, found this machine's name"),
            Self::Metadata => {
                out.write_str("expected a public host, found the name of a metadata service")
            }
            Self::NotAHost => {
                out.write_str("expected a host in ASCII: a name, IPv4, or IPv6 in brackets")
            }
        }
    }
}

impl std::error::Error for DeniedDestination {}

/// A range that outgoing requests may not reach. Prints as `127.0.0.0/8 (loopback)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeniedRange {
    network: IpNet,
    name: &'static str,
}

impl fmt::Display for DeniedRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.network, self.name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn denies_what_is_not_public_and_names_the_range() {
        #[track_caller]
        fn check(address: &str, expected: &str) {
            let denied = DeniedRanges::default().permits(address.parse().unwrap()).unwrap_err();
            let text = format!("expected a public address, found one in {expected}");
            assert_eq!((denied.to_string(), denied.code()), (text, "denied_address"));
        }
        check("0.0.0.0", "0.0.0.0/8 (this network)");
        check("0.1.2.3", "0.0.0.0/8 (this network)");
        check("10.255.255.255", "10.0.0.0/8 (private)");
        check("100.64.0.1", "100.64.0.0/10 (shared with carrier-grade NAT)");
        check("100.100.100.200", "100.64.0.0/10 (shared with carrier-grade NAT)");
        check("127.0.0.1", "127.0.0.0/8 (loopback)");
        check("127.255.255.254", "127.0.0.0/8 (loopback)");
        check("168.63.129.16", "168.63.129.16/32 (cloud platform)");
        check("169.254.169.254", "169.254.0.0/16 (link-local)");
        check("172.31.255.255", "172.16.0.0/12 (private)");
        check("192.0.0.192", "192.0.0.0/24 (IETF protocol assignments)");
        check("192.0.2.1", "192.0.2.0/24 (documentation)");
        check("192.88.99.1", "192.88.99.0/24 (6to4 relay anycast)");
        check("192.168.1.1", "192.168.0.0/16 (private)");
        check("198.19.255.255", "198.18.0.0/15 (benchmarking)");
        check("198.51.100.1", "198.51.100.0/24 (documentation)");
        check("203.0.113.1", "203.0.113.0/24 (documentation)");
        check("224.0.0.1", "224.0.0.0/4 (multicast)");
        check("240.0.0.1", "240.0.0.0/4 (reserved)");
        check("255.255.255.255", "255.255.255.255/32 (limited broadcast)");

        check("::", "::/128 (unspecified)");
        check("::1", "::1/128 (loopback)");
        check("::7f00:1", "::/96 (IPv4-compatible)");
        check("::9.9.9.9", "::/96 (IPv4-compatible)");
        check("::ffff:127.0.0.1", "127.0.0.0/8 (loopback)");
        check("::ffff:0:9.9.9.9", "::ffff:0:0:0/96 (IPv4-translated)");
        check("64:ff9b::10.0.0.1", "10.0.0.0/8 (private)");
        check("64:ff9b::a9fe:a9fe", "169.254.0.0/16 (link-local)");
        check("64:ff9b:1::9.9.9.9", "64:ff9b:1::/48 (local-use NAT64)");
        check("64:ff9b::1:909:909", "::/3 (not global unicast)");
        check("100::1", "100::/64 (discard-only)");
        check("100:0:0:1::1", "100:0:0:1::/64 (dummy prefix)");
        check("2001::1", "2001::/32 (Teredo)");
        check("2001:2::1", "2001:2::/48 (benchmarking)");
        check("2001:10::1", "2001:10::/28 (ORCHID)");
        check("2001:2f:ffff::1", "2001:20::/28 (ORCHIDv2)");
        check("2001:1::1", "2001::/23 (IETF protocol assignments)");
        check("2001:1ff:ffff::1", "2001::/23 (IETF protocol assignments)");
        check("2001:db8::1", "2001:db8::/32 (documentation)");
        check("2002:7f00:1::1", "127.0.0.0/8 (loopback)");
        check("2002:c0a8:101::c0a8:101", "192.168.0.0/16 (private)");
        check("3fff:fff:ffff::1", "3fff::/20 (documentation)");
        check("5f00::1", "5f00::/16 (segment routing)");
        check("fd00:ec2::254", "fc00::/7 (unique local)");
        check("fd20:ce::254", "fc00::/7 (unique local)");
        check("febf::1", "fe80::/10 (link-local)");
        check("fec0::1", "fec0::/10 (site-local)");
        check("ff02::1", "ff00::/8 (multicast)");
        check("200::1", "::/3 (not global unicast)");
        check("1fff:ffff::1", "::/3 (not global unicast)");
        check("4000::1", "4000::/2 (not global unicast)");
        check("fbff::1", "8000::/1 (not global unicast)");
        check("fe00::1", "8000::/1 (not global unicast)");
    }

    #[test]
    fn permits_the_public_addresses_next_to_each_range() {
        let public = [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "::ffff:9.9.9.9",
            "64:ff9b::9.9.9.9",
            "2000::1",
            "2001:200::1",
            "2001:db7:ffff::1",
            "2001:db9::1",
            "2002:909:909::1",
            "2003::1",
            "2606:4700::1111",
            "3ffe:ffff::1",
            "3fff:1000::1",
        ];
        for address in public {
            let verdict = DeniedRanges::default().permits(address.parse().unwrap());
            assert_eq!(verdict, Ok(()), "{address}");
        }
    }

    #[test]
    fn permits_a_named_exception_and_nothing_that_carries_it() {
        let denied = DeniedRanges::default().allowing_addresses("10.0.0.7, ::1".parse().unwrap());
        for address in ["10.0.0.7", "::ffff:10.0.0.7", "::1"] {
            assert_eq!(denied.permits(address.parse().unwrap()), Ok(()), "{address}");
        }
        for address in ["10.0.0.8", "64:ff9b::10.0.0.7", "2002:a00:7::1", "::10.0.0.7"] {
            assert!(denied.permits(address.parse().unwrap()).is_err(), "{address}");
        }
    }

    #[test]
    fn judges_a_host_by_what_its_text_tells() {
        #[track_caller]
        fn check(host: &str, expected: Result<Destination, &str>) {
            let verdict = DeniedRanges::default().permits_host(host);
            assert_eq!(verdict.map_err(|denied| denied.code()), expected, "{host}");
        }
        let public = Destination::Address(Ipv4Addr::new(9, 9, 9, 9).into());
        check("9.9.9.9", Ok(public));
        check("151587081", Ok(public));
        check("[::ffff:9.9.9.9]", Ok(public));
        check("hooks.example.com", Ok(Destination::Unresolved));
        check("127.1", Err("denied_address"));
        check("2130706433", Err("denied_address"));
        check("0x7f.1", Err("denied_address"));
        check("0xa9fea9fe", Err("denied_address"));
        check("0", Err("denied_address"));
        check("[::1]", Err("denied_address"));
        check("[64:ff9b::7f00:1]", Err("denied_address"));
        check("localhost", Err("denied_loopback_name"));
        check("api.localhost.", Err("denied_loopback_name"));
        check("metadata.google.internal", Err("denied_metadata_name"));
        check("0177.0.0.1", Err("not_a_host"));
        check("9.9.9.9@127.0.0.1", Err("not_a_host"));
        check("127.0.0.1:80", Err("not_a_host"));
    }

    #[test]
    fn leaves_loopback_names_to_the_connection_when_loopback_is_an_exception() {
        for exception in ["127.0.0.0/8", "::1"] {
            let denied = DeniedRanges::default().allowing_addresses(exception.parse().unwrap());
            assert_eq!(denied.permits_host("localhost"), Ok(Destination::Unresolved));
            assert_eq!(denied.permits_host("metadata"), Err(DeniedDestination::Metadata));
        }
    }

    #[test]
    fn says_what_was_expected() {
        #[track_caller]
        fn check(host: &str, expected: &str) {
            let denied = DeniedRanges::default().permits_host(host).unwrap_err();
            assert_eq!(denied.to_string(), expected);
        }
        check("localhost", "expected a public host, found this machine's name");
        check("metadata", "expected a public host, found the name of a metadata service");
        check("a b", "expected a host in ASCII: a name, IPv4, or IPv6 in brackets");
    }

    /// What is special by the standard library's own predicates and by the first octets.
    fn is_special(address: Ipv4Addr) -> bool {
        address.is_private()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_broadcast()
            || address.is_documentation()
            || address.is_multicast()
            || match address.octets() {
                [0 | 240.., ..] | [192, 0, 0, _] | [192, 88, 99, _] | [168, 63, 129, 16] => true,
                [100, second, ..] => second & 0xc0 == 64,
                [198, second, ..] => second & 0xfe == 18,
                _ => false,
            }
    }

    proptest! {
        #[test]
        fn agrees_with_the_standard_library_on_ipv4(random in any::<u32>(), near in 0..17_usize) {
            let edges = [
                0, 0x0a00_0000, 0x6440_0000, 0x7f00_0000, 0xa9fe_0000, 0xac10_0000, 0xc000_0000,
                0xc000_0200, 0xc058_6300, 0xc0a8_0000, 0xc612_0000, 0xc633_6400, 0xcb00_7100,
                0xe000_0000, 0xf000_0000, 0xffff_ffff, 0xa83f_8110,
            ];
            let near_edge = edges[near] ^ (random >> (random % 32));
            for bits in [random, near_edge] {
                let v4 = Ipv4Addr::from_bits(bits);
                let [a, b, c, d] = v4.octets().map(u16::from);
                let (high, low) = (a << 8 | b, c << 8 | d);
                let forms: [IpAddr; 4] = [
                    v4.into(),
                    v4.to_ipv6_mapped().into(),
                    Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low).into(),
                    Ipv6Addr::new(0x2002, high, low, 1, 2, 3, 4, 5).into(),
                ];
                for form in forms {
                    let verdict = DeniedRanges::default().permits(form);
                    prop_assert_eq!(verdict.is_err(), is_special(v4), "{}", form);
                }
            }
        }

        #[test]
        fn permits_no_ipv6_outside_global_unicast(bits in any::<u128>()) {
            let address = Ipv6Addr::from_bits(bits);
            let global = address.segments()[0] & 0xe000 == 0x2000;
            if !global {
                prop_assert!(DeniedRanges::default().permits(address.into()).is_err());
            }
        }
    }
}
