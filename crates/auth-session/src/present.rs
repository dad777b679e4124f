//! A session as an authenticator: its token is presented on every request.

use crate::{
    Session,
    kept_token::{KeptToken, Unusable},
    schedule::fraction,
};
use auth_core::{
    Answer, Authenticator, Context, Credentials, Event, Flow, Need, PresentableToken, Refusal,
    RequestView, TokenSource, Verdict,
};
use http::{HeaderMap, StatusCode, Uri};

/// The token is presented on every request; what an answer means for it is for its scheme to say.
impl<S> Authenticator for Session<S>
where
    S: TokenSource + 'static,
    S::Token: PresentableToken,
{
    #[inline]
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        match &*self.0.current.load() {
            Some(kept) if kept.schedule.hand_out(&*self.0.context.clock) => self.present(kept),
            _ => self.presented_later(),
        }
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        let Some(generation) = self.generation(sent) else { return Verdict::Accept };
        // The answer is here, though the caller may keep the credentials of its request for a while.
        // With it the uses of all tokens that were presented together are over.
        sent.uses_are_over();
        match S::Token::refusal(answer) {
            Some(mut refusal) if self.is_worth_another(generation, answer.request.uri) => {
                // The observer is told the code, which a server may have made of what it was sent.
                refusal.code = refusal.code.filter(|code| !sent.are_repeated_in(code));
                if self.refused(generation, refusal) {
                    Verdict::Retry { after: None }
                } else {
                    Verdict::Accept
                }
            }
            Some(_) => Verdict::Accept,
            None => {
                if answer.status.is_success() {
                    self.prove(generation);
                    let now = || self.0.context.clock.steady();
                    self.0.refusers.took(answer.request.uri, now);
                }
                Verdict::Accept
            }
        }
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        S::Token::reads(status, headers)
    }
}

impl<S> Session<S>
where
    S: TokenSource + 'static,
{
    /// The receiver at this target refused a token of this generation, which others may still take: another one is obtained,
    /// and this one is used where there is none. For refusals that no answer to a request says by itself, such as what a
    /// probe found out; [`assess`](auth_core::Authenticator::assess) does the same for those that one does.
    ///
    /// False when the receiver backs off, or the renewal was tried and failed: to send the request again would be of no use.
    pub fn refused_at(&self, target: &Uri, generation: u64, refusal: Refusal) -> bool {
        self.is_worth_another(generation, target) && self.refused(generation, refusal)
    }

    /// Would another token do better where this one was refused?
    fn is_worth_another(&self, generation: u64, target: &Uri) -> bool {
        let Context { clock, random, .. } = &self.0.context;
        let (now, jitter) = (clock.steady(), fraction(&**random));
        // One that is there already costs no exchange.
        let current = self.0.current.load();
        let is_over = current.as_ref().is_some_and(|kept| kept.generation > generation);
        is_over || self.0.refusers.condemn(target, generation, now, jitter)
    }
}

impl<S> Session<S>
where
    S: TokenSource + 'static,
    S::Token: PresentableToken,
{
    #[inline]
    fn present(&self, kept: &KeptToken<S::Token>) -> Flow<'_, Credentials> {
        match kept.lent() {
            Some(credentials) => Flow::ready(credentials.clone()),
            None => self.presented_now(kept),
        }
    }

    /// The first time, and each time if the uses of this token are counted.
    #[inline(never)]
    fn presented_now(&self, kept: &KeptToken<S::Token>) -> Flow<'_, Credentials> {
        match kept.credentials(|| self.stamp(kept.generation)) {
            Ok(credentials) => Flow::ready(credentials),
            Err(unusable) => self.presented_otherwise(kept, unusable),
        }
    }

    /// The way of a caller that found no fresh token.
    #[cold]
    fn presented_later(&self) -> Flow<'_, Credentials> {
        self.obtained(None).and_then(move |kept| self.present(&kept))
    }

    #[cold]
    fn presented_otherwise(
        &self,
        kept: &KeptToken<S::Token>,
        unusable: Unusable,
    ) -> Flow<'_, Credentials> {
        let error = match unusable {
            Unusable::BeingReplaced => return self.presented_later(),
            Unusable::Broken(error) => error,
        };
        let broken = self.0.retire(kept.generation, |state, kept, time, jitter| {
            state.broken(kept, &error, time, jitter);
        });
        if broken {
            self.0.tell(Event::RenewalFailed { session: self.0.name(), error: &error });
        }
        Flow::failed(error)
    }
}
