//! What verifiers know of credentials, ready to be used.

use super::{
    clock::{NEVER, Reading, nanos},
    look_up::Kinds,
};
use crate::{Credential, GroupId, Kind, State};
use auth_core::{Caller, Timestamp};
use auth_net::AddressList;
use std::{
    fmt,
    net::IpAddr,
    slice,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// All that is found by one digest: nearly always one.
pub(super) enum KnownSet {
    One(Known),
    Several(Box<[Known]>),
}

/// A credential that a look-up found, and the caller that it proves.
///
/// It is the principal of every verifier that looks credentials up in a [`Registry`](crate::Registry). What it proves is
/// used through [`Registry::admit`](crate::Registry::admit), which turns it into a [`Caller`]. A clone counts a reference.
#[derive(Clone)]
pub struct Known(Arc<Facts>);

/// Moments are nanoseconds since 1970, since there are many of these and each is looked at often.
struct Facts {
    caller: Caller,
    kind: Kind,
    /// The kind, as doors compare it.
    kinds: Kinds,
    state: State,
    /// How often its secret was made.
    generation: u64,
    /// It is good from then on.
    from: u64,
    /// It is good strictly before then: its expiry. Zero where time has ended it already, and the last moment there is
    /// where nothing does.
    ends: u64,
    /// It is good strictly before then, when the overlap of its rotation is over.
    retires: u64,
    /// It ends when it was not used for so long; the longest span there is where it may rest.
    idle: u64,
    /// When it was last used, or began.
    last_used: AtomicU64,
    /// The last use that is, or will be, written down: its minute and a mark of its source.
    noted: AtomicU64,
    allowed_addresses: Option<Box<AddressList>>,
    opened: Opened,
}

/// What a verifier computes with.
pub(super) enum Opened {
    /// Nothing: it was found by its own hash, or no verifier of this build needs it.
    Nothing,
    #[cfg(feature = "jwt")]
    Jwt(Box<auth_jwt::VerifyingKey>),
    #[cfg(feature = "digest")]
    Ha1(Box<auth_digest::DigestUserRecord>),
    #[cfg(feature = "sigv4")]
    AccessKey(Box<auth_sigv4::DerivedKeys>),
    #[cfg(feature = "basic")]
    Password(crate::StoredPassword),
}

impl Known {
    pub(super) fn new(group: &GroupId, it: &Credential, opened: Opened) -> Self {
        let mut caller = Caller::new(group.tenant.clone(), it.id.to_arc(), group.kind.name())
            .with_scopes(it.scopes.clone());
        if let Some(service) = &group.service {
            caller = caller.with_service(service.to_arc());
        }
        if let Some(at) = it.retire_at {
            caller = caller.with_retiring(at);
        }
        let never = |moment: Option<Timestamp>| moment.map_or(NEVER, nanos);
        let ends = if it.ended { 0 } else { never(it.expires) };
        let idle = it.idle_timeout.map_or(NEVER, |span| nanos(Timestamp::default().after(span)));
        Self(Arc::new(Facts {
            caller,
            kind: group.kind,
            kinds: Kinds::of(&[group.kind]),
            state: it.state,
            generation: it.generation,
            from: it.not_before.map_or(0, nanos),
            ends,
            retires: never(it.retire_at),
            idle,
            last_used: AtomicU64::new(nanos(it.unused_since())),
            noted: AtomicU64::new(0),
            allowed_addresses: it.allowed_addresses.clone().map(Box::new),
            opened,
        }))
    }

    /// The caller that it proves.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Which of its secrets it was found with: one for the first, and one more each time it was regenerated.
    ///
    /// What stands for a secret once it was shown, such as a token that a password was exchanged for, is of a credential and
    /// its generation: the identifier alone stays the same when the secret is replaced.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    #[inline]
    pub(super) fn kinds(&self) -> Kinds {
        self.0.kinds
    }

    #[cfg(any(feature = "jwt", feature = "digest", feature = "sigv4", feature = "basic"))]
    pub(super) fn opened(&self) -> &Opened {
        &self.0.opened
    }

    /// Is it usable at this moment, apart from its idle timeout?
    #[inline]
    pub(super) fn is_usable(&self, now: Reading) -> bool {
        let Facts { state, from, ends, retires, .. } = &*self.0;
        let within = now.expires < *ends && now.retires < *retires && now.now >= *from;
        within && *state == State::Active
    }

    /// Was it discarded? A caller that still uses it is one that somebody forgot.
    pub(super) fn is_inactive(&self) -> bool {
        self.0.state == State::Inactive
    }

    /// Was it left unused for too long, as far as this process knows?
    #[inline]
    pub(super) fn is_idle(&self, now: Reading) -> bool {
        let used = self.0.last_used.load(Ordering::Relaxed);
        now.expires >= used.saturating_add(self.0.idle)
    }

    /// May it be used from this address? An address that is not known is on no list.
    pub(super) fn allows(&self, source: Option<IpAddr>) -> bool {
        let list = self.0.allowed_addresses.as_deref();
        list.is_none_or(|list| source.is_some_and(|source| list.contains(source)))
    }

    /// Notes a use; true when it has to be written down, which is once a minute for the last source.
    pub(super) fn note_use(&self, now: u64, source: Option<IpAddr>) -> bool {
        self.0.last_used.fetch_max(now, Ordering::Relaxed);
        let minute = now / 60_000_000_000;
        let mark = minute << 24 | (source_mark(source) & 0xff_ffff);
        self.0.noted.load(Ordering::Relaxed) != mark
            && self.0.noted.swap(mark, Ordering::Relaxed) != mark
    }

    /// Notes that a discarded credential was used; true once a minute.
    pub(super) fn note_forgotten(&self, now: u64) -> bool {
        let minute = (now / 60_000_000_000).saturating_add(1);
        self.0.noted.swap(minute, Ordering::Relaxed) != minute
    }

    /// What it weighs in memory, in bytes, as far as it is worth counting.
    pub(super) fn weight(&self) -> usize {
        let facts = size_of::<Facts>().saturating_add(32);
        let caller = &self.0.caller;
        let names = [Some(&caller.credential), caller.service.as_ref()].into_iter().flatten();
        let names =
            names.fold(0_usize, |sum, name| sum.saturating_add(name.len()).saturating_add(16));
        let scopes =
            caller.scopes.iter().fold(0_usize, |sum, one| sum.saturating_add(one.len() + 16));
        let list = self.0.allowed_addresses.as_deref();
        let list = list.map_or(0, |list| size_of::<AddressList>().saturating_add(list.memory()));
        let opened = match self.0.opened {
            Opened::Nothing => 0,
            #[cfg(any(feature = "jwt", feature = "digest", feature = "sigv4", feature = "basic"))]
            _ => 1024,
        };
        [names, scopes, list, opened].into_iter().fold(facts, usize::saturating_add)
    }
}

impl KnownSet {
    pub(super) fn new(mut known: Vec<Known>) -> Option<Self> {
        match known.len() {
            0 => None,
            1 => known.pop().map(Self::One),
            _ => Some(Self::Several(known.into())),
        }
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[Known] {
        match self {
            Self::One(known) => slice::from_ref(known),
            Self::Several(known) => known,
        }
    }

    pub(super) fn weight(&self) -> usize {
        self.as_slice().iter().fold(64, |sum, known| sum.saturating_add(known.weight()))
    }
}

/// Tells sources apart well enough to see that one follows another.
fn source_mark(source: Option<IpAddr>) -> u64 {
    match source {
        None => 0,
        Some(IpAddr::V4(address)) => {
            u64::from(address.to_bits()).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40
        }
        Some(IpAddr::V6(address)) => {
            let bits = address.to_bits();
            let folded = u64::try_from(bits >> 64).unwrap_or_default()
                ^ u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
            folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40
        }
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Known").field(&self.0.caller).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::credential;
    use auth_core::TenantId;

    /// A list has up to 1024 entries, of a user of some tenant: it must not take more of the cache than is counted.
    #[test]
    fn weighs_as_much_as_its_addresses_do() {
        let group = GroupId::of_tenant(TenantId::new("acme"), Kind::ProfileKey);
        let weight = |addresses: Option<usize>| {
            let list = addresses.map(|most| {
                let entries = (0..most).map(|at| format!("10.0.{}.{}", at / 256, at % 256));
                AddressList::new(entries).unwrap()
            });
            let it = Credential { allowed_addresses: list, ..credential("c1", 1000) };
            Known::new(&group, &it, Opened::Nothing).weight()
        };
        // Each entry is kept twice, in 17 bytes or more.
        let lists = [weight(Some(1)), weight(Some(1024))].map(|it| it - weight(None));
        assert!(lists[0] < 1024 && lists[1] >= 1024 * 2 * 17, "{lists:?}");
    }
}
