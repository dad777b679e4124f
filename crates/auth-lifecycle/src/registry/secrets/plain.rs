//! A new secret before anything is kept of it: made here, or checked when it was brought along.

use super::NewSecret;
use crate::{
    CommandRefusal, FoundBy, Kind, ParsedToken, StorageClass, masked_token, registry::Inner,
};
use auth_core::{Error, Result, Secret};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::sync::Arc;
use zeroize::Zeroizing;

const BASE64_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A secret before anything is kept of it.
pub(super) struct Plain {
    pub(super) name: Option<Arc<str>>,
    pub(super) realm: Option<Arc<str>>,
    pub(super) value: Option<Secret>,
    pub(super) sha256: Option<[u8; 32]>,
    /// Was it made here, so that it has to be shown?
    pub(super) is_new: bool,
}

/// Text that anybody may type is no longer than this.
const MOST_NAME_BYTES: usize = 200;

impl Inner {
    pub(super) fn plain(&self, kind: Kind, secret: &NewSecret) -> Result<Plain, Unprepared> {
        let row = kind.row();
        let given = |name: Option<Arc<str>>, value: &[u8]| Plain {
            name,
            realm: None,
            value: Some(Secret::new(value)),
            sha256: None,
            is_new: false,
        };
        Ok(match (row.found_by, secret) {
            (FoundBy::Token, NewSecret::Generated) => {
                let format = self.formats.get(&kind).ok_or_else(|| wrong(kind))?;
                let token = format.generate(&*self.random)?;
                let name = mask(token.expose().as_bytes());
                let value = token.into_secret();
                Plain { is_new: true, value: Some(value), ..given(name, b"") }
            }
            (FoundBy::Token, NewSecret::Given(token)) => {
                check_token(kind, token)?;
                given(mask(token.expose()), token.expose())
            }
            (FoundBy::Token, NewSecret::Sha256(hash)) => {
                Plain { value: None, sha256: Some(*hash), ..given(None, b"") }
            }
            (FoundBy::Issuer | FoundBy::Nothing, NewSecret::Generated) => {
                let mut bytes = Zeroizing::new([0; 32]);
                self.random.fill(&mut *bytes)?;
                let value = Secret::new(STANDARD.encode(*bytes));
                Plain { is_new: true, value: Some(value), ..given(None, b"") }
            }
            (FoundBy::Issuer | FoundBy::Nothing, NewSecret::Given(text)) => {
                check_base64(kind, text)?;
                given(None, text.expose())
            }
            (FoundBy::AccessKeyId, NewSecret::Generated) => {
                let id = format!(
                    "AK{}",
                    self.letters(18, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")?.as_str()
                );
                let value = self.letters(40, BASE64_DIGITS)?;
                let value = Secret::new(value.as_bytes());
                Plain { is_new: true, value: Some(value), ..given(Some(id.into()), b"") }
            }
            (FoundBy::AccessKeyId, NewSecret::AccessKey { id, secret }) => {
                given(Some(check_name("access key id", id)?), secret.expose())
            }
            (FoundBy::UserName, NewSecret::Password { user, hash })
                if row.storage == StorageClass::PasswordHash =>
            {
                given(Some(check_user(user)?), hash.expose())
            }
            (FoundBy::UserName | FoundBy::KeyId, NewSecret::PublicKey { name, key })
                if row.storage == StorageClass::Public =>
            {
                given(Some(check_name("name", name)?), key)
            }
            (FoundBy::RealmAndUserName, NewSecret::Ha1 { user, realm, ha1 }) => {
                let realm = Some(check_name("realm", realm)?);
                Plain { realm, ..given(Some(check_user(user)?), ha1.expose()) }
            }
            _ => return Err(wrong(kind)),
        })
    }

    fn letters(&self, length: usize, alphabet: &[u8]) -> Result<Zeroizing<String>> {
        let mut text = Zeroizing::new(String::with_capacity(length));
        let mut bytes = Zeroizing::new(vec![0; length]);
        self.random.fill(&mut bytes)?;
        // Both alphabets have a power of two of letters, so no letter is more frequent.
        for byte in &*bytes {
            let letter = alphabet.get(usize::from(*byte) % alphabet.len().max(1));
            text.push(char::from(letter.copied().unwrap_or_default()));
        }
        Ok(text)
    }
}

/// Why nothing is kept of a secret.
pub(in crate::registry) enum Unprepared {
    /// It is not what its kind wants.
    Refused(CommandRefusal),
    /// We could not make or seal it.
    Failed(Error),
}

impl From<Error> for Unprepared {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Unprepared {
    /// As commands answer.
    pub(in crate::registry) fn answer<T>(self) -> Result<Result<T, CommandRefusal>> {
        match self {
            Self::Refused(refusal) => Ok(Err(refusal)),
            Self::Failed(error) => Err(error),
        }
    }
}

/// The secret does not have the form that its kind wants.
pub(super) fn wrong(kind: Kind) -> Unprepared {
    let expected = match kind.row().found_by {
        FoundBy::Token => "a token of 16 to 4096 visible ASCII characters, or its SHA-256",
        FoundBy::Issuer | FoundBy::Nothing => {
            "the Base64 text, with padding, of at least 32 bytes (RFC 4648 section 4)"
        }
        FoundBy::KeyId => "a public key of RSA in PEM, and its kid",
        FoundBy::UserName if kind == Kind::BotPublicKey => {
            "a public key of RSA in PEM, and the user name of its bot"
        }
        FoundBy::UserName => "a user name, and a hash that begins with $argon2id$",
        FoundBy::RealmAndUserName => {
            "a user name, a realm, and MD5: or SHA-256: with the hexadecimal digits of HA1"
        }
        FoundBy::AccessKeyId => "an access key id and its secret access key",
    };
    Unprepared::Refused(CommandRefusal::Invalid { field: "secret", expected })
}

/// What is shown of a token; `None` of one in a foreign form.
fn mask(token: &[u8]) -> Option<Arc<str>> {
    ParsedToken::parse(token).ok().map(|_| masked_token(token).into())
}

fn check_token(kind: Kind, token: &Secret) -> Result<(), Unprepared> {
    let bytes = token.expose();
    let fits = (16..=4096).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    if fits { Ok(()) } else { Err(wrong(kind)) }
}

fn check_base64(kind: Kind, text: &Secret) -> Result<(), Unprepared> {
    let decoded = STANDARD.decode(text.expose()).map(Zeroizing::new);
    if decoded.is_ok_and(|bytes| bytes.len() >= 32) { Ok(()) } else { Err(wrong(kind)) }
}

/// Basic and Digest end the name at its first colon (RFC 7617 section 2, RFC 7616 section 3.4.2).
fn check_user(user: &Arc<str>) -> Result<Arc<str>, Unprepared> {
    if user.contains(':') {
        let (field, expected) = ("user", "a name without a colon, which ends it on the wire");
        return Err(Unprepared::Refused(CommandRefusal::Invalid { field, expected }));
    }
    check_name("user", user)
}

fn check_name(field: &'static str, name: &Arc<str>) -> Result<Arc<str>, Unprepared> {
    let fits = (1..=MOST_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control);
    if fits {
        return Ok(Arc::clone(name));
    }
    let expected = "1 to 200 bytes without a control character";
    Err(Unprepared::Refused(CommandRefusal::Invalid { field, expected }))
}
