//! The client: signs every request afresh.

mod fields;
mod host;
mod keys;
mod presign;
mod settings;
#[cfg(feature = "aws-chunked")]
mod stream;

use crate::{
    AccessKey, AwsService, Payload, SigV4Signer,
    fault::{Fault, fault, is_refusal},
    signer::Settings,
};
use arc_swap::ArcSwapOption;
use auth_core::{
    Answer, Authenticator, Body, Clock, Credentials, Error, Flow, Need, Refusal, RequestView,
    Result, Stamp, Timestamp, TokenSource, Verdict,
};
use auth_session::{ClockLesson, LearnedClock, Session};
use host::host;
use http::{HeaderMap, StatusCode};
use keys::{CurrentKey, Keys};
use std::{fmt, sync::Arc};

/// Signs requests under AWS Signature Version 4.
///
/// The access key is one that lasts, or temporary and kept in a [`Session`]: then a refusal that means the key condemns
/// it, and the request is signed again with another. Each attempt has its own date. With
/// [`with_clock_learned_from`](Self::with_clock_learned_from) a refusal that means the clock puts it right.
///
/// All fields of the request are signed but those that clients and proxies add or change on the way: `connection`,
/// `expect`, `keep-alive`, `proxy-authorization`, `proxy-connection`, `te`, `trailer`, `transfer-encoding`, `upgrade`,
/// `user-agent` and `x-amzn-trace-id`. A field that the signature itself needs (`authorization`, `x-amz-date`,
/// `x-amz-content-sha256`, `x-amz-security-token`) is an error when the request has it already.
///
/// A path for S3 is sent as it is signed: `/a(1)` as `/a%281%29`, which is the same object.
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
        (now, dated): (Timestamp, Option<Stamp>),
    ) -> Result<Credentials> {
        let stamps = self.keys.stamp(held.generation).into_iter().chain(dated);
        let host = host(request)?;
        let payload = self.payload(request.body)?;
        let signed = self.with_signer(held, |signer| {
            let fields = fields::signed(request).chain([("host", host.as_bytes())]);
            signer.sign_fields(request.method.as_str(), target(request), fields, payload, now)
        })?;
        Ok(stamps.fold(signed.into_credentials()?, Credentials::stamped))
    }

    /// The time, and the stamp of the clock that says so.
    fn now(&self) -> (Timestamp, Option<Stamp>) {
        match &self.learned {
            None => (self.clock.now(), None),
            Some(learned) => {
                let (now, stamp) = learned.now_stamped();
                (now, Some(stamp))
            }
        }
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

fn target(request: RequestView<'_>) -> &[u8] {
    request.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).as_bytes()
}

impl Authenticator for SigV4 {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.keys.current().and_then(move |held| self.sign(held, request, self.now()).into())
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
                let learned = self.learned.as_ref().map(|clock| clock.learn(sent, answer));
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
