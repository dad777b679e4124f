//! What the owner of a server or client gets to see.

use crate::{Error, Refusal, Rejection, TenantId, Timestamp};
use http::{HeaderName, StatusCode};
use std::sync::Arc;

/// Is told what happened, with the reasons that the outside never learns. `()` ignores it.
///
/// It is a value, given to adapters and sessions; nothing is logged in any other way.
///
/// # Security
///
/// An event holds codes, names and fixed sentences, never credentials or anything else that a request brought. The code
/// of a refusal is the peer's own, cut to what a log can show.
pub trait Observer: Send + Sync {
    /// Something happened. Called on the hot path: be quick.
    fn observe(&self, event: Event<'_>);
}

/// What happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request was accepted.
    Accepted {
        /// The scheme that judged.
        scheme: &'static str,
    },
    /// A request was rejected.
    Rejected(&'a Rejection),
    /// A body that was still to come turned out wrong after its request was accepted.
    BodyRejected(&'a Rejection),
    /// A handler has replied, and what was to be done then failed: see [`Completion`](crate::Completion).
    CompletionFailed(&'a Error),
    /// We could not tell who is calling, or could not make credentials.
    Failed(&'a Error),
    /// A client's request is authenticated afresh and sent again.
    Retried,
    /// A header field of an answer cannot be read. It was passed over; what the other fields say still counts.
    UnreadableField {
        /// The name of the field.
        field: &'a HeaderName,
        /// Why not.
        error: &'a Error,
    },
    /// A replay store was full and forgot what was issued longest ago; it refuses that from now on.
    HorizonRaised {
        /// Whose horizon it is.
        horizon: HorizonOwner,
        /// What was issued then or before is refused as too old.
        until: Timestamp,
    },
    /// A session obtained a token, the first one or the next.
    Renewed {
        /// The name of the session.
        session: &'a str,
    },
    /// A session could not obtain a token. It tries again after a pause.
    RenewalFailed {
        /// The name of the session.
        session: &'a str,
        /// Why not.
        error: &'a Error,
    },
    /// A server refused the token that a session used last. The session hands that token out no more.
    Condemned {
        /// The name of the session.
        session: &'a str,
        /// How it was refused.
        refusal: &'a Refusal,
    },
    /// A client could not have the credentials of its scheme, and sends those of the weaker one that its configuration
    /// names as the fallback. Told for each request.
    FellBack {
        /// The name of the session that has no token.
        session: &'a str,
        /// Why it has none.
        error: &'a Error,
    },
    /// A caller used a credential that its owner has discarded, and was refused: it is one that the owner forgot. Told once a
    /// minute for each credential.
    InactiveCredentialUsed {
        /// The tenant that owns the credential.
        tenant: &'a TenantId,
        /// The identifier of the credential.
        credential: &'a str,
    },
    /// A password was right and could not be hashed anew: it stays under the hash that was imported, or that has another
    /// cost, until a later use of it succeeds. Its owner was let in.
    PasswordNotRehashed {
        /// The tenant that owns the credential.
        tenant: &'a TenantId,
        /// The identifier of the credential.
        credential: &'a str,
        /// Why not.
        error: &'a Error,
    },
    /// One attempt at delivering a webhook has ended.
    WebhookAttempted {
        /// The tenant whose webhook it is.
        tenant: &'a TenantId,
        /// The name of the subscription.
        subscription: &'a str,
        /// The slot of the authorization that it was sent under: `current` or `next`.
        slot: &'static str,
        /// What came of it: `delivered`, `ended`, `refused`, `not_reached` or `no_token`.
        outcome: &'static str,
        /// The status of the answer, if one came.
        status: Option<StatusCode>,
        /// Why there were no credentials, or no answer, where that is what came of it.
        error: Option<&'a Error>,
    },
    /// A key that an issuer publishes cannot be used, and is left out: told each time the issuer's set was fetched.
    KeyLeftOut {
        /// The issuer whose keys were fetched.
        issuer: &'a str,
        /// The name of the key, if it has one, cut to what a log can show.
        kid: Option<&'a str>,
        /// Why the key cannot be used. Nothing of the key is in it.
        error: &'a Error,
    },
}

/// Whose horizon a replay store raised: see [`ReplayStore`](crate::ReplayStore).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HorizonOwner {
    /// The store's: it is too small for what comes.
    Store,
    /// That of one owner, which used more than its share.
    Owner,
}

impl Observer for () {
    fn observe(&self, _: Event<'_>) {}
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<O: Observer + ?Sized> Observer for $pointer<O> {
            fn observe(&self, event: Event<'_>) {
                (**self).observe(event);
            }
        }
    )*};
}

forward!(Arc, Box);
