//! What an answer means: learned from, proven, or refused.

use super::{
    Digest, channel, cnonce,
    session::{AuthenticationSession, ClientNonceCounting, Terms},
    side::Side,
    spaces::{KeptSession, ProtectionSpace, Standing},
};
use crate::{
    AuthenticationInfo, BodyHash, DigestChallenge, DigestMessage, DigestProtection, DigestResponse,
    NonceCount, NonceUse, Qop, SessionHa1, challenge::SCHEME,
};
use auth_core::{
    Answer, Authorization, Challenges, Credentials, Error, RequestView, Result, Transport, Verdict,
};
use http::{HeaderMap, Uri, header::TRAILER};
use std::sync::Arc;

impl Digest {
    pub(super) fn judge(&self, sent: &Credentials, answer: Answer<'_>) -> Result<Verdict> {
        if !self.side.is_asked_at(answer.request.hop) {
            return Ok(Verdict::Accept);
        }
        let serial = self.stamper.find(sent);
        if answer.status != self.side.status() {
            if let Some(serial) = serial {
                self.served(serial, sent, answer)?;
            }
            return Ok(Verdict::Accept);
        }
        let fields = self.challenges(answer.headers)?;
        if fields.is_empty() {
            return Ok(Verdict::Accept);
        }
        let uri = answer.request.uri;
        let known = self.spaces.find(uri);
        let (challenge, choice) = self.policy.choose(&fields, channel(uri))?;
        if let Some(kept) = &known {
            let same_realm = *kept.session.terms.realm == *challenge.realm;
            let current = serial == Some(kept.serial);
            match (serial, kept.standing()) {
                (_, Standing::Fresh) if current && same_realm && !challenge.stale => {
                    kept.set(Standing::Refused);
                    return Ok(Verdict::Accept);
                }
                (_, Standing::Fresh | Standing::Proven) if current => {}
                // Another request has found out meanwhile.
                (Some(_), Standing::Refused) if same_realm => return Ok(Verdict::Accept),
                (_, Standing::Fresh | Standing::Proven) if same_realm => return Ok(RETRY),
                _ => {}
            }
        }
        let terms = Terms::new(challenge, choice, &self.user, known.as_deref().map(terms));
        self.learn(terms, challenge, uri)?;
        Ok(RETRY)
    }

    fn learn(
        &self,
        terms: Terms,
        challenge: &DigestChallenge<'_>,
        uri: &Uri,
    ) -> Result<Arc<KeptSession>> {
        let place = match self.side {
            Side::Server => ProtectionSpace::of(uri, challenge.domain.as_deref())?,
            Side::Proxy => ProtectionSpace::Anywhere,
        };
        let session = self.begin(Arc::new(terms), &challenge.nonce)?;
        Ok(self.spaces.keep(session, place, Standing::Fresh))
    }

    /// A cnonce of its own for each nonce: what a server could have computed beforehand is then of no use to it.
    fn begin(&self, terms: Arc<Terms>, nonce: &[u8]) -> Result<AuthenticationSession> {
        let cnonce = cnonce(&*self.random)?;
        let (first, counting) = (NonceCount::FIRST, ClientNonceCounting::Rising);
        Ok(AuthenticationSession::begin(terms, nonce, &cnonce, first, counting))
    }

    /// The Digest challenges of an answer that can be read.
    fn challenges<'a>(&self, headers: &'a HeaderMap) -> Result<Vec<DigestChallenge<'a>>> {
        let name = self.side.asks();
        let mut fields = headers.get_all(&name).iter();
        if let (Some(one), None) = (fields.next(), fields.next()) {
            if let Ok(challenge) = DigestChallenge::parse(one.as_bytes()) {
                return Ok(vec![challenge]);
            }
        }
        let (mut challenges, mut fault) = (Vec::new(), None);
        for view in Challenges::of(headers, &name) {
            let read = view
                .map_err(|error| Error::protocol("digest_challenge_syntax", error))
                .and_then(|view| view.is(SCHEME).then(|| DigestChallenge::of(&view)).transpose());
            match read {
                Ok(challenge) => challenges.extend(challenge),
                Err(error) => fault = Some(error),
            }
        }
        match fault {
            Some(fault) if challenges.is_empty() => Err(fault),
            _ => Ok(challenges),
        }
    }

    /// Sends a request that says nothing, to be challenged, and answers for the one that does.
    pub(super) async fn prove(
        &self,
        transport: &dyn Transport,
        request: RequestView<'_>,
    ) -> Result<Credentials> {
        let mut probe = http::Request::new(Vec::new());
        *probe.method_mut() = request.method.clone();
        *probe.uri_mut() = request.uri.clone();
        let answer = transport.fetch(probe.into()).await?;
        let status = answer.status();
        if status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS {
            let text = format!("server answered {status} where it was to ask who we are");
            return Err(Error::unavailable("digest_probe_unavailable", None, text));
        }
        let fields = self.challenges(answer.headers())?;
        if status != self.side.status() || fields.is_empty() {
            let text = format!("server answered {status}, expected a Digest challenge");
            return Err(Error::protocol("digest_probe_unchallenged", text));
        }
        let (challenge, choice) = self.policy.choose(&fields, channel(request.uri))?;
        let known = self.spaces.find(request.uri);
        let terms = Terms::new(challenge, choice, &self.user, known.as_deref().map(terms));
        let kept = self.learn(terms, challenge, request.uri)?;
        self.present_under(&kept, request)?.ok_or_else(|| {
            let text = "nonce of the challenge cannot be counted; the request is not sent without credentials";
            Error::protocol("digest_probe_nonce", text)
        })
    }

    /// A request with our credentials was not refused: what does the server say about itself?
    fn served(&self, serial: u64, sent: &Credentials, answer: Answer<'_>) -> Result<()> {
        let kept = self.spaces.with_serial(serial);
        if let Some(field) = self.info(answer.headers).or_else(|| self.info(answer.trailers?)) {
            let info = AuthenticationInfo::parse(field)?;
            if info.rspauth.is_some() {
                self.check_rspauth(kept.as_deref(), sent, &info, answer.body)?;
            }
            if let (Some(kept), Some(nextnonce)) = (&kept, &info.nextnonce) {
                let session = self.begin(Arc::clone(&kept.session.terms), nextnonce)?;
                self.spaces.keep(session, kept.place.clone(), Standing::Proven);
            }
        }
        if let Some(kept) = kept {
            kept.set(Standing::Proven);
        }
        Ok(())
    }

    fn info<'a>(&self, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        headers.get(self.side.info()).map(http::HeaderValue::as_bytes)
    }

    /// Will the body be needed to check what the server says about itself, now or behind the body?
    pub(super) fn promises_integrity(&self, headers: &HeaderMap) -> bool {
        let name = self.side.info();
        let announced = |value: &http::HeaderValue| {
            let mut names = value.as_bytes().split(|byte| *byte == b',');
            names.any(|other| other.trim_ascii().eq_ignore_ascii_case(name.as_str().as_bytes()))
        };
        let said = self.info(headers).and_then(|field| AuthenticationInfo::parse(field).ok());
        said.is_some_and(|info| info.qop == Some(Qop::AuthInt) && info.rspauth.is_some())
            || headers.get_all(TRAILER).iter().any(announced)
    }

    fn check_rspauth(
        &self,
        kept: Option<&KeptSession>,
        sent: &Credentials,
        info: &AuthenticationInfo<'_>,
        body: Option<&[u8]>,
    ) -> Result<()> {
        let name = self.side.answers();
        let sent = sent
            .field(&name)
            .and_then(|field| Authorization::parse(field.as_bytes()).ok())
            .and_then(|field| DigestResponse::parse(field.credentials()).ok())
            .ok_or_else(|| {
                let text = format!("credentials to assess set no {name} of Digest");
                Error::config("digest_sent", text)
            })?;
        let same_count = sent.counted.as_ref().is_none_or(|sent| {
            info.nc.is_none_or(|nc| nc == sent.nc)
                && info.cnonce.as_ref().is_none_or(|cnonce| *cnonce == sent.cnonce)
        });
        if !same_count {
            let text = "nc or cnonce of authentication-info is not that of the request";
            return Err(Error::protocol("digest_info_other", text));
        }
        let session = match kept {
            Some(kept) => kept.session.ha1.clone(),
            None => self.session_of(&sent),
        };
        let message = DigestMessage {
            method: "",
            uri: &sent.uri,
            nonce: &sent.nonce,
            protection: protection(info, &sent, &session, body)?,
        };
        let rspauth = session.rspauth(&message);
        if info.rspauth.as_ref().is_some_and(|presented| rspauth.matches(presented)) {
            return Ok(());
        }
        let text = "rspauth is not that of the password: the server does not know it, or somebody \
                    changed its answer";
        Err(Error::protocol("digest_rspauth", text))
    }

    /// What was sent is older than what is kept: its secret is made again.
    fn session_of(&self, sent: &DigestResponse<'_>) -> SessionHa1 {
        let algorithm = sent.algorithm();
        let cnonce = sent.counted.as_ref().map_or(&b""[..], |counted| &counted.cnonce);
        let ha1 = self.user.ha1(algorithm.function(), &sent.realm);
        ha1.session(algorithm, &sent.nonce, cnonce)
    }
}

/// What an `rspauth` is about.
fn protection<'a>(
    info: &AuthenticationInfo<'_>,
    sent: &'a DigestResponse<'_>,
    session: &SessionHa1,
    body: Option<&[u8]>,
) -> Result<DigestProtection<'a>> {
    let Some(counted) = &sent.counted else { return Ok(DigestProtection::Legacy) };
    let count = NonceUse { nc: counted.nc, cnonce: &counted.cnonce };
    match info.qop.unwrap_or(counted.qop) {
        Qop::Auth => Ok(DigestProtection::Auth(count)),
        Qop::AuthInt => {
            let body = body.ok_or_else(|| {
                let text = "body of the answer was not read, or is longer than what may be read, \
                            expected it for rspauth under auth-int";
                Error::protocol("digest_rspauth_body", text)
            })?;
            Ok(DigestProtection::AuthInt(count, BodyHash::of(session.function(), body)))
        }
    }
}

fn terms(kept: &KeptSession) -> &Terms {
    &kept.session.terms
}

const RETRY: Verdict = Verdict::Retry { after: None };
