//! How a session obtains a token: who begins a flight, what it does, and what becomes of what it brings.

use crate::{
    flight::Flight,
    kept_token::KeptToken,
    schedule::{Stage, Time, fraction},
    session::{Inner, Session},
    state::{Meanwhile, Next, Outcome, Settling, ended},
};
use auth_core::{Context, Error, Event, Flow, Renewal, Result, Timestamp, TokenSource};
use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll};

impl<S> Session<S>
where
    S: TokenSource + 'static,
{
    /// A token that may be used now, obtained if need be.
    pub(crate) fn obtained(&self, needed: Option<Timestamp>) -> Flow<'_, Arc<KeptToken<S::Token>>> {
        let inner = &self.0;
        let time = Time::of(&*inner.context.clock);
        let mut state = inner.state();
        let (watch, meanwhile) = match state.next(inner.current.load().as_ref(), time, needed) {
            Next::Use(kept) => {
                drop(state);
                kept.schedule.hand_out(&*inner.context.clock);
                return Flow::ready(kept);
            }
            Next::Fail(error) => return Flow::failed(error),
            Next::Wait { watch, instead } => (watch, Meanwhile::Wait { instead }),
            Next::Renew { why, meanwhile } => {
                let settling = state.take_off(inner.current.load().as_ref());
                let meanwhile = if settling.is_some() {
                    inner.current.store(None);
                    Meanwhile::Wait { instead: None }
                } else {
                    meanwhile
                };
                let begun = state.generation;
                let flight = state.flight.insert(inner.begin(why, settling, begun));
                let (watch, carried) = (flight.watch(), flight.watch());
                drop(state);
                let finish_even_if_dropped = Flow::new(async move {
                    // Good or bad, it has landed.
                    let _ = carried.await;
                    Ok(())
                });
                match (inner.context.transport.detach(finish_even_if_dropped), meanwhile) {
                    (None, Meanwhile::Use(kept)) => return Flow::ready(kept),
                    // There is no background: this caller carries it.
                    (Some(_), Meanwhile::Use(kept)) => {
                        (watch, Meanwhile::Wait { instead: Some(kept) })
                    }
                    (_, wait) => (watch, wait),
                }
            }
        };
        Flow::new(async move {
            match (watch.await, meanwhile.token()) {
                (Ok(Some(kept)), _) => Ok(kept),
                // Another token was put here meanwhile.
                (Ok(None), _) => self.obtained(needed).await,
                (Err(_), Some(kept)) if inner.is_good(&kept) => Ok(kept),
                (Err(error), _) => Err(error),
            }
        })
    }
}

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
            // Nothing has been asked for yet, and nothing needs to be if another token was put here meanwhile, the
            // session was ended, or nobody has it any more.
            match owner.upgrade().map(|owner| owner.overtaken(begun)) {
                Some(None) => {}
                Some(Some(outcome)) => return outcome,
                None => return Err(ended()),
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

    /// Neither dead nor condemned by now.
    fn is_good(&self, kept: &KeptToken<S::Token>) -> bool {
        let current = self.current.load();
        let same = current.as_ref().is_some_and(|current| current.generation == kept.generation);
        same && kept.schedule.stage(Time::of(&*self.context.clock)) != Stage::Dead
    }

    fn overtaken(&self, begun: u64) -> Option<Outcome<S::Token>> {
        let mut state = self.state();
        let outcome = if state.is_ended() {
            Err(ended())
        } else if state.generation == begun {
            return None;
        } else {
            Ok(None)
        };
        state.flight = None;
        Some(outcome)
    }

    fn land(&self, obtained: Result<S::Token>, begun: u64) -> Outcome<S::Token> {
        let known = obtained.as_ref().is_err_and(|error| self.state().is_known(error));
        let landed = self.landed(obtained, begun);
        match &landed {
            Ok(Some(_)) => self.tell(Event::Renewed { session: self.name() }),
            Ok(None) => {}
            Err(_) if known => {}
            Err(error) => self.tell(Event::RenewalFailed { session: self.name(), error }),
        }
        landed
    }

    fn landed(&self, obtained: Result<S::Token>, begun: u64) -> Outcome<S::Token> {
        let time = Time::of(&*self.context.clock);
        let obtained = obtained.map(|token| self.kept(token, time).obtained(time));
        let jitter = fraction(&*self.context.random);
        let mut state = self.state();
        // What was put here after the flight began stays.
        let obtained = if state.generation == begun { obtained.map(Some) } else { Ok(None) };
        let outcome = match obtained {
            Ok(Some(kept)) => {
                let kept = state.renewed(kept);
                if !state.is_ended() {
                    self.current.store(Some(Arc::clone(&kept)));
                }
                Ok(Some(kept))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                state.failed(&error, time, jitter);
                Err(error)
            }
        };
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
    Error::unavailable("session_source_panicked", None, text)
}
