//! Small stand-ins for the schemes that are hardest on the shapes, each written against auth-core alone.
//!
//! They are no implementations: a "signature" is a word. What they show is that the shapes carry the dialogue. What did
//! not fit changed the core; docs/decisions/0001 says what.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::*;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{AUTHORIZATION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, WWW_AUTHENTICATE},
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

type Sent = Request<Vec<u8>>;
type Got = Response<Vec<u8>>;

/// A whole client adapter: view, authenticate, commit, send, assess, again.
fn drive(
    authenticator: &dyn Authenticator,
    mut server: impl FnMut(&Sent) -> Got,
) -> Result<(Got, usize)> {
    let (method, target, none) =
        (Method::GET, Uri::from_static("https://example.com/"), HeaderMap::new());
    let mut attempts = RetryBudget::default();
    let mut sent = 0;
    loop {
        sent += 1;
        let head = RequestView::new(&method, &target, &none);
        let credentials = authenticator.credentials(head).wait()?;
        let (mut uri, mut headers) = (target.clone(), none.clone());
        credentials.commit(&mut uri, &mut headers)?;
        let mut request = Request::new(Vec::new());
        (*request.uri_mut(), *request.headers_mut()) = (uri, headers);
        let answer = server(&request);
        let view = RequestView::new(request.method(), request.uri(), request.headers());
        let mut read = Answer::new(view, answer.status(), answer.headers());
        if let Need::Bytes { limit } = authenticator.reads(answer.status(), answer.headers()) {
            read = if answer.body().len() <= limit { read.with_body(answer.body()) } else { read };
        }
        if let NextStep::Deliver =
            attempts.next(&credentials, authenticator.assess(&credentials, read))?
        {
            return Ok((answer, sent));
        }
    }
}

fn answer(status: u16) -> Got {
    Response::builder().status(status).body(Vec::new()).unwrap()
}

fn word(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap()
}

/// A transport that reaches nobody.
struct Nowhere;

impl Transport for Nowhere {
    fn fetch(&self, _: Exchange) -> Flow<'_, Got> {
        Flow::failed(Error::transport("nowhere", "nobody is reached"))
    }
    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }
    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}

/// A kept token with generations: the least that a session is.
struct Kept<S: TokenSource> {
    source: S,
    context: Context,
    stamper: Stamper,
    state: Mutex<(u64, Option<S::Token>, Option<Refusal>)>,
}

impl<S: TokenSource> Kept<S> {
    fn new(source: S) -> Self {
        let (context, stamper) = (Context::new(Nowhere), Stamper::new());
        Self { source, context, stamper, state: Mutex::default() }
    }

    fn token(&self) -> Flow<'_, (S::Token, Stamp)> {
        let (generation, kept, refused) = self.state.lock().unwrap().clone();
        let why = match (kept, refused) {
            (Some(token), None) => return Flow::ready((token, self.stamper.stamp(generation))),
            (Some(token), Some(refusal)) => Renewal::Refused(token, refusal),
            (None, _) => Renewal::First,
        };
        self.source.token(&self.context, why).map(move |token| {
            *self.state.lock().unwrap() = (generation + 1, Some(token.clone()), None);
            (token, self.stamper.stamp(generation + 1))
        })
    }

    /// Compare and condemn: a refusal of an older generation changes nothing, and trying again is right either way.
    fn condemn(&self, sent: &Credentials, refusal: Refusal) -> Verdict {
        let mut state = self.state.lock().unwrap();
        match self.stamper.find(sent) {
            None => return Verdict::Accept,
            Some(generation) if generation == state.0 => state.2 = Some(refusal),
            Some(_) => {}
        }
        Verdict::Retry { after: None }
    }
}

#[derive(Clone)]
struct Text(String);

impl Token for Text {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Unknown
    }
}

/// Issues `name-1`, `name-2` and so on.
struct Numbered(&'static str, Mutex<u32>);

impl TokenSource for Numbered {
    type Token = Text;
    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Text>) -> Flow<'a, Text> {
        let mut issued = self.1.lock().unwrap();
        *issued += 1;
        Flow::ready(Text(format!("{}-{issued}", self.0)))
    }
}

mod digest_answers_407_and_401_on_one_request {
    use super::*;

    struct Digest {
        asks: HeaderName,
        answers: HeaderName,
        status: StatusCode,
        stamper: Stamper,
        nonce: Mutex<(u64, Option<String>)>,
    }

    impl Digest {
        fn new(asks: HeaderName, answers: HeaderName, status: StatusCode) -> Self {
            Self { asks, answers, status, stamper: Stamper::new(), nonce: Mutex::default() }
        }
    }

    impl Authenticator for Digest {
        fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
            let (serial, nonce) = self.nonce.lock().unwrap().clone();
            let Some(nonce) = nonce else { return Flow::ready(Credentials::none()) };
            let value = word(&format!("Digest nonce=\"{nonce}\""));
            Credentials::header(self.answers.clone(), value)
                .map(|made| made.stamped(self.stamper.stamp(serial)))
                .into()
        }

        fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
            let digest = Challenges::of(answer.headers, &self.asks)
                .flatten()
                .find(|challenge| challenge.is("Digest"));
            let (Some(challenge), true) = (digest, answer.status == self.status) else {
                return Verdict::Accept;
            };
            let fresh =
                challenge.parameter("nonce").and_then(|nonce| Some(nonce.text()?.into_owned()));
            let mut nonce = self.nonce.lock().unwrap();
            // Judged against the nonce that was sent. Refused without `stale`: the password is wrong, so no loop.
            if self.stamper.find(sent) == Some(nonce.0) && challenge.parameter("stale").is_none() {
                return Verdict::Accept;
            }
            *nonce = (nonce.0 + 1, fresh);
            Verdict::Retry { after: None }
        }
    }

    fn both() -> Stack<Digest, Digest> {
        Stack(
            Digest::new(
                PROXY_AUTHENTICATE,
                PROXY_AUTHORIZATION,
                StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            ),
            Digest::new(WWW_AUTHENTICATE, AUTHORIZATION, StatusCode::UNAUTHORIZED),
        )
    }

    fn server(request: &Sent) -> Got {
        let asks = |status: u16, field: HeaderName, nonce: &str| {
            let value = format!("Basic realm=x, Digest realm=x, nonce=\"{nonce}\"");
            Response::builder().status(status).header(field, value).body(Vec::new()).unwrap()
        };
        let has = |name, nonce: &str| {
            request.headers().get(name).is_some_and(|v| v.to_str().unwrap().contains(nonce))
        };
        match (has(PROXY_AUTHORIZATION, "p1"), has(AUTHORIZATION, "o1")) {
            (false, _) => asks(407, PROXY_AUTHENTICATE, "p1"),
            (true, false) => asks(401, WWW_AUTHENTICATE, "o1"),
            (true, true) => answer(200),
        }
    }

    #[test]
    fn each_learns_from_its_own_field() {
        let both = both();
        let (got, sent) = drive(&both, server).unwrap();
        assert_eq!((got.status().as_u16(), sent), (200, 3));
        assert_eq!(
            drive(&both, server).unwrap().1,
            1,
            "the second request is authenticated at once"
        );
    }

    #[test]
    fn a_refused_fresh_nonce_is_a_wrong_password_and_no_loop() {
        let wrong = both();
        let refuses = |_: &Sent| {
            Response::builder()
                .status(401)
                .header(WWW_AUTHENTICATE, "Digest nonce=\"n\"")
                .body(Vec::new())
                .unwrap()
        };
        let (got, sent) = drive(&wrong, refuses).unwrap();
        assert_eq!((got.status().as_u16(), sent), (401, 2));
    }
}

mod sigv4_signs_with_temporary_keys_that_get_refused {
    use super::*;

    struct SigV4(Kept<Numbered>);

    impl Authenticator for SigV4 {
        fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
            self.0.token().and_then(|(keys, stamp)| {
                let fields = [
                    (AUTHORIZATION, word(&format!("AWS4-HMAC-SHA256 signed-by-{}", keys.0))),
                    (HeaderName::from_static("x-amz-security-token"), word(&keys.0)),
                ];
                Credentials::headers(fields).map(|made| made.stamped(stamp)).into()
            })
        }

        fn reads(&self, status: StatusCode, _: &HeaderMap) -> Need {
            if status == StatusCode::FORBIDDEN {
                Need::Bytes { limit: 4096 }
            } else {
                Need::Nothing
            }
        }

        fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
            match answer.body {
                Some(b"ExpiredToken") => {
                    self.0.condemn(sent, Refusal::new(answer.status).with_code("ExpiredToken"))
                }
                _ => Verdict::Accept,
            }
        }
    }

    #[test]
    fn who_signs_with_a_kept_token_can_condemn_it() {
        let signer = SigV4(Kept::new(Numbered("keys", Mutex::default())));
        let server =
            |request: &Sent| match request.headers()["x-amz-security-token"].to_str().unwrap() {
                "keys-1" => Response::builder().status(403).body(b"ExpiredToken".to_vec()).unwrap(),
                _ => answer(200),
            };
        let (got, sent) = drive(&signer, server).unwrap();
        assert_eq!((got.status().as_u16(), sent), (200, 2));
    }

    #[test]
    fn a_late_refusal_of_older_keys_renews_nothing() {
        let kept = Kept::new(Numbered("keys", Mutex::default()));
        let old = Credentials::none().stamped(kept.token().wait().unwrap().1);
        let refusal = || Refusal::new(StatusCode::FORBIDDEN);
        assert!(matches!(kept.condemn(&old, refusal()), Verdict::Retry { .. }));
        assert_eq!(kept.token().wait().unwrap().0.0, "keys-2");
        assert!(matches!(kept.condemn(&old, refusal()), Verdict::Retry { .. }));
        assert_eq!(kept.token().wait().unwrap().0.0, "keys-2");
    }

    #[test]
    fn a_status_that_another_code_explains_is_left_to_the_caller() {
        let signer = SigV4(Kept::new(Numbered("keys", Mutex::default())));
        let denied =
            |_: &Sent| Response::builder().status(403).body(b"AccessDenied".to_vec()).unwrap();
        assert_eq!(drive(&signer, denied).unwrap().1, 1);
    }
}

mod symphony_renews_each_of_two_tokens_by_itself {
    use super::*;

    /// A 401 does not say which token died, so the session is asked before anything is renewed.
    struct Symphony {
        session: Kept<Numbered>,
        key_manager: Kept<Numbered>,
        transport: Arc<dyn Transport>,
        suspect: Mutex<Option<(Credentials, Refusal)>>,
    }

    impl Symphony {
        /// `GET /pod/v2/sessioninfo`: 401 when the session token is dead.
        fn settle(&self) -> Flow<'_, ()> {
            let Some((sent, refusal)) = self.suspect.lock().unwrap().take() else {
                return Flow::ready(());
            };
            let probe =
                Request::get("https://pod.example/pod/v2/sessioninfo").body(Vec::new()).unwrap();
            self.transport.fetch(probe.into()).map(move |answer| {
                let dead = if answer.status() == 401 { &self.session } else { &self.key_manager };
                dead.condemn(&sent, refusal);
            })
        }
    }

    impl Authenticator for Symphony {
        fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
            let present = |name, (token, stamp): (Text, Stamp)| -> Flow<'a, Credentials> {
                let made = Credentials::header(HeaderName::from_static(name), word(&token.0));
                made.map(|made| made.stamped(stamp)).into()
            };
            self.settle()
                .and_then(|()| self.session.token())
                .and_then(move |session| present("sessiontoken", session))
                .and_then(move |first| {
                    let second = self
                        .key_manager
                        .token()
                        .and_then(move |token| present("keymanagertoken", token));
                    second.and_then(|second| first.and(second).into())
                })
        }

        fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
            if answer.status != StatusCode::UNAUTHORIZED {
                return Verdict::Accept;
            }
            *self.suspect.lock().unwrap() = Some((sent.clone(), Refusal::new(answer.status)));
            Verdict::Retry { after: None }
        }
    }

    struct Pod(u16);

    impl Transport for Pod {
        fn fetch(&self, request: Exchange) -> Flow<'_, Got> {
            assert_eq!(request.request().uri().path(), "/pod/v2/sessioninfo");
            Flow::new(async { Ok(answer(self.0)) })
        }
        fn pause(&self, _: Duration) -> Flow<'_, ()> {
            Flow::ready(())
        }
        fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
            Some(work)
        }
    }

    #[track_caller]
    fn check(sessioninfo: u16, dead: (&str, &str), expected: [&str; 2]) {
        let symphony = Symphony {
            session: Kept::new(Numbered("session", Mutex::default())),
            key_manager: Kept::new(Numbered("key", Mutex::default())),
            transport: Arc::new(Pod(sessioninfo)),
            suspect: Mutex::default(),
        };
        let mut last = Vec::new();
        let (got, sent) = drive(&symphony, |request| {
            last = ["sessiontoken", "keymanagertoken"]
                .map(|name| request.headers()[name].clone())
                .to_vec();
            answer(if request.headers()[dead.0] == dead.1 { 401 } else { 200 })
        })
        .unwrap();
        assert_eq!((got.status().as_u16(), sent), (200, 2));
        assert_eq!(last, expected);
    }

    #[test]
    fn only_the_dead_one_is_renewed() {
        check(401, ("sessiontoken", "session-1"), ["session-2", "key-1"]);
        check(200, ("keymanagertoken", "key-1"), ["session-1", "key-2"]);
    }
}

mod ibsso_loses_the_answer_to_a_create {
    use super::*;

    /// Destroys before it creates, and remembers an intent whose answer never came.
    #[derive(Default)]
    struct Ibsso {
        intent: Mutex<Option<Timestamp>>,
    }

    impl Ibsso {
        fn call(context: &Context, method: Method, token: Option<Text>) -> Flow<'_, Got> {
            let mut request = Request::new(Vec::new());
            *request.method_mut() = method;
            *request.uri_mut() = Uri::from_static("https://x.api.example/auth/1/session");
            if let Some(Text(token)) = token {
                request.headers_mut().insert(AUTHORIZATION, word(&format!("IBSSO {token}")));
            }
            context.transport.fetch(request.into())
        }

        async fn log_in(&self, context: &Context, why: Renewal<Text>) -> Result<Text> {
            if let Renewal::Due(old) | Renewal::Refused(old, _) = why {
                Self::call(context, Method::DELETE, Some(old)).await?;
            }
            let began = *self.intent.lock().unwrap().get_or_insert_with(|| context.clock.now());
            let answer = Self::call(context, Method::POST, None).await?;
            if answer.status() != StatusCode::OK {
                // The session of the lost answer is alive, and only its unknown token could destroy it.
                let free = began.after(Duration::from_secs(3600)).since(context.clock.now());
                return Err(Error::unavailable(
                    "ibsso_session_held_elsewhere",
                    Some(free),
                    "an earlier session is still alive",
                ));
            }
            *self.intent.lock().unwrap() = None;
            Ok(Text(String::from_utf8(answer.into_body()).unwrap()))
        }
    }

    impl TokenSource for Ibsso {
        type Token = Text;
        fn token<'a>(&'a self, context: &'a Context, why: Renewal<Text>) -> Flow<'a, Text> {
            Flow::new(self.log_in(context, why))
        }
    }

    struct Script(Mutex<Vec<(&'static str, Result<u16>)>>);

    impl Transport for Script {
        fn fetch(&self, request: Exchange) -> Flow<'_, Got> {
            let (method, outcome) = self.0.lock().unwrap().remove(0);
            assert_eq!(request.request().method(), method);
            let body = |status| Response::builder().status(status).body(b"t".to_vec()).unwrap();
            Flow::from(outcome.map(body))
        }
        fn pause(&self, _: Duration) -> Flow<'_, ()> {
            Flow::ready(())
        }
        fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
            Some(work)
        }
    }

    fn playing(script: Vec<(&'static str, Result<u16>)>) -> Context {
        Context::new(Script(Mutex::new(script))).with_clock(Timestamp::from_unix(1000))
    }

    #[test]
    fn the_dead_end_says_when_it_opens() {
        let lost = Err(Error::transport("reset", "connection reset"));
        let context = playing(vec![("POST", lost), ("POST", Ok(400)), ("POST", Ok(200))]);
        let ibsso = Ibsso::default();
        let first = || ibsso.token(&context, Renewal::First).wait();
        assert_eq!(first().err().unwrap().code(), "reset");
        let held = first().err().unwrap();
        let Error::Unavailable { retry_after, .. } = held else { panic!("{held}") };
        assert_eq!(retry_after, Some(Duration::from_secs(3600)));
        assert_eq!(first().unwrap().0, "t");
    }

    #[test]
    fn the_old_session_is_destroyed_before_a_new_one() {
        let context = playing(vec![("DELETE", Ok(200)), ("POST", Ok(200))]);
        let due = Renewal::Due(Text("old".into()));
        assert_eq!(Ibsso::default().token(&context, due).wait().unwrap().0, "t");
    }
}

mod sigv4_checks_a_streamed_body_as_it_arrives {
    use super::*;

    /// Chunks are `LEN:SIGNATURE:` and content; the signature is the first byte of the content, doubled.
    #[derive(Default)]
    struct Chunks {
        wire: Vec<u8>,
        ended: bool,
    }

    const BAD: Reason = Reason::new("sigv4_chunk_signature", "chunk signature does not match");

    impl BodyCheck for Chunks {
        fn update(&mut self, wire: &[u8]) -> Result<ReleasedBytes, Rejection> {
            self.wire.extend_from_slice(wire);
            let mut content = Vec::new();
            loop {
                let mut head = self.wire.splitn(3, |byte| *byte == b':');
                let (Some(length), Some(signature), Some(rest)) =
                    (head.next(), head.next(), head.next())
                else {
                    break;
                };
                let length: usize = std::str::from_utf8(length).unwrap().parse().unwrap();
                let Some(chunk) = rest.get(..length) else { break };
                let expected: Vec<u8> =
                    chunk.first().into_iter().flat_map(|byte| [*byte, *byte]).collect();
                if signature != expected {
                    return Err(Rejection::forbidden(BAD));
                }
                self.ended = chunk.is_empty();
                content.extend_from_slice(chunk);
                self.wire = rest[length..].to_vec();
            }
            Ok(ReleasedBytes::Instead(content))
        }

        fn finish(self: Box<Self>, _: Option<&HeaderMap>) -> Result<(), Rejection> {
            let whole = self.ended && self.wire.is_empty();
            if whole { Ok(()) } else { Err(Rejection::forbidden(BAD)) }
        }
    }

    /// What the handler gets to see, and whether it sees the end.
    fn receive(wire: &[u8], piece: usize) -> (Vec<u8>, bool) {
        let accepted = Accepted::new("AWS4-HMAC-SHA256", ()).with_body(Chunks::default());
        let (mut check, mut seen) =
            (accepted.map(|()| "who").take_obligations().body.unwrap(), Vec::new());
        for piece in wire.chunks(piece) {
            match check.update(piece) {
                Ok(ReleasedBytes::AsIs) => seen.extend_from_slice(piece),
                Ok(ReleasedBytes::Instead(content)) => seen.extend(content),
                Err(_) => return (seen, false),
            }
        }
        (seen, check.finish(None).is_ok())
    }

    #[test]
    fn the_handler_never_sees_the_end_of_a_body_that_does_not_match() {
        for piece in 1..20 {
            assert_eq!(receive(b"3:aa:abc2:dd:de0::", piece), (b"abcde".to_vec(), true));
            let (seen, ended) = receive(b"3:aa:abc2:xx:de0::", piece);
            assert!(b"abc".starts_with(&seen) && !ended, "tampered");
            assert_eq!(receive(b"3:aa:abc2:dd:de", piece), (b"abcde".to_vec(), false), "truncated");
        }
    }
}

mod digest_adds_authentication_info_to_a_reply {
    use super::*;

    struct Info(&'static str);

    impl Completion for Info {
        fn needs(&self, status: StatusCode, _: &HeaderMap) -> Need {
            if status.is_success() { Need::Bytes { limit: 1 << 20 } } else { Need::Nothing }
        }

        fn complete<'r>(self: Box<Self>, reply: HandlerReply<'r>) -> Flow<'r, HeaderMap> {
            let Body::Bytes(body) = reply.body else { return Flow::ready(HeaderMap::new()) };
            let value = word(&format!("rspauth=\"{}-{}\"", self.0, body.len()));
            let name = HeaderName::from_static("authentication-info");
            Flow::ready(HeaderMap::from_iter([(name, value)]))
        }
    }

    struct Door;

    impl Verifier for Door {
        type Principal = &'static str;
        fn presence(&self, _: RequestView<'_>) -> Presence {
            Presence::Present
        }
        fn verify<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Outcome<&'static str>> {
            Flow::ready(Ok(Accepted::new("Digest", "alice").with_completion(Info("proof"))))
        }
    }

    #[test]
    fn the_completion_survives_map_and_choice_and_covers_the_body() {
        let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
        let door = AnyOf::new(Door.map(str::len));
        let outcome = door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait().unwrap();
        let mut accepted = outcome.unwrap();
        assert_eq!((accepted.principal, accepted.scheme), (5, "Digest"));
        let completion = accepted.take_obligations().completions.pop().unwrap();
        assert_eq!(completion.needs(StatusCode::OK, &headers), Need::Bytes { limit: 1 << 20 });
        let reply = HandlerReply::new(StatusCode::OK, &headers, Body::Bytes(b"four"));
        let added = completion.complete(reply).wait().unwrap();
        assert_eq!(added["authentication-info"], "rspauth=\"proof-4\"");
    }
}

mod webex_says_7001_behind_a_200 {
    use super::*;

    struct Webex(Kept<Numbered>);

    impl Authenticator for Webex {
        fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
            self.0.token().and_then(|(token, stamp)| {
                let made = Credentials::header(AUTHORIZATION, word(&format!("Bearer {}", token.0)));
                made.map(|made| made.stamped(stamp)).into()
            })
        }

        fn reads(&self, _: StatusCode, _: &HeaderMap) -> Need {
            Need::Bytes { limit: 64 }
        }

        fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
            let refused =
                answer.body.is_some_and(|body| body.windows(4).any(|code| code == b"7001"));
            let refusal = Refusal::new(answer.status).with_code("7001");
            if refused { self.0.condemn(sent, refusal) } else { Verdict::Accept }
        }
    }

    fn says(code: &str) -> Got {
        Response::new(format!(r#"{{"response":{{"code":"{code}"}}}}"#).into_bytes())
    }

    #[test]
    fn the_body_decides_and_the_caller_gets_the_good_answer() {
        let webex = Webex(Kept::new(Numbered("jwt", Mutex::default())));
        let server = |request: &Sent| {
            says(if request.headers()[AUTHORIZATION] == "Bearer jwt-1" { "7001" } else { "1002" })
        };
        let (got, sent) = drive(&webex, server).unwrap();
        assert_eq!((got.body(), sent), (says("1002").body(), 2));
    }

    #[test]
    fn a_body_longer_than_asked_for_is_delivered_unread() {
        let webex = Webex(Kept::new(Numbered("jwt", Mutex::default())));
        let (_, sent) = drive(&webex, |_| says(&"7001".repeat(20))).unwrap();
        assert_eq!(sent, 1);
    }
}
