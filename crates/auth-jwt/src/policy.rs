//! What claims have to say to be accepted.

mod choices;
mod judge;
mod times;

pub use choices::{DatePrecision, Expiry, RequiredClaim, SignerClaim, SubjectJsonType};

use crate::{
    json::MEMBERS,
    key_header::{KeyHeader, KeyHeaders},
};
use std::time::Duration;

/// What claims have to say to be accepted; strict where nothing was said.
///
/// | | unless said otherwise |
/// |---|---|
/// | every registered claim | is of the type of RFC 7519 section 4.1, wanted or not |
/// | `iss` | any, or none; required and compared once one was named |
/// | `aud` | none; once one was named, required and compared. A token for an audience that the policy does not name is for somebody else (RFC 7519 section 4.1.3), unless [any is allowed](JwtPolicy::allowing_any_audience) |
/// | `sub` | a string, if any |
/// | `exp` | required; refused from `exp` + leeway on |
/// | `exp` and `iat` | `exp` is after `iat` |
/// | `nbf`, `iat` | not in the future, beyond the leeway |
/// | dates | seconds since 1970, up to 10^10, with a fraction if need be |
/// | `typ` | `JWT` or nothing; once types were named, one of them |
/// | `jku`, `jwk`, `x5u`, `x5c` | refused: keys come from the look-up alone. [By name](JwtPolicy::allowing_key_header) each can be ignored |
/// | members of one object | 64 |
/// | the claim that names the signer | `iss` |
/// | leeway | 60 s |
///
/// ```
/// use auth_jwt::{RequiredClaim, DatePrecision, Expiry, JwtPolicy};
/// use std::time::Duration;
///
/// let policy = JwtPolicy::new()
///     .with_issuer("3fa85f64-5717-4562-b3fc-2c963f66afa6")
///     .with_expiry(Expiry::Optional)
///     .with_max_age(Duration::from_secs(3600))
///     .with_date_precision(DatePrecision::WholeSeconds)
///     .with_required_claim(RequiredClaim::Id)
///     .with_leeway(Duration::ZERO);
/// ```
#[derive(Clone, Debug)]
pub struct JwtPolicy {
    issuers: Vec<Box<str>>,
    audiences: Vec<Box<str>>,
    any_audience: bool,
    token_types: Vec<Box<str>>,
    ignored: KeyHeaders,
    most_members: usize,
    subject: SubjectJsonType,
    required: Vec<RequiredClaim>,
    expiry: Expiry,
    dates: DatePrecision,
    max_age: Option<Duration>,
    /// Leeway does not lengthen the greatest age.
    exact_age: bool,
    most_ahead: Option<Duration>,
    leeway: Duration,
    signer: SignerClaim,
}

impl JwtPolicy {
    /// No policy may have a larger leeway.
    pub const MOST_LEEWAY: Duration = Duration::from_secs(15 * 60);

    /// The strictest that knows nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            issuers: Vec::new(),
            audiences: Vec::new(),
            any_audience: false,
            token_types: Vec::new(),
            ignored: KeyHeaders::NONE,
            most_members: MEMBERS,
            subject: SubjectJsonType::Text,
            required: Vec::new(),
            expiry: Expiry::Required,
            dates: DatePrecision::Fractional,
            max_age: None,
            exact_age: false,
            most_ahead: None,
            leeway: Duration::from_secs(60),
            signer: SignerClaim::Issuer,
        }
    }

    /// `iss` is required and must be this, or one of those that were named.
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<Box<str>>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// `aud` is required and must be or hold this, or one of those that were named.
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// `aud` may be anything or missing, whatever audiences were named.
    ///
    /// # Security
    ///
    /// RFC 7519 section 4.1.3 has a token refused by all that its `aud` does not name, so that a service cannot use what
    /// it receives at another service of the issuer. Allow any audience only where the key is for one service alone.
    #[must_use]
    pub const fn allowing_any_audience(mut self) -> Self {
        self.any_audience = true;
        self
    }

    /// `typ` is required and must be this (RFC 8725 section 3.11), for example `at+jwt` (RFC 9068), or one of those that
    /// were named.
    #[must_use]
    pub fn with_token_type(mut self, token_type: impl Into<Box<str>>) -> Self {
        self.token_types.push(token_type.into());
        self
    }

    /// This header parameter may be there, and is ignored: the token is judged by the key that the look-up finds.
    ///
    /// For issuers that send it with every token, as SAP XSUAA sends `jku`. The others of its kind are refused as before.
    #[must_use]
    pub const fn allowing_key_header(mut self, header: KeyHeader) -> Self {
        self.ignored = self.ignored.with(header);
        self
    }

    /// An object of the payload, the payload itself among them, has at most so many members; 64 unless set.
    ///
    /// For issuers that list roles or groups as the members of an object. Reading more than 64 members allocates memory
    /// before the signature is proven: about 60 bytes for each.
    #[must_use]
    pub const fn with_most_members(mut self, members: usize) -> Self {
        self.most_members = members;
        self
    }

    /// `sub`, if it is there, is of this type.
    #[must_use]
    pub const fn with_subject(mut self, subject: SubjectJsonType) -> Self {
        self.subject = subject;
        self
    }

    /// This claim must be there.
    #[must_use]
    pub fn with_required_claim(mut self, claim: RequiredClaim) -> Self {
        self.required.push(claim);
        self
    }

    /// Whether `exp` may be missing.
    #[must_use]
    pub const fn with_expiry(mut self, expiry: Expiry) -> Self {
        self.expiry = expiry;
        self
    }

    /// How exact dates may be.
    #[must_use]
    pub const fn with_date_precision(mut self, dates: DatePrecision) -> Self {
        self.dates = dates;
        self
    }

    /// A token lives no longer than this, and the leeway, from its `iat`, which is then required, whatever its `exp` says.
    #[must_use]
    pub const fn with_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self.exact_age = false;
        self
    }

    /// A token lives no longer than this from its `iat`, whatever its `exp` and the leeway say.
    ///
    /// For a platform that promises when its tokens end. The leeway still counts at `iat`, so that the clock of a signer may
    /// be ahead.
    #[must_use]
    pub const fn with_exact_max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self.exact_age = true;
        self
    }

    /// `exp` may be no further ahead than this, and the leeway.
    #[must_use]
    pub const fn with_most_ahead(mut self, span: Duration) -> Self {
        self.most_ahead = Some(span);
        self
    }

    /// How far the clocks of both sides may be apart. More than [`MOST_LEEWAY`](Self::MOST_LEEWAY) counts as that.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway.min(Self::MOST_LEEWAY);
        self
    }

    /// Whose keys are looked up; the issuer's unless set.
    #[must_use]
    pub const fn with_signer_claim(mut self, signer: SignerClaim) -> Self {
        self.signer = signer;
        self
    }

    pub(crate) const fn signer(&self) -> SignerClaim {
        self.signer
    }

    pub(crate) const fn most_members(&self) -> usize {
        self.most_members
    }
}

impl Default for JwtPolicy {
    fn default() -> Self {
        Self::new()
    }
}
