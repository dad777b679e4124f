//! What time does to a group.

use super::Work;
use crate::{CommandRefusal, Credential, EventName, Holds, State, Status};

impl Work<'_> {
    /// Notes what has ended, retires what is due, and tells owners what comes. Given again it only counts the version up.
    pub(super) fn retire_due(&mut self) {
        for it in &self.before.credentials {
            self.tell_what_comes(it);
            match it.status(self.now) {
                Status::Expired if !it.ended => self.expire(it.clone()),
                Status::Retired => self.retire(it.clone()),
                _ => {}
            }
        }
        self.forget_ended_sessions();
        if !self.changed.is_empty() && self.tally.lasting < usize::from(self.policy.min_active) {
            let detail = format!("{} lasting", self.tally.lasting);
            self.tell(None, EventName::TooFewLasting, None, detail, Vec::new());
        }
        // A use moves the end of an idle credential, and nothing but a change tells the store when the group is due then.
        self.moves_next_due = self.before.version > 0;
    }

    pub(super) fn cancel_retire(&mut self, it: Credential) -> Result<(), CommandRefusal> {
        if it.status(self.now) != Status::Usable || it.retire_at.is_none() {
            return Err(self.wrong_state(&it));
        }
        let kept = Credential { retire_at: None, ..it };
        self.put(kept, EventName::RetireCancelled, String::new());
        Ok(())
    }

    fn expire(&mut self, it: Credential) {
        if self.policy.holds == Holds::Keys {
            self.put(Credential { ended: true, ..it }, EventName::Expired, String::new());
        }
    }

    fn retire(&mut self, it: Credential) {
        let room = self.tally.inactive < usize::from(self.policy.max_inactive);
        let state = if room { State::Inactive } else { State::Revoked };
        self.put(Credential { state, ..it }, EventName::Retired, String::new());
    }

    /// Tells the owner once that a credential ends soon, for each threshold, and once that it is due for rotation.
    fn tell_what_comes(&mut self, it: &Credential) {
        if !matches!(it.status(self.now), Status::Usable | Status::NotYet) {
            return;
        }
        let ends_within = |span| it.expires.is_some_and(|end| end <= self.now.after(span));
        let passed = self.policy.notices.iter().filter(|span| ends_within(**span)).count();
        let passed = u8::try_from(passed).unwrap_or(u8::MAX);
        if let (true, Some(end)) = (passed > it.notices_told, it.expires) {
            let detail = format!("ends in {} s", end.since(self.now).as_secs());
            let told = Credential { notices_told: passed, ..self.changed_so_far(it) };
            self.put(told, EventName::ExpiringSoon, detail);
        }
        let due = it.rotation_due_at(self.policy).is_some_and(|at| at <= self.now);
        if due && !it.rotation_told {
            let told = Credential { rotation_told: true, ..self.changed_so_far(it) };
            self.put(told, EventName::RotationDue, String::new());
        }
    }

    fn changed_so_far(&self, it: &Credential) -> Credential {
        self.newest(&it.id).unwrap_or(it).clone()
    }
}
