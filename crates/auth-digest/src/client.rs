//! The client's end.

mod exchange;
mod policy;
mod preset;
mod respond;
mod session;
mod side;
mod spaces;

pub use policy::{ChallengePolicy, Md5Allowed};
pub use preset::DigestPreset;
pub use session::ClientNonceCounting;

use crate::{BodyHash, HashFunction, Qop, authorization::has_control};
use auth_core::{
    Answer, Authenticator, Credentials, Error, Flow, Need, Origin, Random, RequestView, Result,
    Secret, Stamper, Transport, Verdict,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, StatusCode, Uri};
use policy::Channel;
use session::User;
use side::Side;
pub(crate) use spaces::target;
use spaces::{KeptSession, ProtectionSpace, Spaces, Standing};
use std::{fmt, sync::Arc};

/// Answers Digest challenges (RFC 7616), and from the second request on answers before it is asked.
///
/// The first request to a protection space goes out bare; the 401 tells how to answer, and the adapter sends it again.
/// What was learned is kept and shared: each further request has the next nonce count and costs no extra round trip,
/// until the server says that its nonce is old. Several threads may use one at once.
///
/// Of several challenges the strongest that the [`ChallengePolicy`] allows is answered. An `rspauth` that the server sends is
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
    most_read: usize,
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
            policy: ChallengePolicy::new(),
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
    pub fn with_policy(self, policy: ChallengePolicy) -> Self {
        Self { policy, ..self }
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
        self.spaces.keep(session, ProtectionSpace::Anywhere, Standing::Proven);
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
        let answered = if *request.method == Method::CONNECT {
            let authority = request.uri.authority().map_or("", http::uri::Authority::as_str);
            self.answer(kept, request, authority)
        } else {
            self.answer(kept, request, &target(request.uri))
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
        kept: &KeptSession,
        request: RequestView<'_>,
        target: &str,
    ) -> Result<Option<http::HeaderValue>> {
        let body = |function| BodyHash::read(function, request.body);
        kept.session.answer(request.method.as_str(), target, body)
    }

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
        let Some(kept) = self.usable(head) else { return Need::Nothing };
        match kept.session.terms.qop {
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
fn cnonce(random: &dyn Random) -> Result<[u8; 22]> {
    let (mut bytes, mut text) = ([0; 16], [0; 22]);
    random.fill(&mut bytes)?;
    URL_SAFE_NO_PAD
        .encode_slice(bytes, &mut text)
        .map_err(|error| Error::config("digest_cnonce", error.to_string()))?;
    Ok(text)
}

pub(crate) fn check_name(user: &str) -> Result<()> {
    if user.contains(':') {
        let text = "user name holds ':', expected none since one ends it where it is hashed";
        return Err(Error::config("digest_user_name_colon", text));
    }
    if has_control(user) {
        let text = "user name holds a control character, expected none";
        return Err(Error::config("digest_user_name_control", text));
    }
    Ok(())
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("policy", &self.policy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        DigestAlgorithm, DigestChallenge, DigestMessage, DigestProtection, DigestResponse, Ha1,
        NonceCount, NonceUse,
    };
    use auth_core::{Authorization, Body, Hop, NextStep, RetryBudget, SystemRandom};
    use auth_testing::{ScriptedTransport, SeededRandom};
    use http::{
        HeaderName, HeaderValue, Response,
        header::{self, AUTHORIZATION, TRAILER},
    };
    use proptest::prelude::*;
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    const URL: &str = "https://a.example/dir/index.html?q=1";

    type Got = Response<Vec<u8>>;

    /// A request as a server gets it.
    struct Received<'a> {
        uri: &'a Uri,
        headers: &'a HeaderMap,
    }

    impl<'a> Received<'a> {
        fn field(&self) -> Option<&'a str> {
            self.headers.get(AUTHORIZATION).map(|value| {
                assert!(value.is_sensitive());
                std::str::from_utf8(value.as_bytes()).unwrap()
            })
        }

        fn credentials(&self) -> Option<DigestResponse<'a>> {
            let field = Authorization::parse(self.field()?.as_bytes()).unwrap();
            assert_eq!(field.scheme(), "Digest");
            Some(DigestResponse::parse(field.credentials()).unwrap())
        }

        /// The count of the request, if it answers this nonce.
        fn count(&self, nonce: &str) -> Option<u32> {
            let credentials = self.credentials()?;
            (*credentials.nonce == *nonce.as_bytes())
                .then(|| credentials.counted.map_or(0, |counted| counted.nc.number()))
        }

        fn is_right(&self, password: &str) -> bool {
            let Some(credentials) = self.credentials() else { return false };
            let algorithm = credentials.algorithm();
            let ha1 =
                Ha1::new(algorithm.function(), "alice", &credentials.realm, password.as_bytes());
            let cnonce = credentials.counted.as_ref().map_or(&b""[..], |counted| &counted.cnonce);
            let session = ha1.session(algorithm, &credentials.nonce, cnonce);
            let message = credentials.message("GET", None).unwrap();
            session.response(&message).matches(credentials.response)
        }
    }

    /// What an adapter does with one request; says how often it was sent.
    fn drive_to(
        digest: &dyn Authenticator,
        url: &'static str,
        mut server: impl FnMut(Received<'_>) -> Got,
    ) -> Result<(Got, usize)> {
        let (method, target) = (Method::GET, Uri::from_static(url));
        let (mut attempts, mut sent) = (RetryBudget::default(), 0);
        loop {
            sent += 1;
            let (mut uri, mut headers) = (target.clone(), HeaderMap::new());
            let none = HeaderMap::new();
            let view = RequestView::new(&method, &target, &none).with_body(Body::Bytes(b""));
            let credentials = digest.credentials(view).wait()?;
            credentials.commit(&mut uri, &mut headers)?;
            let answer = server(Received { uri: &uri, headers: &headers });
            let request = RequestView::new(&method, &target, &none);
            let mut read = Answer::new(request, answer.status(), answer.headers());
            if let Need::Bytes { limit } = digest.reads(answer.status(), answer.headers()) {
                read =
                    if answer.body().len() <= limit { read.with_body(answer.body()) } else { read };
            }
            if let NextStep::Deliver =
                attempts.next(&credentials, digest.assess(&credentials, read))?
            {
                return Ok((answer, sent));
            }
        }
    }

    fn drive(
        digest: &dyn Authenticator,
        server: impl FnMut(Received<'_>) -> Got,
    ) -> Result<(u16, usize)> {
        drive_to(digest, URL, server).map(|(answer, sent)| (answer.status().as_u16(), sent))
    }

    fn ok() -> Got {
        Response::new(b"good".to_vec())
    }

    fn with_info(info: &str) -> Got {
        Response::builder().header("authentication-info", info).body(b"good".to_vec()).unwrap()
    }

    fn ask(challenges: &[&str]) -> Got {
        let mut answer = Response::builder().status(401);
        for challenge in challenges {
            answer = answer.header("www-authenticate", *challenge);
        }
        answer.body(Vec::new()).unwrap()
    }

    fn challenge(nonce: &str) -> String {
        format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\", algorithm=SHA-256")
    }

    fn alice() -> Digest {
        Digest::new("alice", "s3cret", SeededRandom::new(1)).unwrap()
    }

    #[test]
    fn only_the_first_request_is_asked_and_counts_rise_from_one() {
        let digest = alice();
        let server = |received: Received<'_>| match received.is_right("s3cret") {
            true => ok(),
            false => ask(&[&challenge("n")]),
        };
        assert_eq!(drive(&digest, server).unwrap(), (200, 2));
        for expected in 2..5 {
            let counted = |received: Received<'_>| {
                assert_eq!(received.count("n"), Some(expected));
                server(received)
            };
            assert_eq!(drive(&digest, counted).unwrap(), (200, 1));
        }
    }

    #[test]
    fn concurrent_requests_never_share_a_count() {
        let digest = alice();
        let _ = drive(&digest, |received| match received.field() {
            None => ask(&[&challenge("n")]),
            Some(_) => ok(),
        });
        let seen = Mutex::new(std::collections::BTreeSet::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let count = |received: Received<'_>| {
                            assert!(seen.lock().unwrap().insert(received.count("n").unwrap()));
                            ok()
                        };
                        drive(&digest, count).unwrap();
                    }
                });
            }
        });
        assert_eq!(*seen.lock().unwrap(), (2..202).collect());
    }

    #[test]
    fn says_who_it_is_in_the_way_the_server_asked_for() {
        #[track_caller]
        fn check(user: &str, rest: &str, expected: &str) {
            let digest = Digest::new(user, "p", SeededRandom::new(1)).unwrap();
            let asked = format!("Digest realm=\"r\", nonce=\"n\"{rest}");
            let mut sent = String::new();
            drive(&digest, |received| match received.field() {
                None => ask(&[&asked]),
                Some(field) => {
                    sent = field.to_owned();
                    ok()
                }
            })
            .unwrap();
            assert!(sent.starts_with(expected), "{sent}");
        }
        let name = "J\u{e4}s\u{f8}n Doe";
        check(
            "alice",
            "",
            "Digest username=\"alice\", realm=\"r\", nonce=\"n\", uri=\"/dir/index.html?q=1\", response=\"",
        );
        check("al\"i\\ce", "", "Digest username=\"al\\\"i\\\\ce\", realm");
        check(name, "", "Digest username=\"J\u{e4}s\u{f8}n Doe\", realm");
        check(name, ", charset=UTF-8", "Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm");
        check("alice", ", charset=UTF-8", "Digest username=\"alice\", realm");
        let hash = crate::userhash(HashFunction::Md5, name, b"r");
        let hash = std::str::from_utf8(hash.as_bytes()).unwrap();
        let hashed = format!("Digest username=\"{hash}\", userhash=true, realm");
        check(name, ", charset=UTF-8, userhash=true", &hashed);
        check(
            "alice",
            ", opaque=\"a\\\"b\\c\", algorithm=md5",
            "Digest username=\"alice\", realm=\"r\", nonce=\"n\", algorithm=MD5, opaque=\"a\\\"b\\c\", uri=",
        );
        check(
            "alice",
            ", qop=\"auth\"",
            "Digest username=\"alice\", realm=\"r\", nonce=\"n\", qop=auth, cnonce=\"",
        );
    }

    #[test]
    fn answers_the_strongest_over_one_field_or_many() {
        let md5 = "Digest realm=\"r\", nonce=\"m\", qop=\"auth\"";
        let sha256 = challenge("s");
        let joined = format!("Basic realm=\"b\", {md5}, {sha256}");
        for fields in [&[md5, &*sha256][..], &[&sha256, "Negotiate abc==", md5], &[&joined]] {
            let digest = alice();
            let server = |received: Received<'_>| match received.credentials() {
                None => ask(fields),
                Some(credentials) => {
                    assert_eq!(credentials.algorithm(), DigestAlgorithm::Sha256);
                    assert!(received.is_right("s3cret"));
                    ok()
                }
            };
            assert_eq!(drive(&digest, server).unwrap(), (200, 2));
        }
    }

    #[test]
    fn a_broken_challenge_hides_none_in_front_of_it() {
        let fields = [&*challenge("n"), "Digest realm=\"x\""];
        let server = |received: Received<'_>| match received.field() {
            None => ask(&fields),
            Some(_) => ok(),
        };
        assert_eq!(drive(&alice(), server).unwrap(), (200, 2));
        for (broken, code) in [
            ("Digest realm=\"x\"", "digest_challenge_missing"),
            ("Digest realm=\"x", "digest_challenge_syntax"),
        ] {
            assert_eq!(drive(&alice(), |_| ask(&[broken])).unwrap_err().code(), code);
        }
    }

    #[test]
    fn what_is_not_asked_in_digest_is_for_the_caller() {
        for fields in [&["Basic realm=\"b\""][..], &[]] {
            assert_eq!(drive(&alice(), |_| ask(fields)).unwrap(), (401, 1));
        }
        let forbidden = |_: Received<'_>| Response::builder().status(403).body(Vec::new()).unwrap();
        assert_eq!(drive(&alice(), forbidden).unwrap(), (403, 1));
        let proxy = |_: Received<'_>| {
            let answer = Response::builder().status(407).header("www-authenticate", challenge("n"));
            answer.body(Vec::new()).unwrap()
        };
        assert_eq!(drive(&alice(), proxy).unwrap(), (407, 1));
    }

    #[test]
    fn a_policy_that_nothing_offered_fits_is_an_error_and_not_the_401() {
        let int = || alice().with_policy(ChallengePolicy::new().with_qop(Qop::AuthInt));
        assert_eq!(
            drive(&int(), |_| ask(&[&challenge("n")])).unwrap_err().code(),
            "digest_choice_qop"
        );
        let md5 = "Digest realm=\"r\", nonce=\"m\", qop=\"auth\"";
        let never = alice().with_policy(ChallengePolicy::new().with_md5(Md5Allowed::Never));
        assert_eq!(drive(&never, |_| ask(&[md5])).unwrap_err().code(), "digest_choice_md5");
        let open = |digest: &Digest, url| {
            drive_to(digest, url, |received| match received.field() {
                None => ask(&[md5]),
                Some(_) => ok(),
            })
        };
        let error = open(&alice(), "http://a.example/").unwrap_err();
        assert!(matches!(error, Error::Config(_)) && error.code() == "digest_choice_md5");
        assert_eq!(open(&alice(), "http://127.0.0.1:8080/").unwrap().1, 2);
        let anywhere = alice().with_policy(ChallengePolicy::new().with_md5(Md5Allowed::Anywhere));
        assert_eq!(open(&anywhere, "http://a.example/").unwrap().1, 2);
    }

    #[test]
    fn a_wrong_password_is_tried_once_for_each_request() {
        let digest = alice();
        let tried = AtomicUsize::new(0);
        let server = |received: Received<'_>| {
            if received.field().is_some() {
                tried.fetch_add(1, Ordering::Relaxed);
                assert!(!received.is_right("another"));
            }
            ask(&[&challenge(&format!("n{}", tried.load(Ordering::Relaxed)))])
        };
        for n in 1..4 {
            assert_eq!(drive(&digest, server).unwrap(), (401, 2));
            assert_eq!(tried.load(Ordering::Relaxed), n);
        }
    }

    #[test]
    fn a_stale_nonce_costs_one_round_trip() {
        let digest = alice();
        let now = Mutex::new("1".to_owned());
        let server = |received: Received<'_>| {
            let now = now.lock().unwrap().clone();
            match received.credentials() {
                Some(credentials) if *credentials.nonce == *now.as_bytes() => ok(),
                Some(_) => ask(&[&(challenge(&now) + ", stale=true")]),
                None => ask(&[&challenge(&now)]),
            }
        };
        assert_eq!(drive(&digest, server).unwrap(), (200, 2));
        *now.lock().unwrap() = "2".into();
        assert_eq!(drive(&digest, server).unwrap(), (200, 2));
        assert_eq!(drive(&digest, server).unwrap(), (200, 1));
    }

    #[test]
    fn a_server_that_has_forgotten_its_nonces_is_answered_anew() {
        let digest = alice();
        let served = |nonce: &'static str| {
            move |received: Received<'_>| match received.count(nonce) {
                Some(_) => ok(),
                None => ask(&[&challenge(nonce)]),
            }
        };
        assert_eq!(drive(&digest, served("1")).unwrap(), (200, 2));
        // Without stale: a nonce that has served before may be forgotten, so the password is not thought to be wrong.
        assert_eq!(drive(&digest, served("2")).unwrap(), (200, 2));
    }

    #[test]
    fn a_server_that_is_never_content_is_left_after_four_attempts() {
        let digest = alice();
        let nonce = AtomicUsize::new(0);
        let server = |_: Received<'_>| {
            let nonce = nonce.fetch_add(1, Ordering::Relaxed).to_string();
            ask(&[&(challenge(&nonce) + ", stale=true")])
        };
        assert_eq!(drive(&digest, server).unwrap(), (401, 4));
    }

    #[test]
    fn a_late_refusal_of_an_older_nonce_learns_nothing() {
        let digest = alice();
        let server = |nonce: &'static str| {
            move |received: Received<'_>| match received.count(nonce) {
                Some(_) => ok(),
                None => ask(&[&challenge(nonce)]),
            }
        };
        drive(&digest, server("1")).unwrap();
        let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &none);
        let late = digest.present(view).unwrap().unwrap();
        drive(&digest, server("2")).unwrap();
        let refusal = ask(&[&challenge("3")]);
        let answer = Answer::new(view, refusal.status(), refusal.headers());
        assert!(matches!(digest.assess(&late, answer), Verdict::Retry { after: None }));
        assert_eq!(drive(&digest, server("2")).unwrap(), (200, 1));
    }

    #[test]
    fn a_thousand_bare_requests_learn_one_nonce() {
        let digest = alice();
        let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &none);
        for n in 0..1000 {
            let refusal = ask(&[&challenge(&n.to_string())]);
            let answer = Answer::new(view, refusal.status(), refusal.headers());
            assert!(matches!(digest.assess(&Credentials::none(), answer), Verdict::Retry { .. }));
        }
        assert_eq!(
            drive(&digest, |received| if received.count("0").is_some() { ok() } else { ask(&[]) })
                .unwrap(),
            (200, 1)
        );
    }

    #[test]
    fn another_realm_is_another_space_and_no_wrong_password() {
        let digest = alice();
        let realm = |realm: &'static str| {
            move |received: Received<'_>| match received.credentials() {
                Some(credentials) if *credentials.realm == *realm.as_bytes() => ok(),
                _ => ask(&[&challenge("n").replace("\"r\"", &format!("\"{realm}\""))]),
            }
        };
        assert_eq!(drive(&digest, realm("a")).unwrap(), (200, 2));
        assert_eq!(drive(&digest, realm("b")).unwrap(), (200, 2));
        assert_eq!(drive(&digest, realm("b")).unwrap(), (200, 1));
    }

    #[test]
    fn a_nonce_that_was_not_refused_in_its_own_realm_tells_nothing_of_the_password() {
        let server = |received: Received<'_>| match received.credentials() {
            None => ask(&[&challenge("n")]),
            Some(credentials) if *credentials.realm == *b"r" => {
                ask(&[&challenge("n").replace("\"r\"", "\"other\"")])
            }
            Some(_) => ok(),
        };
        assert_eq!(drive(&alice(), server).unwrap(), (200, 3));
    }

    #[test]
    fn once_the_password_is_known_to_be_wrong_late_refusals_try_it_no_more() {
        let digest = alice();
        let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &none);
        drive(&digest, |received| match received.field() {
            None => ask(&[&challenge("1")]),
            Some(_) => ok(),
        })
        .unwrap();
        let late = digest.present(view).unwrap().unwrap();
        assert_eq!(drive(&digest, |_| ask(&[&challenge("2")])).unwrap(), (401, 2));
        let refusal = ask(&[&challenge("3")]);
        let answer = Answer::new(view, refusal.status(), refusal.headers());
        assert!(matches!(digest.assess(&late, answer), Verdict::Accept));
    }

    /// What comes of another realm's answer that is late: to a request with an older nonce, or to a bare one. What is
    /// kept by then was refused, or has served.
    #[track_caller]
    fn check_late_realm(refused: bool, bare: bool) {
        let digest = alice();
        let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &none);
        let served = |received: Received<'_>| match received.field() {
            None => ask(&[&challenge("1")]),
            Some(_) => ok(),
        };
        drive(&digest, served).unwrap();
        let older = digest.present(view).unwrap().unwrap();
        let next = drive(&digest, |received| match received.count("2") {
            Some(_) if !refused => ok(),
            _ => ask(&[&challenge("2")]),
        });
        assert_eq!(next.unwrap().0, if refused { 401 } else { 200 });
        let sent = if bare { Credentials::none() } else { older };
        let other = ask(&[&challenge("3").replace("\"r\"", "\"other\"")]);
        let answer = Answer::new(view, other.status(), other.headers());
        assert!(matches!(digest.assess(&sent, answer), Verdict::Retry { after: None }));
        let learned = drive(&digest, |received| match received.credentials() {
            Some(credentials) if *credentials.realm == *b"other" => ok(),
            _ => ask(&[]),
        });
        assert_eq!(learned.unwrap(), (200, 1), "refused {refused}, bare {bare}");
    }

    #[test]
    fn a_late_answer_of_another_realm_is_learned_from() {
        for refused in [false, true] {
            for bare in [false, true] {
                check_late_realm(refused, bare);
            }
        }
    }

    #[test]
    fn the_spaces_that_are_kept_are_bounded_and_the_oldest_goes_first() {
        let (digest, none) = (alice(), HeaderMap::new());
        let asked = ask(&[&challenge("n")]);
        let uris: Vec<Uri> =
            (0..65).map(|n| format!("https://{n}.example/").parse().unwrap()).collect();
        for uri in &uris {
            let view = RequestView::new(&Method::GET, uri, &none);
            let answer = Answer::new(view, asked.status(), asked.headers());
            let _ = digest.assess(&Credentials::none(), answer);
        }
        let known = |uri| digest.present(RequestView::new(&Method::GET, uri, &none)).unwrap();
        let forgotten: Vec<_> = uris.iter().filter(|uri| known(uri).is_none()).collect();
        assert_eq!(forgotten, [&uris[0]]);
    }

    #[test]
    fn one_answer_is_given_to_what_was_offered_alone() {
        let respond = |rest: &str, protection| {
            let field = format!("Digest realm=\"r\", nonce=\"n\"{rest}");
            let challenge = DigestChallenge::parse(field.as_bytes()).unwrap();
            let message = DigestMessage { method: "GET", uri: b"/", nonce: b"", protection };
            challenge.respond("a", b"b", &message).map(drop).map_err(|error| error.code())
        };
        let count = NonceUse { nc: NonceCount::FIRST, cnonce: b"c" };
        let int = DigestProtection::AuthInt(count, BodyHash::of(HashFunction::Md5, b""));
        let qop = Err("digest_choice_qop");
        assert_eq!(respond(", qop=\"auth\"", DigestProtection::Auth(count)), Ok(()));
        assert_eq!(respond(", qop=\"auth\"", int), qop);
        assert_eq!(respond(", qop=\"auth\"", DigestProtection::Legacy), qop);
        assert_eq!(respond("", DigestProtection::Auth(count)), qop);
        assert_eq!(respond("", DigestProtection::Legacy), Ok(()));
        assert_eq!(respond(", algorithm=MD5-sess", DigestProtection::Legacy), qop);
        let unknown = respond(", algorithm=X, qop=\"auth\"", DigestProtection::Auth(count));
        assert_eq!(unknown, Err("digest_choice_algorithm"));
    }

    #[test]
    fn nothing_that_was_learned_goes_to_another_origin() {
        let digest = alice();
        let asked = challenge("n") + ", domain=\"/dir https://b.example/\"";
        let server = |received: Received<'_>| match received.field() {
            None => ask(&[&asked]),
            Some(_) => ok(),
        };
        assert_eq!(drive(&digest, server).unwrap(), (200, 2));
        let sent = |url| {
            drive_to(&digest, url, |received| {
                assert_eq!(received.uri.path(), Uri::from_static(url).path());
                if received.field().is_some() { ok() } else { ask(&[]) }
            })
        };
        assert_eq!(sent("https://a.example/dir/other").unwrap().0.status(), 200);
        for other in ["https://b.example/", "https://a.example/", "http://a.example/dir/index.html"]
        {
            assert_eq!(sent(other).unwrap().0.status(), 401, "{other}");
        }
    }

    fn rspauth(received: &Received<'_>, body: Option<&[u8]>) -> String {
        let credentials = received.credentials().unwrap();
        let counted = credentials.counted.clone().unwrap();
        let ha1 = Ha1::new(HashFunction::Sha256, "alice", &credentials.realm, b"s3cret");
        let session = ha1.session(credentials.algorithm(), &credentials.nonce, &counted.cnonce);
        let count = NonceUse { nc: counted.nc, cnonce: &counted.cnonce };
        let protection = match body {
            None => DigestProtection::Auth(count),
            Some(body) => {
                DigestProtection::AuthInt(count, BodyHash::of(HashFunction::Sha256, body))
            }
        };
        let message = DigestMessage {
            method: "",
            uri: &credentials.uri,
            nonce: &credentials.nonce,
            protection,
        };
        let qop = if body.is_some() { "auth-int" } else { "auth" };
        let cnonce = std::str::from_utf8(&counted.cnonce).unwrap();
        let rspauth = session.rspauth(&message);
        let rspauth = std::str::from_utf8(rspauth.as_bytes()).unwrap();
        format!("rspauth=\"{rspauth}\", cnonce=\"{cnonce}\", nc={}, qop={qop}", counted.nc)
    }

    /// What comes of an answer whose Authentication-Info is made of the request.
    #[track_caller]
    fn check_info(
        digest: &Digest,
        info: impl Fn(&Received<'_>) -> String,
        expected: std::result::Result<(u16, usize), &str>,
    ) {
        let server = |received: Received<'_>| match received.field() {
            None => ask(&[&challenge("n").replace("\"auth\"", "\"auth,auth-int\"")]),
            Some(_) => with_info(&info(&received)),
        };
        assert_eq!(drive(digest, server).map_err(|error| error.code()), expected);
    }

    #[test]
    fn a_server_that_cannot_prove_itself_is_an_error() {
        check_info(&alice(), |received| rspauth(received, None), Ok((200, 2)));
        check_info(&alice(), |_| String::new(), Ok((200, 2)));
        check_info(&alice(), |_| "nonsense".into(), Err("digest_info"));
        check_info(&alice(), |_| "rspauth=\"00\", qop=auth".into(), Err("digest_rspauth"));
        check_info(&alice(), |_| "rspauth=\"\"".into(), Err("digest_rspauth"));
        let changed = |from: &'static str, to: &'static str| {
            move |received: &Received<'_>| rspauth(received, None).replace(from, to)
        };
        check_info(&alice(), changed("00000001", "00000002"), Err("digest_info_other"));
        check_info(&alice(), changed("cnonce=\"", "cnonce=\"x"), Err("digest_info_other"));
        check_info(&alice(), changed("rspauth=\"", "rspauth=\"0"), Err("digest_rspauth"));
        let other = Digest::new("alice", "another", SeededRandom::new(1)).unwrap();
        check_info(&other, |received| rspauth(received, None), Err("digest_rspauth"));
    }

    #[test]
    fn under_auth_int_the_body_of_the_answer_is_proven_too() {
        let int = || alice().with_policy(ChallengePolicy::new().with_qop(Qop::AuthInt));
        check_info(&int(), |received| rspauth(received, Some(b"good")), Ok((200, 2)));
        check_info(&int(), |received| rspauth(received, Some(b"evil")), Err("digest_rspauth"));
        let short = int().with_body_limit(3);
        check_info(&short, |received| rspauth(received, Some(b"good")), Err("digest_rspauth_body"));
        assert_eq!(alice().reads(StatusCode::OK, &HeaderMap::new()), Need::Nothing);
        let info = |text: &'static str| {
            let name = HeaderName::from_static("authentication-info");
            alice().reads(
                StatusCode::OK,
                &HeaderMap::from_iter([(name, HeaderValue::from_static(text))]),
            )
        };
        assert_eq!(info("rspauth=\"00\", qop=auth-int"), Need::Bytes { limit: 1 << 20 });
        for of_no_body in ["rspauth=\"00\", qop=auth", "rspauth=\"00\"", "qop=auth-int", "nonsense"]
        {
            assert_eq!(info(of_no_body), Need::Nothing, "{of_no_body}");
        }
        let trailer =
            HeaderMap::from_iter([(TRAILER, HeaderValue::from_static("x, Authentication-Info"))]);
        assert_eq!(alice().reads(StatusCode::OK, &trailer), Need::Bytes { limit: 1 << 20 });
        assert_eq!(alice().reads(StatusCode::UNAUTHORIZED, &trailer), Need::Nothing);
    }

    #[test]
    fn what_is_proven_behind_the_body_is_checked_as_well() {
        let digest = alice();
        let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
        let view = RequestView::new(&Method::GET, &uri, &none);
        let asked = ask(&[&challenge("n")]);
        let _ =
            digest.assess(&Credentials::none(), Answer::new(view, asked.status(), asked.headers()));
        let sent = digest.present(view).unwrap().unwrap();
        let (mut to, mut headers) = (uri.clone(), HeaderMap::new());
        sent.commit(&mut to, &mut headers).unwrap();
        let request = RequestView::new(&Method::GET, &uri, &headers);
        let head = HeaderMap::new();
        let judge = |info: &str| {
            let trailers = HeaderMap::from_iter([(
                HeaderName::from_static("authentication-info"),
                HeaderValue::from_str(info).unwrap(),
            )]);
            let answer = Answer::new(request, StatusCode::OK, &head).with_body(b"good");
            digest.assess(&sent, answer.with_trailers(&trailers))
        };
        let received = Received { uri: &uri, headers: &headers };
        assert!(matches!(judge(&rspauth(&received, Some(b"good"))), Verdict::Accept));
        assert!(matches!(judge(&rspauth(&received, Some(b"evil"))), Verdict::Refused(_)));
    }

    #[test]
    fn an_answer_to_an_older_nonce_is_proven_too() {
        let digest = alice();
        let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
        let server = |nonce: &'static str| {
            move |received: Received<'_>| match received.count(nonce) {
                Some(_) => ok(),
                None => ask(&[&challenge(nonce)]),
            }
        };
        drive(&digest, server("1")).unwrap();
        let sent = digest.present(RequestView::new(&Method::GET, &uri, &none)).unwrap().unwrap();
        let (mut to, mut headers) = (uri.clone(), HeaderMap::new());
        sent.commit(&mut to, &mut headers).unwrap();
        drive(&digest, server("2")).unwrap();
        let request = RequestView::new(&Method::GET, &uri, &headers);
        let judge = |answer: &Got| {
            digest.assess(&sent, Answer::new(request, answer.status(), answer.headers()))
        };
        let right = rspauth(&Received { uri: &uri, headers: &headers }, None);
        assert!(matches!(judge(&with_info(&right)), Verdict::Accept));
        assert!(matches!(judge(&with_info("rspauth=\"0\"")), Verdict::Refused(_)));
    }

    #[test]
    fn the_next_nonce_is_taken_over_and_counted_from_one() {
        let digest = alice();
        let next = |received: Received<'_>| match received.field() {
            None => ask(&[&challenge("1")]),
            Some(_) => with_info("nextnonce=\"2\""),
        };
        assert_eq!(drive(&digest, next).unwrap(), (200, 2));
        let seen = |received: Received<'_>| {
            assert_eq!(received.count("2"), Some(1));
            assert!(received.is_right("s3cret"));
            ok()
        };
        assert_eq!(drive(&digest, seen).unwrap(), (200, 1));
    }

    fn typed(change: impl FnOnce(&mut DigestPreset<'static>)) -> Result<Digest> {
        let mut fields = DigestPreset::new("r", "typed");
        change(&mut fields);
        alice().with_form(&fields)
    }

    #[test]
    fn typed_fields_are_sent_from_the_first_request_on_and_their_count_rises() {
        let digest = typed(|fields| {
            fields.algorithm = Some(DigestAlgorithm::Sha256);
            fields.qop = Some(Qop::Auth);
            fields.nonce_count = Some(NonceCount::typed("a").unwrap());
            fields.client_nonce = Some("mine");
            fields.opaque = Some("say \"so\"");
        })
        .unwrap();
        for expected in 10..13 {
            let server = |received: Received<'_>| {
                assert_eq!(received.count("typed"), Some(expected));
                assert!(
                    received
                        .field()
                        .unwrap()
                        .contains(r#"opaque="say \"so\"", qop=auth, cnonce="mine", uri="#)
                );
                if received.is_right("s3cret") { ok() } else { ask(&[]) }
            };
            assert_eq!(drive(&digest, server).unwrap(), (200, 1));
        }
    }

    #[test]
    fn typed_fields_are_repeated_to_the_letter_by_name_alone() {
        let digest = typed(|fields| {
            fields.qop = Some(Qop::Auth);
            fields.counting = ClientNonceCounting::Repeated;
        })
        .unwrap();
        let mut fields = Vec::new();
        for _ in 0..3 {
            drive(&digest, |received| {
                fields.push(received.field().unwrap().to_owned());
                ok()
            })
            .unwrap();
        }
        assert!(
            fields[0].contains("nc=00000001") && fields.iter().all(|field| *field == fields[0])
        );
    }

    #[test]
    fn a_challenge_takes_the_place_of_what_was_typed() {
        let digest = typed(|fields| fields.algorithm = Some(DigestAlgorithm::Sha256)).unwrap();
        let server = |received: Received<'_>| match received.count("n") {
            Some(_) if received.is_right("s3cret") => ok(),
            _ => ask(&[&challenge("n")]),
        };
        assert_eq!(drive(&digest, server).unwrap(), (200, 2));
        assert_eq!(drive(&digest, server).unwrap(), (200, 1));
    }

    #[test]
    fn typed_fields_that_do_not_go_together_are_named() {
        #[track_caller]
        fn check(change: impl FnOnce(&mut DigestPreset<'static>), code: &str, name: &str) {
            let error = typed(change).unwrap_err();
            assert_eq!(error.code(), code);
            assert!(error.to_string().starts_with(&format!("configuration: {name} ")), "{error}");
        }
        let (count, nonce) = ("digest_typed_nonce_count", "digest_typed_client_nonce");
        check(|fields| fields.nonce_count = Some(NonceCount::FIRST), count, "nonce count");
        check(|fields| fields.client_nonce = Some("c"), nonce, "client nonce");
        check(
            |fields| fields.algorithm = Some(DigestAlgorithm::Md5Sess),
            "digest_typed_algorithm",
            "algorithm",
        );
        check(|fields| fields.realm = "a\nb", "digest_typed_control", "realm");
        check(|fields| fields.opaque = Some("a\0"), "digest_typed_control", "opaque");
        check(
            |fields| (fields.qop, fields.client_nonce) = (Some(Qop::Auth), Some("")),
            nonce,
            "client nonce",
        );
    }

    #[test]
    fn typed_md5_does_not_go_where_somebody_listens() {
        let digest = typed(|_| {}).unwrap();
        let error = drive_to(&digest, "http://a.example/", |_| ok()).unwrap_err();
        assert_eq!(error.code(), "digest_choice_md5");
        assert_eq!(drive(&digest, |_| ok()).unwrap(), (200, 1));
    }

    #[test]
    fn a_count_that_has_reached_its_end_begins_with_another_nonce() {
        let digest = typed(|fields| {
            fields.algorithm = Some(DigestAlgorithm::Sha256);
            fields.qop = Some(Qop::Auth);
            fields.nonce_count = NonceCount::new(u32::MAX);
        })
        .unwrap();
        assert_eq!(
            drive(&digest, |received| if received.count("typed") == Some(u32::MAX) {
                ok()
            } else {
                ask(&[])
            })
            .unwrap(),
            (200, 1)
        );
        let server = |received: Received<'_>| match received.count("n") {
            Some(1) => ok(),
            Some(_) => panic!("another count"),
            None => {
                assert!(received.field().is_none());
                ask(&[&challenge("n")])
            }
        };
        assert_eq!(drive(&digest, server).unwrap(), (200, 2));
    }

    #[test]
    fn auth_int_hashes_the_body_and_is_never_given_up_for_want_of_one() {
        let digest = alice();
        let asked = ask(&[&challenge("n").replace("\"auth\"", "\"auth-int\"")]);
        let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
        let view = RequestView::new(&Method::POST, &uri, &none);
        let learned =
            digest.assess(&Credentials::none(), Answer::new(view, asked.status(), asked.headers()));
        assert!(matches!(learned, Verdict::Retry { .. }));
        assert_eq!(digest.needs(view), Need::Bytes { limit: usize::MAX });
        assert_eq!(digest.present(view).unwrap_err().code(), "digest_body_unread");
        let credentials = digest.present(view.with_body(Body::Bytes(b"{}"))).unwrap().unwrap();
        let (mut to, mut headers) = (uri.clone(), HeaderMap::new());
        credentials.commit(&mut to, &mut headers).unwrap();
        let read = Received { uri: &to, headers: &headers }.credentials().unwrap();
        let ha1 = Ha1::new(HashFunction::Sha256, "alice", b"r", b"s3cret");
        let session = ha1.session(DigestAlgorithm::Sha256, b"n", b"");
        let body = BodyHash::of(HashFunction::Sha256, b"{}");
        let expected = session.response(&read.message("POST", Some(body)).unwrap());
        assert!(expected.matches(read.response));
    }

    /// A server behind a transport and the same behind the adapter.
    #[track_caller]
    fn check_proof(
        status: u16,
        field: Option<&'static str>,
        expected: std::result::Result<usize, &str>,
    ) {
        let transport = ScriptedTransport::new(move |request| {
            assert_eq!((request.method(), request.uri().path()), (&Method::GET, "/dir/index.html"));
            assert!(request.body().is_empty() && request.headers().is_empty());
            let mut answer = Response::builder().status(status);
            if let Some(field) = field {
                answer = answer.header("www-authenticate", field);
            }
            Ok(answer.body(Vec::new()).unwrap())
        });
        let transport = Arc::new(transport);
        let digest = alice().proving_first(transport.clone());
        let sent = drive(&digest, |received| {
            assert!(received.is_right("s3cret"), "the request went out without credentials");
            ok()
        });
        assert_eq!(sent.map(|(_, sent)| sent).map_err(|error| error.code()), expected);
        assert_eq!(transport.exchanges(), 1);
        if expected.is_ok() {
            assert_eq!(drive(&digest, |_| ok()).unwrap(), (200, 1));
            assert_eq!(transport.exchanges(), 1, "a nonce that is kept needs no probe");
        }
    }

    #[test]
    fn what_is_sensitive_waits_until_the_challenge_is_answered() {
        let good = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
        check_proof(401, Some(good), Ok(1));
        check_proof(200, None, Err("digest_probe_unchallenged"));
        check_proof(200, Some(good), Err("digest_probe_unchallenged"));
        check_proof(401, Some("Basic realm=\"r\""), Err("digest_probe_unchallenged"));
        check_proof(503, Some(good), Err("digest_probe_unavailable"));
        check_proof(
            401,
            Some("Digest realm=\"r\", nonce=\"n\", algorithm=X"),
            Err("digest_choice_algorithm"),
        );
        check_proof(401, Some("Digest"), Err("digest_challenge_missing"));
        let down = ScriptedTransport::new(|_| Err(Error::transport("reset", "connection reset")));
        let digest = alice().proving_first(Arc::new(down));
        assert_eq!(drive(&digest, |_| panic!("sent")).unwrap_err().code(), "reset");
    }

    /// The kept realm has the longer `domain` and a refused password; the server asks for another realm meanwhile.
    #[test]
    fn what_is_proven_first_answers_the_challenge_of_its_own_probe() {
        let probes = AtomicUsize::new(0);
        let transport = ScriptedTransport::new(move |_| {
            let first = probes.fetch_add(1, Ordering::Relaxed) == 0;
            let field = if first {
                "Digest realm=\"old\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256, domain=\"/dir/\""
            } else {
                "Digest realm=\"new\", nonce=\"2\", qop=\"auth\", algorithm=SHA-256"
            };
            Ok(Response::builder()
                .status(401)
                .header("www-authenticate", field)
                .body(Vec::new())
                .unwrap())
        });
        let digest = alice().proving_first(Arc::new(transport));
        let asked =
            "Digest realm=\"old\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256, domain=\"/dir/\"";
        assert_eq!(
            drive(&digest, |_| ask(&[asked])).unwrap(),
            (401, 1),
            "the password is wrong there"
        );
        let answered = drive(&digest, |received| {
            let realm = received.credentials().map(|credentials| credentials.realm.into_owned());
            assert_eq!(realm.as_deref(), Some(&b"new"[..]), "the request went out bare");
            ok()
        });
        assert_eq!(answered.unwrap(), (200, 1));
    }

    #[test]
    fn a_proxy_is_answered_in_its_own_fields_and_for_every_target() {
        let digest = alice().for_proxy();
        let (uri, none) = (Uri::from_static("a.example:443"), HeaderMap::new());
        let view = RequestView::new(&Method::CONNECT, &uri, &none).with_hop(Hop::Proxy);
        let mut asked = HeaderMap::new();
        asked.insert(header::PROXY_AUTHENTICATE, HeaderValue::from_str(&challenge("n")).unwrap());
        let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        let learned = digest.assess(&Credentials::none(), Answer::new(view, status, &asked));
        assert!(matches!(learned, Verdict::Retry { .. }));
        for (method, url, expected) in [
            (Method::CONNECT, "a.example:443", "a.example:443"),
            (Method::GET, "http://b.example/x?y", "/x?y"),
            (Method::GET, "http://b.example?y", "/?y"),
            (Method::OPTIONS, "*", "*"),
        ] {
            let uri = Uri::from_static(url);
            let view = RequestView::new(&method, &uri, &none).with_hop(Hop::Proxy);
            let credentials = digest.present(view).unwrap().unwrap();
            let (mut to, mut headers) = (uri.clone(), HeaderMap::new());
            credentials.commit(&mut to, &mut headers).unwrap();
            let field = Authorization::parse(headers["proxy-authorization"].as_bytes()).unwrap();
            let read = DigestResponse::parse(field.credentials()).unwrap();
            assert_eq!(&*read.uri, expected.as_bytes());
        }
    }

    #[test]
    fn what_a_proxy_is_told_is_not_told_to_servers() {
        let probing =
            ScriptedTransport::new(|_| panic!("a server was asked to challenge for a proxy"));
        let digest = alice().for_proxy().proving_first(Arc::new(probing));
        let (uri, none) = (Uri::from_static("http://a.example/x"), HeaderMap::new());
        let asked = format!("{}, qop=\"auth-int\"", challenge("n").replace(", qop=\"auth\"", ""));
        let asked = HeaderMap::from_iter([(header::PROXY_AUTHENTICATE, asked.parse().unwrap())]);
        let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        let view = |hop| {
            let view = RequestView::new(&Method::GET, &uri, &none).with_hop(hop);
            view.with_body(Body::Bytes(b""))
        };
        let assess =
            |hop| digest.assess(&Credentials::none(), Answer::new(view(hop), status, &asked));
        assert!(matches!(assess(Hop::Origin), Verdict::Accept), "a 407 from inside a tunnel");
        assert!(digest.present(view(Hop::Proxy)).unwrap().is_none(), "it was learned from");
        assert!(matches!(assess(Hop::Proxy), Verdict::Retry { .. }));
        assert!(digest.present(view(Hop::Proxy)).unwrap().is_some());
        assert_ne!(digest.needs(view(Hop::Proxy)), Need::Nothing);
        assert_eq!(digest.needs(view(Hop::Origin)), Need::Nothing);
        assert!(digest.credentials(view(Hop::Origin)).wait().unwrap().is_empty());
        let server = alice();
        let _ = drive(&server, |received| match received.field() {
            None => ask(&[&challenge("n")]),
            Some(_) => ok(),
        });
        let at = Uri::from_static(URL);
        let through = RequestView::new(&Method::GET, &at, &none).with_hop(Hop::Proxy);
        assert!(server.present(through).unwrap().is_some(), "a server behind a proxy asks too");
    }

    #[test]
    fn names_that_cannot_be_hashed_unambiguously_are_refused() {
        let refused = |user| Digest::new(user, "p", SystemRandom::new()).unwrap_err().code();
        assert_eq!(refused("a:b"), "digest_user_name_colon");
        assert_eq!(refused("a\r\nb"), "digest_user_name_control");
    }

    #[test]
    fn shows_no_password() {
        let digest = Digest::new("alice", "canary", SystemRandom::new()).unwrap();
        assert!(!format!("{digest:?}").contains("canary"));
    }

    proptest! {
        /// Whatever a server says, it is an answer for the caller, a retry or an error.
        #[test]
        fn any_answer_is_survived(asked in "[ -~\u{e9}\t]{0,120}", info in "[ -~]{0,60}", status in 200_u16..600) {
            let digest = alice();
            let server = |received: Received<'_>| match received.field() {
                None => ask(&[&format!("Digest realm=\"r\", nonce=\"n\", {asked}"), &asked]),
                Some(_) => Response::builder()
                    .status(status)
                    .header("authentication-info", &*info)
                    .header("www-authenticate", &*asked)
                    .body(Vec::new())
                    .unwrap(),
            };
            let _ = drive(&digest, server);
        }

        #[test]
        fn one_answer_is_that_of_a_client(user in "[a-z\u{e9} \"\\\\]{0,9}", utf8: bool, userhash: bool, session: bool) {
            let algorithm = if session { DigestAlgorithm::Sha256Sess } else { DigestAlgorithm::Sha256 };
            let challenge = DigestChallenge {
                realm: b"r \"x\""[..].into(), nonce: b"n"[..].into(), opaque: Some(b"o"), domain: None, stale: false,
                named: crate::NamedAlgorithm::Known(algorithm), offered: crate::OfferedQop::Auth, utf8, userhash,
            };
            let digest = Digest::new(&user, "p", SeededRandom::new(7)).unwrap();
            let asked = challenge.write().unwrap();
            let mut kept = Vec::new();
            drive(&digest, |received| match received.headers.get(AUTHORIZATION) {
                None => ask(&[std::str::from_utf8(asked.field().as_bytes()).unwrap()]),
                Some(field) => { kept = field.as_bytes().to_vec(); ok() }
            }).unwrap();
            let cnonce = cnonce(&SeededRandom::new(7)).unwrap();
            let count = NonceUse { nc: NonceCount::FIRST, cnonce: &cnonce };
            let message = DigestMessage { method: "GET", uri: b"/dir/index.html?q=1", nonce: b"", protection: DigestProtection::Auth(count) };
            let once = challenge.respond(&user, b"p", &message).unwrap();
            prop_assert_eq!(once.as_bytes(), &*kept);
        }
    }
}
