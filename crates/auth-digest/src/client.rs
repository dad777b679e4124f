//! The client's end.

mod exchange;
mod policy;
mod session;
mod spaces;
mod typed;

pub use policy::{Md5, Policy};
pub use session::Counting;
pub use typed::TypedFields;

use crate::{BodyHash, HashFunction, Qop, authorization::has_control};
use auth_core::{
    Answer, Authenticator, Credentials, Flow, Need, Origin, Random, RequestView, Result, Secret,
    Stamper, Transport, Verdict,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use policy::Channel;
pub(crate) use policy::config;
use session::User;
pub(crate) use spaces::target;
use spaces::{Kept, Place, Spaces, Standing};
use std::{fmt, sync::Arc};

/// Answers Digest challenges (RFC 7616), and from the second request on answers before it is asked.
///
/// The first request to a protection space goes out bare; the 401 tells how to answer, and the adapter sends it again.
/// What was learned is kept and shared: each further request has the next nonce count and costs no extra round trip,
/// until the server says that its nonce is old. Several threads may use one at once.
///
/// Of several challenges the strongest that the [`Policy`] allows is answered. An `rspauth` that the server sends is
/// checked, and `nextnonce` is taken over. A nonce that has just been issued and is refused means a wrong password: the
/// 401 is then the answer.
///
/// # Security
///
/// The password never leaves this process; whoever records an exchange can guess at it offline, though, so use a long
/// random one, and TLS. User name and password are hashed as they are given: RFC 7616 section 4 wants them in UTF-8 and
/// normalized to NFC. The hash states that are kept are wiped with the password when this is dropped.
///
/// ```
/// use auth_core::{Only, SystemRandom};
/// use auth_digest::Digest;
/// let digest = Digest::new("alice", "s3cret", SystemRandom::new())?;
/// let digest = Only::new(["https://api.example.com".parse()?], digest);
/// # let _: &dyn auth_core::Authenticator = &digest;
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Digest {
    user: Arc<User>,
    policy: Policy,
    random: Arc<dyn Random>,
    side: Side,
    stamper: Stamper,
    spaces: Spaces,
    probe: Option<Arc<dyn Transport>>,
    most_read: usize,
}

/// Who is asking: the server, or a proxy on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Server,
    Proxy,
}

impl Digest {
    /// For this user name and password.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the user name holds `:`, which would make it ambiguous what is hashed, or a control
    /// character.
    pub fn new(
        user: &str,
        password: impl Into<Secret>,
        random: impl Random + 'static,
    ) -> Result<Self> {
        check_name(user)?;
        Ok(Self {
            user: Arc::new(User { name: user.into(), password: password.into() }),
            policy: Policy::new(),
            random: Arc::new(random),
            side: Side::Server,
            stamper: Stamper::new(),
            spaces: Spaces::default(),
            probe: None,
            most_read: 1024 * 1024,
        })
    }

    /// Which challenges are answered, and how.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// For a proxy instead of a server: 407, `Proxy-Authenticate`, `Proxy-Authorization` and
    /// `Proxy-Authentication-Info`. Put one of each into a [`Stack`](auth_core::Stack) where both ask.
    ///
    /// The target is path and query, as browsers and curl have it; for `CONNECT` it is host and port.
    #[must_use]
    pub fn for_proxy(self) -> Self {
        Self { side: Side::Proxy, ..self }
    }

    /// Proves who we are before anything else is sent: where no challenge is known yet, a request of the same method to
    /// the same target goes out first, without fields and body of the caller's, and only the request that answers its
    /// challenge carries those.
    ///
    /// A server that does not ask is an error, and nothing of the request is sent.
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
    pub fn starting_from(self, fields: &TypedFields<'_>) -> Result<Self> {
        let session = fields.session(&self.user, &*self.random)?;
        // What a server thinks of it is not known, but it is no nonce of its own that it refuses.
        self.spaces.keep(session, Place::Anywhere, Standing::Proven);
        Ok(self)
    }

    /// How long the body of an answer may be that is read to check an `rspauth` under `auth-int`; 1 MiB unless set. A
    /// longer one is an error.
    #[must_use]
    pub fn reading_at_most(self, bytes: usize) -> Self {
        Self { most_read: bytes, ..self }
    }

    /// What answers a challenge before it is made, if one is known; `None` where the request has to go out bare.
    ///
    /// # Errors
    ///
    /// `Error::Config` when a body has to be hashed and was not read, or MD5 is not allowed over such a channel.
    pub fn present(&self, request: RequestView<'_>) -> Result<Option<Credentials>> {
        let Some(kept) = self.usable(request.uri) else { return Ok(None) };
        self.check_channel(&kept, request.uri)?;
        let answered = if *request.method == Method::CONNECT {
            let authority = request.uri.authority().map_or("", http::uri::Authority::as_str);
            self.answer(&kept, request, authority)
        } else {
            self.answer(&kept, request, &target(request.uri))
        };
        let Some(value) = answered? else {
            self.spaces.forget(kept.serial);
            return Ok(None);
        };
        let credentials = Credentials::header(self.side.answers(), value)?;
        Ok(Some(credentials.stamped(self.stamper.stamp(kept.serial))))
    }

    fn answer(
        &self,
        kept: &Kept,
        request: RequestView<'_>,
        target: &str,
    ) -> Result<Option<http::HeaderValue>> {
        let body = |function| BodyHash::read(function, request.body);
        kept.session.answer(request.method.as_str(), target, body)
    }

    fn usable(&self, uri: &Uri) -> Option<Arc<Kept>> {
        self.spaces.find(uri).filter(|kept| kept.standing() != Standing::Refused)
    }

    /// What is kept for every place was not judged for any.
    fn check_channel(&self, kept: &Kept, uri: &Uri) -> Result<()> {
        let algorithm = kept.session.terms.algorithm;
        if matches!(kept.place, Place::At { .. }) || algorithm.function() != HashFunction::Md5 {
            return Ok(());
        }
        self.policy.allows(algorithm, channel(uri)).map_err(|_| {
            config("digest_choice_md5", "MD5 is not allowed here by the policy, expected https")
        })
    }
}

impl Authenticator for Digest {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        match self.present(request) {
            Ok(Some(credentials)) => Flow::ready(credentials),
            Ok(None) => match &self.probe {
                None => Flow::ready(Credentials::none()),
                Some(transport) => Flow::new(self.prove(&**transport, request)),
            },
            Err(error) => Flow::failed(error),
        }
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.judge(sent, answer).unwrap_or_else(Verdict::Refused)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        let Some(kept) = self.usable(head.uri) else { return Need::Nothing };
        match kept.session.terms.qop {
            Some(Qop::AuthInt) => need(kept.session.terms.algorithm.function(), usize::MAX),
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

impl Side {
    const fn status(self) -> StatusCode {
        match self {
            Self::Server => StatusCode::UNAUTHORIZED,
            Self::Proxy => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        }
    }

    const fn asks(self) -> HeaderName {
        match self {
            Self::Server => header::WWW_AUTHENTICATE,
            Self::Proxy => header::PROXY_AUTHENTICATE,
        }
    }

    const fn answers(self) -> HeaderName {
        match self {
            Self::Server => header::AUTHORIZATION,
            Self::Proxy => header::PROXY_AUTHORIZATION,
        }
    }

    const fn info(self) -> HeaderName {
        match self {
            Self::Server => HeaderName::from_static("authentication-info"),
            Self::Proxy => HeaderName::from_static("proxy-authentication-info"),
        }
    }
}

/// How much of a body has to be read to hash it so.
pub(crate) fn need(function: HashFunction, limit: usize) -> Need {
    function.of_bodies().map_or(Need::Bytes { limit }, Need::hash)
}

fn channel(uri: &Uri) -> Channel {
    match Origin::of(uri) {
        Ok(origin) if origin.is_confidential() => Channel::Confidential,
        _ => Channel::Open,
    }
}

/// 128 random bits, in characters that need no escape.
fn cnonce(random: &dyn Random) -> Result<[u8; 22]> {
    let (mut bytes, mut text) = ([0; 16], [0; 22]);
    random.fill(&mut bytes)?;
    URL_SAFE_NO_PAD
        .encode_slice(bytes, &mut text)
        .map_err(|error| config("digest_cnonce", error.to_string()))?;
    Ok(text)
}

pub(crate) fn check_name(user: &str) -> Result<()> {
    if user.contains(':') {
        let text = "user name holds ':', expected none since one ends it where it is hashed";
        return Err(config("digest_user_name_colon", text));
    }
    if has_control(user) {
        let text = "user name holds a control character, expected none";
        return Err(config("digest_user_name_control", text));
    }
    Ok(())
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("policy", &self.policy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
