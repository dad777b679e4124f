//! What a token says of itself, for hints alone: nothing here is verified, since the pod's own tokens are opaque to a bot.

use auth_core::Timestamp;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use zeroize::Zeroizing;

/// What is read of the claims of a token that is a JWT.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) struct Hints {
    exp: Option<u64>,
    /// May agents do without a key manager token?
    #[serde(rename = "canUseSimplifiedKeyDelivery", default)]
    pub(crate) simplified_key_delivery: bool,
}

impl Hints {
    /// Nothing where the token is no JWT.
    pub(crate) fn of(token: &[u8]) -> Self {
        Self::read(token).unwrap_or_default()
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.exp.map(Timestamp::from_unix)
    }

    fn read(token: &[u8]) -> Option<Self> {
        let mut parts = token.split(|byte| *byte == b'.');
        let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let claims = Zeroizing::new(URL_SAFE_NO_PAD.decode(claims).ok()?);
        serde_json::from_slice(&claims).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(claims: &str, expected: Option<(Option<u64>, bool)>) {
        let token = format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(claims));
        let read = Hints::read(token.as_bytes());
        assert_eq!(read.map(|it| (it.exp, it.simplified_key_delivery)), expected, "{claims}");
    }

    #[test]
    fn hints_are_read_of_a_jwt_and_of_nothing_else() {
        check(r#"{"exp":7,"canUseSimplifiedKeyDelivery":true,"x":[]}"#, Some((Some(7), true)));
        check("{}", Some((None, false)));
        check(r#"{"exp":-7}"#, None);
        check(r#"{"exp":7.5}"#, None);
        check(r#"{"canUseSimplifiedKeyDelivery":"true"}"#, None);
        check(r#"{"exp":7,"exp":8}"#, None);
        check("", None);
        for token in ["", "a", "a.b", "a.b.c.d", "a.!.c", "0123abcd"] {
            assert_eq!(Hints::of(token.as_bytes()), Hints::default(), "{token}");
        }
    }
}
