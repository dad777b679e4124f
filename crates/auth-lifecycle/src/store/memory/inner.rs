//! What the store in memory keeps, and how it is changed.

use crate::{
    Commit, CommitOutcome, CredentialId, EventHash, Found, Group, GroupChange, GroupId, Happening,
    LedgerEvent, MOST_SOURCES, RememberedAnswer, Service, ServiceId, State, TenantEvent, Use,
};
use auth_core::{KeyDigest, TenantId, Timestamp};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    task::Waker,
    time::Duration,
};

#[derive(Default)]
pub(super) struct Inner {
    pub(super) groups: BTreeMap<GroupId, Kept>,
    pub(super) group_of: HashMap<CredentialId, GroupId>,
    found_by: HashMap<KeyDigest, Vec<CredentialId>>,
    /// Every fingerprint there ever was, and whose: it never returns.
    pub(super) fingerprints: HashMap<KeyDigest, CredentialId>,
    pub(super) services: BTreeMap<ServiceId, Service>,
    pub(super) log: Vec<LedgerEvent>,
    /// The places of the events of each tenant in the log.
    log_of: HashMap<TenantId, Vec<usize>>,
    pub(super) answers: HashMap<KeyDigest, RememberedAnswer>,
    pub(super) uses: HashMap<CredentialId, Vec<Use>>,
    leases: HashMap<Box<str>, Lease>,
    pub(super) watchers: Vec<Waker>,
}

/// A group, and when time will next make something of it. Of what was deleted, only its name and its fingerprints are left.
pub(super) struct Kept {
    pub(super) group: Group,
    /// Grows in the order in which groups were first written to.
    pub(super) number: usize,
    pub(super) next_due: Option<Timestamp>,
}

/// A lease as it was last taken.
struct Lease {
    fence: u64,
    taken: Timestamp,
    until: Timestamp,
}

impl Inner {
    pub(super) fn commit(&mut self, commit: Commit) -> CommitOutcome {
        if let Some(asked) = &commit.answer {
            if let Some(known) = self.answers.get(&asked.name).filter(|one| one.until > asked.now) {
                return CommitOutcome::Duplicate(known.clone());
            }
        }
        if commit.changes.iter().any(|change| change.id.is_nameless()) {
            return CommitOutcome::Taken;
        }
        let mut groups = HashSet::new();
        let conflicts = |change: &GroupChange| {
            self.version(&change.id) != change.expected || !groups.insert(change.id.clone())
        };
        if commit.changes.iter().any(conflicts) {
            return CommitOutcome::Conflict;
        }
        let taken = |service: &Service| self.services.contains_key(&service.id);
        if commit.service.as_ref().is_some_and(taken) || self.is_taken(&commit.changes) {
            return CommitOutcome::Taken;
        }
        if let Some(service) = commit.service {
            self.services.insert(service.id.clone(), service);
        }
        for change in commit.changes {
            self.write(change);
        }
        for what in commit.events {
            let (seq, hash) = self.end_of_log();
            self.log_of.entry(what.tenant.clone()).or_default().push(self.log.len());
            self.log.push(LedgerEvent::after(seq, &hash, what));
        }
        if let Some(answer) = commit.answer {
            self.answers.retain(|_, one| one.until > answer.now);
            self.answers.insert(answer.name, answer);
        }
        CommitOutcome::Done { position: self.end_of_log().0 }
    }

    fn version(&self, id: &GroupId) -> u64 {
        self.groups.get(id).map_or(0, |kept| kept.group.version)
    }

    pub(super) fn end_of_log(&self) -> (u64, EventHash) {
        self.log.last().map_or((0, [0; 32]), |event| (event.seq, event.hash))
    }

    /// Is a name or a fingerprint that of another credential, of the store or of this commit?
    fn is_taken(&self, changes: &[GroupChange]) -> bool {
        let (mut ids, mut fingerprints, mut names) =
            (HashSet::new(), HashSet::new(), HashMap::new());
        let credentials =
            changes.iter().flat_map(|change| change.credentials.iter().map(|it| (it, &change.id)));
        credentials.into_iter().any(|(it, group)| {
            let now = self.current(group, &it.id);
            // A name that was given is that of a credential of this group, and not of one that was deleted.
            let id = now.is_none() && self.group_of.contains_key(&it.id);
            // What was there before keeps its fingerprint, or brings one that never was.
            let crate::Kept { fingerprint, found_by, .. } = it.kept;
            let print = now != Some(fingerprint) && self.fingerprints.contains_key(&fingerprint);
            let twice = !ids.insert(&it.id) || !fingerprints.insert(fingerprint);
            twice
                || id
                || print
                || (it.is_found() && {
                    let elsewhere = |id: &CredentialId| self.group_of.get(id) != Some(group);
                    let there = self.found_by.get(&found_by);
                    let other = names.insert(found_by, group).is_some_and(|other| other != group);
                    other || there.is_some_and(|ids| ids.iter().any(elsewhere))
                })
        })
    }

    pub(super) fn current(&self, group: &GroupId, id: &CredentialId) -> Option<KeyDigest> {
        let it = self.groups.get(group)?.group.credential(id)?;
        Some(it.kept.fingerprint)
    }

    fn write(&mut self, change: GroupChange) {
        let number = self.groups.len();
        let kept = self.groups.entry(change.id.clone()).or_insert_with(|| Kept {
            group: Group::empty(change.id.clone()),
            number,
            next_due: None,
        });
        kept.group.version = change.expected.saturating_add(1);
        kept.group.latest = change.latest;
        kept.group.creations = change.creations;
        kept.next_due = change.next_due;
        for it in change.credentials {
            let place = kept.group.credentials.iter().position(|one| one.id == it.id);
            let before = place.and_then(|place| kept.group.credentials.get(place)).cloned();
            if let Some(before) = &before {
                if let Some(ids) = self.found_by.get_mut(&before.kept.found_by) {
                    ids.retain(|id| *id != it.id);
                }
            }
            self.group_of.insert(it.id.clone(), change.id.clone());
            self.fingerprints.insert(it.kept.fingerprint, it.id.clone());
            if it.state == State::Deleted {
                kept.group.credentials.retain(|one| one.id != it.id);
                continue;
            }
            if it.is_found() {
                self.found_by.entry(it.kept.found_by).or_default().push(it.id.clone());
            }
            match place.and_then(|place| kept.group.credentials.get_mut(place)) {
                Some(place) => *place = it,
                None => kept.group.credentials.push(it),
            }
        }
    }

    pub(super) fn load(&self, id: &GroupId) -> Group {
        let mut group =
            self.groups.get(id).map_or_else(|| Group::empty(id.clone()), |kept| kept.group.clone());
        for it in &mut group.credentials {
            it.last_used = self.last_used(&it.id);
        }
        group
    }

    fn last_used(&self, id: &CredentialId) -> Option<Timestamp> {
        self.uses.get(id)?.first().map(|one| one.at)
    }

    pub(super) fn find(&self, found_by: &KeyDigest) -> Found {
        let ids = self.found_by.get(found_by).map(Vec::as_slice).unwrap_or_default();
        let credential = |id: &CredentialId| {
            let group = self.group_of.get(id)?;
            let mut it = self.groups.get(group)?.group.credential(id)?.clone();
            it.last_used = self.last_used(id);
            Some((group.clone(), it))
        };
        let mut credentials: Vec<_> = ids.iter().filter_map(credential).collect();
        credentials.sort_by(|(_, one), (_, other)| {
            (one.created, &one.id).cmp(&(other.created, &other.id))
        });
        Found { credentials, as_of: self.end_of_log().0 }
    }

    pub(super) fn events_of(&self, tenant: &TenantId, after: u64, most: usize) -> Vec<TenantEvent> {
        let after = usize::try_from(after).unwrap_or(usize::MAX);
        let places = self.log_of.get(tenant).and_then(|all| all.get(after..)).unwrap_or_default();
        let numbered = places.iter().zip(after.saturating_add(1)..).take(most);
        let event = |(place, number): (&usize, usize)| {
            let what = Happening { touched: Vec::new(), ..self.log.get(*place)?.what.clone() };
            Some(TenantEvent { number: u64::try_from(number).ok()?, what })
        };
        numbered.filter_map(event).collect()
    }

    pub(super) fn touch(&mut self, uses: Vec<Use>) {
        for one in uses {
            let known = self.uses.entry(one.credential.clone()).or_default();
            match known.iter_mut().find(|it| it.source == one.source) {
                Some(it) => it.at = it.at.max(one.at),
                None => known.push(one),
            }
            known.sort_by_key(|it| std::cmp::Reverse(it.at));
            known.truncate(MOST_SOURCES);
        }
    }

    pub(super) fn lease(&mut self, name: &str, now: Timestamp, hold: Duration) -> Option<u64> {
        let last = self.leases.get(name);
        // A lease that was taken later than now by more than its own length was taken under a clock that was ahead.
        let holds =
            |one: &Lease| now < one.until && one.taken.since(now) <= one.until.since(one.taken);
        if last.is_some_and(holds) {
            return None;
        }
        let fence = last.map_or(0, |one| one.fence).saturating_add(1);
        self.leases.insert(name.into(), Lease { fence, taken: now, until: now.after(hold) });
        Some(fence)
    }
}
