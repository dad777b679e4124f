//! Verifying what was received.

use super::{
    SignatureForm, jws,
    key::{BodyVerifyingKey, Verifying},
    message::Message,
    presented::{DeliveryId, Maker, Presented, Refused, seconds},
    reason, twilio,
};
use auth_core::{
    Accepted, Body, Candidates, Challenge, Clock, Error, Flow, Need, Outcome, Presence, Reason,
    Rejection, RequestView, Result, SystemClock, Timestamp, Verifier,
};
use auth_jwt::JwtKeys;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::{fmt, sync::Arc, time::Duration};
use subtle::ConstantTimeEq;

/// Verifies the signatures of webhooks in one form, over the bytes of the body as they came.
///
/// Several keys are good at once while one is being changed. A time that is signed is fresh for five minutes; what is
/// signed without one stays good, so put [`once`](crate::OncePerDelivery) behind it.
///
/// # Security
///
/// Every key is tried, in constant time. An id is given only where the signature covers it.
#[derive(Clone)]
pub struct BodySignatureVerifier<P> {
    form: SignatureForm,
    header: HeaderName,
    keys: Candidates<BodyVerifyingKey, P>,
    challenge: Challenge,
    clock: Arc<dyn Clock>,
    leeway: Duration,
    most_bytes: usize,
}

/// What a signature has proven of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedDelivery<P> {
    /// The sender, as its key names it.
    pub sender: P,
    /// Its id, where the signature covers one.
    pub id: Option<DeliveryId>,
    /// When it was sent, where the signature covers that.
    pub sent_at: Option<Timestamp>,
}

impl<P: Clone + Send + Sync> BodySignatureVerifier<P> {
    /// How long a time that is signed is fresh, on either side of now.
    pub const LEEWAY: Duration = Duration::from_secs(5 * 60);

    /// A body may have so many bytes, unless another limit was set.
    pub const MOST_BODY_BYTES: usize = 1024 * 1024;

    /// Verifies this form with these keys, each of which says who the sender is.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the form is configured wrongly, there is no key, or a key is of another form.
    pub fn new(form: SignatureForm, keys: Candidates<BodyVerifyingKey, P>) -> Result<Self> {
        form.check()?;
        let wrong = |text| Err(Error::config("webhook_signature_key", text));
        if keys.is_empty() {
            return wrong("signature has no key; give the sender's");
        }
        let fits = |key: &BodyVerifyingKey| match (&form, &key.0) {
            (SignatureForm::DetachedJws { algorithm, .. }, Verifying::Jws(keys)) => {
                keys.iter().all(|(_, key)| key.algorithm() == algorithm.jws())
            }
            // What is looked up is held against the algorithm of the form when it is there.
            (SignatureForm::DetachedJws { .. }, Verifying::JwsLookup(_)) => true,
            (SignatureForm::StandardWebhooks {}, Verifying::Ed25519(_)) => true,
            (_, Verifying::Mac(key)) => form.mac().is_some_and(|mac| mac.ring() == key.algorithm()),
            _ => false,
        };
        if !keys.secrets().all(fits) {
            return wrong("signature key was read for another form; read it for this one");
        }
        Ok(Self {
            header: form.header()?,
            form,
            keys,
            challenge: Challenge::without_parameters(SCHEME),
            clock: Arc::new(SystemClock),
            leeway: Self::LEEWAY,
            most_bytes: Self::MOST_BODY_BYTES,
        })
    }

    /// With another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Reads bodies of at most so many bytes; larger ones are refused with 413.
    #[must_use]
    pub fn with_most_body_bytes(self, bytes: usize) -> Self {
        Self { most_bytes: bytes, ..self }
    }

    /// Judges a request whose body was read: `target` is its path and query. `looked_up` are the keys that were found for
    /// each of the verifier's keys that has to be looked up.
    fn judge(
        &self,
        headers: &HeaderMap,
        target: &str,
        body: &[u8],
        looked_up: &[Option<JwtKeys>],
    ) -> Outcome<SignedDelivery<P>> {
        let presented =
            self.form.present(headers, &self.header).map_err(|refused| self.refuse(refused))?;
        let sent_at = self.check_time(&presented).map_err(|refused| self.refuse(refused))?;
        let (id, time) = (presented.id, presented.time);
        let is_form =
            matches!(self.form, SignatureForm::UrlAndParameters { .. }) && is_form(headers);
        let message = Message { id, time, target, is_form, body };
        let sender =
            self.prove(&presented, message, looked_up).map_err(|reason| self.unproven(reason))?;
        let id = presented.delivery;
        Ok(Accepted::new(SCHEME, SignedDelivery { sender, id, sent_at }))
    }

    fn prove(
        &self,
        presented: &Presented<'_>,
        message: Message<'_>,
        looked_up: &[Option<JwtKeys>],
    ) -> Result<P, Reason> {
        if let SignatureForm::UrlAndParameters { .. } = self.form {
            let query = message.target.split_once('?').map_or("", |(_, query)| query);
            // `Content-Type` is not signed: as a form without parameters, a body whose hash is in the URL could be left out.
            let is_hashed = !message.is_form || twilio::names_hash(query);
            if is_hashed && !twilio::has_hash_of(query, message.body) {
                return Err(reason::BODY_HASH);
            }
        }
        let mut proven = Err(reason::WRONG);
        for (nth, candidate) in self.keys.as_slice().iter().enumerate() {
            let found = looked_up.get(nth).and_then(Option::as_ref);
            match self.is_made_by(&candidate.secret.0, presented, message, found) {
                Ok(true) => proven = Ok(candidate.principal.clone()),
                Ok(false) => {}
                Err(reason) => proven = proven.or(Err(reason)),
            }
        }
        proven
    }

    fn is_made_by(
        &self,
        key: &Verifying,
        presented: &Presented<'_>,
        message: Message<'_>,
        looked_up: Option<&JwtKeys>,
    ) -> Result<bool, Reason> {
        match key {
            Verifying::Mac(key) => {
                let tag = self.form.mac_of(key, message).ok_or(reason::BODY)?;
                let proves =
                    |maker, bytes: &[u8]| maker == Maker::Mac && tag.as_ref().ct_eq(bytes).into();
                self.form.any_signature(presented, proves)
            }
            Verifying::Ed25519(key) => {
                let whole = self.form.whole(message).ok_or(reason::BODY)?;
                let proves = |maker, bytes: &[u8]| {
                    maker == Maker::Ed25519 && key.verify(&whole, bytes).is_ok()
                };
                self.form.any_signature(presented, proves)
            }
            Verifying::Jws(keys) => {
                let keys = keys.iter().map(|(kid, key)| (kid.as_deref(), key));
                jws::verify(as_text(presented)?, message.body, keys).map(|()| true)
            }
            Verifying::JwsLookup(_) => {
                let SignatureForm::DetachedJws { algorithm, .. } = &self.form else {
                    return Ok(false);
                };
                let keys = looked_up.into_iter().flat_map(JwtKeys::secrets);
                let keys =
                    keys.filter(|key| key.algorithm() == algorithm.jws()).map(|key| (None, key));
                jws::verify(as_text(presented)?, message.body, keys).map(|()| true)
            }
        }
    }

    /// The keys that have to be looked up for this request.
    async fn look_up(&self, headers: &HeaderMap) -> Result<Vec<Option<JwtKeys>>> {
        let presented = headers.get(&self.header).and_then(|value| value.to_str().ok());
        let id = presented.and_then(jws::key_id);
        let mut found = Vec::new();
        for key in self.keys.secrets() {
            found.push(match (&key.0, &id) {
                (Verifying::JwsLookup(keys), Some(id)) => keys.lookup(id).await?,
                _ => None,
            });
        }
        Ok(found)
    }

    fn check_time(&self, presented: &Presented<'_>) -> Result<Option<Timestamp>, Refused> {
        if !self.form.has_time() {
            return Ok(None);
        }
        let sent_at = seconds(presented.time).ok_or(reason::TIME)?;
        let now = self.clock.now();
        let is_fresh = sent_at.after(self.leeway) >= now && now.after(self.leeway) >= sent_at;
        if is_fresh { Ok(Some(sent_at)) } else { Err(Refused::Stale) }
    }

    fn refuse(&self, refused: Refused) -> Rejection {
        match refused {
            Refused::Missing => self.unproven(reason::MISSING),
            Refused::Stale => self.unproven(reason::STALE),
            Refused::Malformed(reason) => Rejection::malformed(reason),
            Refused::Rejected(rejection) => rejection,
        }
    }

    fn unproven(&self, reason: Reason) -> Rejection {
        match reason {
            reason if [reason::MALFORMED, reason::SEVERAL, reason::BODY].contains(&reason) => {
                Rejection::malformed(reason)
            }
            reason => Rejection::unauthenticated(reason, self.challenge.clone()),
        }
    }
}

const SCHEME: &str = "WebhookSignature";

impl SignatureForm {
    const fn has_time(&self) -> bool {
        matches!(self, Self::StandardWebhooks {} | Self::TimeAndBody { .. })
    }
}

fn as_text<'a>(presented: &Presented<'a>) -> Result<&'a str, Reason> {
    std::str::from_utf8(presented.signatures).map_err(|_| reason::MALFORMED)
}

fn is_form(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(is_form_type)
}

/// Is it the media type of a form, with parameters or without?
pub(crate) fn is_form_type(value: &HeaderValue) -> bool {
    let media = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

impl<P: Clone + Send + Sync> Verifier for BodySignatureVerifier<P> {
    type Principal = SignedDelivery<P>;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        if head.headers.contains_key(&self.header) { Presence::Present } else { Presence::Absent }
    }

    /// No body is read for a request whose fields are refused without it.
    fn needs(&self, head: RequestView<'_>) -> Need {
        match self.form.present(head.headers, &self.header) {
            Ok(_) => Need::Bytes { limit: self.most_bytes },
            Err(_) => Need::Nothing,
        }
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<SignedDelivery<P>>> {
        if self.presence(request) == Presence::Absent {
            // No body is read of a request that has no signature.
            return Flow::ready(Err(self.unproven(reason::MISSING)));
        }
        let Body::Bytes(body) = request.body else {
            if let Err(refused) = self.form.present(request.headers, &self.header) {
                return Flow::ready(Err(self.refuse(refused)));
            }
            let text = "body was not read and is signed; ask the verifier through a layer that asks needs()";
            return Flow::failed(Error::config("webhook_signature_unread_body", text));
        };
        let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
        if !self.keys.secrets().any(|key| matches!(key.0, Verifying::JwsLookup(_))) {
            return Flow::ready(self.judge(request.headers, target, body, &[]));
        }
        Flow::new(async move {
            let found = self.look_up(request.headers).await?;
            Ok(self.judge(request.headers, target, body, &found))
        })
    }
}

impl<P> fmt::Debug for BodySignatureVerifier<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodySignatureVerifier({:?})", self.form)
    }
}
