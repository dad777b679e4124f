//! The credentials of a request, read and written (RFC 7616 section 3.4).

mod write;

pub(crate) use write::{Front, rest_length, write_rest};

use crate::{
    BodyHash, DigestAlgorithm, DigestMessage, DigestProtection, NonceCount, NonceUse, Qop,
    hash::is_hex,
    parameters::{self, DigestParameter, Value},
    reason::{self, DigestRefused},
    user::has_control,
    username::read_ext,
};
use std::{borrow::Cow, fmt, str};

/// What a client answers to a challenge: the parameters of an `Authorization: Digest` field.
///
/// # Security
///
/// Read strictly: each parameter once, quoted where the specification has it quoted (`algorithm` and `qop` may be either
/// way, since clients in use quote them), counts and hashes in their one spelling. Nothing of it is proven yet.
/// `Debug` shows nothing.
///
/// ```
/// use auth_digest::{DigestAlgorithm, DigestResponse, Qop};
/// let credentials = concat!(
///     r#"username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", "#,
///     r#"uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", "#,
///     r#"response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41""#,
/// );
/// let read = DigestResponse::parse(credentials.as_bytes())?;
/// assert_eq!((read.algorithm(), read.qop()), (DigestAlgorithm::Md5, Some(Qop::Auth)));
/// # Ok::<_, auth_digest::DigestRefused>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DigestResponse<'a> {
    /// The user that the caller claims to be.
    pub username: Username<'a>,
    /// The realm, without quotes and escapes.
    pub realm: Cow<'a, [u8]>,
    /// The server's nonce.
    pub nonce: Cow<'a, [u8]>,
    /// The target that the client meant.
    pub uri: Cow<'a, [u8]>,
    /// The algorithm, where one is named.
    pub named: Option<DigestAlgorithm>,
    /// What the server sent along, as it stands between the quotes.
    pub opaque: Option<&'a [u8]>,
    /// What keeps requests apart, where there is a `qop`.
    pub counted: Option<PresentedNonceUse<'a>>,
    /// The response, in hexadecimal digits.
    pub response: &'a [u8],
}

/// The three parameters that come together.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentedNonceUse<'a> {
    /// `qop`.
    pub qop: Qop,
    /// `nc`.
    pub nc: NonceCount,
    /// `cnonce`.
    pub cnonce: Cow<'a, [u8]>,
}

/// The three ways to say who one is.
#[derive(Clone, PartialEq, Eq)]
pub enum Username<'a> {
    /// `username`.
    Plain(Cow<'a, str>),
    /// `username*`, for names outside ASCII.
    Extended(Cow<'a, str>),
    /// `username` with `userhash=true`: the hash of name and realm in hexadecimal digits.
    Hashed(&'a [u8]),
}

impl<'a> DigestResponse<'a> {
    /// Reads what stands behind the scheme.
    ///
    /// # Errors
    ///
    /// The first reason that was found.
    pub fn parse(credentials: &'a [u8]) -> Result<Self, DigestRefused> {
        let mut found = Found::default();
        parameters::read(credentials, |name, value| found.set(name, value))?;
        found.whole()
    }

    /// The algorithm: MD5 where none is named.
    #[must_use]
    pub fn algorithm(&self) -> DigestAlgorithm {
        self.named.unwrap_or(DigestAlgorithm::Md5)
    }

    /// The quality of protection, if there is one.
    #[must_use]
    pub fn qop(&self) -> Option<Qop> {
        self.counted.as_ref().map(|counted| counted.qop)
    }

    /// The cnonce, empty where there is none: what a `-sess` secret is made with.
    pub(crate) fn cnonce(&self) -> &[u8] {
        self.counted.as_ref().map_or(&b""[..], |counted| &counted.cnonce)
    }

    /// What the response has to be about; `None` when that is a body and its hash is not known.
    #[must_use]
    pub fn message<'m>(
        &'m self,
        method: &'m str,
        body: Option<BodyHash>,
    ) -> Option<DigestMessage<'m>> {
        let protection = match &self.counted {
            None => DigestProtection::Legacy,
            Some(counted) => {
                let count = NonceUse { nc: counted.nc, cnonce: &counted.cnonce };
                match counted.qop {
                    Qop::Auth => DigestProtection::Auth(count),
                    Qop::AuthInt => DigestProtection::AuthInt(count, body?),
                }
            }
        };
        Some(DigestMessage { method, uri: &self.uri, nonce: &self.nonce, protection })
    }

    /// The value of its field, scheme included; what is written reads the same again.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        let front = Front {
            username: &self.username,
            realm: &self.realm,
            nonce: &self.nonce,
            algorithm: self.named,
            opaque: self.opaque,
            counted: self.counted.as_ref().map(|counted| (counted.qop, &*counted.cnonce)),
        };
        front.write(&mut out);
        write_rest(&self.uri, self.counted.as_ref().map(|it| it.nc), self.response, &mut out);
        out
    }
}

impl fmt::Debug for DigestResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestResponse(..)")
    }
}

impl fmt::Debug for PresentedNonceUse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresentedNonceUse({}, {}, ..)", self.qop, self.nc)
    }
}

/// Shows the form, never the name.
impl fmt::Debug for Username<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain(..)",
            Self::Extended(_) => "Extended(..)",
            Self::Hashed(_) => "Hashed(..)",
        })
    }
}

/// What was read so far.
#[derive(Default)]
struct Found<'a> {
    username: Option<Value<'a>>,
    extended: Option<Value<'a>>,
    userhash: Option<Value<'a>>,
    realm: Option<Value<'a>>,
    nonce: Option<Value<'a>>,
    uri: Option<Value<'a>>,
    response: Option<Value<'a>>,
    algorithm: Option<Value<'a>>,
    opaque: Option<Value<'a>>,
    qop: Option<Value<'a>>,
    nc: Option<Value<'a>>,
    cnonce: Option<Value<'a>>,
}

impl<'a> Found<'a> {
    #[inline]
    fn set(&mut self, name: DigestParameter, value: Value<'a>) -> Result<(), DigestRefused> {
        let (slot, form) = match name {
            DigestParameter::User => (&mut self.username, Some(QUOTED)),
            DigestParameter::Realm => (&mut self.realm, Some(QUOTED)),
            DigestParameter::Nonce => (&mut self.nonce, Some(QUOTED)),
            DigestParameter::Uri => (&mut self.uri, Some(QUOTED)),
            DigestParameter::Response => (&mut self.response, Some(QUOTED)),
            DigestParameter::Opaque => (&mut self.opaque, Some(QUOTED)),
            DigestParameter::Cnonce => (&mut self.cnonce, Some(QUOTED)),
            DigestParameter::Nc => (&mut self.nc, Some(TOKEN)),
            DigestParameter::UserHash => (&mut self.userhash, Some(TOKEN)),
            DigestParameter::UserExt => (&mut self.extended, Some(TOKEN)),
            DigestParameter::Algorithm => (&mut self.algorithm, None),
            DigestParameter::Qop => (&mut self.qop, None),
            _ => return Ok(()),
        };
        match form {
            Some(Written::Quoted) if !value.is_quoted() => Err(reason::UNQUOTED),
            Some(Written::Token) if value.is_quoted() => Err(reason::QUOTED),
            _ => {
                *slot = Some(value);
                Ok(())
            }
        }
    }

    fn whole(&self) -> Result<DigestResponse<'a>, DigestRefused> {
        let realm = self.realm.ok_or(reason::REALM_MISSING)?.bytes();
        let nonce = self.nonce.ok_or(reason::NONCE_MISSING)?.bytes();
        let uri = self.uri.ok_or(reason::URI_MISSING)?.bytes();
        let response = self.response.ok_or(reason::RESPONSE_MISSING)?.raw();
        let named = match self.algorithm {
            None => None,
            Some(value) => {
                Some(DigestAlgorithm::named(value.raw()).ok_or(reason::ALGORITHM_UNKNOWN)?)
            }
        };
        let algorithm = named.unwrap_or(DigestAlgorithm::Md5);
        if !is_hash(algorithm, response) {
            return Err(reason::RESPONSE_FORM);
        }
        let counted = self.counted()?;
        if counted.is_none() && algorithm.is_session() {
            return Err(reason::SESSION_WITHOUT_QOP);
        }
        let username = self.username(algorithm)?;
        let opaque = self.opaque.map(Value::raw);
        Ok(DigestResponse { username, realm, nonce, uri, named, opaque, counted, response })
    }

    fn counted(&self) -> Result<Option<PresentedNonceUse<'a>>, DigestRefused> {
        let Some(qop) = self.qop else {
            return match (self.nc, self.cnonce) {
                (Some(_), _) => Err(reason::NC_WITHOUT_QOP),
                (None, Some(_)) => Err(reason::CNONCE_WITHOUT_QOP),
                (None, None) => Ok(None),
            };
        };
        let qop = Qop::named(qop.raw()).ok_or(reason::QOP_UNKNOWN)?;
        let nc = NonceCount::read(self.nc.ok_or(reason::NC_MISSING)?.raw());
        let cnonce = self.cnonce.filter(|value| !value.raw().is_empty());
        Ok(Some(PresentedNonceUse {
            qop,
            nc: nc.ok_or(reason::NC_FORM)?,
            cnonce: cnonce.ok_or(reason::CNONCE_MISSING)?.bytes(),
        }))
    }

    fn username(&self, algorithm: DigestAlgorithm) -> Result<Username<'a>, DigestRefused> {
        let hashed = match self.userhash {
            None => false,
            Some(value) if value.is(b"false") => false,
            Some(value) if value.is(b"true") => true,
            Some(_) => return Err(reason::USERHASH_VALUE),
        };
        match (self.username, self.extended) {
            (None, None) => Err(reason::USERNAME_MISSING),
            (Some(_), Some(_)) => Err(reason::USERNAME_SEVERAL),
            (Some(value), None) if hashed && is_hash(algorithm, value.raw()) => {
                Ok(Username::Hashed(value.raw()))
            }
            _ if hashed => Err(reason::USERHASH_FORM),
            (Some(value), None) => text(value).map(Username::Plain).ok_or(reason::USERNAME_TEXT),
            (None, Some(value)) => read_ext(value.raw())
                .filter(|name| !has_control(name))
                .map(|name| Username::Extended(name.into()))
                .ok_or(reason::USERNAME_EXT),
        }
    }
}

/// How a value has to be written.
enum Written {
    Quoted,
    Token,
}

const QUOTED: Written = Written::Quoted;
const TOKEN: Written = Written::Token;

fn is_hash(algorithm: DigestAlgorithm, text: &[u8]) -> bool {
    text.len() == algorithm.function().digits() && is_hex(text)
}

fn text(value: Value<'_>) -> Option<Cow<'_, str>> {
    let text = match value.bytes() {
        Cow::Borrowed(bytes) => Cow::Borrowed(str::from_utf8(bytes).ok()?),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).ok()?),
    };
    Some(text).filter(|text| !has_control(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"username="Mufasa", realm="r", nonce="n", uri="/a", qop=auth, nc=00000001, cnonce="c", response="6629fae49393a05397450978507c4ef1""#;

    /// What becomes of good credentials when one piece of them is another.
    #[track_caller]
    fn check(from: &str, to: &str, expected: Result<(), DigestRefused>) {
        assert!(GOOD.contains(from), "{from}");
        let changed = GOOD.replacen(from, to, 1);
        let read = DigestResponse::parse(changed.as_bytes());
        assert_eq!(read.as_ref().map(|_| ()).map_err(|refused| *refused), expected, "{changed}");
        if let Ok(read) = read {
            let written = read.write();
            let again = DigestResponse::parse(written.strip_prefix(b"Digest ").unwrap());
            assert_eq!(again.unwrap(), read, "{changed}");
        }
    }

    #[test]
    fn reads_what_clients_write() {
        check("", "", Ok(()));
        check("qop=auth", "qop=\"auth\", algorithm=\"MD5\"", Ok(()));
        check("qop=auth", "QOP=AUTH-INT, Algorithm=md5-sess", Ok(()));
        check("qop=auth", "qop=auth, x=y, charset=UTF-8", Ok(()));
        check("qop=auth", "qop=auth, opaque=\"\\\"verbatim\\a\"", Ok(()));
        check("/a", "/a?b=\\\"c\\\"", Ok(()));
        check("Mufasa", "DOMAIN\\\\user \\\"x\\\"", Ok(()));
        check("Mufasa", "", Ok(()));
        check("Mufasa", "J\u{e4}s\u{f8}n", Ok(()));
        check("username=\"Mufasa\"", "username*=UTF-8''J%C3%A4s%C3%B8n", Ok(()));
        check("username=\"Mufasa\"", "userhash=false, username=\"Mufasa\"", Ok(()));
        check("Mufasa\"", "6629fae49393a05397450978507c4ef1\", userhash=true", Ok(()));
        check(", qop=auth, nc=00000001, cnonce=\"c\"", "", Ok(()));
    }

    #[test]
    fn wants_every_parameter_that_a_response_is_made_of() {
        check("username=\"Mufasa\", ", "", Err(reason::USERNAME_MISSING));
        check("realm=\"r\", ", "", Err(reason::REALM_MISSING));
        check("nonce=\"n\", ", "", Err(reason::NONCE_MISSING));
        check("uri=\"/a\", ", "", Err(reason::URI_MISSING));
        check(", response=\"6629fae49393a05397450978507c4ef1\"", "", Err(reason::RESPONSE_MISSING));
        check("nc=00000001, ", "", Err(reason::NC_MISSING));
        check(", cnonce=\"c\"", "", Err(reason::CNONCE_MISSING));
        check("cnonce=\"c\"", "cnonce=\"\"", Err(reason::CNONCE_MISSING));
    }

    #[test]
    fn without_qop_there_is_neither_count_nor_cnonce_nor_session() {
        check("qop=auth, ", "", Err(reason::NC_WITHOUT_QOP));
        check("qop=auth, nc=00000001, ", "", Err(reason::CNONCE_WITHOUT_QOP));
        let legacy = "algorithm=MD5-sess";
        check("qop=auth, nc=00000001, cnonce=\"c\"", legacy, Err(reason::SESSION_WITHOUT_QOP));
    }

    #[test]
    fn quotes_are_where_the_specification_has_them() {
        for (from, to) in [
            ("\"Mufasa\"", "Mufasa"),
            ("\"r\"", "r"),
            ("\"n\"", "n"),
            ("\"c\"", "c"),
            ("\"6629fae49393a05397450978507c4ef1\"", "6629fae49393a05397450978507c4ef1"),
            ("qop=auth", "qop=auth, opaque=x"),
        ] {
            check(from, to, Err(reason::UNQUOTED));
        }
        check("00000001", "\"00000001\"", Err(reason::QUOTED));
        check("qop", "userhash=\"true\", qop", Err(reason::QUOTED));
        check("username=\"Mufasa\"", "username*=\"UTF-8''a\"", Err(reason::QUOTED));
        check("\"/a\"", "/a", Err(reason::SYNTAX));
    }

    #[test]
    fn a_hash_and_a_count_have_one_spelling() {
        for (from, to) in [("f1\"", "F1\""), ("f1\"", "f\""), ("f1\"", "f1f\""), ("f1\"", "g1\"")] {
            check(from, to, Err(reason::RESPONSE_FORM));
        }
        check("qop", "algorithm=SHA-256, qop", Err(reason::RESPONSE_FORM));
        for nc in ["1", "00000000", "0000000A", "000000001"] {
            check("00000001", nc, Err(reason::NC_FORM));
        }
    }

    #[test]
    fn there_is_one_reading_of_the_user_name() {
        check("qop", "username*=UTF-8''a, qop", Err(reason::USERNAME_SEVERAL));
        check("qop", "userhash=true, qop", Err(reason::USERHASH_FORM));
        check("qop", "userhash=yes, qop", Err(reason::USERHASH_VALUE));
        check(
            "username=\"Mufasa\"",
            "userhash=true, username*=UTF-8''a",
            Err(reason::USERHASH_FORM),
        );
        check("username=\"Mufasa\"", "username*=latin1''a", Err(reason::USERNAME_EXT));
        check("username=\"Mufasa\"", "username*=UTF-8''a%0a", Err(reason::USERNAME_EXT));
        check("Mufasa", "a\tb", Err(reason::USERNAME_TEXT));
        let latin1: Vec<u8> =
            GOOD.bytes().map(|byte| if byte == b'M' { 0xe4 } else { byte }).collect();
        assert_eq!(DigestResponse::parse(&latin1), Err(reason::USERNAME_TEXT));
    }

    #[test]
    fn refuses_what_nobody_can_check() {
        check("qop", "algorithm=SHA-1, qop", Err(reason::ALGORITHM_UNKNOWN));
        check("qop=auth", "qop=auth-conf", Err(reason::QOP_UNKNOWN));
        check("qop=auth", "qop=\"auth,auth-int\"", Err(reason::QOP_UNKNOWN));
        check("realm=\"r\"", "realm=\"r\", Realm=\"r\"", Err(reason::TWICE));
        check("qop", "x=1, x=2, qop", Err(reason::TWICE));
    }

    #[test]
    fn shows_nothing() {
        let read = DigestResponse::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(format!("{read:?} {:?}", read.username), "DigestResponse(..) Plain(..)");
    }
}
