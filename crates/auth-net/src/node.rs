//! The name of a node: an address, perhaps with a port (RFC 7239 section 6).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::client_address::UnknownReason;

/// The canonical address of
/// `node = ( IPv4address / "[" IPv6address "]" / "unknown" / obfnode ) [ ":" node-port ]`.
pub(crate) fn address(node: &str) -> Result<IpAddr, UnknownReason> {
    if let Some(bracketed) = node.strip_prefix('[') {
        let (name, port) = bracketed.split_once(']').ok_or(UnknownReason::Malformed)?;
        if !port.is_empty() && !port.strip_prefix(':').is_some_and(is_port) {
            return Err(UnknownReason::Malformed);
        }
        let address: Ipv6Addr = name.parse().map_err(|_| UnknownReason::Malformed)?;
        return Ok(address.to_canonical());
    }
    let (name, port) = match node.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (node, None),
    };
    if port.is_some_and(|port| !is_port(port)) {
        return Err(UnknownReason::Malformed);
    }
    if name.eq_ignore_ascii_case("unknown") || is_obfuscated(name) {
        return Err(UnknownReason::Obfuscated);
    }
    name.parse().map(|address: Ipv4Addr| address.into()).map_err(|_| UnknownReason::Malformed)
}

/// `node-port = 1*5DIGIT / obfport`.
fn is_port(text: &str) -> bool {
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits || is_obfuscated(text)
}

/// `obfnode` and `obfport`: `"_" 1*( ALPHA / DIGIT / "." / "_" / "-" )`.
fn is_obfuscated(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.strip_prefix('_').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(allowed))
}
