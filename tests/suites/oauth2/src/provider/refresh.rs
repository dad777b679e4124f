//! Refreshing at oidc-provider, which rotates refresh tokens, and ends all that came of one that is used again.

use super::{METHODS, code::Flow, service::subject};
use crate::ours::{case, refusal, text};
use auth_core::{Clock, Renewal, Secret, SystemClock, TokenSource};
use auth_oauth2::{AuthorizationCode, OAuthToken, Result as OAuthResult, Session, StorableToken};
use auth_testing::ManualClock;
use conformance::Compared;
use std::{collections::HashSet, future::poll_fn, pin::pin, task::Poll, time::Duration};
use tokio::{task::JoinSet, time::sleep};

type Done<T> = Result<T, String>;

impl Flow<'_> {
    /// Refresh tokens are rotated, and one that was used ends all that came of it.
    pub(super) async fn refreshed(&self) -> Vec<Compared> {
        let mut cases = Vec::new();
        for method in METHODS {
            let run = async {
                let grant = self.grant(method)?;
                let first = self.token(&grant).await?;
                let session = Session::new(grant, self.context.clone());
                let second = refreshed(&session, &first).await?.map_err(text)?;
                let rotated = refresh_token(&first)? != refresh_token(&second)?;
                let subject = subject(self.provider, &second, self.context).await?;
                Ok(format!("rotated: {rotated}, {subject}"))
            };
            cases.push(case(&format!("refresh-{method}"), "rotated: true, of alice", run).await);
        }
        let run = async {
            let grant = self.grant("client_secret_basic")?;
            let first = self.token(&grant).await?;
            let session = Session::new(grant, self.context.clone());
            let second = refreshed(&session, &first).await?.map_err(text)?;
            let replayed = refusal(refreshed(&session, &first).await?, &[&self.provider.secret]);
            let family = refusal(refreshed(&session, &second).await?, &[&self.provider.secret]);
            Ok(format!("{replayed}; {family}"))
        };
        let ended = "oauth2_consent_needed, 400 Consent";
        cases.push(case("refresh-replayed", &format!("{ended}; {ended}"), run).await);
        // Three lives of a token, by a clock that is moved: callers see none of them end.
        let run = async {
            let (session, clock) = self.session().await?;
            let mut seen = Vec::new();
            for _ in 0..3 {
                clock.advance(Duration::from_secs(61));
                let token = session.token().await.map_err(text)?.token;
                seen.push(subject(self.provider, &token, self.context).await?);
            }
            Ok(seen.join(", "))
        };
        cases.push(case("refresh-three-lives", "of alice, of alice, of alice", run).await);
        cases.extend(self.shared().await);
        cases
    }

    /// Many callers at once, and callers who go away: two exchanges with one refresh token would end all of it.
    async fn shared(&self) -> Vec<Compared> {
        let mut cases = Vec::new();
        let run = async {
            let (session, clock) = self.session().await?;
            let mut handed_out = HashSet::new();
            for _ in 0..3 {
                clock.advance(Duration::from_secs(61));
                let mut callers = JoinSet::new();
                for _ in 0..200 {
                    let session = session.clone();
                    callers.spawn(async move { session.token().await });
                }
                for current in callers.join_all().await {
                    let token = current.map_err(text)?.token;
                    handed_out.insert(token.access_token().expose().to_vec());
                }
            }
            let last = session.token().await.map_err(text)?.token;
            let subject = subject(self.provider, &last, self.context).await?;
            Ok(format!("{} tokens, {subject}", handed_out.len()))
        };
        cases.push(case("refresh-many-at-once", "3 tokens, of alice", run).await);
        let run = async {
            let (session, clock) = self.session().await?;
            let mut gone = 0;
            for turn in 0..25 {
                clock.advance(Duration::from_secs(61));
                {
                    let mut caller = pin!(session.token());
                    let waits = poll_fn(|cx| Poll::Ready(caller.as_mut().poll(cx).is_pending()));
                    gone += usize::from(waits.await);
                    sleep(Duration::from_micros(turn * 200)).await;
                }
                // Whoever comes next gets what the one before began.
                session.token().await.map_err(text)?;
            }
            let last = session.token().await.map_err(text)?.token;
            let subject = subject(self.provider, &last, self.context).await?;
            // On a busy machine an exchange may be over before its caller looks.
            Ok(format!("some gone: {}, {subject}", gone > 0))
        };
        cases.push(case("refresh-callers-gone", "some gone: true, of alice", run).await);
        cases
    }

    /// A session with a token of alice's, and the clock that it goes by.
    async fn session(&self) -> Done<(Session<AuthorizationCode>, ManualClock)> {
        let clock = ManualClock::at(SystemClock.now().unix());
        let grant = self.grant("client_secret_basic")?;
        let first = self.token(&grant).await?;
        let session = Session::new(grant, self.context.clone().with_clock(clock.clone()));
        session.put(first).map_err(text)?;
        Ok((session, clock))
    }
}

/// What a session does with a token that is due, in a process that has it from a store and does not know what another one
/// has done with it.
pub(super) async fn refreshed(
    session: &Session<AuthorizationCode>,
    token: &OAuthToken,
) -> Done<OAuthResult<OAuthToken>> {
    let copy = OAuthToken::from_rest(token.to_rest().expose()).map_err(text)?;
    let why = Renewal::Due(copy);
    Ok(session.source().token(session.context(), why).await)
}

fn refresh_token(token: &OAuthToken) -> Done<&[u8]> {
    token.refresh_token().map(Secret::expose).ok_or_else(|| "no refresh token".into())
}
