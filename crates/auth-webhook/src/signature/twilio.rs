//! Parameters of a form as Twilio signs them: sorted, each name with its value behind it, nothing between.

use super::{SignatureEncoding, encoding};
use ring::digest;
use std::collections::BTreeSet;

/// The most parameters that are sorted for one request.
const MOST: usize = 1_000;

/// Nothing where there are too many.
pub(super) fn sorted_parameters(body: &[u8]) -> Option<Vec<u8>> {
    let mut sorted = BTreeSet::new();
    // A value that comes twice under one name is signed once.
    for (seen, pair) in url::form_urlencoded::parse(body).enumerate() {
        if seen >= MOST {
            return None;
        }
        sorted.insert(pair);
    }
    let mut signed = Vec::with_capacity(body.len());
    for (name, value) in sorted {
        signed.extend_from_slice(name.as_bytes());
        signed.extend_from_slice(value.as_bytes());
    }
    Some(signed)
}

/// The parameter in which the hash of a body stands that is no form.
const BODY_HASH: &str = "bodySHA256";

pub(super) fn body_hash(body: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, body);
    encoding::write(SignatureEncoding::Hex, hash.as_ref())
}

/// Does the query say that the hash of the body is signed with the URL?
pub(super) fn names_hash(query: &str) -> bool {
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == BODY_HASH)
}

/// Does the query have the hash of this body?
pub(super) fn has_hash_of(query: &str, body: &[u8]) -> bool {
    let mut named =
        url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == BODY_HASH);
    match (named.next(), named.next()) {
        // The hash is no secret: anybody can compute it.
        (Some((_, hash)), None) => hash.eq_ignore_ascii_case(&body_hash(body)),
        _ => false,
    }
}
