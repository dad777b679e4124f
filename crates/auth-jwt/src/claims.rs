//! The claims of a token (RFC 7519 section 4).

mod audience;
mod date;
mod registered;

pub(crate) use date::Date;
pub(crate) use registered::{Registered, Subject};

use crate::{Header, Policy, Refused, reason};
use audience::Audience;
use auth_core::Timestamp;
use serde::de::DeserializeOwned;
use std::{borrow::Cow, fmt, ops::Range};

/// Claims that are verified: a key signed them, and a [`Policy`] accepted them.
///
/// They own their memory, which is the decoded payload and no more. There is no other way to them than
/// [`Unverified`](crate::Unverified), and no way to make them up. `Debug` shows none of it.
pub struct Claims {
    text: String,
    issuer: Part,
    subject: Part,
    id: Part,
    audience: Audience,
    expires: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    not_before: Option<Timestamp>,
    dies: Timestamp,
}

impl Claims {
    pub(crate) fn judged(
        header: &Header,
        payload: Vec<u8>,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Self, Refused> {
        let registered = Registered::read(&payload)?;
        let dies = policy.judge(header, &registered, now)?;
        let read = Self {
            text: String::new(),
            issuer: Part::of(registered.issuer),
            subject: registered.subject.map_or(Part::Absent, Subject::part),
            id: Part::of(registered.id),
            audience: Audience::of(registered.audience),
            expires: registered.expires.map(Date::rounded_down),
            issued_at: registered.issued_at.map(Date::rounded_down),
            not_before: registered.not_before.map(Date::rounded_up),
            dies,
        };
        let text = String::from_utf8(payload).map_err(|_| reason::CLAIMS_UTF8)?;
        Ok(Self { text, ..read })
    }

    /// `iss`: who issued the token (RFC 7519 section 4.1.1).
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.within(&self.text)
    }

    /// `sub`: whom it is about (section 4.1.2). A number is given in its digits.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.within(&self.text)
    }

    /// `aud`: for whom it is (section 4.1.3), none when the claim is missing.
    pub fn audience(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.audience.within(&self.text).into_iter()
    }

    /// `exp`: when it expires (section 4.1.4), whatever else lets it die earlier.
    #[must_use]
    pub const fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// `nbf`: before when it must not be accepted (section 4.1.5).
    #[must_use]
    pub const fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// `iat`: when it was issued (section 4.1.6).
    #[must_use]
    pub const fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// `jti`: its id (section 4.1.7).
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.within(&self.text)
    }

    /// From when on the policy refuses the token: by `exp` or by its age, whichever comes first, leeway included.
    ///
    /// So long its id has to be remembered where a token is good for one use.
    #[must_use]
    pub const fn dies(&self) -> Timestamp {
        self.dies
    }

    /// Reads the claims as a type of the application.
    ///
    /// ```
    /// # use auth_core::Timestamp;
    /// # use auth_jwt::{Algorithm, ClaimsToSign, Policy, SigningKey, Unverified};
    /// # let (key, now) = (SigningKey::from_secret(Algorithm::HS256, &[7; 32])?, Timestamp::from_unix(1_700_000_000));
    /// # let lifetime = std::time::Duration::from_secs(300);
    /// # let minted = ClaimsToSign::expiring_in(lifetime)?.claim("roleId", &2)?.mint(&key, now, None)?;
    /// # let claims = Unverified::parse(minted.expose())?.verify(&key.verifying())?.claims(&Policy::new(), now)?;
    /// #[derive(serde::Deserialize)]
    /// struct Role {
    ///     #[serde(rename = "roleId")]
    ///     id: u8,
    /// }
    /// assert_eq!(claims.read::<Role>()?.id, 2);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `jwt_claims_shape` when they are not of that type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        serde_json::from_str(&self.text).map_err(|_| reason::CLAIMS_SHAPE)
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims(..)")
    }
}

/// A string of the payload: where it stands, or what it means when something in it is escaped.
pub(crate) enum Part {
    Absent,
    At(Range<usize>),
    Unescaped(Box<str>),
}

impl Part {
    fn of(text: Option<crate::json::Text<'_>>) -> Self {
        let Some(text) = text else { return Self::Absent };
        text.span().map_or_else(|| Self::Unescaped(text.to_str().into()), Self::At)
    }

    fn within<'a>(&'a self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Absent => None,
            Self::At(span) => text.get(span.clone()),
            Self::Unescaped(unescaped) => Some(unescaped),
        }
    }
}
