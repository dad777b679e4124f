//! What a Digest challenge says, read and written (RFC 7616 section 3.3).

use crate::{
    DigestAlgorithm, OfferedQop,
    parameters::{self, DigestParameter},
};
use auth_core::{Challenge, ChallengeView, Challenges, Error, ParameterValue, Result};
use std::{borrow::Cow, str};

/// What a Digest challenge says. Parameters that nobody knows are passed over.
///
/// ```
/// use auth_core::Challenges;
/// use auth_digest::{DigestAlgorithm, DigestChallenge, OfferedQop};
/// let field = br#"digest Realm="a", qop="auth,auth-int,x", algorithm=md5-sess, nonce="b", stale=TRUE, new=1"#;
/// let view = Challenges::parse(field).next().unwrap()?;
/// let challenge = DigestChallenge::of(&view)?;
/// assert_eq!((challenge.algorithm(), challenge.offered), (Some(DigestAlgorithm::Md5Sess), OfferedQop::Both));
/// assert!(challenge.stale);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestChallenge<'a> {
    /// Where the user name and password belong, without quotes and escapes.
    pub realm: Cow<'a, [u8]>,
    /// The nonce.
    pub nonce: Cow<'a, [u8]>,
    /// What the client sends back as it is, as it stands between the quotes.
    pub opaque: Option<&'a [u8]>,
    /// The URIs of the protection space, apart by spaces; the whole server when there are none.
    pub domain: Option<Cow<'a, [u8]>>,
    /// Was the last nonce too old, and nothing else wrong?
    pub stale: bool,
    /// The algorithm.
    pub named: NamedAlgorithm,
    /// The qualities of protection.
    pub offered: OfferedQop,
    /// Does the server want user names in UTF-8, and say so?
    pub utf8: bool,
    /// Does the server know users by the hash of their name?
    pub userhash: bool,
}

/// The `algorithm` of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedAlgorithm {
    /// None is named: MD5.
    Absent,
    /// This one.
    Known(DigestAlgorithm),
    /// One that is not implemented: such a challenge is passed over (RFC 7616 section 3.3).
    Unknown,
}

impl<'a> DigestChallenge<'a> {
    /// Reads one of several challenges.
    ///
    /// # Errors
    ///
    /// `Error::Protocol` when it is not Digest, or has no realm or nonce.
    pub fn of(view: &ChallengeView<'a>) -> Result<Self> {
        if !view.is(SCHEME) {
            return Err(not_digest());
        }
        let mut found = Found::default();
        for parameter in view.parameters() {
            found.set(parameter.name.as_bytes(), parameter.value);
        }
        found.whole()
    }

    /// Reads a field that is one Digest challenge and nothing else. For an answer that may have several challenges read
    /// [`Challenges`] and give each to [`of`](Self::of).
    ///
    /// # Errors
    ///
    /// `Error::Protocol` when it is not that, or has no realm or nonce.
    pub fn parse(field: &'a [u8]) -> Result<Self> {
        let mut challenges = Challenges::parse(field);
        let challenge = Self::next(&mut challenges).ok_or_else(not_digest)?;
        let challenge = challenge?.ok_or_else(not_digest)?;
        match Self::next(&mut challenges) {
            None => Ok(challenge),
            Some(Err(error)) => Err(error),
            Some(Ok(_)) => Err(unreadable("expected one challenge and nothing behind it")),
        }
    }

    /// Reads the next of several challenges; `Ok(None)` where it is of another scheme.
    #[inline]
    pub(crate) fn next(challenges: &mut Challenges<'a>) -> Option<Result<Option<Self>>> {
        let mut found = Found::default();
        let read = challenges.next_with(|name, value| found.set(name, value))?;
        Some(match read {
            Err(error) => Err(unreadable(error)),
            Ok(view) if view.is(SCHEME) => found.whole().map(Some),
            Ok(_) => Ok(None),
        })
    }

    /// The algorithm, MD5 where none is named; `None` for one that is not implemented.
    #[must_use]
    pub const fn algorithm(&self) -> Option<DigestAlgorithm> {
        match self.named {
            NamedAlgorithm::Absent => Some(DigestAlgorithm::Md5),
            NamedAlgorithm::Known(algorithm) => Some(algorithm),
            NamedAlgorithm::Unknown => None,
        }
    }

    /// The challenge as a server sends it, quoted where the specification has it quoted.
    ///
    /// # Errors
    ///
    /// `Error::Config` when a value is one that no field can hold, or is not UTF-8.
    pub fn write(&self) -> Result<Challenge> {
        let text = |bytes: &'_ [u8]| -> Result<String> {
            let text = "value of a challenge is not UTF-8";
            let unprintable = || Error::config("challenge_unprintable", text);
            str::from_utf8(bytes).map(str::to_owned).map_err(|_| unprintable())
        };
        let mut challenge = Challenge::build(SCHEME).quoted("realm", &text(&self.realm)?);
        if let Some(domain) = &self.domain {
            challenge = challenge.quoted("domain", &text(domain)?);
        }
        challenge = challenge.quoted("nonce", &text(&self.nonce)?);
        if let Some(opaque) = self.opaque {
            challenge = challenge.quoted("opaque", &text(&parameters::unescape(opaque))?);
        }
        if self.stale {
            challenge = challenge.token("stale", "true");
        }
        if let NamedAlgorithm::Known(algorithm) = self.named {
            challenge = challenge.token("algorithm", algorithm.name());
        }
        if let Some(list) = self.offered.list() {
            challenge = challenge.quoted("qop", list);
        }
        if self.utf8 {
            challenge = challenge.token("charset", "UTF-8");
        }
        if self.userhash {
            challenge = challenge.token("userhash", "true");
        }
        challenge.finish()
    }
}

pub(crate) const SCHEME: &str = "Digest";

/// What was read so far.
#[derive(Default)]
struct Found<'a> {
    realm: Option<ParameterValue<'a>>,
    nonce: Option<ParameterValue<'a>>,
    opaque: Option<ParameterValue<'a>>,
    domain: Option<ParameterValue<'a>>,
    stale: Option<ParameterValue<'a>>,
    algorithm: Option<ParameterValue<'a>>,
    qop: Option<ParameterValue<'a>>,
    charset: Option<ParameterValue<'a>>,
    userhash: Option<ParameterValue<'a>>,
}

impl<'a> Found<'a> {
    #[inline]
    fn set(&mut self, name: &[u8], value: ParameterValue<'a>) {
        let slot = match DigestParameter::of(name) {
            DigestParameter::Realm => &mut self.realm,
            DigestParameter::Nonce => &mut self.nonce,
            DigestParameter::Opaque => &mut self.opaque,
            DigestParameter::Domain => &mut self.domain,
            DigestParameter::Stale => &mut self.stale,
            DigestParameter::Algorithm => &mut self.algorithm,
            DigestParameter::Qop => &mut self.qop,
            DigestParameter::Charset => &mut self.charset,
            DigestParameter::UserHash => &mut self.userhash,
            _ => return,
        };
        *slot = Some(value);
    }

    fn whole(self) -> Result<DigestChallenge<'a>> {
        let missing = |text| Error::protocol("digest_challenge_missing", text);
        let realm = self.realm.ok_or_else(|| missing("challenge has no realm"))?;
        let nonce = self.nonce.ok_or_else(|| missing("challenge has no nonce"))?;
        let is = |value: Option<ParameterValue<'_>>, word| {
            value.is_some_and(|value| value.raw().eq_ignore_ascii_case(word))
        };
        Ok(DigestChallenge {
            realm: realm.bytes(),
            nonce: nonce.bytes(),
            opaque: self.opaque.map(ParameterValue::raw),
            domain: self.domain.map(ParameterValue::bytes),
            stale: is(self.stale, &b"true"[..]),
            named: match self.algorithm.map(|value| DigestAlgorithm::named(value.raw())) {
                None => NamedAlgorithm::Absent,
                Some(None) => NamedAlgorithm::Unknown,
                Some(Some(algorithm)) => NamedAlgorithm::Known(algorithm),
            },
            offered: self.qop.map_or(OfferedQop::Legacy, |value| OfferedQop::read(value.raw())),
            utf8: is(self.charset, &b"UTF-8"[..]),
            userhash: is(self.userhash, &b"true"[..]),
        })
    }
}

/// A field of challenges that cannot be read.
pub(crate) fn unreadable(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::protocol("digest_challenge_syntax", why)
}

fn not_digest() -> Error {
    Error::protocol("digest_challenge_scheme", "challenge is not of the scheme Digest")
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::Challenges;
    use proptest::prelude::*;

    #[track_caller]
    fn check(list: &str, expected: std::result::Result<&str, &str>) {
        let field = format!("Digest {list}");
        let printed = DigestChallenge::parse(field.as_bytes())
            .map(|challenge| challenge.write().unwrap().to_string())
            .map_err(|error| error.code());
        assert_eq!(printed.as_deref().map_err(|code| *code), expected, "{list}");
    }

    #[test]
    fn knows_every_parameter_in_any_case_and_passes_over_the_rest() {
        check("realm=\"a\", nonce=\"b\"", Ok("Digest realm=\"a\", nonce=\"b\""));
        check(
            "Realm=\"a \\\"b\\\"\",NONCE=\"b\",algorithm=\"sha-256-SESS\",qop=auth,Stale=\"TRUE\"",
            Ok(
                "Digest realm=\"a \\\"b\\\"\", nonce=\"b\", stale=true, algorithm=SHA-256-sess, qop=\"auth\"",
            ),
        );
        check(
            "realm=\"\", nonce=\"\", opaque=\"\\\\\", domain=\"/a http://b\", charset=utf-8, userhash=true, x=\"y\"",
            Ok(
                "Digest realm=\"\", domain=\"/a http://b\", nonce=\"\", opaque=\"\\\\\", charset=UTF-8, userhash=true",
            ),
        );
        check(
            "realm=r, nonce=n, opaque=o, stale=no, charset=latin1, userhash=maybe, qop=\"auth-int , auth\"",
            Ok("Digest realm=\"r\", nonce=\"n\", opaque=\"o\", qop=\"auth, auth-int\""),
        );
    }

    #[test]
    fn wants_a_realm_and_a_nonce() {
        check("nonce=\"b\"", Err("digest_challenge_missing"));
        check("realm=\"a\"", Err("digest_challenge_missing"));
        check("", Err("digest_challenge_missing"));
        check("realm=\"a", Err("digest_challenge_syntax"));
        check("realm=\"a\", nonce=\"n\", =", Err("digest_challenge_syntax"));
        check("realm=\"a\", realm=\"b\", nonce=\"n\"", Err("digest_challenge_syntax"));
        check("realm=\"a\", nonce=\"n\", Basic realm=\"b\"", Err("digest_challenge_syntax"));
    }

    #[test]
    fn an_algorithm_that_nobody_knows_is_not_md5() {
        let read =
            |list: &'static str| DigestChallenge::parse(list.as_bytes()).unwrap().algorithm();
        assert_eq!(read("Digest realm=\"a\", nonce=\"b\", algorithm=SHA-3"), None);
        assert_eq!(read("Digest realm=\"a\", nonce=\"b\""), Some(DigestAlgorithm::Md5));
        assert_eq!(
            read("Digest realm=\"a\", nonce=\"b\", algorithm=md5"),
            Some(DigestAlgorithm::Md5)
        );
    }

    #[test]
    fn another_scheme_is_not_digest() {
        for field in ["Basic realm=\"a\"", "DigestX realm=\"a\"", ""] {
            let refused = DigestChallenge::parse(field.as_bytes()).unwrap_err();
            assert_eq!(refused.code(), "digest_challenge_scheme", "{field}");
        }
        let view = Challenges::parse(b"Basic realm=\"a\"").next().unwrap().unwrap();
        assert_eq!(DigestChallenge::of(&view).unwrap_err().code(), "digest_challenge_scheme");
    }

    fn offered() -> impl Strategy<Value = OfferedQop> {
        use OfferedQop::*;
        prop_oneof![Just(Legacy), Just(Auth), Just(AuthInt), Just(Both)]
    }

    fn named() -> impl Strategy<Value = NamedAlgorithm> {
        let known =
            proptest::sample::select(&DigestAlgorithm::ALL[..]).prop_map(NamedAlgorithm::Known);
        prop_oneof![Just(NamedAlgorithm::Absent), known]
    }

    proptest! {
        #[test]
        fn what_a_server_writes_a_client_reads(
            texts in ("[ -~\u{e9}\t]{0,30}", "[!-~]{0,30}", proptest::option::of("[!-\\[\\]-~&&[^\"]]{0,20}"), proptest::option::of("[/a-z ]{0,20}")),
            stale: bool, named in named(), offered in offered(), utf8: bool, userhash: bool,
        ) {
            let (realm, nonce, opaque, domain) = &texts;
            let challenge = DigestChallenge {
                realm: realm.as_bytes().into(),
                nonce: nonce.as_bytes().into(),
                opaque: opaque.as_ref().map(|opaque| opaque.as_bytes()),
                domain: domain.as_ref().map(|domain| domain.as_bytes().into()),
                stale, named, offered, utf8, userhash,
            };
            let written = challenge.write().unwrap();
            prop_assert_eq!(&DigestChallenge::parse(written.field().as_bytes()).unwrap(), &challenge);
        }
    }
}
