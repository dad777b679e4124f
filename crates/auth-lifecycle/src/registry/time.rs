//! What time does: the registry asks its store what is due, and does it.

use super::{ClockSuspicion, Registry, answers::Made};
use crate::{Actor, Command, GroupId, Order, Role};
use auth_core::{Flow, Result};
use std::{sync::Arc, time::Duration};

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

impl Registry {
    /// Does what time has made due: credentials expire and are retired, and their owners are told what comes. Call it every
    /// second or so; several processes may.
    ///
    /// What a verifier accepts does not wait for it: an end holds at its moment. This writes it down.
    pub fn retire_due(&self) -> Flow<'static, Retired> {
        let registry = self.clone();
        Flow::new(async move {
            let reading = registry.0.clock.read();
            if reading.suspicion.is_some() {
                return Ok(Retired { groups: 0, suspicion: reading.suspicion });
            }
            let due = registry.0.store.due(reading.moment(), MOST_GROUPS).await?;
            for group in &due {
                registry.retire_due_of(group).await?;
            }
            Ok(Retired { groups: due.len(), suspicion: None })
        })
    }

    /// Why the clock is not believed; `None` while it is.
    #[must_use]
    pub fn clock_suspicion(&self) -> Option<ClockSuspicion> {
        self.0.clock.read().suspicion
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
    /// lasting credential by a report.
    ///
    /// # Security
    ///
    /// The answer is the same whether a secret is known here or not. Limit how often a source may report.
    pub fn report_leaked(
        &self,
        secrets: &[auth_core::Secret],
        reporter: &str,
    ) -> Flow<'static, ()> {
        let token = |secret: &auth_core::Secret| self.0.hashers.tokens.hash(secret.expose());
        let digests: Vec<_> = secrets.iter().take(Self::MOST_REPORTED).map(token).collect();
        let (registry, reporter): (_, Arc<str>) = (self.clone(), reporter.into());
        Flow::new(async move {
            for digest in digests {
                let Some((group, id)) = registry.0.store.find_fingerprint(&digest).await? else {
                    continue;
                };
                let system = Actor::new(group.tenant.clone(), "system", Role::System);
                let asked = registry.0.asked(&system, None, b"report_leaked")?;
                let cause = Arc::clone(&reporter);
                let order = Order { cause, ..Order::new(system, Command::ReportLeaked(id)) };
                let _ = registry.run(&group, &order, &asked, &Made::new()).await?;
            }
            Ok(())
        })
    }

    /// So many secrets may be reported at once.
    pub const MOST_REPORTED: usize = 1000;

    /// How often [`retire_due`](Self::retire_due) is best called.
    pub const RETIRE_EVERY: Duration = Duration::from_secs(1);
}
