//! What happened, for the audit: written in the same transaction as the change, and chained.

use crate::{CredentialId, GroupId, Role, ServiceId, State};
use auth_core::{KeyDigest, TenantId, Timestamp};
use ring::digest::{Context, SHA256};
use std::sync::Arc;

/// What happened, as the ledger keeps it: a store gives it its place and chains it to what happened before.
///
/// It holds names, states and times, and nothing of a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct LedgerEvent {
    /// Its place in the ledger of the store, which rises by one from 1 on.
    pub seq: u64,
    /// The hash of this event and all before it.
    pub hash: EventHash,
    /// What happened.
    pub what: Happening,
}

/// What happened, before it has its place in the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// The tenant that it concerns.
    pub tenant: TenantId,
    /// The service that it concerns, if it is one.
    pub service: Option<ServiceId>,
    /// The group that it concerns, and the version that the group has then.
    pub group: Option<(GroupId, u64)>,
    /// The credential that it concerns.
    pub credential: Option<CredentialId>,
    /// What happened.
    pub name: EventName,
    /// When. In one group it never runs backwards.
    pub at: Timestamp,
    /// The actor that did it.
    pub actor: Arc<str>,
    /// Its role.
    pub role: Role,
    /// Why, in the actor's words.
    pub cause: Arc<str>,
    /// The state of the credential before and after.
    pub states: Option<(State, State)>,
    /// What is worth knowing beside that: names and values without secrets.
    pub detail: String,
    /// The digests of the look-ups whose answers may have changed. They are for caches, and no part of the audit.
    pub touched: Vec<KeyDigest>,
}

/// What happened to the credentials of one tenant, as its auditors read it.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantEvent {
    /// Its place among the events of the tenant, which rises by one from 1 on: it says nothing of other tenants.
    pub number: u64,
    /// What happened, with nothing in [`touched`](Happening::touched).
    pub what: Happening,
}

/// The hash of an event and of all before it (SHA-256). That of the empty ledger is all zeros.
pub type EventHash = [u8; 32];

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum EventName {
            $($(#[$doc])* $name,)*
        }

        impl EventName {
            /// Its name in the ledger, which never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What has this name in the ledger.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}

names! {
    /// A service was made.
    ServiceCreated = "service_created",
    /// A credential was made.
    Created = "created",
    /// A credential that callers had already was taken over.
    Imported = "imported",
    /// An active credential was made inactive.
    Discarded = "discarded",
    /// An inactive credential was made active.
    Reactivated = "reactivated",
    /// A credential was deleted.
    Deleted = "deleted",
    /// The secret of a credential was replaced.
    Regenerated = "regenerated",
    /// A credential has a successor, and will be retired.
    RotationStarted = "rotation_started",
    /// A credential will not be retired after all.
    RetireCancelled = "retire_cancelled",
    /// A credential was retired: the overlap of its rotation is over.
    Retired = "retired",
    /// A credential was ended for good.
    Revoked = "revoked",
    /// The last lasting credential of a group was revoked with the permission to do so.
    BreakGlass = "break_glass",
    /// A secret was shown again.
    Revealed = "revealed",
    /// An actor asked for what its role does not include.
    Refused = "refused",
    /// Further attempts of the same actor in one minute, of which the detail says how many there were.
    RefusalsLeftOut = "refusals_left_out",
    /// What a credential may be used for was changed.
    Updated = "updated",
    /// A session was destroyed.
    SessionDestroyed = "session_destroyed",
    /// A secret was reported as known to strangers.
    LeakReported = "leak_reported",
    /// Something that uses the credential was noted.
    Bound = "bound",
    /// It no longer uses the credential.
    Unbound = "unbound",
    /// An imported password is now kept under the registry's own hash.
    Rehashed = "rehashed",
    /// A credential ends soon.
    ExpiringSoon = "expiring_soon",
    /// A credential has ended.
    Expired = "expired",
    /// A credential is so old that its policy wants it rotated.
    RotationDue = "rotation_due",
    /// Fewer credentials of a group are lasting than its policy wants, which time or a leak did.
    TooFewLasting = "too_few_lasting",
    /// An actor acted as a service.
    ActedAsService = "acted_as_service",
}

impl LedgerEvent {
    /// The event that follows one with this place and hash.
    #[must_use]
    pub fn after(seq: u64, hash: &EventHash, what: Happening) -> Self {
        let seq = seq.saturating_add(1);
        let hash = Self::link(seq, hash, &what.to_text());
        Self { seq, hash, what }
    }

    /// The hash of an event whose text is this, after one with this hash.
    #[must_use]
    pub fn link(seq: u64, before: &EventHash, text: &str) -> EventHash {
        let mut context = Context::new(&SHA256);
        context.update(b"messaging-auth event 1\0");
        context.update(before);
        context.update(&seq.to_be_bytes());
        context.update(text.as_bytes());
        context.finish().as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// Is this event chained to one with this place and hash?
    #[must_use]
    pub fn follows(&self, seq: u64, hash: &EventHash) -> bool {
        self.seq == seq.saturating_add(1)
            && self.hash == Self::link(self.seq, hash, &self.what.to_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::happening;

    #[test]
    fn each_event_is_chained_to_all_before_it() {
        let first = LedgerEvent::after(0, &[0; 32], happening("c1", EventName::Created));
        let second =
            LedgerEvent::after(first.seq, &first.hash, happening("c2", EventName::Created));
        assert!(first.follows(0, &[0; 32]));
        assert!(second.follows(1, &first.hash));
        assert!(!second.follows(0, &[0; 32]), "an event was taken out");
        assert!(!second.follows(1, &[0; 32]), "another event stands before it");
        let changed = LedgerEvent { what: happening("c3", EventName::Created), ..second.clone() };
        assert!(!changed.follows(1, &first.hash), "an event was changed");
        let moved = LedgerEvent { seq: 3, ..second };
        assert!(!moved.follows(2, &first.hash), "an event was moved");
    }

    #[test]
    fn an_event_is_found_by_its_name() {
        assert_eq!(EventName::from_name("too_few_lasting"), Some(EventName::TooFewLasting));
        assert_eq!(EventName::from_name("other"), None);
    }
}
