//! What the client of a user says of the user, signed by the pod.

use crate::{SymphonyEndpoints, endpoints::Component, exchange};
use auth_core::{Context, Flow, Lifespan, Renewal, Result, Timestamp, Token, TokenSource};
use auth_jwt::{
    Claims, JwsAlgorithm, JwtPolicy, JwtRefused, RequiredClaim, SubjectJsonType, UnverifiedJws,
    VerifyingKey,
};
use auth_session::{Flight, Session};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Verifies the JWT that a user's client hands an extension app: the last step of the circle of trust.
///
/// It is signed with RS512 by the pod, whose certificate is fetched when it is first needed and again each day; for the
/// app; of the issuer `Symphony Communication Services LLC.`; and about a user, whose id is the subject, a number,
/// written as it is or as text. The claim `user` says more of the user: [`Claims::read`] gives it.
///
/// A pod may have got another certificate meanwhile. So a signature that is not right has the certificate fetched again,
/// once a minute at most, whoever sends such signatures.
///
/// # Security
///
/// Expiry is read in seconds, as the vendor's own programs do, though its pages say milliseconds: those are refused.
#[derive(Clone)]
pub struct UserJwtVerifier(Arc<Inner>);

struct Inner {
    policy: JwtPolicy,
    certificate: Session<PodCertificate>,
    again: Mutex<Option<Again>>,
}

/// The last time that the certificate was fetched because of a signature.
struct Again {
    begun: Instant,
    flight: Flight<()>,
}

/// As pods write it, with its full stop.
const ISSUER: &str = "Symphony Communication Services LLC.";

const PAUSE: Duration = Duration::from_secs(60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl UserJwtVerifier {
    /// Of tokens for the app of this id.
    pub fn new(endpoints: &SymphonyEndpoints, app_id: &str, context: Context) -> Self {
        let policy = JwtPolicy::new()
            .with_issuer(ISSUER)
            .with_audience(app_id)
            .with_subject(SubjectJsonType::Digits)
            .with_required_claim(RequiredClaim::Subject);
        let source = PodCertificate(endpoints.pod.clone());
        let certificate = Session::new(source, context).with_name("symphony pod certificate");
        Self(Arc::new(Inner { policy, certificate, again: Mutex::default() }))
    }

    /// What this token says, if it is good. The inner error is the caller's fault.
    ///
    /// # Errors
    ///
    /// When the pod's certificate cannot be had.
    pub fn verify<'a>(&'a self, token: &'a str) -> Flow<'a, Result<Claims, JwtRefused>> {
        Flow::new(async move {
            let first = self.0.certificate.token().await?;
            let refused = match self.judged(token, &first.token) {
                // Perhaps another certificate made it.
                Err(refused) if refused.reason().code == "jwt_signature" => refused,
                judged => return Ok(judged),
            };
            self.fetched_again().await;
            let next = self.0.certificate.token().await?;
            if next.generation == first.generation {
                return Ok(Err(refused));
            }
            Ok(self.judged(token, &next.token))
        })
    }

    fn judged(&self, token: &str, certificate: &Certificate) -> Result<Claims, JwtRefused> {
        let now = self.0.certificate.context().clock.now();
        UnverifiedJws::parse(token)?.verify(&certificate.key)?.claims(&self.0.policy, now)
    }

    /// Fetches the certificate again, once for all who ask within a minute. Where that fails the one that is there stays.
    async fn fetched_again(&self) {
        let watch = {
            let now = self.0.certificate.context().clock.steady();
            let mut again = self.0.again.lock().unwrap_or_else(PoisonError::into_inner);
            let is_old = |it: &Again| now.saturating_duration_since(it.begun) >= PAUSE;
            if again.as_ref().is_none_or(is_old) {
                *again = Some(Again { begun: now, flight: self.flight() });
            }
            again.as_ref().map(|it| it.flight.watch())
        };
        if let Some(watch) = watch {
            watch.await;
        }
    }

    fn flight(&self) -> Flight<()> {
        let inner = Arc::downgrade(&self.0);
        let work = async move {
            let Some(inner) = inner.upgrade() else { return };
            let certificate = &inner.certificate;
            let fetched = certificate.source().token(certificate.context(), Renewal::First).await;
            if let Ok(fetched) = fetched {
                // It fails where the session was ended, which nobody does here.
                let _ = certificate.put(fetched);
            }
        };
        Flight::new(work, || ())
    }
}

/// The certificate of a pod, as a source.
struct PodCertificate(Component);

#[derive(Clone)]
struct Certificate {
    key: VerifyingKey,
    fetched: Timestamp,
}

impl Token for Certificate {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Until(self.fetched.after(DAY))
    }
}

impl TokenSource for PodCertificate {
    type Token = Certificate;

    fn token<'a>(&'a self, context: &'a Context, _: Renewal<Certificate>) -> Flow<'a, Certificate> {
        let exchange = exchange::pod_certificate(&self.0);
        Flow::new(async move {
            let answer = context.transport.fetch(exchange?).await?;
            let now = context.clock.now();
            if !answer.status().is_success() {
                return Err(exchange::refused(&answer, "certificate of the pod", now));
            }
            let pem = exchange::certificate_of(&answer)?;
            let key = VerifyingKey::from_pem(JwsAlgorithm::RS512, &pem)?;
            Ok(Certificate { key, fetched: now })
        })
    }
}

impl fmt::Debug for UserJwtVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserJwtVerifier").field("policy", &self.0.policy).finish_non_exhaustive()
    }
}
