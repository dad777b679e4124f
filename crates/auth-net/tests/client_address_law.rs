//! The law of the client's address: it depends on what trusted proxies did and on nothing else.
//!
//! Each case plays a request through a chain of proxies, one after the other, and keeps the
//! answer that follows from what each of them did. The attacker writes anything into the request
//! before the first proxy sees it. The answer of the library has to be the one that was kept.
//!
//! 20,000 cases by default; 1,000,000 with `MESSAGING_AUTH_LONG=1`.

// Clippy's rules for tests then hold for the whole file.
#![cfg(test)]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use auth_net::{AddressList, ClientAddress, ForwardingField, TrustedProxies, UnknownReason};
use http::{HeaderMap, HeaderName, HeaderValue};

const PROXIES: &str = "10.0.0.0/8, 192.168.7.0/24, 203.0.113.7, 2001:db8:cafe::/48, fd00::/8";

#[test]
fn the_client_address_depends_only_on_what_trusted_proxies_did() {
    let long = std::env::var_os("MESSAGING_AUTH_LONG").is_some_and(|value| value == "1");
    let cases = if long { 1_000_000 } else { 20_000 };
    let addresses: AddressList = PROXIES.parse().unwrap();
    let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
    for case in 0..cases {
        let mut random = Random(case);
        let field = random.pick(&[ForwardingField::XForwardedFor, ForwardingField::Forwarded]);
        let request = Request::through_proxies(field, &addresses, &mut random);
        let headers = request.headers(&mut random);
        let answer = TrustedProxies::new(addresses.clone(), field)
            .client_address(mapped_at_times(request.from, &mut random), &headers);
        assert_eq!(answer, request.expected(), "case {case}: {headers:?}");
        *outcomes.entry(name(answer)).or_default() += 1;
    }
    let kinds: Vec<&str> = outcomes.keys().copied().collect();
    let all = [
        "known",
        "malformed",
        "missing",
        "obfuscated",
        "only_proxies",
        "too_long",
        "too_many_hops",
    ];
    assert_eq!(kinds, all, "every kind of answer has to come up: {outcomes:?}");
    println!("{cases} header sets: {outcomes:?}");
}

fn name(answer: ClientAddress) -> &'static str {
    match answer {
        ClientAddress::Known(_) => "known",
        ClientAddress::Unknown(reason) => reason.code(),
    }
}

/// A request on its way to the server.
struct Request {
    field: ForwardingField,
    lines: Vec<Vec<u8>>,
    /// Who is connected to whoever has the request now.
    from: IpAddr,
    from_a_proxy: bool,
    proxies: usize,
    /// What the proxies so far have made knowable.
    known: Result<IpAddr, UnknownReason>,
}

impl Request {
    fn through_proxies(
        field: ForwardingField,
        addresses: &AddressList,
        random: &mut Random,
    ) -> Self {
        let mut request = if random.one_in(50) {
            let from = proxy(random);
            let known = Err(UnknownReason::Missing);
            Self { field, lines: Vec::new(), from, from_a_proxy: true, proxies: 0, known }
        } else {
            let from = outsider(addresses, random);
            let lines = attack(random);
            Self { field, lines, from, from_a_proxy: false, proxies: 0, known: Ok(from) }
        };
        match random.below(40) {
            0 => {}
            1 => (0..60 + random.below(10)).for_each(|_| request.pass(Proxy::Appends, random)),
            _ => (0..=random.below(6)).for_each(|_| {
                let proxy = random.pick(&Proxy::MOSTLY_GOOD);
                request.pass(proxy, random);
            }),
        }
        request
    }

    /// A proxy takes the request from `from`, writes that down or fails to, and passes it on.
    fn pass(&mut self, proxy: Proxy, random: &mut Random) {
        match proxy {
            Proxy::Appends | Proxy::Replaces => {
                if proxy == Proxy::Replaces {
                    self.lines.clear();
                }
                if self.from_a_proxy && self.lines.is_empty() {
                    self.known = Err(UnknownReason::OnlyProxies);
                }
                let element = self.element(self.from, random);
                self.write(element, random);
            }
            Proxy::Hides => {
                self.known = Err(UnknownReason::Obfuscated);
                let element = self.hidden(random);
                self.write(element, random);
            }
            Proxy::Breaks => {
                let (element, reason) = self.broken(random);
                self.known = Err(reason);
                self.write(element, random);
            }
            Proxy::Removes => {
                self.known = Err(UnknownReason::Missing);
                self.lines.clear();
            }
        }
        self.from = crate::proxy(random);
        self.from_a_proxy = true;
        self.proxies += 1;
    }

    /// Appends to the last line, or as a line of its own (RFC 7239 section 4 permits both).
    fn write(&mut self, element: Vec<u8>, random: &mut Random) {
        let padded = [random.space(), element, random.space()].concat();
        match self.lines.last_mut() {
            Some(line) if random.one_in(2) => {
                line.push(b',');
                line.extend(padded);
            }
            _ => self.lines.push(padded),
        }
    }

    fn expected(&self) -> ClientAddress {
        let bytes: usize = self.lines.iter().map(Vec::len).sum();
        if !self.from_a_proxy {
            ClientAddress::Known(self.from)
        } else if bytes > TrustedProxies::MAX_BYTES {
            ClientAddress::Unknown(UnknownReason::TooLong)
        } else if self.proxies > TrustedProxies::MAX_HOPS {
            ClientAddress::Unknown(UnknownReason::TooManyHops)
        } else {
            self.known.map_or_else(ClientAddress::Unknown, ClientAddress::Known)
        }
    }

    fn headers(&self, random: &mut Random) -> HeaderMap {
        let (name, other) = match self.field {
            ForwardingField::XForwardedFor => ("x-forwarded-for", "forwarded"),
            _ => ("forwarded", "x-forwarded-for"),
        };
        let mut headers = HeaderMap::new();
        for look_alike in [other, "x_forwarded_for", "x-real-ip", "connection"] {
            if random.one_in(3) {
                for line in attack(random) {
                    headers.append(look_alike, HeaderValue::from_bytes(&line).unwrap());
                }
            }
        }
        for line in &self.lines {
            let value = HeaderValue::from_bytes(line).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    }

    /// A well-formed element that names this address.
    fn element(&self, address: IpAddr, random: &mut Random) -> Vec<u8> {
        match self.field {
            ForwardingField::XForwardedFor => match address {
                IpAddr::V6(_) if random.one_in(2) => text(address, random).into_bytes(),
                IpAddr::V4(v4) if random.one_in(8) => v4.to_ipv6_mapped().to_string().into_bytes(),
                _ => node(address, random).into_bytes(),
            },
            _ => {
                let node = node(address, random);
                self.pairs(value(node.as_bytes(), random), random)
            }
        }
    }

    fn hidden(&self, random: &mut Random) -> Vec<u8> {
        match self.field {
            ForwardingField::XForwardedFor => b"unknown".to_vec(),
            _ => {
                let name = random.pick(&["unknown", "Unknown", "_hidden", "_a.b-c_d:80"]);
                self.pairs(value(name.as_bytes(), random), random)
            }
        }
    }

    fn broken(&self, random: &mut Random) -> (Vec<u8>, UnknownReason) {
        let element: &[u8] = match self.field {
            ForwardingField::XForwardedFor => random.pick(&[
                &b""[..],
                b"localhost",
                b"fe80::1%eth0",
                b"192.0.2",
                b"192.0.2.1.5",
                b"192.0.2.01",
                b"[192.0.2.1]",
                b"192.0.2.1:",
                b"192.0.2.1:123456",
                b"\"192.0.2.1\"",
                b"192.0.2.1 192.0.2.2",
                b"for=192.0.2.1",
                b"unix:",
                b"192.0.2.1\xff",
            ]),
            _ if random.one_in(3) => {
                let element = random.pick(&[&b""[..], b"proto=https", b"by=192.0.2.1;x=\",\""]);
                return (element.to_vec(), UnknownReason::Missing);
            }
            _ => random.pick(&[
                &b"for"[..],
                b"for=",
                b"192.0.2.1",
                b"for=2001:db8::1",
                b"for=\"2001:db8::1\"",
                b"for=[2001:db8::1]",
                b"for=192.0.2.1:80",
                b"for=\"[fe80::1%25eth0]\"",
                b"for=192.0.2.1;for=192.0.2.1",
                b"for=192.0.2.1;FOR=\"192.0.2.1\"",
                b"for=192.0.2.1; proto=http",
                b"for=192.0.2.1;proto",
                b"for=\"192.0.2.1",
                b"for=\xff",
            ]),
        };
        (element.to_vec(), UnknownReason::Malformed)
    }

    /// A `Forwarded` element: `for` among other parameters, one of which repeats what the client
    /// sent elsewhere, quoted as it must be.
    fn pairs(&self, value: Vec<u8>, random: &mut Random) -> Vec<u8> {
        let mut pairs = vec![[random.pick(&[&b"for="[..], b"For=", b"FOR="]), &value[..]].concat()];
        while random.one_in(2) {
            let pair = match random.below(5) {
                0 => b"proto=https".to_vec(),
                1 => b"by=\"[2001:db8::1]:80\"".to_vec(),
                2 => b"x=\"\"".to_vec(),
                3 => Vec::new(),
                _ => [b"host=", &quoted(&junk(random), random)[..]].concat(),
            };
            let place = random.below(pairs.len() + 1);
            pairs.insert(place, pair);
        }
        pairs.join(&b';')
    }
}

/// What a trusted proxy does with the field.
#[derive(Clone, Copy, PartialEq)]
enum Proxy {
    Appends,
    Replaces,
    /// Writes `unknown` or an obfuscated identifier.
    Hides,
    /// Writes something that names no address.
    Breaks,
    /// Takes `Connection: X-Forwarded-For` literally, and writes nothing itself.
    Removes,
}

impl Proxy {
    const MOSTLY_GOOD: [Self; 20] = {
        let mut proxies = [Self::Appends; 20];
        proxies[0] = Self::Replaces;
        proxies[1] = Self::Hides;
        proxies[2] = Self::Breaks;
        proxies[3] = Self::Removes;
        proxies
    };
}

/// Lines that anybody may have written, among them what a proxy would write.
fn attack(random: &mut Random) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    while random.one_in(2) {
        lines.push(junk(random));
    }
    if random.one_in(50) {
        let length = random.below(2 * TrustedProxies::MAX_BYTES);
        let filling = junk(random);
        lines.push(b"x".iter().chain(&filling).copied().cycle().take(length).collect());
    }
    lines
}

fn junk(random: &mut Random) -> Vec<u8> {
    const PIECES: &[&[u8]] = &[
        b",",
        b", ",
        b";",
        b"\"",
        b"\\",
        b"\\\"",
        b"=",
        b"=\"",
        b"for=",
        b"for=\"",
        b"For=\"[",
        b"]",
        b"[",
        b":",
        b"%",
        b" ",
        b"\t",
        b"unknown",
        b"_hidden",
        b"host=\"",
        b"10.0.0.1",
        b"10.0.0.1, 10.0.0.2",
        b"192.0.2.66",
        b"for=192.0.2.66",
        b"for=10.0.0.1,",
        b"::1",
        b"[2001:db8:cafe::1]:80",
        b"fe80::1%eth0",
        b"\xff\x80",
        b"proto=http",
        b"x",
    ];
    let mut line = Vec::new();
    for _ in 0..random.below(12) {
        match random.below(6) {
            0 => {
                let byte = u8::try_from(random.below(256)).unwrap();
                line.push(if byte < 32 || byte == 127 { b'\t' } else { byte });
            }
            _ => line.extend_from_slice(random.pick(PIECES)),
        }
    }
    line
}

fn quoted(text: &[u8], random: &mut Random) -> Vec<u8> {
    let mut quoted = vec![b'"'];
    for &byte in text {
        if matches!(byte, b'"' | b'\\') || random.one_in(16) {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    quoted.push(b'"');
    quoted
}

/// A parameter's value: a token where that is enough, at times, else a quoted string.
fn value(text: &[u8], random: &mut Random) -> Vec<u8> {
    let token = text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
    if token && random.one_in(2) { text.to_vec() } else { quoted(text, random) }
}

/// An address in brackets where it needs them, perhaps with a port.
fn node(address: IpAddr, random: &mut Random) -> String {
    let name = match mapped_at_times(address, random) {
        IpAddr::V4(v4) => v4.to_string(),
        v6 => format!("[{}]", text(v6, random)),
    };
    match random.below(4) {
        0 => format!("{name}:{}", random.below(65_536)),
        1 => format!("{name}:_port-{}", random.below(9)),
        _ => name,
    }
}

fn text(address: IpAddr, random: &mut Random) -> String {
    match (address, random.below(4)) {
        (IpAddr::V6(v6), 0) => v6.segments().map(|segment| format!("{segment:x}")).join(":"),
        (IpAddr::V6(v6), 1) => v6.segments().map(|segment| format!("{segment:04X}")).join(":"),
        (_, 2) => address.to_string().to_ascii_uppercase(),
        _ => address.to_string(),
    }
}

fn mapped_at_times(address: IpAddr, random: &mut Random) -> IpAddr {
    match address {
        IpAddr::V4(v4) if random.one_in(4) => v4.to_ipv6_mapped().into(),
        _ => address,
    }
}

fn proxy(random: &mut Random) -> IpAddr {
    let low = u16::try_from(random.below(65_536)).unwrap();
    let [high, last] = low.to_be_bytes();
    match random.below(5) {
        0 => Ipv4Addr::new(192, 168, 7, last).into(),
        1 => Ipv4Addr::new(203, 0, 113, 7).into(),
        2 => Ipv6Addr::new(0x2001, 0xdb8, 0xcafe, low, 0, 0, 0, low).into(),
        3 => Ipv6Addr::new(0xfd00, low, 0, 0, 0, 0, 0, 1).into(),
        _ => Ipv4Addr::new(10, high, last, 1).into(),
    }
}

fn outsider(proxies: &AddressList, random: &mut Random) -> IpAddr {
    loop {
        let bits = u128::from(random.next()) << 64 | u128::from(random.next());
        let address: IpAddr = match random.below(3) {
            0 => Ipv6Addr::from_bits(bits).into(),
            1 => Ipv4Addr::new(203, 0, 113, bits.to_be_bytes()[0]).into(),
            _ => Ipv4Addr::from_bits(u32::try_from(bits >> 96).unwrap()).into(),
        };
        if !proxies.contains(address) {
            return address.to_canonical();
        }
    }
}

/// SplitMix64: the case number is the seed, so a failure names everything needed to repeat it.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn one_in(&mut self, chance: usize) -> bool {
        self.below(chance) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn space(&mut self) -> Vec<u8> {
        self.pick(&[&b""[..], b"", b" ", b"\t", b"  "]).to_vec()
    }
}
