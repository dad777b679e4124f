//! The text of the tokens that this library makes.

use auth_core::{Error, Random, Reason, Result, Secret};
use crc::{CRC_32_ISO_HDLC, Crc, Table};
use std::{fmt, str, sync::Arc};
use zeroize::Zeroizing;

/// Makes tokens of one kind for one environment: `<prefix>_<environment>_<id>_<secret>_<checksum>`.
///
/// The prefix says what the token is, so that a person, a proxy or a leak scanner recognizes it; the environment keeps
/// a test token out of production. The id is public: it may be shown and logged. The secret is 33 random characters
/// of base62, which is 196 bits. The checksum finds tokens that were cut off or mistyped, and texts that are no token,
/// without a look-up. A double click selects the whole token, since it holds only letters, digits and underscores.
///
/// # Security
///
/// The checksum is a filter and proves nothing: anyone can compute it. It is the CRC-32 of gzip and PNG
/// (CRC-32/ISO-HDLC) of the text before the last underscore, in six characters of base62 with the digits `0-9A-Za-z`.
///
/// ```
/// use auth_core::SystemRandom;
/// use auth_lifecycle::{ParsedToken, TokenFormat, masked_token};
/// let format = TokenFormat::new("sk", "live")?;
/// let token = format.generate(&SystemRandom::new())?;
/// assert!(token.expose().starts_with("sk_live_"));
///
/// let parsed = ParsedToken::parse(token.expose()).unwrap();
/// assert!(parsed.is_of(&format));
/// assert_eq!(parsed.id(), token.id());
/// assert_eq!(masked_token(token.expose()), format!("sk_live_....{}", &token.id()[8..]));
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFormat {
    prefix: Arc<str>,
    environment: Arc<str>,
}

const ID: usize = 12;
const SECRET: usize = 33;
const CHECKSUM: usize = 6;
const MOST_LABEL: usize = 8;
const MOST_BYTES: usize = 2 * MOST_LABEL + ID + SECRET + CHECKSUM + 4;

impl TokenFormat {
    /// Tokens with this prefix in this environment, such as `sk` and `live`.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_token_prefix` or `lifecycle_token_environment` when one of them is not 2
    /// to 8 lower-case letters and digits.
    pub fn new(prefix: impl Into<Arc<str>>, environment: impl Into<Arc<str>>) -> Result<Self> {
        let (prefix, environment) = (prefix.into(), environment.into());
        let wrong = |code, field, value: &str| {
            let text = format!(
                "{field} of a token format is {value:?}, expected 2 to {MOST_LABEL} lower-case letters and digits"
            );
            Error::config(code, text)
        };
        if !is_label(&prefix) {
            return Err(wrong("lifecycle_token_prefix", "prefix", &prefix));
        }
        if !is_label(&environment) {
            return Err(wrong("lifecycle_token_environment", "environment", &environment));
        }
        Ok(Self { prefix, environment })
    }

    /// A new token.
    ///
    /// # Errors
    ///
    /// Those of `random`; `Error::Unavailable` with the code `lifecycle_token_random` when nearly all of its bytes are
    /// alike, so that no token can be made of them.
    pub fn generate(&self, random: &dyn Random) -> Result<TokenText> {
        // As long as it will be, so that it is never moved and no copy stays behind.
        let mut text = Zeroizing::new(String::with_capacity(MOST_BYTES));
        for part in [&self.prefix, &self.environment] {
            text.push_str(part);
            text.push('_');
        }
        let id_at = text.len();
        push_random(&mut text, ID, random)?;
        text.push('_');
        push_random(&mut text, SECRET, random)?;
        let checksum = checksum(text.as_bytes());
        text.push('_');
        text.extend(checksum.map(char::from));
        Ok(TokenText { text, id_at })
    }

    /// The regular expression that finds such tokens in any text, to be published to those who scan for leaked secrets.
    ///
    /// It is understood by Perl, PCRE, Python, Go, Rust, Java, JavaScript and `grep -E`. What it finds is a token when
    /// the checksum agrees.
    #[must_use]
    pub fn scanner_expression(&self) -> String {
        let Self { prefix, environment } = self;
        let of = |length| format!("[0-9A-Za-z]{{{length}}}");
        let (id, secret, checksum) = (of(ID), of(SECRET), of(CHECKSUM));
        format!(r"\b{prefix}_{environment}_{id}_{secret}_{checksum}\b")
    }
}

/// A token as its owner gets it: the whole text, which is a secret and is wiped when dropped.
///
/// `Debug` shows prefix, environment and id, and it has no `Display`.
pub struct TokenText {
    text: Zeroizing<String>,
    id_at: usize,
}

impl TokenText {
    /// The whole text, to be given to the token's owner once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The public part that tells this token from all others of its format: 12 random characters. It may be shown and
    /// logged.
    #[must_use]
    pub fn id(&self) -> &str {
        self.public().get(self.id_at..).unwrap_or_default()
    }

    /// The whole text as a secret, to be hashed or sealed. It is not copied.
    #[must_use]
    pub fn into_secret(mut self) -> Secret {
        Secret::new(std::mem::take(&mut *self.text))
    }

    /// Everything before the secret.
    fn public(&self) -> &str {
        self.text.get(..self.id_at.saturating_add(ID)).unwrap_or_default()
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenText({}_..)", self.public())
    }
}

/// The public parts of a text that has the form of a token and the right checksum.
///
/// It is proof of nothing: a look-up by the keyed hash of the whole text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsedToken<'t> {
    prefix: &'t str,
    environment: &'t str,
    id: &'t str,
}

const FOREIGN: Reason = Reason::new(
    "lifecycle_token_foreign",
    "token does not have the form prefix_environment_id_secret_checksum; send the token as it was issued",
);
const WRONG_CHECKSUM: Reason = Reason::new(
    "lifecycle_token_checksum",
    "checksum of the token is wrong: it was changed or mistyped; send the token as it was issued",
);

impl<'t> ParsedToken<'t> {
    /// Reads what somebody presented, in one pass and without allocating. Nothing longer than a token is looked at.
    ///
    /// It takes about half as long as the keyed hash of the token. So a server that has most callers in memory looks
    /// there first, and reads what it did not find before it asks a store.
    ///
    /// # Errors
    ///
    /// A reason with the code `lifecycle_token_foreign` when the text does not have the form of a token, and
    /// `lifecycle_token_checksum` when it has the form and another checksum.
    pub fn parse(presented: &'t (impl AsRef<[u8]> + ?Sized)) -> Result<Self, Reason> {
        let bytes = presented.as_ref();
        let Some((parsed, body, presented_checksum)) = read(bytes) else { return Err(FOREIGN) };
        if presented_checksum.as_bytes() != checksum(body.as_bytes()) {
            return Err(WRONG_CHECKSUM);
        }
        Ok(parsed)
    }

    /// Does the token have the prefix and the environment of this format?
    #[must_use]
    pub fn is_of(&self, format: &TokenFormat) -> bool {
        *self.prefix == *format.prefix && *self.environment == *format.environment
    }

    /// The prefix, which says what kind of token it is.
    #[must_use]
    pub fn prefix(&self) -> &'t str {
        self.prefix
    }

    /// The environment.
    #[must_use]
    pub fn environment(&self) -> &'t str {
        self.environment
    }

    /// The public part that tells this token from all others of its format.
    #[must_use]
    pub fn id(&self) -> &'t str {
        self.id
    }
}

/// Shows which token it is to people who may not see it: prefix, environment and the last four characters of the id.
/// Of any other text, dots alone, always as many.
///
/// ```
/// use auth_lifecycle::masked_token;
/// assert_eq!(masked_token("0f8fad5b-d9cb-469f-a165-70867728950e"), "........");
/// ```
#[must_use]
pub fn masked_token(text: &(impl AsRef<[u8]> + ?Sized)) -> String {
    let Ok(ParsedToken { prefix, environment, id }) = ParsedToken::parse(text) else {
        return String::from("........");
    };
    let end = id.get(ID - 4..).unwrap_or_default();
    format!("{prefix}_{environment}_....{end}")
}

/// The token, the text that its checksum is of, and the checksum that it came with.
fn read(bytes: &[u8]) -> Option<(ParsedToken<'_>, &str, &str)> {
    if bytes.len() > MOST_BYTES {
        return None;
    }
    let text = str::from_utf8(bytes).ok()?;
    let (body, checksum) = text.rsplit_once('_')?;
    let mut parts = body.split('_');
    let (prefix, environment) = (parts.next()?, parts.next()?);
    let (id, secret) = (parts.next()?, parts.next()?);
    let formed = is_label(prefix)
        && is_label(environment)
        && is_base62(id, ID)
        && is_base62(secret, SECRET)
        && is_base62(checksum, CHECKSUM)
        && parts.next().is_none();
    formed.then_some((ParsedToken { prefix, environment, id }, body, checksum))
}

fn is_label(text: &str) -> bool {
    let of_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (2..=MOST_LABEL).contains(&text.len()) && text.bytes().all(of_label)
}

fn is_base62(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

const DIGITS: [u8; 62] = *b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Draws characters of which each is as likely as any other: of 64 values of six bits, two are thrown away.
fn push_random(text: &mut String, count: usize, random: &dyn Random) -> Result<()> {
    const MOST_DRAWS: usize = 8;
    let mut drawn = Zeroizing::new([0; 64]);
    let mut missing = count;
    for _ in 0..MOST_DRAWS {
        random.fill(&mut *drawn)?;
        let digits = drawn.iter().filter_map(|byte| DIGITS.get(usize::from(byte & 63)));
        for digit in digits.take(missing) {
            text.push(char::from(*digit));
            missing = missing.saturating_sub(1);
        }
        if missing == 0 {
            return Ok(());
        }
    }
    let text =
        "random generator gives nearly the same byte over and over; use the one of the system";
    Err(Error::unavailable("lifecycle_token_random", None, text))
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM] {
    // Sixteen bytes in each step: half the time of a whole reading, for 16 KiB of constants.
    const CRC32: &Crc<u32, Table<16>> = &Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
    let mut rest = CRC32.checksum(body);
    let mut text = [b'0'; CHECKSUM];
    for place in text.iter_mut().rev() {
        let digit = usize::try_from(rest % 62).ok().and_then(|digit| DIGITS.get(digit));
        *place = digit.copied().unwrap_or(b'0');
        rest /= 62;
    }
    text
}

#[cfg(test)]
mod tests;
