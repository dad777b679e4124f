//! The input is the text of an address list. What parses prints as canonical text, which parses
//! to the same list; and a list contains its own entries, in either form of an IPv4 address.

use std::{net::IpAddr, str};

use auth_net::AddressList;

/// Holds for the text of an address list.
pub fn address_list(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let Ok(list) = text.parse::<AddressList>() else { return };
    let canonical = list.to_string();
    assert_eq!(canonical.parse::<AddressList>().as_ref(), Ok(&list));
    assert_eq!(canonical.parse::<AddressList>().unwrap().to_string(), canonical);
    assert_eq!(list.is_empty(), canonical.is_empty());

    for entry in canonical.split(", ").filter(|entry| !entry.is_empty()) {
        let address = entry.split('/').next().unwrap();
        let address: IpAddr = address.parse().unwrap();
        assert!(list.contains(address));
        if let IpAddr::V4(address) = address {
            assert!(list.contains(address.to_ipv6_mapped().into()));
        }
    }
}
