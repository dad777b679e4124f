//! Keys that an issuer publishes at a URL (RFC 7517 section 5), fetched and kept.

mod cache;
mod published;

use crate::{JwkSet, JwsAlgorithm, JwtKeys, KeyId, LeftOutKey};
use auth_core::{Cause, Context, Error, Event, Exchange, Flow, Lookup, Origin, Result, Timestamp};
use auth_session::{Flight, retry_after};
use cache::{Cache, Next, Rules};
use http::{Request, Response, StatusCode, Uri, header};
use published::Published;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The keys that one issuer publishes, as a look-up for a [`JwtVerifier`](crate::JwtVerifier).
///
/// A set is fetched when the first token asks for it, kept for ten minutes, and then fetched again while the old one is
/// still used: nobody waits for that if the transport can run it in the background. A `kid` that is not in the set makes
/// it fetch at once, for the issuer may have rotated, but not within 30 seconds of the last time, and not for a `kid`
/// that was just found missing. Look-ups while a fetch is under way share it, and a fetch that has begun is seen
/// through though its caller gave up: the next caller carries it on. When the issuer does not answer, the last good set
/// is used for a day, and the issuer is asked again after 1, 2, 4 and at most 30 seconds, or when it said. All of these
/// are spans: a clock that is set back makes none of them longer.
///
/// Keys that cannot be used, as those for encryption, are left out, and the context's observer is told of each
/// ([`Event::KeyLeftOut`]).
///
/// # Security
///
/// It answers for its issuer alone: the token of another names a key that is not known, and nothing is fetched. The URL
/// is yours, never the token's (`jku`), and https beyond loopback. An answer has at most 256 KiB. A shared secret
/// (`kty` `oct`) in it is left out: every program that can fetch the set could sign with it.
///
/// ```
/// # use auth_core::{Context, Error};
/// use auth_jwt::RemoteJwkSet;
/// # fn with(context: Context) -> Result<(), Error> {
/// let keys = RemoteJwkSet::builder("https://issuer.example", "https://issuer.example/jwks.json", context).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RemoteJwkSet(Arc<Inner>);

/// Builds [`RemoteJwkSet`].
pub struct RemoteJwkSetBuilder {
    issuer: String,
    url: String,
    context: Context,
    assumed: Option<JwsAlgorithm>,
    rules: Rules,
}

struct Inner {
    issuer: Box<str>,
    url: Uri,
    context: Context,
    assumed: Option<JwsAlgorithm>,
    rules: Rules,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cache: Cache,
    flight: Option<Flight<()>>,
}

impl RemoteJwkSet {
    /// The most bytes of a set.
    pub const MOST_BYTES: usize = 256 * 1024;

    /// Begins with the `iss` of the tokens and the URL of the keys.
    #[must_use]
    pub fn builder(issuer: &str, url: &str, context: Context) -> RemoteJwkSetBuilder {
        let rules = Rules {
            keep: Duration::from_secs(10 * 60),
            outlast: Duration::from_secs(24 * 60 * 60),
        };
        let (issuer, url) = (issuer.to_owned(), url.to_owned());
        RemoteJwkSetBuilder { issuer, url, context, assumed: None, rules }
    }
}

impl RemoteJwkSetBuilder {
    /// The algorithm of the keys that state none, which are left out unless this is set: a key is for one algorithm, and
    /// the token does not choose it. Keys that state an algorithm are for that one.
    #[must_use]
    pub const fn with_assumed_algorithm(mut self, algorithm: JwsAlgorithm) -> Self {
        self.assumed = Some(algorithm);
        self
    }

    /// Fetches a set again when it is older than this; ten minutes unless set.
    #[must_use]
    pub const fn with_freshness(mut self, span: Duration) -> Self {
        self.rules.keep = span;
        self
    }

    /// Uses an old set for so much longer while the issuer does not answer; a day unless set.
    #[must_use]
    pub const fn with_outage_limit(mut self, span: Duration) -> Self {
        self.rules.outlast = span;
        self
    }

    /// The look-up. It fetches nothing until a token asks for a key.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the URL is not absolute, or is plain http beyond loopback.
    pub fn build(self) -> Result<RemoteJwkSet> {
        let url: Uri = self.url.parse().map_err(|error| Error::config("jwks_url", error))?;
        if !Origin::of(&url)?.is_confidential() {
            return Err(Error::config(
                "jwks_plain_http",
                "url of the key set is http, expected https",
            ));
        }
        let Self { context, assumed, rules, .. } = self;
        let issuer = self.issuer.into();
        Ok(RemoteJwkSet(Arc::new(Inner {
            issuer,
            url,
            context,
            assumed,
            rules,
            state: Mutex::default(),
        })))
    }
}

impl Lookup<KeyId> for RemoteJwkSet {
    type Found = JwtKeys;

    fn lookup(&self, id: &KeyId) -> Flow<'_, Option<JwtKeys>> {
        if id.issuer.as_deref() != Some(&*self.0.issuer) {
            return Flow::ready(None);
        }
        let inner = &self.0;
        let mut state = inner.state();
        let meanwhile =
            match state.cache.next(id.kid.as_deref(), inner.context.clock.steady(), inner.rules) {
                Next::Known(found) => return Flow::ready(found),
                Next::Failed(error) => return Flow::failed(error),
                Next::Ask { meanwhile } => meanwhile,
            };
        // One that nobody watches any more is carried on by this caller.
        let flight = state.flight.take().unwrap_or_else(|| inner.begin());
        let (is_carried, watch) = (flight.is_watched(), flight.watch());
        state.flight = Some(flight);
        drop(state);
        let fetched = Flow::new(async move {
            watch.await;
            Ok(())
        });
        match meanwhile {
            None => {
                let (inner, kid) = (Arc::clone(inner), id.kid.clone());
                fetched.and_then(move |()| {
                    let now = inner.context.clock.steady();
                    inner.state().cache.answer(kid.as_deref(), now, inner.rules).into()
                })
            }
            Some(found) if is_carried => Flow::ready(Some(found)),
            Some(found) => match inner.context.transport.detach(fetched) {
                None => Flow::ready(Some(found)),
                Some(fetched) => fetched.map(|()| Some(found)),
            },
        }
    }
}

impl Inner {
    fn begin(self: &Arc<Self>) -> Flight<()> {
        let (context, exchange) = (self.context.clone(), request(&self.url));
        // The flight is kept in here: owning what keeps it would be a circle.
        let (owner, assumed) = (Arc::downgrade(self), self.assumed);
        let fallen = owner.clone();
        let asked = context.clock.steady();
        let work = async move {
            let answered = match exchange {
                Ok(exchange) => context.transport.fetch(exchange).await,
                Err(error) => Err(error),
            };
            let set = answered.and_then(|answer| read(&answer, context.clock.now()));
            let Some(owner) = owner.upgrade() else { return };
            let (set, left_out) = match set.map(|set| Published::of(&set, assumed)) {
                Ok((set, left_out)) => (Ok(set), left_out),
                Err(error) => (Err(error), Vec::new()),
            };
            owner.land(set, asked);
            owner.tell(&left_out);
        };
        Flight::new(work, move || {
            if let Some(owner) = fallen.upgrade() {
                owner.land(Err(Error::Unavailable { retry_after: None, cause: panicked() }), asked);
            }
        })
    }

    fn land(&self, set: Result<Published>, asked: Instant) {
        let mut state = self.state();
        // What the fetch brought first, the flight second: a look-up that finds no flight finds what it brought.
        state.cache.learn(set, asked, self.context.clock.steady());
        state.flight = None;
    }

    /// Why keys of the issuer are not used.
    fn tell(&self, left_out: &[LeftOutKey]) {
        for LeftOutKey { kid, error } in left_out {
            let error = Error::Protocol(error.cause().clone());
            let (issuer, kid) = (&*self.issuer, kid.as_deref());
            self.context.observer.observe(Event::KeyLeftOut { issuer, kid, error: &error });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is behind the lock is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn panicked() -> Cause {
    Cause::new("jwks_fetch_panicked", "fetch of the key set panicked, expected a set or an error")
}

/// The request for a key set.
fn request(url: &Uri) -> Result<Exchange> {
    Request::get(url)
        .header(header::ACCEPT, "application/jwk-set+json, application/json")
        .body(Vec::new())
        .map(|request| Exchange::new(request).with_answer_limit(RemoteJwkSet::MOST_BYTES))
        .map_err(|error| Error::config("jwks_url", error))
}

/// What the answer says.
fn read(answer: &Response<Vec<u8>>, now: Timestamp) -> Result<JwkSet> {
    let status = answer.status();
    if status == StatusCode::OK {
        return JwkSet::parse(answer.body())
            .map_err(|error| Error::Protocol(error.cause().clone()));
    }
    let cause = Cause::new("jwks_status", format!("key set answered {status}, expected 200"));
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(Error::Unavailable { retry_after: retry_after(answer.headers(), now), cause });
    }
    Err(Error::Protocol(cause))
}

impl fmt::Debug for RemoteJwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteJwkSet({} at {})", self.0.issuer, self.0.url)
    }
}

impl fmt::Debug for RemoteJwkSetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteJwkSetBuilder({} at {})", self.issuer, self.url)
    }
}
