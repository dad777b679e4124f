//! What a policy lets its owner choose.

/// A claim that may be required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequiredClaim {
    /// `iss`, with any value.
    Issuer,
    /// `sub`.
    Subject,
    /// `aud`, with any value but an empty array.
    Audience,
    /// `nbf`.
    NotBefore,
    /// `iat`.
    IssuedAt,
    /// `jti`.
    Id,
}

/// Of which type `sub` has to be, if it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectJsonType {
    /// A string (RFC 7519 section 4.1.2).
    Text,
    /// A number in digits alone, as some platforms send it.
    Number,
    /// Either.
    TextOrNumber,
    /// A number in digits alone, as it is or in a string: the id of a user, whichever way it is written.
    Digits,
}

/// Whether `exp` may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It may not.
    Required,
    /// It may, where [`JwtPolicy::with_max_age`](super::JwtPolicy::with_max_age) bounds the life of the token instead: no
    /// token lives for ever.
    Optional,
}

/// Which claim names the signer of a token, whose keys are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerClaim {
    /// `iss`: an issuer signs for many subjects.
    Issuer,
    /// `sub`: a subject signs for itself.
    Subject,
    /// A claim that a platform defines, such as `appId`: it is required, and is a string.
    Named(&'static str),
}

/// How exact dates may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatePrecision {
    /// Whole seconds alone. `1700000000.0` is whole.
    WholeSeconds,
    /// Any number (RFC 7519 section 2). What is finer than a nanosecond is rounded against the token.
    Fractional,
}
