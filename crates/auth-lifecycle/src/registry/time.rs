//! What time does: the registry asks its store what is due, and does it.

use super::{ClockSuspicion, Registry, answers::Made};
use crate::{Actor, Command, GroupId, Order, Role, decide::bounds::check_cause};
use auth_core::{Error, Flow, KeyDigest, Result};
use std::{
    collections::HashSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// What a round of [`Registry::retire_due`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retired {
    /// Groups of which time had something to make.
    pub groups: usize,
    /// Nothing was done, since the clock has leapt.
    pub suspicion: Option<ClockSuspicion>,
}

/// Groups of one round: the next round does the rest.
const MOST_GROUPS: usize = 100;

/// What failed in a round over many groups: the rest of the round goes on.
#[derive(Default)]
struct Failures {
    first: Option<Error>,
    many: usize,
}

impl Failures {
    fn note(&mut self, done: Result<()>) {
        if let Err(error) = done {
            self.first.get_or_insert(error);
            self.many = self.many.saturating_add(1);
        }
    }

    /// The first failure; else this.
    fn answer<T>(self, done: T) -> Result<T> {
        self.first.map_or(Ok(done), Err)
    }
}

impl Registry {
    /// Does what time has made due: credentials expire and are retired, and their owners are told what comes. Call it every
    /// second or so; several processes may.
    ///
    /// What a verifier accepts does not wait for it: an end holds at its moment. This writes it down.
    ///
    /// # Errors
    ///
    /// The first error of a group, when all others of the round were done: a group that fails holds up no other, in this
    /// round or the next.
    pub fn retire_due(&self) -> Flow<'static, Retired> {
        let registry = self.clone();
        Flow::new(async move {
            let mut failures = Failures::default();
            failures.note(registry.write_left_out().await);
            let reading = registry.0.clock.read();
            if reading.suspicion.is_some() {
                return failures.answer(Retired { groups: 0, suspicion: reading.suspicion });
            }
            // Groups that failed are still the first that are due: a round goes on behind them, and the one after the
            // last begins again with them.
            let passed = registry.0.passed_over.load(Ordering::Relaxed);
            let most = passed.saturating_add(MOST_GROUPS);
            let due = registry.0.store.due(reading.moment(), most).await?;
            let due = due.get(passed..).unwrap_or_default();
            let before = failures.many;
            for group in due {
                failures.note(registry.retire_due_of(group).await);
            }
            let is_last = due.len() < MOST_GROUPS;
            let passed = if is_last {
                0
            } else {
                passed.saturating_add(failures.many.saturating_sub(before))
            };
            registry.0.passed_over.store(passed, Ordering::Relaxed);
            failures.answer(Retired { groups: due.len(), suspicion: None })
        })
    }

    /// Why the clock is not believed, or which later moment still counts: one that this clock told before it was set back, or
    /// that another process wrote. What would have ended by then is refused, also what is created now, until that moment has
    /// come or [`trust_clock`](Self::trust_clock) says that the clock is right. Watch it: it is an alarm.
    #[must_use]
    pub fn clock_suspicion(&self) -> Option<ClockSuspicion> {
        self.0.clock.suspicion()
    }

    /// Says that the clock is right, after it has leapt by more than a day.
    pub fn trust_clock(&self) {
        self.0.clock.trust();
    }

    async fn retire_due_of(&self, group: &GroupId) -> Result<()> {
        let system = Actor::new(group.tenant.clone(), "system", Role::System);
        let asked = self.0.asked(&system, None, b"retire_due")?;
        let order = Order::new(system, Command::RetireDue);
        // It is never refused: what is not due any more is left as it is.
        let _ = self.run(group, &order, &asked, &Made::new()).await?;
        Ok(())
    }

    /// Takes reports of secrets that strangers know, from whoever found them: at most
    /// [`MOST_REPORTED`](Self::MOST_REPORTED) at once, and the rest of them are not looked at.
    ///
    /// The credential of each is revoked, or its owner is alarmed, as its policy says. A group is never left without a
    /// lasting credential by a report. What is found: tokens, those of which a former registry kept the SHA-256, and the
    /// secrets that JWTs and webhooks are signed with. A password, and a secret access key, is not found without its name.
    ///
    /// # Errors
    ///
    /// `Error::Config` with `lifecycle_reporter` when `reporter` has more than 1000 bytes: nothing is looked at then. Else the
    /// first error of a group, when all other secrets were looked at.
    ///
    /// # Security
    ///
    /// The answer is the same whether a secret is known here or not. Limit how often a source may report.
    pub fn report_leaked(
        &self,
        secrets: &[auth_core::Secret],
        reporter: &str,
    ) -> Flow<'static, ()> {
        if check_cause(reporter).is_err() {
            let text = "reporter has more than 1000 bytes, expected the name of the person or program that found the secrets";
            return Flow::failed(Error::config("lifecycle_reporter", text));
        }
        let reported = secrets.iter().take(Self::MOST_REPORTED);
        let digests = reported.flat_map(|one| self.0.hashers.fingerprints_of(one));
        // A secret that is reported twice is one report. The order stays: of two that are reported together the later one
        // may be the last of its group.
        let mut seen = HashSet::new();
        let digests: Vec<_> = digests.filter(|digest| seen.insert(*digest)).collect();
        let (registry, reporter): (_, Arc<str>) = (self.clone(), reporter.into());
        Flow::new(async move {
            let mut failures = Failures::default();
            // Every digest is looked for, whatever was found before it: a known secret costs the look-ups of an unknown one.
            for digest in digests {
                failures.note(registry.report_leaked_of(&digest, &reporter).await);
            }
            failures.answer(())
        })
    }

    async fn report_leaked_of(&self, fingerprint: &KeyDigest, reporter: &Arc<str>) -> Result<()> {
        let found = self.0.store.find_fingerprint(fingerprint).await?;
        let Some((group, id)) = found else { return Ok(()) };
        let system = Actor::new(group.tenant.clone(), "system", Role::System);
        let asked = self.0.asked(&system, None, b"report_leaked")?;
        let cause = Arc::clone(reporter);
        let order = Order { cause, ..Order::new(system, Command::ReportLeaked(id)) };
        let _ = self.run(&group, &order, &asked, &Made::new()).await?;
        Ok(())
    }

    /// So many secrets may be reported at once.
    pub const MOST_REPORTED: usize = 1000;

    /// How often [`retire_due`](Self::retire_due) is best called.
    pub const RETIRE_EVERY: Duration = Duration::from_secs(1);
}
