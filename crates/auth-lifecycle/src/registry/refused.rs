//! What an actor's role does not include: each attempt is written down, and many of them in few events.

use super::Registry;
use crate::{Commit, EventName, Happening, Role};
use auth_core::{Clock, Result, TenantId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Attempts of one actor in one minute that are events of their own. The ledger is kept for ever: the others of that minute
/// are one event together, which says how many there were.
const MOST_IN_A_MINUTE: u32 = 10;

const MINUTE: Duration = Duration::from_secs(60);

/// The attempts of each actor in the minute that began with its first one.
pub(super) struct Refusals {
    clock: Arc<dyn Clock>,
    actors: Mutex<HashMap<Who, Attempts>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Who {
    tenant: TenantId,
    actor: Arc<str>,
}

struct Attempts {
    since: Instant,
    written: u32,
    left_out: u64,
    /// The role of the last one.
    role: Role,
}

/// Attempts that are not written down yet. They are counted again if they are dropped before [`written`](Self::written).
struct LeftOut<'a> {
    refusals: &'a Refusals,
    who: Who,
    role: Role,
    many: u64,
}

impl Refusals {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, actors: Mutex::default() }
    }

    /// Is this attempt an event of its own?
    fn is_written(&self, who: &Who, role: Role) -> bool {
        let now = self.clock.steady();
        let new = || Attempts { since: now, written: 0, left_out: 0, role };
        let mut actors = self.actors();
        let attempts = actors.entry(who.clone()).or_insert_with(new);
        attempts.role = role;
        let is_written = attempts.written < MOST_IN_A_MINUTE;
        if is_written {
            attempts.written = attempts.written.saturating_add(1);
        } else {
            attempts.left_out = attempts.left_out.saturating_add(1);
        }
        is_written
    }

    /// Forgets the actors whose minute is over, and gives what was left out of it.
    fn over(&self) -> Vec<LeftOut<'_>> {
        let now = self.clock.steady();
        let mut over = Vec::new();
        self.actors().retain(|who, it| {
            let is_over = now.saturating_duration_since(it.since) >= MINUTE;
            if is_over && it.left_out > 0 {
                let (who, role, many) = (who.clone(), it.role, it.left_out);
                over.push(LeftOut { refusals: self, who, role, many });
            }
            !is_over
        });
        over
    }

    fn actors(&self) -> MutexGuard<'_, HashMap<Who, Attempts>> {
        self.actors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LeftOut<'_> {
    fn written(mut self) {
        self.many = 0;
    }
}

impl Drop for LeftOut<'_> {
    fn drop(&mut self) {
        if self.many == 0 {
            return;
        }
        let (since, role) = (self.refusals.clock.steady(), self.role);
        let again = || Attempts { since, written: 0, left_out: 0, role };
        let mut actors = self.refusals.actors();
        let attempts = actors.entry(self.who.clone()).or_insert_with(again);
        attempts.left_out = attempts.left_out.saturating_add(self.many);
    }
}

impl Registry {
    /// Writes down that an actor asked for what its role does not include.
    pub(super) async fn note_refused(&self, attempt: Happening) -> Result<()> {
        self.write_left_out().await?;
        let who = Who { tenant: attempt.tenant.clone(), actor: Arc::clone(&attempt.actor) };
        if self.0.refusals.is_written(&who, attempt.role) {
            self.commit(Commit { events: vec![attempt], ..Commit::default() }).await?;
        }
        Ok(())
    }

    /// Writes down how many attempts of each actor were left out, once its minute is over.
    pub(super) async fn write_left_out(&self) -> Result<()> {
        for left_out in self.0.refusals.over() {
            let what = Happening {
                tenant: left_out.who.tenant.clone(),
                service: None,
                group: None,
                credential: None,
                name: EventName::RefusalsLeftOut,
                at: self.0.clock.read().moment(),
                actor: Arc::clone(&left_out.who.actor),
                role: left_out.role,
                cause: Arc::from(""),
                states: None,
                detail: format!("{} more in one minute", left_out.many),
                touched: Vec::new(),
            };
            self.commit(Commit { events: vec![what], ..Commit::default() }).await?;
            left_out.written();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_testing::ManualClock;

    #[test]
    fn what_was_left_out_is_counted_until_it_is_written() {
        let clock = ManualClock::at(1_800_000_000);
        let refusals = Refusals::new(Arc::new(clock.clone()));
        let who = |actor: &str| Who { tenant: TenantId::new("acme"), actor: actor.into() };
        let try_so_often = |actor: &str, often: usize| {
            (0..often).filter(|_| refusals.is_written(&who(actor), Role::ReadOnly)).count()
        };
        assert_eq!((try_so_often("eve", 15), try_so_often("bob", 3)), (10, 3));
        assert!(refusals.over().is_empty(), "the minute is not over");
        clock.advance(MINUTE);
        // A writer that gives up, or whose store fails.
        assert_eq!(refusals.over().len(), 1);
        assert_eq!(try_so_often("eve", 11), 10);
        clock.advance(MINUTE);
        let mut over = refusals.over();
        assert_eq!(over.iter().map(|one| one.many).collect::<Vec<_>>(), [6]);
        over.remove(0).written();
        clock.advance(MINUTE);
        assert!(refusals.over().is_empty());
        assert!(refusals.actors().is_empty(), "nobody is remembered for longer");
    }
}
