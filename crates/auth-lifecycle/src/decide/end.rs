//! Credentials that end: discarded, deleted, revoked, destroyed, leaked; and those that come back.

use super::Work;
use crate::{
    CommandName, CommandRefusal, Credential, EventName, Kept, RevokeGuard, State, Status, StepUp,
    WhenLeaked,
};

impl Work<'_> {
    pub(super) fn discard(&mut self, it: Credential, confirmed: u64) -> Result<(), CommandRefusal> {
        self.confirm(confirmed)?;
        if it.state != State::Active {
            return Err(self.wrong_state(&it));
        }
        let dependants = it.dependants.join(", ");
        let detail =
            if dependants.is_empty() { dependants } else { format!("used by {dependants}") };
        self.put(Credential { state: State::Inactive, ..it }, EventName::Discarded, detail);
        // That it is the last one is said first: to make room would not help.
        self.guard()?;
        let most = self.policy.max_inactive;
        if self.was.inactive >= usize::from(most) {
            return Err(CommandRefusal::InactiveSlotTaken { most });
        }
        Ok(())
    }

    pub(super) fn reactivate(&mut self, it: Credential) -> Result<(), CommandRefusal> {
        if it.state != State::Inactive {
            return Err(self.wrong_state(&it));
        }
        // What retired it is over: its successor no longer takes its place.
        let active = Credential { state: State::Active, retire_at: None, ..it };
        if active.status(self.now) == Status::Expired {
            return Err(CommandRefusal::Expired);
        }
        self.put(active, EventName::Reactivated, String::new());
        Ok(())
    }

    pub(super) fn delete(
        &mut self,
        it: Credential,
        confirmed: u64,
        proof: Option<&StepUp>,
    ) -> Result<(), CommandRefusal> {
        self.confirm(confirmed)?;
        if !matches!(it.state, State::Inactive | State::Revoked) {
            return Err(self.wrong_state(&it));
        }
        if !proof.is_some_and(|proof| self.proves(proof, &it)) {
            return Err(CommandRefusal::StepUpRequired);
        }
        self.put(deleted(it), EventName::Deleted, String::new());
        Ok(())
    }

    pub(super) fn revoke(
        &mut self,
        it: Credential,
        guard: RevokeGuard,
    ) -> Result<(), CommandRefusal> {
        if guard == RevokeGuard::BreakGlass && !self.order.actor.may_break_glass() {
            return Err(CommandRefusal::Forbidden);
        }
        if !matches!(it.state, State::Active | State::Inactive) {
            return Err(self.wrong_state(&it));
        }
        let id = it.id.clone();
        self.put(Credential { state: State::Revoked, ..it }, EventName::Revoked, String::new());
        if self.takes_the_last() {
            if guard == RevokeGuard::KeepLast {
                return Err(self.last());
            }
            self.tell(Some(id), EventName::BreakGlass, None, String::new(), Vec::new());
        }
        Ok(())
    }

    pub(super) fn destroy(&mut self, it: Credential) -> Result<(), CommandRefusal> {
        if it.status(self.now) != Status::Usable {
            return Err(self.wrong_state(&it));
        }
        let destroyed = Credential { state: State::Revoked, ..it };
        self.put(destroyed, EventName::SessionDestroyed, String::new());
        Ok(())
    }

    /// Revokes what was leaked, or alarms its owner: a group is never emptied by a stranger's report.
    pub(super) fn report_leaked(&mut self, it: Credential) {
        let over = !matches!(it.state, State::Active | State::Inactive);
        let revoked = Credential { state: State::Revoked, ..it.clone() };
        if !over && self.policy.when_leaked == WhenLeaked::Revoke {
            let (tally, changed, told) = (self.tally, self.changed.clone(), self.events.len());
            self.put(revoked, EventName::Revoked, "compromised".into());
            if !self.takes_the_last() {
                self.tell(Some(it.id), EventName::LeakReported, None, "revoked".into(), Vec::new());
                return;
            }
            (self.tally, self.changed) = (tally, changed);
            self.events.truncate(told);
        }
        let detail = if over { "had ended already" } else { "still in use: rotate it now" };
        self.tell(Some(it.id), EventName::LeakReported, None, detail.into(), Vec::new());
    }

    /// Sessions that have ended make room: nothing but their names is left of them.
    pub(super) fn forget_ended_sessions(&mut self) {
        if self.policy.holds == crate::Holds::Keys {
            return;
        }
        let ended: Vec<_> = self.present().filter(|one| one.has_ended(self.now)).cloned().collect();
        for it in ended {
            let name = match it.state {
                State::Active => EventName::Expired,
                _ => EventName::Deleted,
            };
            self.put(deleted(it), name, String::new());
        }
    }

    fn confirm(&self, confirmed: u64) -> Result<(), CommandRefusal> {
        let current = self.before.version;
        if confirmed == current { Ok(()) } else { Err(CommandRefusal::VersionChanged { current }) }
    }

    fn proves(&self, proof: &StepUp, it: &Credential) -> bool {
        // By the clock of this process: the group may be ahead of it.
        let fresh = proof.at <= self.told.after(StepUp::MOST_AHEAD)
            && self.told.since(proof.at) < StepUp::LIFETIME;
        let for_this = proof.command == CommandName::Delete && proof.credential == it.id;
        fresh && for_this && proof.actor == self.order.actor.id
    }

    pub(super) fn wrong_state(&self, it: &Credential) -> CommandRefusal {
        CommandRefusal::WrongState { status: it.status(self.now) }
    }
}

/// Only its name is left, and how it is told from all others, so that neither ever returns.
fn deleted(it: Credential) -> Credential {
    let kept: Kept = it.kept.without_secret();
    Credential { state: State::Deleted, kept, dependants: Vec::new(), ..it }
}
