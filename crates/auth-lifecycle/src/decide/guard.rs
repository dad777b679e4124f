//! What holds commands back: the kind of the group, its last credential, and an end that has come.

use super::Work;
use crate::{CommandName, CommandRefusal, Credential, Holds, Status};

impl Work<'_> {
    /// Refuses what is over: its end has come, in whatever state it is.
    pub(super) fn still_to_be_used(&self, it: &Credential) -> Result<(), CommandRefusal> {
        match it.status(self.now) {
            Status::Inactive if it.has_passed(self.now) => Err(CommandRefusal::Expired),
            Status::Usable | Status::NotYet | Status::Inactive => Ok(()),
            Status::Expired | Status::Retired => Err(CommandRefusal::Expired),
            status => Err(CommandRefusal::WrongState { status }),
        }
    }

    /// Refuses what leaves fewer lasting, or fewer usable, credentials than the policy wants, unless it was so before.
    pub(super) fn guard(&self) -> Result<(), CommandRefusal> {
        if self.takes_the_last() { Err(self.last()) } else { Ok(()) }
    }

    /// What is said of a command that takes the last one: where another one is being rotated, that can be ended.
    pub(super) fn last(&self) -> CommandRefusal {
        let rotating = self.before.credentials.iter().any(|one| {
            let is_other = self.about.is_none_or(|about| about.id != one.id);
            is_other && one.status(self.now) == Status::Usable && one.retire_at.is_some()
        });
        if rotating { CommandRefusal::LastBesideRotation } else { CommandRefusal::LastActive }
    }

    pub(super) fn takes_the_last(&self) -> bool {
        let least = usize::from(self.policy.min_active);
        let below = |before: usize, after: usize| after < before && after < least;
        let is_lost =
            |one: &&Credential| one.status(self.now) == Status::Usable && !self.keeps(one);
        let kept = self.tally.usable.saturating_sub(self.changed.iter().filter(is_lost).count());
        below(self.was.lasting, self.tally.lasting) || below(self.was.usable, kept)
    }

    /// Is it usable, and for as long as it was before, or lasting?
    fn keeps(&self, after: &Credential) -> bool {
        let end = |one: &Credential| [one.expires, one.retire_at].into_iter().flatten().min();
        let ends_earlier = |before: &Credential| {
            end(after).is_some_and(|end_after| end(before).is_none_or(|end| end_after < end))
        };
        let shortened = self.original(&after.id).is_some_and(ends_earlier);
        after.status(self.now) == Status::Usable
            && (!shortened || after.is_lasting(self.now, self.policy.guard_horizon))
    }
}

impl Holds {
    /// Sessions are created, end and are destroyed; all else is for keys.
    pub(crate) const fn allows(self, command: CommandName) -> bool {
        match command {
            CommandName::Create
            | CommandName::RetireDue
            | CommandName::Revoke
            | CommandName::ReportLeaked => true,
            CommandName::Destroy => !matches!(self, Self::Keys),
            // Where several sessions may be alive, nobody could say which of them ends.
            CommandName::ReplaceSession => matches!(self, Self::OneSession),
            _ => matches!(self, Self::Keys),
        }
    }
}
