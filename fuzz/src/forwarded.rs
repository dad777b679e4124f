//! The input is the lines of a forwarding field. Whatever they hold, an address that comes out is
//! no proxy's; and what trusted proxies append afterwards decides alone.

use std::net::IpAddr;

use auth_net::{AddressList, ClientAddress, ForwardingField, TrustedProxies, UnknownReason};
use http::{HeaderMap, HeaderValue};

const FIELDS: [(ForwardingField, &str, &str); 2] = [
    (
        ForwardingField::XForwardedFor,
        "x-forwarded-for",
        "[2001:db8::60]:4711 , ::ffff:10.0.0.7,10.0.0.8",
    ),
    (
        ForwardingField::Forwarded,
        "forwarded",
        r#"host="a,\"b\\";for="[2001:db8::60]:4711" , for=10.0.0.7;x="",For="[::ffff:10.0.0.8]""#,
    ),
];

/// Holds for the lines of a forwarding field.
pub fn forwarded(data: &[u8]) {
    let addresses = AddressList::new(["10.0.0.0/8"]).unwrap();
    let peer: IpAddr = "10.0.0.1".parse().unwrap();
    let client = ClientAddress::Known("2001:db8::60".parse().unwrap());
    let lines: Vec<&[u8]> = data.split(|&byte| byte == b'\n').collect();

    for (field, name, appended) in FIELDS {
        let proxies = TrustedProxies::new(addresses.clone(), field);
        let ask = |lines: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                if let Ok(value) = HeaderValue::from_bytes(line) {
                    headers.append(name, value);
                }
            }
            let bytes: usize = headers.get_all(name).iter().map(HeaderValue::len).sum();
            let answer = proxies.client_address(peer, &headers);
            let too_long = answer == ClientAddress::Unknown(UnknownReason::TooLong);
            assert_eq!(too_long, bytes > TrustedProxies::MAX_BYTES);
            (answer, too_long)
        };

        let (answer, _) = ask(&lines);
        assert!(!answer.is_on(&addresses));

        let (answer, too_long) = ask(&[&lines[..], &[appended.as_bytes()]].concat());
        assert!(too_long || answer == client);

        let joined = [data, b",", appended.as_bytes()].concat();
        let lines: Vec<&[u8]> = joined.split(|&byte| byte == b'\n').collect();
        if HeaderValue::from_bytes(lines[lines.len() - 1]).is_ok() {
            let (answer, too_long) = ask(&lines);
            assert!(too_long || answer == client);
        }
    }
}
