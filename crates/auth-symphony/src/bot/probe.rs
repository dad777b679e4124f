//! Which of two tokens died: the pod knows.

use super::{Bot, Inner};
use auth_core::{Error, Exchange, Refusal, Result, Verdict};
use auth_session::{Flight, FlightWatch};
use http::StatusCode;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// The generations of both tokens, as one request had them: of the session token or the common JWT, and of the key manager
/// token.
pub(super) type Pair = (u64, u64);

/// The last probe of a bot.
#[derive(Default)]
pub(super) struct Probes(Mutex<Option<Probe>>);

struct Probe {
    pair: Pair,
    begun: Instant,
    flight: Flight<()>,
    /// Nobody could tell, or to renew the dead one is of no use.
    failed: Arc<AtomicBool>,
}

/// After a probe that led to nothing the pod is not asked again for so long.
const PAUSE: Duration = Duration::from_secs(5);

/// `GET` with the first token: 401 when it is dead, 200 when it is not.
const SESSION_INFO: &str = "/pod/v2/sessioninfo";

const MOST_ANSWER_BYTES: usize = 64 * 1024;

impl Probes {
    /// The probe that is under way.
    #[inline]
    pub(super) fn under_way(&self) -> Option<FlightWatch<()>> {
        let probe = self.state();
        probe.as_ref().filter(|probe| !probe.flight.has_landed()).map(|probe| probe.flight.watch())
    }

    fn state(&self) -> MutexGuard<'_, Option<Probe>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bot {
    /// An agent refused a request that had these tokens: one probe is made for all such refusals, and the requests are
    /// repeated once it has told which of the two is dead.
    pub(super) fn suspect(&self, pair: Pair) -> Verdict {
        let again = Verdict::Retry { after: None };
        let now = self.0.session.context().clock.steady();
        let mut last = self.0.probes.state();
        if let Some(probe) = &*last {
            let is_older = pair.0 < probe.pair.0 || pair.1 < probe.pair.1;
            if is_older {
                // One of them has been renewed since.
                return again;
            }
            if pair == probe.pair {
                if !probe.failed.load(Ordering::Relaxed) {
                    return again;
                }
                if now.saturating_duration_since(probe.begun) < PAUSE {
                    return Verdict::Accept;
                }
            }
        }
        let failed = Arc::new(AtomicBool::new(false));
        let flight = self.probe(pair, Arc::clone(&failed));
        *last = Some(Probe { pair, begun: now, flight, failed });
        again
    }

    fn probe(&self, pair: Pair, failed: Arc<AtomicBool>) -> Flight<()> {
        let bot = Arc::downgrade(&self.0);
        let panicked = Arc::clone(&failed);
        let work = async move {
            // Without the bot nobody waits for it.
            let Some(bot) = bot.upgrade() else { return };
            let helps = bot.dead(pair).await.and_then(|dead| bot.renews(dead, pair));
            failed.store(!helps.unwrap_or(false), Ordering::Relaxed);
        };
        Flight::new(work, move || panicked.store(true, Ordering::Relaxed))
    }
}

const REFUSAL: Refusal = Refusal::new(StatusCode::UNAUTHORIZED);

enum Dead {
    First,
    Keys,
    /// The first token is another one by now.
    Replaced,
}

impl Inner {
    /// Has the dead one renewed. False if that was of no use a moment ago: a node of an agent that refuses every token says
    /// nothing of tokens that other nodes take.
    fn renews(&self, dead: Dead, pair: Pair) -> Result<bool> {
        Ok(match dead {
            Dead::First => {
                self.first.refused_at(&self.endpoints.pod.url(SESSION_INFO)?, pair.0, REFUSAL)
            }
            Dead::Keys => {
                self.keys.refused_at(&self.endpoints.agent().url("/agent")?, pair.1, REFUSAL)
            }
            Dead::Replaced => true,
        })
    }

    /// Asks the pod whether the first token of this pair is alive.
    async fn dead(&self, pair: Pair) -> Result<Dead> {
        let (name, field, generation) = self.first.field().await?;
        if generation != pair.0 {
            return Ok(Dead::Replaced);
        }
        let mut request = self.endpoints.pod.request(SESSION_INFO)?;
        request.headers_mut().insert(name, field);
        let exchange = Exchange::new(request).with_answer_limit(MOST_ANSWER_BYTES);
        match self.session.context().transport.fetch(exchange).await?.status() {
            StatusCode::UNAUTHORIZED => Ok(Dead::First),
            StatusCode::OK => Ok(Dead::Keys),
            status => {
                let text = format!("pod answered {status} when asked for its session");
                Err(Error::transport("symphony_probe", text))
            }
        }
    }
}
