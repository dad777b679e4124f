//! The input is a token; and it is a header up to the first line feed and the payload behind it, which are signed here.
//! A token is accepted exactly when a second reading finds its header harmless and ring finds its signature right.

use auth_core::Reason;
use auth_jwt::{JwsAlgorithm, JwsHeader, JwtPolicy, UnverifiedJws, dangerous};
use ring::hmac;

use crate::forged::{self, KEY, Members, RING, decoded, is_stricter};

/// Holds for any bytes.
pub fn jws(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        any_text(text);
    }
    let mut parts = data.splitn(2, |&byte| byte == b'\n');
    let (header, payload) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let token = forged::token(header, payload);
    if token.len() > UnverifiedJws::MOST_BYTES {
        assert_eq!(code(UnverifiedJws::parse(&token).unwrap_err().reason()), "jwt_size");
        return;
    }
    signed(&token, header, payload);
    any_text(&token);
    let at = usize::from(*data.first().unwrap_or(&0)) * token.len() / 256;
    flipped(&token, at, data.len() % 7);
}

fn code(reason: Reason) -> &'static str {
    reason.code
}

/// What is accepted has three parts, each the one encoding of its bytes, and the right signature.
fn any_text(text: &str) {
    let Ok(unverified) = UnverifiedJws::parse(text) else { return };
    let parts: Vec<&str> = text.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let json = decoded(header).expect("canonical");
    assert!(harmless(&json, unverified.header()));
    let key_id = unverified.key_id(&JwtPolicy::new());
    if let Ok(id) = &key_id {
        let members = Members::read(&decoded(payload).expect("canonical")).expect("JSON");
        assert_eq!(id.issuer.as_deref().map(String::from), members.text("iss").flatten());
        assert_eq!(id.kid.as_deref(), unverified.header().key_id());
    }
    let alg = unverified.header().algorithm();
    let message = &text[..text.len() - signature.len() - 1];
    let right =
        decoded(signature).is_some_and(|tag| hmac::verify(&RING, message.as_bytes(), &tag).is_ok());
    let accepted = right && alg == JwsAlgorithm::HS256 && decoded(payload).is_some();
    match unverified.verify(&KEY) {
        Ok(signed) => {
            assert!(accepted);
            assert_eq!(Some(signed.payload()), decoded(payload).as_deref());
            let decoded = dangerous::decode_unverified(text).expect("what is verified");
            assert_eq!(decoded.payload(), signed.payload());
        }
        Err(_) => assert!(!accepted),
    }
}

/// A token with the right signature is refused for its header alone.
fn signed(token: &str, header: &[u8], payload: &[u8]) {
    match UnverifiedJws::parse(token) {
        Ok(unverified) => {
            let of_key = unverified.header().algorithm() == JwsAlgorithm::HS256;
            let verified = unverified.verify(&KEY);
            assert_eq!(verified.is_ok(), of_key);
            assert!(verified.is_ok_and(|signed| signed.payload() == payload) || !of_key);
        }
        Err(refused) => match code(refused.reason()) {
            "jwt_header_json" => {
                assert!(serde_json::from_slice::<serde_json::Value>(header).is_err());
            }
            stricter if is_stricter(stricter) => {}
            _ => assert!(!acceptable(header)),
        },
    }
}

fn harmless(json: &[u8], header: &JwsHeader) -> bool {
    let members = Members::read(json).expect("JSON");
    let typ = members.text("typ").flatten();
    let same = match (header.token_type(), &typ) {
        (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
        (ours, theirs) => ours.is_none() && theirs.is_none(),
    };
    acceptable(json)
        && same
        && header.key_id().map(String::from) == members.text("kid").flatten()
        && members.text("alg").flatten().as_deref() == Some(header.algorithm().name())
}

/// A second reading of what a header has to be.
fn acceptable(json: &[u8]) -> bool {
    const FORBIDDEN: [&str; 2] = ["crit", "b64"];
    let Some(members) = Members::read(json) else { return false };
    let known = |name: String| JwsAlgorithm::ALL.iter().any(|algorithm| algorithm.name() == name);
    members.text("alg").flatten().is_some_and(known)
        && members.text("kid").is_none_or(|kid| kid.is_some_and(|kid| kid.len() <= 128))
        && members.text("typ").is_none_or(|typ| typ.is_some())
        && !FORBIDDEN.iter().any(|name| members.has(name))
}

/// One bit of the token is another: it is refused.
fn flipped(token: &str, at: usize, bit: usize) {
    let mut bytes = token.as_bytes().to_vec();
    bytes[at] ^= 1 << bit;
    let flipped = String::from_utf8(bytes).expect("ASCII");
    let refused = UnverifiedJws::parse(&flipped).and_then(|unverified| unverified.verify(&KEY));
    assert!(refused.is_err(), "{flipped}");
}
