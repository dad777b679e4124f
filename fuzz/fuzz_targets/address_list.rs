//! The input is the text of an address list. What parses prints as canonical text, which parses
//! to the same list; and a list contains its own entries, in either form of an IPv4 address.

#![no_main]

use std::net::IpAddr;

use auth_net::AddressList;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
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
});
