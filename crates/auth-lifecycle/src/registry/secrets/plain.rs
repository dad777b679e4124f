//! A new secret before anything is kept of it: made here, or checked when it was brought along.

use super::NewSecret;
use crate::{FoundBy, Kind, StorageClass, masked_token, registry::Inner};
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
    pub(super) fn plain(&self, kind: Kind, secret: &NewSecret) -> Result<Plain> {
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
                let name = masked_token(token.expose());
                let value = token.into_secret();
                Plain { is_new: true, value: Some(value), ..given(Some(name.into()), b"") }
            }
            (FoundBy::Token, NewSecret::Given(token)) => {
                check_token(token)?;
                given(Some(masked_token(token.expose()).into()), token.expose())
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
                check_base64(text)?;
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
                given(Some(check_name("user", user)?), hash.expose())
            }
            (FoundBy::UserName | FoundBy::KeyId, NewSecret::PublicKey { name, key })
                if row.storage == StorageClass::Public =>
            {
                given(Some(check_name("name", name)?), key)
            }
            (FoundBy::RealmAndUserName, NewSecret::Ha1 { user, realm, ha1 }) => {
                let realm = Some(check_name("realm", realm)?);
                Plain { realm, ..given(Some(check_name("user", user)?), ha1.expose()) }
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

pub(super) fn wrong(kind: Kind) -> Error {
    let text = format!(
        "secret of a {kind} is not of this form; see NewSecret for the forms that each kind of credential takes"
    );
    Error::config("lifecycle_secret_form", text)
}

fn check_token(token: &Secret) -> Result<()> {
    let bytes = token.expose();
    let fits = (16..=4096).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    if fits {
        Ok(())
    } else {
        let text = "token is too short, too long or holds a blank, expected 16 to 4096 visible ASCII characters";
        Err(Error::config("lifecycle_secret_token", text))
    }
}

fn check_base64(text: &Secret) -> Result<()> {
    let decoded = STANDARD.decode(text.expose()).map(Zeroizing::new);
    if decoded.is_ok_and(|bytes| bytes.len() >= 32) {
        Ok(())
    } else {
        let text = "secret is not the Base64 text of at least 32 bytes; encode it with padding (RFC 4648 section 4)";
        Err(Error::config("lifecycle_secret_base64", text))
    }
}

fn check_name(field: &'static str, name: &Arc<str>) -> Result<Arc<str>> {
    let fits = (1..=MOST_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control);
    if fits {
        Ok(Arc::clone(name))
    } else {
        let text = format!("{field} is empty, longer than 200 bytes or holds a control character");
        Err(Error::config("lifecycle_secret_name", text))
    }
}
