//! The client: signs every request afresh.

mod host;
mod keys;

use crate::{
    AccessKey, AwsService, Payload, RawRequest, SessionTokenPlacement, SigV4Signer,
    fault::{Fault, fault, is_refusal},
    signer::{Settings, Urls},
};
use arc_swap::ArcSwapOption;
use auth_core::{
    Answer, Authenticator, Body, Clock, Credentials, Error, Flow, Need, Origin, Refusal,
    RequestView, Result, Timestamp, TokenSource, Verdict,
};
use auth_session::{ClockLesson, LearnedClock, Session};
use host::host;
use http::{HeaderMap, StatusCode};
use keys::{CurrentKey, Keys};
use std::{fmt, sync::Arc, time::Duration};

/// Signs requests under AWS Signature Version 4.
///
/// The access key is one that lasts, or temporary and kept in a [`Session`]: then a refusal that means the key condemns
/// it, and the request is signed again with another. Each attempt has its own date. With
/// [`with_clock_learned_from`](Self::with_clock_learned_from) a refusal that means the clock puts it right.
///
/// # Security
///
/// Bind it to its origins with [`OriginBound`](auth_core::OriginBound): the fields `x-amz-*` are not ones that HTTP
/// clients keep from another origin.
///
/// ```
/// use auth_core::{Authenticator, Body, RequestView, Timestamp};
/// use auth_sigv4::{AccessKey, AwsService, SigV4};
/// use http::{HeaderMap, Method, Uri};
///
/// let key = AccessKey::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let clock = Timestamp::from_unix(1_440_938_160);
/// let sigv4 = SigV4::new(key, "us-east-1", AwsService::ExecuteApi, clock)?;
/// let (mut uri, mut headers) = (Uri::from_static("https://abc.example/prod?a=1"), HeaderMap::new());
/// let request = RequestView::new(&Method::POST, &uri, &headers).with_body(Body::Bytes(b"{}"));
/// sigv4.credentials(request).wait()?.commit(&mut uri, &mut headers)?;
/// assert_eq!(headers["x-amz-date"], "20150830T123600Z");
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct SigV4 {
    keys: Box<dyn Keys>,
    settings: Settings,
    clock: Arc<dyn Clock>,
    learned: Option<LearnedClock>,
    payload: PayloadSigning,
    /// The signer of the key that was used last.
    signer: ArcSwapOption<(u64, SigV4Signer)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PayloadSigning {
    Hashed,
    Unsigned,
}

impl SigV4 {
    /// With a key that lasts.
    ///
    /// # Errors
    ///
    /// Those of [`SigV4Signer::new`].
    pub fn new(
        key: AccessKey,
        region: &str,
        service: AwsService,
        clock: impl Clock + 'static,
    ) -> Result<Self> {
        Self::made(Box::new(key), region, service, Arc::new(clock))
    }

    /// With temporary keys that a session keeps.
    ///
    /// # Errors
    ///
    /// Those of [`SigV4Signer::new`].
    pub fn over<S>(
        session: Session<S>,
        region: &str,
        service: AwsService,
        clock: impl Clock + 'static,
    ) -> Result<Self>
    where
        S: TokenSource<Token = AccessKey> + 'static,
    {
        Self::made(Box::new(session), region, service, Arc::new(clock))
    }

    fn made(
        keys: Box<dyn Keys>,
        region: &str,
        service: AwsService,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        Ok(Self {
            keys,
            settings: Settings::new(region, service)?,
            clock,
            learned: None,
            payload: PayloadSigning::Hashed,
            signer: ArcSwapOption::empty(),
        })
    }

    /// Puts the clock right when this origin refuses a request for its time: over https alone, by a day at most, once for
    /// a request, and for an hour. The rules are those of [`LearnedClock`].
    #[must_use]
    pub fn with_clock_learned_from(self, origin: Origin) -> Self {
        let learned = LearnedClock::new(Arc::clone(&self.clock), origin);
        Self { clock: Arc::new(learned.clone()), learned: Some(learned), ..self }
    }

    /// Does not sign bodies: `UNSIGNED-PAYLOAD`, for large ones over TLS that nobody wants to read twice. S3 takes it,
    /// most services do not.
    #[must_use]
    pub fn with_unsigned_payload(self) -> Self {
        Self { payload: PayloadSigning::Unsigned, ..self }
    }

    /// With the session token of temporary keys added before or after signing.
    #[must_use]
    pub fn with_session_token(mut self, session_token: SessionTokenPlacement) -> Self {
        self.settings.session_token = session_token;
        self
    }

    /// Presigns with the key that is there, though it ends before the URL would: the URL is then dead with the key.
    #[must_use]
    pub fn allowing_urls_beyond_the_key(mut self) -> Self {
        self.settings.urls = Urls::AsAsked;
        self
    }

    /// The target of a URL that is good for `expires`, for whoever has it: path and query.
    ///
    /// A temporary key that would end before is renewed first, unless URLs may outlive it. For S3 the body is left
    /// unsigned; for others it has to be there, [`Body::Bytes`] of nothing for a GET.
    ///
    /// # Errors
    ///
    /// Those of [`SigV4Signer::presign`], and those of the session.
    pub fn presign<'a>(&'a self, request: RequestView<'a>, expires: Duration) -> Flow<'a, String> {
        let now = self.clock.now();
        let held = match self.settings.urls {
            Urls::WithinTheKey => self.keys.until(now.after(expires)),
            Urls::AsAsked => self.keys.current(),
        };
        held.and_then(move |held| {
            let presigned = self.with_signer(held, |signer| {
                let host = host(request)?;
                let headers = [("host", host.as_bytes())];
                let payload = match self.settings.service {
                    AwsService::S3 => Payload::Unsigned,
                    _ => self.payload(request.body)?,
                };
                let request = RawRequest {
                    method: request.method.as_str(),
                    target: target(request),
                    headers: &headers,
                    payload,
                };
                signer.presign(&request, now, expires)
            });
            Flow::from(presigned)
        })
    }

    fn payload<'a>(&self, body: Body<'a>) -> Result<Payload<'a>> {
        match (self.payload, body) {
            (PayloadSigning::Unsigned, _) => Ok(Payload::Unsigned),
            (_, Body::Bytes(bytes)) => Ok(Payload::Bytes(bytes)),
            _ => {
                let text = "body was not read and its hash is signed; buffer it, or sign with an unsigned payload";
                Err(Error::config("sigv4_unread_body", text))
            }
        }
    }

    fn sign(
        &self,
        held: CurrentKey,
        request: RequestView<'_>,
        now: Timestamp,
    ) -> Result<Credentials> {
        let stamp = self.keys.stamp(held.generation);
        let host = host(request)?;
        let fields = request.headers.iter().filter(|(name, _)| is_signed(name.as_str()));
        let fields = fields.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let payload = self.payload(request.body)?;
        let signed = self.with_signer(held, |signer| {
            let fields = fields.chain([("host", host.as_bytes())]);
            signer.sign_fields(request.method.as_str(), target(request), fields, payload, now)
        })?;
        let credentials = signed.into_credentials()?;
        Ok(match stamp {
            Some(stamp) => credentials.stamped(stamp),
            None => credentials,
        })
    }

    fn with_signer<R>(
        &self,
        held: CurrentKey,
        work: impl FnOnce(&SigV4Signer) -> Result<R>,
    ) -> Result<R> {
        if let Some(kept) = &*self.signer.load() {
            if kept.0 == held.generation {
                return work(&kept.1);
            }
        }
        let signer = SigV4Signer::with(held.key, self.settings.clone());
        let kept = Arc::new((held.generation, signer));
        self.signer.store(Some(Arc::clone(&kept)));
        work(&kept.1)
    }
}

/// What proxies and clients add or change on the way, and what holds the signature.
fn is_signed(name: &str) -> bool {
    const LEFT_OUT: [&str; 13] = [
        "authorization",
        "connection",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-amzn-trace-id",
    ];
    LEFT_OUT.binary_search(&name).is_err()
}

fn target(request: RequestView<'_>) -> &[u8] {
    request.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).as_bytes()
}

impl Authenticator for SigV4 {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.keys.current().and_then(move |held| self.sign(held, request, self.clock.now()).into())
    }

    fn needs(&self, _: RequestView<'_>) -> Need {
        match self.payload {
            PayloadSigning::Hashed => Need::Bytes { limit: usize::MAX },
            PayloadSigning::Unsigned => Need::Nothing,
        }
    }

    fn reads(&self, status: StatusCode, _: &HeaderMap) -> Need {
        if is_refusal(status) { Need::Bytes { limit: 16 * 1024 } } else { Need::Nothing }
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        match fault(answer.status, answer.headers, answer.body) {
            Some(Fault::Key(code)) => {
                let refusal = Refusal::new(answer.status).with_code(code);
                if self.keys.condemn(sent, refusal) {
                    return Verdict::Retry { after: None };
                }
            }
            Some(Fault::Skew) => {
                let learned = self.learned.as_ref().map(|clock| clock.learn(answer));
                if learned == Some(ClockLesson::Learned) {
                    return Verdict::Retry { after: None };
                }
            }
            None if answer.status.is_success() => self.keys.prove(sent),
            None => {}
        }
        Verdict::Accept
    }
}

impl fmt::Debug for SigV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigV4({}, {})", self.settings.region, self.settings.service.name())
    }
}
