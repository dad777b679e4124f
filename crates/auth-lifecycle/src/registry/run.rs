//! Commands against a store: decided, written, and asked for again when nobody knows.

use super::{
    Registry,
    answers::{Asked, Made},
};
use crate::{
    Actor, CommandRefusal, Commit, CommitOutcome, EventName, GroupId, Happening, Order, Snapshot,
    cache::Change, decide,
};
use auth_core::{Error, Result};
use std::fmt;

/// What became of a command that was not refused.
pub(super) enum Ran {
    /// It was done now.
    Now,
    /// It was done before, and made this.
    Before(Made),
}

/// A group that changes so often between a load and a commit is asked too much of.
const MOST_CONFLICTS: usize = 100;

/// So often a commit is repeated of which nobody knows whether it was written.
const MOST_UNKNOWN: usize = 3;

impl Registry {
    /// Decides a command over its group, and again when the group has changed meanwhile, until it is written.
    pub(super) async fn run(
        &self,
        group: &GroupId,
        order: &Order,
        asked: &Asked,
        made: &Made,
    ) -> Result<Result<Ran, CommandRefusal>> {
        for _ in 0..MOST_CONFLICTS {
            let snapshot = self.snapshot(group).await?;
            let now = self.0.clock.read().moment();
            let decision = match decide(&snapshot, order, now) {
                Ok(decision) => decision,
                Err(refusal) => return self.refused(&snapshot, order, refusal).await.map(Err),
            };
            let answer = self.0.remember(&order.actor, asked, made, now).await?;
            let changes = decision.change.into_iter().collect();
            let commit =
                Commit { changes, service: None, events: decision.events, answer: Some(answer) };
            match self.commit(commit).await? {
                CommitOutcome::Done { .. } => return Ok(Ok(Ran::Now)),
                CommitOutcome::Duplicate(answer) => {
                    let made = self.0.recall(&order.actor, asked, &answer).await?;
                    return Ok(made.map(Ran::Before).ok_or(CommandRefusal::IdempotencyKeyReused));
                }
                CommitOutcome::Taken => return Ok(Err(CommandRefusal::SecretTaken)),
                CommitOutcome::Conflict | CommitOutcome::Unknown => {}
            }
        }
        let text = "the group was changed by others again and again; try again";
        Err(Error::unavailable("lifecycle_contended", None, text))
    }

    /// Writes, and repeats what nobody knows to be written: its answer has a name, so it is not done twice.
    ///
    /// What this process has changed it respects at once, before the ledger is polled.
    pub(super) async fn commit(&self, commit: Commit) -> Result<CommitOutcome> {
        let keys: Vec<_> = commit.events.iter().flat_map(|event| event.touched.clone()).collect();
        let outcome = self.written(commit).await?;
        if let CommitOutcome::Done { position } = outcome {
            self.0.cache.forget(&Change { sequence: position, keys });
        }
        Ok(outcome)
    }

    async fn written(&self, commit: Commit) -> Result<CommitOutcome> {
        let commit = self.named(commit)?;
        let mut outcome = self.0.store.commit(commit.clone()).await?;
        let mut repeated = 0;
        while outcome == CommitOutcome::Unknown {
            repeated += 1;
            if repeated == MOST_UNKNOWN {
                return Err(unknown("its store did not say"));
            }
            // From here on an error of the store says nothing about the first attempt.
            outcome = self.0.store.commit(commit.clone()).await.map_err(unknown)?;
        }
        match outcome {
            CommitOutcome::Duplicate(answer)
                if repeated > 0 && commit.answer.as_ref() == Some(&answer) =>
            {
                let position = self.0.store.position().await.map_err(unknown)?;
                Ok(CommitOutcome::Done { position })
            }
            outcome => Ok(outcome),
        }
    }

    /// A commit whose answer nobody asks for, such as that of an event alone, is remembered too: so it is not written twice
    /// when it is repeated.
    fn named(&self, mut commit: Commit) -> Result<Commit> {
        if commit.answer.is_none() {
            commit.answer = Some(self.0.nothing_to_remember(self.0.clock.read().moment())?);
        }
        Ok(commit)
    }

    /// What the command made when it was given before.
    pub(super) async fn recalled(
        &self,
        actor: &Actor,
        asked: &Asked,
    ) -> Result<Option<Result<Made, CommandRefusal>>> {
        let now = self.0.clock.read().moment();
        let Some(answer) = self.0.store.answer(&asked.name, now).await? else { return Ok(None) };
        let made = self.0.recall(actor, asked, &answer).await?;
        Ok(Some(made.ok_or(CommandRefusal::IdempotencyKeyReused)))
    }

    /// What an actor's role does not include is written down.
    pub(super) async fn refused(
        &self,
        snapshot: &Snapshot,
        order: &Order,
        refusal: CommandRefusal,
    ) -> Result<CommandRefusal> {
        if refusal == CommandRefusal::Forbidden {
            let now = self.0.clock.read().moment();
            self.note_refused(forbidden(snapshot, order, now)).await?;
        }
        Ok(refusal)
    }
}

fn unknown(cause: impl fmt::Display) -> Error {
    let text = format!(
        "nobody knows whether the command was done ({cause}); look, or repeat the command with the same idempotency key"
    );
    Error::unavailable("lifecycle_commit_unknown", None, text)
}

fn forbidden(snapshot: &Snapshot, order: &Order, now: auth_core::Timestamp) -> Happening {
    let group = &snapshot.group;
    Happening {
        tenant: group.id.tenant.clone(),
        service: group.id.service.clone(),
        group: Some((group.id.clone(), group.version)),
        credential: order.command.credential().cloned(),
        name: EventName::Refused,
        at: now,
        actor: order.actor.id.clone(),
        role: order.actor.role,
        cause: order.cause.clone(),
        states: None,
        detail: order.command.name().to_string(),
        touched: Vec::new(),
    }
}
