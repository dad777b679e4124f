//! Verifies API keys.

use super::{Placement, is_key, placement::Place};
use crate::{KeyDigest, KeyHasher};
use auth_core::{
    Accepted, Authorization, Challenge, Flow, Lookup, Outcome, Presence, Reason, Rejection,
    RequestView, Result, one_field,
};
use std::{borrow::Cow, fmt};

/// Verifies keys in one place, looked up by their keyed hash.
///
/// Only that place is read: a key in the query opens nothing unless the verifier was built for the query. The challenge
/// is `App realm=".."` for a scheme word, and `ApiKey realm=".."` for a field or the query, which have no registered
/// scheme.
///
/// ```
/// use auth_core::SystemRandom;
/// use auth_static::{KeyHasher, Keys, Placement, api_key};
/// let hasher = KeyHasher::random(&SystemRandom::new())?;
/// let keys = Keys::new(&hasher, [("b7c2d1e0-55aa", "acme")]);
/// let door = api_key::Verifier::new("webhooks", Placement::header("key")?, hasher, keys)?;
/// # let _: &dyn auth_core::Verifier<Principal = &str> = &door;
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Verifier<L> {
    place: Place,
    hasher: KeyHasher,
    keys: L,
    challenge: Challenge,
}

impl<L: Lookup<KeyDigest>> Verifier<L> {
    /// Verifies keys of this realm.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the realm has control characters.
    pub fn new(realm: &str, placement: Placement, hasher: KeyHasher, keys: L) -> Result<Self> {
        let scheme = match &placement.0 {
            Place::Scheme(word) => word,
            _ => "ApiKey",
        };
        let challenge = Challenge::build(scheme).quoted("realm", realm).finish()?;
        Ok(Self { place: placement.0, hasher, keys, challenge })
    }

    /// The one key that is presented.
    fn key<'a>(&self, request: RequestView<'a>) -> Result<Cow<'a, [u8]>, Rejection> {
        let presented = match &self.place {
            Place::Header(name) => {
                one_field(request.headers, name)?.map(|value| Cow::Borrowed(value.as_bytes()))
            }
            Place::Scheme(word) => match Authorization::of(request.headers)? {
                Some(authorization) if authorization.is(word) => {
                    return authorization.opaque().map(Cow::Borrowed);
                }
                _ => None,
            },
            Place::Query(name) => {
                match one_parameter(request.uri.query().unwrap_or_default(), name)? {
                    Some(value) => {
                        Some(percent_decode(value).ok_or_else(|| self.refuse(MALFORMED))?)
                    }
                    None => None,
                }
            }
        };
        match presented {
            Some(key) if is_key(&key) => Ok(key),
            Some(_) => Err(self.refuse(MALFORMED)),
            None => Err(self.refuse(MISSING)),
        }
    }

    fn refuse(&self, reason: Reason) -> Rejection {
        Rejection::unauthenticated(reason, self.challenge.clone())
    }
}

impl<L: Lookup<KeyDigest>> auth_core::Verifier for Verifier<L> {
    type Principal = L::Found;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        let present = match &self.place {
            Place::Scheme(word) => return Authorization::presence(head, word),
            Place::Header(name) => head.headers.contains_key(name),
            Place::Query(name) => {
                parameters(head.uri.query().unwrap_or_default(), name).next().is_some()
            }
        };
        if present { Presence::Present } else { Presence::Absent }
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<L::Found>> {
        let key = match self.key(request) {
            Ok(key) => key,
            Err(rejection) => return Flow::ready(Err(rejection)),
        };
        self.keys.lookup(&self.hasher.digest(&key)).map(|found| match found {
            Some(principal) => Ok(Accepted::new("ApiKey", principal)),
            None => Err(self.refuse(UNKNOWN)),
        })
    }
}

impl<L> fmt::Debug for Verifier<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("api_key::Verifier").field("place", &self.place).finish_non_exhaustive()
    }
}

/// The values of a parameter, still encoded. Its name is found in whatever way it was encoded.
fn parameters<'q>(query: &'q str, name: &str) -> impl Iterator<Item = &'q str> {
    query.split('&').filter_map(move |pair| {
        let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
        percent_decode(found).is_some_and(|found| *found == *name.as_bytes()).then_some(value)
    })
}

fn one_parameter<'q>(query: &'q str, name: &str) -> Result<Option<&'q str>, Rejection> {
    let mut values = parameters(query, name);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(Rejection::malformed(SEVERAL)),
    }
}

/// Undoes percent-encoding; `None` when a percent sign is not followed by two hex digits. A plus sign stays one.
fn percent_decode(text: &str) -> Option<Cow<'_, [u8]>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text.as_bytes()));
    }
    let digit = |byte: Option<u8>| u8::try_from(char::from(byte?).to_digit(16)?).ok();
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'%' {
            digit(bytes.next())? << 4 | digit(bytes.next())?
        } else {
            byte
        });
    }
    Some(Cow::Owned(out))
}

const MISSING: Reason = Reason::new("api_key_missing", "no API key where it is expected");
const MALFORMED: Reason =
    Reason::new("api_key_malformed", "API key is empty, too long, or not visible ASCII");
const SEVERAL: Reason =
    Reason::new("api_key_several", "more than one API key in the query, expected one");
const UNKNOWN: Reason = Reason::new("api_key_unknown", "API key is unknown, inactive or expired");
