//! IP allow lists: addresses and networks, parsed strictly, compared in one canonical form.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

/// A list of IP addresses and networks: an IP allow list, the addresses of trusted proxies, or
/// the exceptions to [`DeniedRanges`](crate::DeniedRanges).
///
/// An entry is an address (`192.0.2.7`, `2001:db8::7`) or a network in CIDR notation
/// (`192.0.2.0/24`, `2001:db8::/32`). IPv4-mapped IPv6 is the same as the IPv4 it maps, in entries
/// (`::ffff:10.0.0.0/104` is `10.0.0.0/8`) and in the addresses asked about, so a socket that
/// serves both families changes nothing. Networks of the two families never match each other:
/// `::/0` is every IPv6 address and no IPv4 address.
///
/// What has two readings is refused: host bits below the prefix (`10.0.0.1/8`), octets with a
/// leading zero (octal to some, decimal to others), zone ids, empty entries.
///
/// The text form is the entries in ascending order, IPv4 first, each once, joined by `", "`.
/// Printing a list and parsing the text gives the same list.
///
/// # Security
///
/// An empty list contains no address. Whether "no list" means *everyone* is the caller's
/// decision and belongs in the caller's type: an allow list that a tenant has not switched on is
/// `None` in an `Option<AddressList>`, never an empty list that is treated as a full one.
///
/// # Examples
///
/// ```
/// use auth_net::AddressList;
///
/// let office = AddressList::new(["198.51.100.0/24", "::ffff:203.0.113.9", "2001:db8::/32"])?;
/// assert!(office.contains("198.51.100.77".parse()?));
/// assert!(office.contains("::ffff:198.51.100.77".parse()?));
/// assert!(!office.contains("192.0.2.1".parse()?));
/// assert_eq!(office.to_string(), "198.51.100.0/24, 203.0.113.9, 2001:db8::/32");
///
/// let refused = AddressList::new(["198.51.100.0/24", "10.1.2.3/8"]).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "entry at index 1: expected no bits set beyond the prefix, as in 10.0.0.0/8",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AddressList {
    /// As configured: canonical, sorted, each once.
    entries: Vec<IpNet>,
    /// The same set with every entry dropped that a wider one covers, so that the networks are
    /// disjoint and the last one at or below an address is the only one that can contain it.
    disjoint: Vec<IpNet>,
}

impl AddressList {
    /// The most entries a list may have.
    pub const MAX_ENTRIES: usize = 1024;

    /// Parses one entry per item. No items give the empty list, which contains no address.
    ///
    /// # Errors
    ///
    /// The first entry that is not an address or network, by its index and what was expected;
    /// or more than [`MAX_ENTRIES`](Self::MAX_ENTRIES) entries.
    pub fn new<I>(entries: I) -> Result<Self, AddressListError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut networks = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let network = if index < Self::MAX_ENTRIES {
                network(entry.as_ref())
            } else {
                Err(EntryFault::TooMany)
            };
            networks.push(network.map_err(|fault| AddressListError { index, fault })?);
        }
        networks.sort_unstable();
        networks.dedup();
        let mut disjoint: Vec<IpNet> = Vec::with_capacity(networks.len());
        for network in &networks {
            if !disjoint.last().is_some_and(|wider| wider.contains(network)) {
                disjoint.push(*network);
            }
        }
        Ok(Self { entries: networks, disjoint })
    }

    /// Whether an entry is this address or a network that holds it. Allocates nothing; the time
    /// grows with the logarithm of the number of entries.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let above = self.disjoint.partition_point(|network| network.addr() <= address);
        let nearest = above.checked_sub(1).and_then(|index| self.disjoint.get(index));
        nearest.is_some_and(|network| network.contains(&address))
    }

    /// How many bytes of memory its entries take, for caches that are bounded by them.
    #[must_use]
    pub fn memory(&self) -> usize {
        let entries = self.entries.capacity().saturating_add(self.disjoint.capacity());
        entries.saturating_mul(size_of::<IpNet>())
    }

    /// Whether there are no entries, so that no address is contained.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Display for AddressList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.entries.iter().enumerate() {
            if index > 0 {
                out.write_str(", ")?;
            }
            if entry.prefix_len() == entry.max_prefix_len() {
                write!(out, "{}", entry.addr())?;
            } else {
                write!(out, "{entry}")?;
            }
        }
        Ok(())
    }
}

/// Parses the text form: entries separated by commas, white space around each ignored. The empty
/// text is the empty list.
impl FromStr for AddressList {
    type Err = AddressListError;

    fn from_str(text: &str) -> Result<Self, AddressListError> {
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        Self::new(text.split(',').map(str::trim_ascii))
    }
}

/// Which entry of an address list was refused, and what was expected in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressListError {
    index: usize,
    fault: EntryFault,
}

impl AddressListError {
    /// The place of the entry in the input, counted from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// A code for the kind of fault that stays the same between versions: `empty`,
    /// `not_an_address`, `leading_zero`, `zone_id`, `prefix_length`, `host_bits` or `too_many`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.fault {
            EntryFault::Empty => "empty",
            EntryFault::NotAnAddress => "not_an_address",
            EntryFault::LeadingZero => "leading_zero",
            EntryFault::ZoneId => "zone_id",
            EntryFault::PrefixLength { .. } => "prefix_length",
            EntryFault::HostBits { .. } => "host_bits",
            EntryFault::TooMany => "too_many",
        }
    }
}

impl fmt::Display for AddressListError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "entry at index {}: expected ", self.index)?;
        match self.fault {
            EntryFault::Empty => out.write_str("an address or a network, found nothing"),
            EntryFault::NotAnAddress => out.write_str("an IPv4 or IPv6 address or network"),
            EntryFault::LeadingZero => out.write_str("decimal octets without leading zeros"),
            EntryFault::ZoneId => out.write_str("an address without a zone id"),
            EntryFault::PrefixLength { most } => {
                write!(out, "a prefix length from 0 to {most} after the slash")
            }
            EntryFault::HostBits { network } => {
                write!(out, "no bits set beyond the prefix, as in {network}")
            }
            EntryFault::TooMany => write!(out, "at most {} entries", AddressList::MAX_ENTRIES),
        }
    }
}

impl std::error::Error for AddressListError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EntryFault {
    Empty,
    NotAnAddress,
    LeadingZero,
    ZoneId,
    PrefixLength { most: u8 },
    HostBits { network: IpNet },
    TooMany,
}

fn network(entry: &str) -> Result<IpNet, EntryFault> {
    if entry.is_empty() {
        return Err(EntryFault::Empty);
    }
    let (address, prefix) = match entry.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (entry, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return Err(fault_in(address)) };
    let network = IpNet::from(address);
    let network = match prefix {
        None => network,
        Some(digits) => prefix_length(digits)
            .and_then(|length| IpNet::new(address, length).ok())
            .ok_or(EntryFault::PrefixLength { most: network.max_prefix_len() })?,
    };
    if network.trunc() != network {
        return Err(EntryFault::HostBits { network: network.trunc() });
    }
    Ok(canonical(network))
}

/// An IPv4-mapped network as the IPv4 network it maps; any other as it is.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    mapped
        .and_then(|(address, length)| Ipv4Net::new(address, length).ok())
        .map_or(network, IpNet::V4)
}

fn prefix_length(digits: &str) -> Option<u8> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let padded = digits.len() > 1 && digits.starts_with('0');
    if plain && !padded { digits.parse().ok() } else { None }
}

fn fault_in(address: &str) -> EntryFault {
    let octet =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u8>().is_ok();
    if address.contains('%') {
        EntryFault::ZoneId
    } else if address.split('.').count() == 4 && address.split('.').all(octet) {
        EntryFault::LeadingZero
    } else {
        EntryFault::NotAnAddress
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn list(text: &str) -> AddressList {
        text.parse().unwrap()
    }

    #[test]
    fn prints_the_canonical_text_of_what_it_parsed() {
        #[track_caller]
        fn check(entries: &[&str], expected: &str) {
            let list = AddressList::new(entries).unwrap();
            assert_eq!(list.to_string(), expected);
            assert_eq!(expected.parse::<AddressList>().unwrap(), list);
            assert_eq!(list.is_empty(), entries.is_empty());
        }
        check(&[], "");
        check(&["192.0.2.7"], "192.0.2.7");
        check(&["192.0.2.7/32"], "192.0.2.7");
        check(&["10.0.0.0/8"], "10.0.0.0/8");
        check(&["0.0.0.0/0", "::/0"], "0.0.0.0/0, ::/0");
        check(&["2001:DB8:0::1/128"], "2001:db8::1");
        check(&["2001:db8::/32"], "2001:db8::/32");
        check(&["::ffff:192.0.2.7"], "192.0.2.7");
        check(&["::ffff:c000:207"], "192.0.2.7");
        check(&["::ffff:10.0.0.0/104"], "10.0.0.0/8");
        check(&["::ffff:0:0/96"], "0.0.0.0/0");
        check(
            &["2001:db8::/32", "10.9.0.0/16", "10.0.0.1"],
            "10.0.0.1, 10.9.0.0/16, 2001:db8::/32",
        );
        check(&["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.1/32"], "10.0.0.1");
        check(&["10.1.2.3", "10.0.0.0/8"], "10.0.0.0/8, 10.1.2.3");
    }

    #[test]
    fn contains_what_an_entry_covers_in_either_form() {
        #[track_caller]
        fn check(entries: &str, address: &str, expected: bool) {
            assert_eq!(list(entries).contains(address.parse().unwrap()), expected);
        }
        check("", "192.0.2.1", false);
        check("", "::", false);
        check("192.0.2.0/24", "192.0.2.0", true);
        check("192.0.2.0/24", "192.0.2.255", true);
        check("192.0.2.0/24", "192.0.1.255", false);
        check("192.0.2.0/24", "192.0.3.0", false);
        check("192.0.2.0/24", "::ffff:192.0.2.9", true);
        check("::ffff:192.0.2.0/120", "192.0.2.9", true);
        check("::ffff:192.0.2.0/120", "::ffff:192.0.2.9", true);
        check("0.0.0.0/0", "255.255.255.255", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true);
        check("::/0", "192.0.2.1", false);
        check("::/0", "::ffff:192.0.2.1", false);
        check("10.0.0.0/8, 10.1.0.0/16", "10.1.2.3", true);
        check("10.0.0.0/8, 10.1.0.0/16", "10.200.0.1", true);
        check("10.0.0.0/8, 10.1.0.0/16", "11.0.0.1", false);
        check("fe80::/10, 2001:db8::7", "2001:db8::7", true);
        check("fe80::/10, 2001:db8::7", "2001:db8::8", false);
    }

    #[test]
    fn names_the_refused_entry_and_what_was_expected() {
        #[track_caller]
        fn check(entry: &str, code: &str, expected: &str) {
            let error = AddressList::new(["192.0.2.1", entry, "also wrong"]).unwrap_err();
            assert_eq!((error.index(), error.code()), (1, code));
            assert_eq!(error.to_string(), format!("entry at index 1: expected {expected}"));
        }
        let address = "an IPv4 or IPv6 address or network";
        check("", "empty", "an address or a network, found nothing");
        check("localhost", "not_an_address", address);
        check("192.0.2", "not_an_address", address);
        check("192.0.2.1.1", "not_an_address", address);
        check("192.0.2.256", "not_an_address", address);
        check("192.0.2.+1", "not_an_address", address);
        check(" 192.0.2.1", "not_an_address", address);
        check("192.0.2.1:80", "not_an_address", address);
        check("[2001:db8::1]", "not_an_address", address);
        check("2001:db8:::1", "not_an_address", address);
        check("/8", "not_an_address", address);
        check("\u{661}92.0.2.1", "not_an_address", address);
        check("192.0.2.01", "leading_zero", "decimal octets without leading zeros");
        check("010.0.0.0/8", "leading_zero", "decimal octets without leading zeros");
        check("fe80::1%eth0", "zone_id", "an address without a zone id");
        check("fe80::%1/10", "zone_id", "an address without a zone id");
        let most32 = "a prefix length from 0 to 32 after the slash";
        check("10.0.0.0/33", "prefix_length", most32);
        check("10.0.0.0/", "prefix_length", most32);
        check("10.0.0.0/08", "prefix_length", most32);
        check("10.0.0.0/+8", "prefix_length", most32);
        check("10.0.0.0/8/8", "prefix_length", most32);
        check("10.0.0.0/255.0.0.0", "prefix_length", most32);
        check("2001:db8::/129", "prefix_length", "a prefix length from 0 to 128 after the slash");
        check("10.1.2.3/8", "host_bits", "no bits set beyond the prefix, as in 10.0.0.0/8");
        check("2001:db8::1/32", "host_bits", "no bits set beyond the prefix, as in 2001:db8::/32");
        check("::ffff:0:0/90", "host_bits", "no bits set beyond the prefix, as in ::ffc0:0:0/90");
    }

    #[test]
    fn refuses_an_empty_entry_between_commas() {
        for text in [",", "10.0.0.1,", ",10.0.0.1", "10.0.0.1, ,10.0.0.2"] {
            assert_eq!(text.parse::<AddressList>().unwrap_err().code(), "empty", "{text}");
        }
    }

    #[test]
    fn refuses_one_entry_more_than_the_limit() {
        let most = vec!["192.0.2.1"; AddressList::MAX_ENTRIES];
        assert_eq!(AddressList::new(&most).unwrap().to_string(), "192.0.2.1");
        let error = AddressList::new(most.iter().chain([&"192.0.2.1"])).unwrap_err();
        assert_eq!((error.index(), error.code()), (AddressList::MAX_ENTRIES, "too_many"));
        assert_eq!(error.to_string(), "entry at index 1024: expected at most 1024 entries");
    }

    fn entry() -> impl Strategy<Value = IpNet> {
        // Few bits vary, so that entries nest, touch and repeat.
        let v4 = (0..64_u32, 0..=32_u8).prop_map(|(bits, length)| {
            IpNet::new(Ipv4Addr::from_bits(bits << 25 | bits).into(), length).unwrap()
        });
        let v6 = (0..64_u128, 0..=128_u8).prop_map(|(bits, length)| {
            IpNet::new(Ipv6Addr::from_bits(bits << 120 | bits).into(), length).unwrap()
        });
        prop_oneof![v4, v6].prop_map(|network| network.trunc())
    }

    proptest! {
        #[test]
        fn agrees_with_asking_every_entry_in_turn(
            entries in prop::collection::vec(entry(), 0..12),
            probes in prop::collection::vec(entry(), 1..12),
        ) {
            let list = AddressList::new(entries.iter().map(IpNet::to_string)).unwrap();
            for probe in probes {
                let address = probe.addr().to_canonical();
                let expected = entries.iter().any(|entry| entry.contains(&address));
                prop_assert_eq!(list.contains(address), expected, "{} in {}", address, list);
            }
        }

        #[test]
        fn prints_what_parses_to_the_same_list(
            entries in prop::collection::vec(entry(), 0..12),
        ) {
            let list = AddressList::new(entries.iter().map(IpNet::to_string)).unwrap();
            let text = list.to_string();
            prop_assert_eq!(&text.parse::<AddressList>().unwrap(), &list);
            prop_assert_eq!(text.parse::<AddressList>().unwrap().to_string(), text);
        }

        #[test]
        fn never_panics_on_text_that_looks_like_a_list(
            parts in prop::collection::vec((address_text(), prefix_text(), comma_text()), 0..4),
        ) {
            let text: String = parts.iter().flat_map(|(a, b, c)| [*a, *b, *c]).collect();
            if let Ok(list) = text.parse::<AddressList>() {
                prop_assert_eq!(list.to_string().parse::<AddressList>().unwrap(), list);
            }
        }
    }

    fn address_text() -> impl Strategy<Value = &'static str> {
        let texts = ["10.0.0.0", "0.0.0.0", "::", "::1", "::ffff:10.0.0.0", "10.", "\u{661}", "%"];
        prop::sample::select(texts.to_vec())
    }

    fn prefix_text() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["", "/0", "/8", "/32", "/104", "/128", "/256", "/", "%eth0"])
    }

    fn comma_text() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["", ",", ", ", " ", "\0"])
    }
}
