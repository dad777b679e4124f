//! The flights of a session: what they do, and what becomes of what they bring.

use crate::{
    flight::Flight,
    schedule::{Time, fraction},
    session::Inner,
    state::{Outcome, Settling, ended},
};
use auth_core::{Cause, Context, Error, Event, Renewal, Result, TokenSource};
use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll};

impl<S> Inner<S>
where
    S: TokenSource + 'static,
{
    /// A flight that replaces the generation `begun`, once what it ends has settled.
    pub(crate) fn begin(
        self: &Arc<Self>,
        why: Renewal<S::Token>,
        settling: Option<Settling>,
        begun: u64,
    ) -> Flight<Outcome<S::Token>> {
        // The flight is kept in here: owning what keeps it would be a circle.
        let (source, owner) = (Arc::clone(&self.source), Arc::downgrade(self));
        let fallen = owner.clone();
        let context = self.context.clone();
        let work = async move {
            if let Some(settling) = settling {
                settling.over(&context).await;
            }
            // Nothing has been asked for yet, and nothing needs to be if another token was put here meanwhile.
            if let Some(owner) = owner.upgrade() {
                if let Some(outcome) = owner.overtaken(begun) {
                    return outcome;
                }
            }
            let obtained = source.token(&context, why).await;
            owner.upgrade().map_or_else(|| Err(ended()), |owner| owner.land(obtained, begun))
        };
        let panicked = move || {
            let panicked = panicked();
            fallen.upgrade().map_or_else(|| Err(ended()), |owner| owner.land(Err(panicked), begun))
        };
        Flight::new(work, panicked)
    }

    fn overtaken(&self, begun: u64) -> Option<Outcome<S::Token>> {
        let mut state = self.state();
        if state.generation == begun {
            return None;
        }
        state.flight = None;
        Some(Ok(None))
    }

    fn land(&self, obtained: Result<S::Token>, begun: u64) -> Outcome<S::Token> {
        let landed = self.landed(obtained, begun);
        match &landed {
            Ok(Some(_)) => self.tell(Event::Renewed { session: self.name() }),
            Ok(None) => {}
            Err(error) => self.tell(Event::RenewalFailed { session: self.name(), error }),
        }
        landed
    }

    fn landed(&self, obtained: Result<S::Token>, begun: u64) -> Outcome<S::Token> {
        let obtained = obtained.map(|token| self.keep(token, begun.saturating_add(1)));
        let (time, jitter) = (Time::of(&*self.context.clock), fraction(&*self.context.random));
        let mut state = self.state();
        // What was put here after the flight began stays.
        let outcome = if state.generation == begun { obtained.map(Some) } else { Ok(None) };
        match &outcome {
            Ok(Some(kept)) => {
                if !state.is_ended() {
                    self.current.store(Some(Arc::clone(kept)));
                }
                state.renewed();
            }
            Ok(None) => {}
            Err(error) => state.failed(error, time, jitter),
        }
        // What the flight brought is in its place first, and the flight is taken down second. In the other order a
        // caller that looks in between would find neither the flight nor what it brought, and begin another one. Here
        // one lock covers both steps; a flight that condemns a generation from outside this lock, as a probe of two
        // tokens does, has nothing but this order.
        state.flight = None;
        outcome
    }
}

impl Settling {
    /// Is over when every request with the old token was answered or given up, and after the settling time at the
    /// latest.
    async fn over(self, context: &Context) {
        let mut pause = None;
        poll_fn(|task| {
            if self.uses.poll_over(task).is_ready() {
                return Poll::Ready(());
            }
            // A transport that cannot pause makes nobody wait for ever.
            let pause = pause.get_or_insert_with(|| context.transport.pause(self.most));
            Pin::new(pause).poll(task).map(drop)
        })
        .await;
    }
}

fn panicked() -> Error {
    let text = "token source panicked, expected a token or an error";
    Error::Unavailable { retry_after: None, cause: Cause::new("session_source_panicked", text) }
}
