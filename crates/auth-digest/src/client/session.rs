//! What is kept of a challenge: an authentication session (RFC 2617 section 3.3).

use super::policy::Choice;
use crate::{
    BodyHash, DigestAlgorithm, DigestChallenge, DigestProtection, Ha1, HashFunction, HexDigest,
    NonceCount, NonceUse, Qop, SessionHa1, Username,
    authorization::{Front, rest_length, write_rest},
    parameters::write_escaped,
    response::{UnderNonce, ha2, userhash},
};
use auth_core::{Error, Result, Secret};
use http::HeaderValue;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A user name and password.
pub(crate) struct User {
    pub(crate) name: Box<str>,
    pub(crate) password: Secret,
}

impl User {
    pub(crate) fn ha1(&self, function: HashFunction, realm: &[u8]) -> Ha1 {
        Ha1::new(function, &self.name, realm, self.password.expose())
    }
}

/// What all nonces of one protection space have in common.
pub(crate) struct Terms {
    user: Arc<User>,
    form: Form,
    pub(crate) realm: Box<[u8]>,
    /// As it stands between the quotes.
    opaque: Option<Box<[u8]>>,
    named: Option<DigestAlgorithm>,
    pub(crate) algorithm: DigestAlgorithm,
    pub(crate) qop: Option<Qop>,
    ha1: Ha1,
}

/// How the user name is written.
pub(super) enum Form {
    Plain,
    Extended,
    Hashed(HexDigest),
}

impl Form {
    pub(super) fn new(challenge: &DigestChallenge<'_>, function: HashFunction, name: &str) -> Self {
        match (challenge.userhash, challenge.utf8 && !name.is_ascii()) {
            (true, _) => Self::Hashed(userhash(function, name, &challenge.realm)),
            (false, true) => Self::Extended,
            (false, false) => Self::Plain,
        }
    }

    pub(super) fn write<'a>(&'a self, name: &'a str) -> Username<'a> {
        match self {
            Self::Plain => Username::Plain(name.into()),
            Self::Extended => Username::Extended(name.into()),
            Self::Hashed(hash) => Username::Hashed(hash.as_bytes()),
        }
    }
}

impl Terms {
    /// Those of a challenge. `known` spares a hash where it is of the same realm and hash function.
    pub(crate) fn new(
        challenge: &DigestChallenge<'_>,
        choice: Choice,
        user: &Arc<User>,
        known: Option<&Self>,
    ) -> Self {
        let function = choice.algorithm.function();
        let same =
            |known: &&Self| known.ha1.function() == function && *known.realm == *challenge.realm;
        let ha1 = match known.filter(same) {
            Some(known) => known.ha1.clone(),
            None => user.ha1(function, &challenge.realm),
        };
        Self {
            user: Arc::clone(user),
            form: Form::new(challenge, function, &user.name),
            realm: (*challenge.realm).into(),
            opaque: challenge.opaque.map(Into::into),
            named: match challenge.named {
                crate::NamedAlgorithm::Known(algorithm) => Some(algorithm),
                _ => None,
            },
            algorithm: choice.algorithm,
            qop: choice.qop,
            ha1,
        }
    }

    /// Those that a person typed.
    pub(crate) fn typed(fields: &super::DigestPreset<'_>, user: &Arc<User>) -> Self {
        let algorithm = fields.algorithm.unwrap_or(DigestAlgorithm::Md5);
        let opaque = fields.opaque.map(|opaque| {
            let mut out = Vec::with_capacity(opaque.len());
            write_escaped(opaque.as_bytes(), &mut out);
            out.into()
        });
        Self {
            user: Arc::clone(user),
            form: Form::Plain,
            realm: fields.realm.as_bytes().into(),
            opaque,
            named: fields.algorithm,
            algorithm,
            qop: fields.qop,
            ha1: user.ha1(algorithm.function(), fields.realm.as_bytes()),
        }
    }
}

/// One nonce, and everything about it that is the same for each request: what is left for a request is to hash its
/// method and target, and to finish the hash of the response.
pub(crate) struct AuthenticationSession {
    pub(crate) terms: Arc<Terms>,
    cnonce: Box<[u8]>,
    /// The credentials up to the target.
    front: Box<[u8]>,
    pub(crate) ha1: SessionHa1,
    under: UnderNonce,
    /// The next count. Wider than a count, so that it never begins again.
    next: AtomicU64,
    counting: ClientNonceCounting,
}

/// What becomes of the nonce count from one request to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientNonceCounting {
    /// It rises, as it must (RFC 7616 section 3.4).
    Rising,
    /// It stays what it is, for receivers that compare with what was typed into a form.
    ///
    /// # Security
    ///
    /// Every request to one target then has the same credentials, so an attacker who reads one can send it again for ever.
    Repeated,
}

impl AuthenticationSession {
    pub(crate) fn begin(
        terms: Arc<Terms>,
        nonce: &[u8],
        cnonce: &[u8],
        first: NonceCount,
        counting: ClientNonceCounting,
    ) -> Self {
        let ha1 = terms.ha1.session(terms.algorithm, nonce, cnonce);
        let written = Front {
            username: &terms.form.write(&terms.user.name),
            realm: &terms.realm,
            nonce,
            algorithm: terms.named,
            opaque: terms.opaque.as_deref(),
            counted: terms.qop.map(|qop| (qop, cnonce)),
        };
        let mut front = Vec::with_capacity(written.length());
        written.write(&mut front);
        Self {
            cnonce: cnonce.into(),
            front: front.into(),
            under: ha1.under(nonce),
            ha1,
            next: AtomicU64::new(first.number().into()),
            counting,
            terms,
        }
    }

    /// The next count, `None` when all are used up.
    fn count(&self) -> Option<NonceCount> {
        let count = match self.counting {
            ClientNonceCounting::Rising => self.next.fetch_add(1, Ordering::Relaxed),
            ClientNonceCounting::Repeated => self.next.load(Ordering::Relaxed),
        };
        u32::try_from(count).ok().and_then(NonceCount::new)
    }

    /// The value of the field for a request; `None` when the nonce has been counted to its end.
    pub(crate) fn answer(
        &self,
        method: &str,
        uri: &str,
        body: impl FnOnce(HashFunction) -> Option<BodyHash>,
    ) -> Result<Option<HeaderValue>> {
        let function = self.ha1.function();
        // Before it is counted: a request that fails for want of its body uses up no count.
        let body = match self.terms.qop {
            Some(Qop::AuthInt) => Some(body(function).ok_or_else(unread)?),
            _ => None,
        };
        let count = match self.terms.qop {
            None => None,
            Some(_) => match self.count() {
                None => return Ok(None),
                Some(nc) => Some(NonceUse { nc, cnonce: &self.cnonce }),
            },
        };
        let protection = match (count, body) {
            (Some(count), Some(body)) => DigestProtection::AuthInt(count, body),
            (Some(count), None) => DigestProtection::Auth(count),
            (None, _) => DigestProtection::Legacy,
        };
        let ha2 = ha2(function, method, uri.as_bytes(), &protection);
        let response = self.under.response(&protection, &ha2);
        let (nc, response) = (count.map(|count| count.nc), response.as_bytes());
        // Exactly as long as it gets: the field then keeps it as it is.
        let rest = rest_length(uri.as_bytes(), nc, response);
        let mut out = Vec::with_capacity(self.front.len().saturating_add(rest));
        out.extend_from_slice(&self.front);
        write_rest(uri.as_bytes(), nc, response, &mut out);
        field(out).map(Some)
    }
}

pub(super) fn field(text: Vec<u8>) -> Result<HeaderValue> {
    HeaderValue::try_from(text).map_err(|error| Error::config("digest_unprintable", error))
}

fn unread() -> Error {
    let text = "body was not read and is signed under auth-int; buffer it, or choose auth with ChallengePolicy::with_qop";
    Error::config("digest_body_unread", text)
}

impl fmt::Debug for AuthenticationSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthenticationSession({})", self.terms.algorithm)
    }
}
