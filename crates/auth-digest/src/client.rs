//! The client's end.

mod exchange;
mod given;
mod meaning;
mod policy;
mod preset;
mod probe;
mod respond;
mod served;
mod session;
mod side;
mod spaces;

pub use policy::ChallengePolicy;
pub use preset::DigestPreset;
pub use session::ClientNonceCounting;

use crate::{
    BodyHash, HashFunction, Qop,
    target::target,
    user::{check_name, check_password},
};
use auth_core::{
    Answer, Authenticator, Credentials, Error, Flow, Need, Observer, Origin, Random, RequestView,
    Result, Secret, Stamper, Transport, Verdict,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, StatusCode, Uri, uri::Authority};
use policy::Channel;
use session::User;
use side::Side;
use spaces::{KeptSession, ProtectionSpace, Spaces, Standing};
use std::{fmt, sync::Arc};

/// Answers Digest challenges (RFC 7616), and from the second request on answers before it is asked.
///
/// The first request to a protection space goes out bare; the 401 tells how to answer, and the adapter sends it again.
/// The nonce that this request was given is its own until the server has taken it. From then on it is kept and shared:
/// each further request has the next nonce count and costs no extra round trip, until the server refuses the nonce.
/// Several threads may use one at once.
///
/// A refusal is answered with the nonce that came with it, whatever its reason: nonces grow old, and some servers take
/// each one once, or count in a window that is smaller than the number of requests under way. The password is believed to
/// be wrong only when a nonce is refused that this very request was just given; the 401 is then the answer. That needs the
/// [`RequestMemory`](auth_core::RequestMemory) which client adapters give each request.
///
/// Of several challenges the strongest that the [`ChallengePolicy`] allows is answered. An `rspauth` that the server sends is
/// checked, and `nextnonce` is taken over. Fields of an answer that cannot be read are passed over and reported to the
/// [`Observer`].
///
/// # Security
///
/// The password never leaves this process; an attacker who records an exchange can guess at it offline, though, so use
/// a long random one, and TLS. User name and password are hashed as they are given: RFC 7616 section 4 wants them in UTF-8 and
/// normalized to NFC. The hash states that are kept are wiped with the password when this is dropped.
///
/// ```
/// use auth_core::{OriginBound, SystemRandom};
/// use auth_digest::Digest;
/// let digest = Digest::new("alice", "s3cret", SystemRandom::new())?;
/// let digest = OriginBound::new(["https://api.example.com".parse()?], digest);
/// # let _: &dyn auth_core::Authenticator = &digest;
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Digest {
    user: Arc<User>,
    policy: ChallengePolicy,
    random: Arc<dyn Random>,
    side: Side,
    stamper: Stamper,
    spaces: Spaces,
    probe: Option<Arc<dyn Transport>>,
    observer: Arc<dyn Observer>,
    most_read: usize,
}

impl Digest {
    /// For this user name and password.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the user name holds `:`, which would make it ambiguous what is hashed, or the user name or the
    /// password holds a control character, such as the line break at the end of a file.
    pub fn new(
        user: &str,
        password: impl Into<Secret>,
        random: impl Random + 'static,
    ) -> Result<Self> {
        let password = password.into();
        check_name(user)?;
        check_password(&password)?;
        Ok(Self {
            user: Arc::new(User { name: user.into(), password }),
            policy: ChallengePolicy::new(),
            random: Arc::new(random),
            side: Side::Server,
            stamper: Stamper::new(),
            spaces: Spaces::default(),
            probe: None,
            observer: Arc::new(()),
            most_read: 1024 * 1024,
        })
    }

    /// Which challenges are answered, and how.
    #[must_use]
    pub fn with_policy(self, policy: ChallengePolicy) -> Self {
        Self { policy, ..self }
    }

    /// Is told of fields that cannot be read, challenges and `Authentication-Info`. They are passed over.
    #[must_use]
    pub fn with_observer(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Arc::new(observer), ..self }
    }

    /// For a proxy instead of a server: 407, `Proxy-Authenticate`, `Proxy-Authorization` and
    /// `Proxy-Authentication-Info`. Put one of each into a [`Stack`](auth_core::Stack) where both ask.
    ///
    /// It answers nothing but requests that are handed to a proxy ([`Hop::Proxy`](auth_core::Hop::Proxy)): inside a tunnel
    /// its credentials would reach the origin, and a 407 from in there is the origin's. An adapter that makes tunnels makes
    /// its own `CONNECT`, and has to be given credentials for that.
    ///
    /// The target is path and query, as browsers and curl have it; for `CONNECT` it is host and port. Where MD5 is good
    /// enough is judged by the target, since the way to the proxy is not known here: for `CONNECT` it has to be allowed
    /// anywhere.
    #[must_use]
    pub fn for_proxy(self) -> Self {
        Self { side: Side::Proxy, ..self }
    }

    /// Proves who we are before anything else is sent: where no challenge is known yet, a request of the same method to
    /// the same target goes out first, without fields and body of the caller's, and only the request that answers its
    /// challenge carries those.
    ///
    /// The request then answers that very challenge, whatever else is kept for its target. A server that does not ask is
    /// an error. In no case is the request sent without credentials.
    #[must_use]
    pub fn proving_first(self, transport: Arc<dyn Transport>) -> Self {
        Self { probe: Some(transport), ..self }
    }

    /// Begins with what a person typed into a form, instead of with a bare request.
    ///
    /// # Errors
    ///
    /// `Error::Config` that names the field: a nonce count, a client nonce or a `-sess` algorithm without qop, or a
    /// control character.
    pub fn with_form(self, fields: &DigestPreset<'_>) -> Result<Self> {
        let session = fields.session(&self.user, &*self.random)?;
        // What a server thinks of it is not known, but it is no nonce of its own that it refuses.
        let kept = self.spaces.enter(session, ProtectionSpace::Anywhere, Standing::Proven);
        self.spaces.keep(kept, None);
        Ok(self)
    }

    /// How long the body of an answer may be that is read to check an `rspauth` under `auth-int`; 1 MiB unless set. A
    /// longer one is an error.
    #[must_use]
    pub fn with_body_limit(self, bytes: usize) -> Self {
        Self { most_read: bytes, ..self }
    }

    /// What answers a challenge before it is made, if one is known; `None` where the request has to go out bare.
    ///
    /// # Errors
    ///
    /// `Error::Config` when a body has to be hashed and was not read, or MD5 is not allowed over such a channel.
    pub fn present(&self, request: RequestView<'_>) -> Result<Option<Credentials>> {
        if let Some(given) = self.given(request) {
            let made = self.present_under(&given.kept, request)?;
            given.set_used();
            return Ok(made);
        }
        match self.usable(request) {
            Some(kept) => self.present_under(&kept, request),
            None => Ok(None),
        }
    }

    /// The answer under one nonce, `None` when the nonce has been counted to its end.
    fn present_under(
        &self,
        kept: &KeptSession,
        request: RequestView<'_>,
    ) -> Result<Option<Credentials>> {
        self.check_channel(kept, request.uri)?;
        let authority;
        let target = if *request.method == Method::CONNECT {
            authority = request.uri.authority().map_or("", Authority::as_str);
            authority.into()
        } else {
            target(request.uri)
        };
        let body = |function| BodyHash::read(function, request.body);
        let answered = kept.session.answer(request.method.as_str(), &target, body)?;
        let Some(value) = answered else {
            self.spaces.forget(kept.serial);
            return Ok(None);
        };
        let credentials = Credentials::header(self.side.answers(), value)?;
        Ok(Some(credentials.stamped(self.stamper.stamp(kept.serial))))
    }

    /// The session that is kept for this request, unless its password was refused.
    fn usable(&self, request: RequestView<'_>) -> Option<Arc<KeptSession>> {
        if !self.side.is_asked_at(request.hop) {
            return None;
        }
        self.spaces.find(request.uri).filter(|kept| kept.standing() != Standing::Refused)
    }

    /// What is kept for every place was not judged for any.
    fn check_channel(&self, kept: &KeptSession, uri: &Uri) -> Result<()> {
        let algorithm = kept.session.terms.algorithm;
        if matches!(kept.place, ProtectionSpace::At { .. })
            || algorithm.function() != HashFunction::Md5
        {
            return Ok(());
        }
        self.policy.allows(algorithm, channel(uri)).map_err(|_| {
            Error::config(
                "digest_choice_md5",
                "MD5 is not allowed here by the policy, expected https",
            )
        })
    }
}

impl Authenticator for Digest {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        match self.present(request) {
            Ok(Some(credentials)) => Flow::ready(credentials),
            Ok(None) => match &self.probe {
                Some(transport) if self.side.is_asked_at(request.hop) => {
                    Flow::new(self.prove(&**transport, request))
                }
                _ => Flow::ready(Credentials::none()),
            },
            Err(error) => Flow::failed(error),
        }
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.judge(sent, answer).unwrap_or_else(Verdict::Refused)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        let given = self.given(head).map(|given| Arc::clone(&given.kept));
        match given.or_else(|| self.usable(head)).and_then(|kept| kept.session.terms.qop) {
            Some(Qop::AuthInt) => Need::Bytes { limit: usize::MAX },
            _ => Need::Nothing,
        }
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        if status != self.side.status() && self.promises_integrity(headers) {
            return Need::Bytes { limit: self.most_read };
        }
        Need::Nothing
    }
}

fn channel(uri: &Uri) -> Channel {
    match Origin::of(uri) {
        Ok(origin) if origin.is_confidential() => Channel::Confidential,
        _ => Channel::Open,
    }
}

/// 128 random bits, in characters that need no escape.
fn cnonce(random: &dyn Random) -> Result<String> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("policy", &self.policy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
