//! The client's address: the peer's, or what trusted proxies wrote down about it.

use std::fmt;
use std::net::IpAddr;

use http::HeaderMap;

use crate::address_list::AddressList;
use crate::{forwarded, x_forwarded_for};

/// The proxies in front of this server: where they are, and the one field they write.
///
/// A peer that is not one of these proxies is the client itself, and the forwarding fields it
/// sent are not read. A peer that is one was itself connected to by somebody, whose address it
/// appended to the field; so the field is read from its right end, over all its lines. Each
/// address that is again a trusted proxy's passes the question on to the next element on the
/// left. The first address that is not is the client, and nothing left of it is looked at: that
/// part was in the request when it reached the first trusted proxy, and anybody can have written
/// it.
///
/// Exactly one field is read, the one the proxies are known to write. A proxy that appends to
/// one field lets the other one pass as the client sent it, so a server that reads whichever it
/// finds believes the client. Look-alikes such as `X_Forwarded_For` are other fields.
///
/// # Security
///
/// * Every proxy between this server and the internet has to be listed, and each has to append
///   to the field or replace it. List as few addresses as can be: everybody who can connect from
///   one of them chooses the client address.
/// * When the client cannot be told, the answer is [`ClientAddress::Unknown`] and never the
///   proxy's own address, which is exactly the address that operators put on allow lists.
/// * The peer handed in must come from the socket.
///
/// # Examples
///
/// ```
/// use auth_net::{AddressList, ClientAddress, ForwardingField, TrustedProxies};
/// use http::{HeaderMap, HeaderValue};
///
/// let load_balancers = AddressList::new(["10.0.0.0/24"])?;
/// let proxies = TrustedProxies::new(load_balancers, ForwardingField::XForwardedFor);
///
/// let mut headers = HeaderMap::new();
/// let claimed_by_the_client_then_appended = "10.0.0.9, 192.0.2.60";
/// headers.insert("x-forwarded-for", claimed_by_the_client_then_appended.parse()?);
///
/// let client = proxies.client_address("10.0.0.1".parse()?, &headers);
/// assert_eq!(client, ClientAddress::Known("192.0.2.60".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies {
    addresses: AddressList,
    field: ForwardingField,
}

impl TrustedProxies {
    /// The most bytes that all lines of the field may have together. It counts what the client
    /// sent as well, so that a request with a longer field has no known client address.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// The most elements that are read before the client is found: 64 proxies in a row.
    pub const MAX_HOPS: usize = 64;

    /// Trusts these addresses to write this field. The empty list trusts nobody: the peer is
    /// always the client.
    #[must_use]
    pub fn new(addresses: AddressList, field: ForwardingField) -> Self {
        Self { addresses, field }
    }

    /// The address of the client of a request that came from `peer` with these headers, in
    /// canonical form: IPv4-mapped IPv6 is given as IPv4.
    ///
    /// Allocates nothing, and the time is linear in the length of the field.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let peer = peer.to_canonical();
        if !self.addresses.contains(peer) {
            return ClientAddress::Known(peer);
        }
        match self.first_untrusted(headers) {
            Ok(address) => ClientAddress::Known(address),
            Err(reason) => ClientAddress::Unknown(reason),
        }
    }

    fn first_untrusted(&self, headers: &HeaderMap) -> Result<IpAddr, UnknownReason> {
        let (name, last_comma, address_in): (_, LastComma, AddressIn) = match self.field {
            ForwardingField::XForwardedFor => {
                ("x-forwarded-for", x_forwarded_for::last_comma, x_forwarded_for::address)
            }
            ForwardingField::Forwarded => ("forwarded", forwarded::last_comma, forwarded::address),
        };
        let lines = headers.get_all(name);
        let bytes = lines.iter().fold(0_usize, |sum, line| sum.saturating_add(line.len()));
        if bytes > Self::MAX_BYTES {
            return Err(UnknownReason::TooLong);
        }
        let mut hops = 0_usize;
        for line in lines.iter().rev() {
            let mut remaining = Some(line.as_bytes());
            while let Some(list) = remaining {
                if hops == Self::MAX_HOPS {
                    return Err(UnknownReason::TooManyHops);
                }
                hops = hops.saturating_add(1);
                let comma = last_comma(list);
                let element = comma.and_then(|at| list.get(at.saturating_add(1)..));
                let address = address_in(element.unwrap_or(list))?;
                if !self.addresses.contains(address) {
                    return Ok(address);
                }
                remaining = comma.and_then(|at| list.get(..at));
            }
        }
        Err(if hops == 0 { UnknownReason::Missing } else { UnknownReason::OnlyProxies })
    }
}

/// Finds the comma before the last element of a line.
type LastComma = fn(&[u8]) -> Option<usize>;
/// Reads the canonical address in one element.
type AddressIn = fn(&[u8]) -> Result<IpAddr, UnknownReason>;

/// The field in which trusted proxies write down who connected to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForwardingField {
    /// `X-Forwarded-For`, which has no specification: addresses joined by commas. An element is
    /// an IPv4 or IPv6 address, or an IPv4 address or bracketed IPv6 address with a port
    /// (`192.0.2.60:4711`, `[2001:db8::17]:4711`). An IPv6 address with a port but without
    /// brackets cannot be told from a longer address; no proxy should write it.
    XForwardedFor,
    /// `Forwarded` (RFC 7239): the `for` parameter of each element. IPv6 addresses are in
    /// brackets, and they and addresses with a port are in quotes, as section 6 demands.
    Forwarded,
}

/// Who made a request, as far as the address goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientAddress {
    /// The client's address, IPv4-mapped IPv6 given as IPv4.
    Known(IpAddr),
    /// The request came through a trusted proxy that did not say from whom in a way that can be
    /// relied on.
    Unknown(UnknownReason),
}

impl ClientAddress {
    /// Whether the address is known and on the list: the check of a credential that has an IP
    /// allow list. A client whose address is unknown is on no list.
    ///
    /// ```
    /// use auth_net::{AddressList, ClientAddress, UnknownReason};
    ///
    /// let office = AddressList::new(["198.51.100.0/24"])?;
    /// assert!(ClientAddress::Known("198.51.100.7".parse()?).is_on(&office));
    /// assert!(!ClientAddress::Unknown(UnknownReason::Missing).is_on(&office));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_on(self, list: &AddressList) -> bool {
        self.known().is_some_and(|address| list.contains(address))
    }

    /// The address, if it is known.
    #[must_use]
    pub fn known(self) -> Option<IpAddr> {
        match self {
            Self::Known(address) => Some(address),
            Self::Unknown(_) => None,
        }
    }
}

/// Why the client of a request that came from a trusted proxy is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnknownReason {
    /// The proxy sent no such field, or an element of `Forwarded` without `for`. A client can
    /// cause this by naming the field in `Connection`, if a proxy takes that literally.
    Missing,
    /// An element that a trusted proxy wrote is not an address in the field's grammar; this
    /// includes empty elements and zone ids.
    Malformed,
    /// The proxy hides the address: `unknown`, or an obfuscated identifier such as `_hidden`
    /// (RFC 7239 sections 6.2 and 6.3).
    Obfuscated,
    /// The lines of the field have more than [`TrustedProxies::MAX_BYTES`] together.
    TooLong,
    /// The first [`TrustedProxies::MAX_HOPS`] elements are all trusted proxies.
    TooManyHops,
    /// Every address is a trusted proxy's: a proxy made the request itself, a proxy dropped what
    /// the one before it wrote, or the list of proxies is too wide. The left-most address is not
    /// taken for the client's, because in the second case it is a proxy's own.
    OnlyProxies,
}

impl UnknownReason {
    /// A code for the reason that stays the same between versions: the variant's name in snake
    /// case, such as `too_many_hops`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Obfuscated => "obfuscated",
            Self::TooLong => "too_long",
            Self::TooManyHops => "too_many_hops",
            Self::OnlyProxies => "only_proxies",
        }
    }
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Missing => "the trusted proxy did not send the forwarding field",
            Self::Malformed => "the trusted proxy's element of the forwarding field is no address",
            Self::Obfuscated => "the trusted proxy hides the client's address",
            Self::TooLong => "the forwarding field is longer than 8 KiB",
            Self::TooManyHops => "the forwarding field names more than 64 trusted proxies",
            Self::OnlyProxies => "the forwarding field names trusted proxies only",
        })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    const PROXIES: &str = "10.0.0.0/24, 2001:db8:cafe::/48";

    fn ask(field: ForwardingField, peer: &str, headers: &[(&str, &str)]) -> ClientAddress {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let proxies = TrustedProxies::new(PROXIES.parse().unwrap(), field);
        proxies.client_address(peer.parse().unwrap(), &map)
    }

    fn known(address: &str) -> ClientAddress {
        ClientAddress::Known(address.parse().unwrap())
    }

    /// A request from a trusted proxy whose `X-Forwarded-For` has these lines.
    fn x_forwarded_for(lines: &[&str]) -> ClientAddress {
        let headers: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        ask(ForwardingField::XForwardedFor, "10.0.0.1", &headers)
    }

    /// A request from a trusted proxy whose `Forwarded` has these lines.
    fn forwarded(lines: &[&str]) -> ClientAddress {
        let headers: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
        ask(ForwardingField::Forwarded, "10.0.0.1", &headers)
    }

    #[test]
    fn ignores_what_an_untrusted_peer_sent() {
        for peer in ["192.0.2.60", "::ffff:192.0.2.60"] {
            for field in [ForwardingField::XForwardedFor, ForwardingField::Forwarded] {
                let headers = [("x-forwarded-for", "10.9.9.9"), ("forwarded", "for=10.9.9.9")];
                assert_eq!(ask(field, peer, &headers), known("192.0.2.60"));
                assert_eq!(ask(field, peer, &[]), known("192.0.2.60"));
            }
        }
    }

    #[test]
    fn trusts_nobody_when_the_list_is_empty() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.60"));
        let proxies = TrustedProxies::new(AddressList::default(), ForwardingField::XForwardedFor);
        assert_eq!(
            proxies.client_address("10.0.0.1".parse().unwrap(), &headers),
            known("10.0.0.1")
        );
    }

    #[test]
    fn finds_the_first_untrusted_address_from_the_right() {
        #[track_caller]
        fn check(lines: &[&str], expected: &str) {
            assert_eq!(x_forwarded_for(lines), known(expected));
        }
        check(&["192.0.2.60"], "192.0.2.60");
        check(&["10.0.0.9, 192.0.2.60"], "192.0.2.60");
        check(&["10.9.9.9,192.0.2.60,10.0.0.7"], "192.0.2.60");
        check(&["192.0.2.60, 10.0.0.7, ::ffff:10.0.0.8, [2001:db8:cafe::1]:80"], "192.0.2.60");
        check(&["192.0.2.60", "10.0.0.7"], "192.0.2.60");
        check(&["198.51.100.1", "192.0.2.60, 10.0.0.8", "10.0.0.7"], "192.0.2.60");
        check(&["[2001:db8::17]:443 , 10.0.0.7:12345"], "2001:db8::17");
        check(&["::ffff:192.0.2.60"], "192.0.2.60");
    }

    #[test]
    fn treats_a_mapped_peer_as_the_proxy_it_is() {
        let headers = [("x-forwarded-for", "192.0.2.60")];
        let client = ask(ForwardingField::XForwardedFor, "::ffff:10.0.0.1", &headers);
        assert_eq!(client, known("192.0.2.60"));
    }

    #[test]
    fn ignores_whatever_is_left_of_the_client() {
        let junk = [
            "",
            ",",
            ",,,",
            "unknown",
            "_hidden",
            "%",
            "\"",
            "for=\"",
            "for=\"x\\",
            "\\",
            "fe80::1%eth0",
            "caf\u{e9}",
        ];
        for junk in junk {
            let line = format!("{junk}, 192.0.2.60, 10.0.0.7");
            assert_eq!(x_forwarded_for(&[&line]), known("192.0.2.60"), "{junk}");
            assert_eq!(x_forwarded_for(&[junk, "192.0.2.60"]), known("192.0.2.60"), "{junk}");
            let line = format!("{junk}, for=192.0.2.60;host=\"a,b\", for=10.0.0.7");
            assert_eq!(forwarded(&[&line]), known("192.0.2.60"), "{junk}");
            assert_eq!(forwarded(&[junk, "for=192.0.2.60"]), known("192.0.2.60"), "{junk}");
        }
    }

    #[test]
    fn does_not_know_the_client_when_a_trusted_proxy_did_not_say() {
        #[track_caller]
        fn check(lines: &[&str], expected: UnknownReason) {
            assert_eq!(x_forwarded_for(lines), ClientAddress::Unknown(expected));
        }
        check(&[], UnknownReason::Missing);
        check(&[""], UnknownReason::Malformed);
        check(&["192.0.2.60,"], UnknownReason::Malformed);
        check(&["192.0.2.60", ""], UnknownReason::Malformed);
        check(&["192.0.2.60,, 10.0.0.7"], UnknownReason::Malformed);
        check(&["192.0.2.60, localhost"], UnknownReason::Malformed);
        check(&["192.0.2.60, fe80::1%eth0, 10.0.0.7"], UnknownReason::Malformed);
        check(&["192.0.2.60, unknown"], UnknownReason::Obfuscated);
        check(&["192.0.2.60, unknown", "10.0.0.7"], UnknownReason::Obfuscated);
        check(&["10.0.0.7"], UnknownReason::OnlyProxies);
        check(&["10.0.0.7, 10.0.0.8", "10.0.0.9"], UnknownReason::OnlyProxies);
    }

    #[test]
    fn reads_the_one_configured_field_and_no_look_alike() {
        let elsewhere = [
            ("forwarded", "for=192.0.2.60"),
            ("x_forwarded_for", "192.0.2.60"),
            ("x-forwarded_for", "192.0.2.60"),
            ("x-real-ip", "192.0.2.60"),
            ("x-forwarded", "192.0.2.60"),
            ("forwarded-for", "192.0.2.60"),
        ];
        let client = ask(ForwardingField::XForwardedFor, "10.0.0.1", &elsewhere);
        assert_eq!(client, ClientAddress::Unknown(UnknownReason::Missing));
        let elsewhere = [("x-forwarded-for", "192.0.2.60")];
        let client = ask(ForwardingField::Forwarded, "10.0.0.1", &elsewhere);
        assert_eq!(client, ClientAddress::Unknown(UnknownReason::Missing));
    }

    #[test]
    fn reads_the_examples_of_rfc_7239() {
        let unknown = ClientAddress::Unknown;
        // Section 4.
        assert_eq!(forwarded(&["for=\"_gazonk\""]), unknown(UnknownReason::Obfuscated));
        assert_eq!(
            forwarded(&["For=\"[2001:db8:cafe::17]:4711\""]),
            unknown(UnknownReason::OnlyProxies)
        );
        assert_eq!(forwarded(&["for=192.0.2.60;proto=http;by=203.0.113.43"]), known("192.0.2.60"));
        assert_eq!(forwarded(&["for=192.0.2.43, for=198.51.100.17"]), known("198.51.100.17"));
        // Section 7.1: three ways to write one list, whose last two elements are made trusted here.
        let whole = "for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=10.0.0.2";
        let halves = ["for=192.0.2.43, for=\"[2001:db8:cafe::17]\"", "for=10.0.0.2"];
        let thirds = ["for=192.0.2.43", "for=\"[2001:db8:cafe::17]\"", "for=10.0.0.2"];
        for lines in [&[whole][..], &halves, &thirds] {
            assert_eq!(forwarded(lines), known("192.0.2.43"));
        }
        let hidden = "for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown";
        assert_eq!(forwarded(&[hidden]), unknown(UnknownReason::Obfuscated));
        // Section 7.4: the same list in both fields.
        assert_eq!(x_forwarded_for(&["192.0.2.43, 2001:db8:cafe::17"]), known("192.0.2.43"));
        let converted = "for=192.0.2.43, for=\"[2001:db8:cafe::17]\"";
        assert_eq!(forwarded(&[converted]), known("192.0.2.43"));
    }

    #[test]
    fn refuses_a_field_over_the_limits() {
        let too_long = ClientAddress::Unknown(UnknownReason::TooLong);
        for filling in ["a", ",", "\"", "\\\"", "10.0.0.7,", "for=10.0.0.7,", "for=\",\","] {
            for length in [TrustedProxies::MAX_BYTES + 1, 64 * 1024, 1024 * 1024] {
                let line: String = filling.chars().cycle().take(length).collect();
                assert_eq!(x_forwarded_for(&[&line]), too_long);
                assert_eq!(forwarded(&[&line]), too_long);
            }
        }
        let address = "192.0.2.60";
        let rest = "a".repeat(TrustedProxies::MAX_BYTES - address.len());
        assert_eq!(x_forwarded_for(&[&rest, address]), known(address));
        assert_eq!(x_forwarded_for(&[&rest, "", address]), known(address));
        assert_eq!(x_forwarded_for(&[&rest, "a", address]), too_long);
    }

    #[test]
    fn refuses_more_trusted_hops_than_the_limit() {
        let proxies = vec!["10.0.0.7"; TrustedProxies::MAX_HOPS - 1].join(",");
        let client = format!("192.0.2.60,{proxies}");
        assert_eq!(x_forwarded_for(&[&client]), known("192.0.2.60"));
        let too_many = ClientAddress::Unknown(UnknownReason::TooManyHops);
        assert_eq!(x_forwarded_for(&["192.0.2.60", "10.0.0.7", &proxies]), too_many);
        let client_sent_many = format!("{},192.0.2.60", "1.1.1.1,".repeat(900));
        assert_eq!(x_forwarded_for(&[&client_sent_many]), known("192.0.2.60"));
    }

    #[test]
    fn no_unknown_client_is_on_a_list_of_everything() {
        let everything: AddressList = "0.0.0.0/0, ::/0".parse().unwrap();
        assert!(known("192.0.2.60").is_on(&everything));
        assert!(known("2001:db8::1").is_on(&everything));
        assert!(!ClientAddress::Unknown(UnknownReason::Missing).is_on(&everything));
        assert!(!known("192.0.2.60").is_on(&AddressList::default()));
    }

    #[test]
    fn says_in_each_reason_what_the_limits_are() {
        let too_long = format!("longer than {} KiB", TrustedProxies::MAX_BYTES / 1024);
        assert!(UnknownReason::TooLong.to_string().ends_with(&too_long));
        let too_many = format!("more than {} trusted proxies", TrustedProxies::MAX_HOPS);
        assert!(UnknownReason::TooManyHops.to_string().ends_with(&too_many));
    }
}
