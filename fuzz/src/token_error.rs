//! The input is a refusal by a server that knows what it was sent: `<POST>`, `<FORM>`, `<BASIC>`, `<REFRESH>`,
//! `<HEADER>` and `<JWT>` in it stand for the client's secret, the secret as a form has it, the field of Basic, the refresh token, a field
//! that an operator typed, and an assertion.

use auth_core::{Cause, Exchange, Flow, Transport};
use auth_oauth2::{
    AssertionAudience, ClientAuthentication, ClientRegistration, Context, Error, Remedy, Timestamp,
    TokenEndpoint, TokenError, TokenRequest,
};
use http::Response;
use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex},
    time::Duration,
};

const STATUS: [u16; 8] = [200, 302, 400, 401, 403, 429, 500, 503];

/// Another one each time, without what cuts a form in two: what a search has learned from one run shows nothing in the next.
fn fresh(between: [char; 3]) -> String {
    let drawn = || RandomState::new().hash_one(()) >> 32;
    let parts = between.map(|char| format!("{:08x}{char}", drawn()));
    format!("{}{:08x}", parts.concat(), drawn())
}

/// A refusal is read, and bounded; and no secret that was sent comes back in it.
pub fn token_error(data: &[u8]) {
    let [choice, other, body @ ..] = data else { return };
    let (status, is_form) = (STATUS[usize::from(choice % 8)], other & 4 != 0);
    // An escape before a secret that is not escaped would take its first letters along.
    let is_begun = |three: &[u8]| matches!(three, [b'%', b'<', _] | [b'%', _, b'<']);
    if is_form && body.windows(3).any(is_begun) {
        return;
    }
    let (secret, refresh, field) =
        (fresh(['/', ' ', '\u{e9}']), fresh(['+', '-', '/']), fresh(['-', '_', '.']));
    let client = match other % 3 {
        0 => ClientAuthentication::client_secret_post("me", secret.as_str()),
        1 => ClientAuthentication::client_secret_basic("me", secret.as_str()),
        _ => {
            let audience = AssertionAudience::Endpoint;
            ClientAuthentication::client_secret_jwt("me", secret.as_str(), audience)
        }
    };
    let endpoint = TokenEndpoint::new("https://login.example/token").expect("a URL");
    let endpoint = endpoint.with_header("x-key", &field).expect("a field");
    let registration = ClientRegistration::new(endpoint, client.expect("a client"));
    let request =
        TokenRequest::new("refresh_token").with_parameter("refresh_token", refresh.as_str());
    let sent = Arc::new(Mutex::new(Vec::new()));
    let echo = Echo {
        status,
        is_form,
        body: body.to_vec(),
        planted: [secret, refresh, field],
        sent: Arc::clone(&sent),
    };
    let context = Context::new(echo).with_clock(Timestamp::from_unix(1_700_000_000));
    let read = registration.obtain(&request.expect("a request"), &context).wait();
    let Err(error) = read else { return };
    let sent = sent.lock().expect("no panic");
    let shown = format!("{error} {error:?} {error:#?}");
    for secret in sent.iter().filter(|secret| secret.len() > 4) {
        // Neither the whole nor a part of a long one, whose end is cut off.
        let mut parts = secret.as_bytes().chunks_exact(24).map(String::from_utf8_lossy);
        let is_shown = shown.contains(secret.as_str()) || parts.any(|part| shown.contains(&*part));
        assert!(!is_shown, "a secret comes back: {shown}");
    }
    let Some(refusal) = refusal(error.cause()) else {
        assert!(shown.len() < 4096, "more than a message");
        return;
    };
    let texts = [&refusal.description, &refusal.uri].into_iter().flatten().chain([&refusal.error]);
    let others = refusal.others.iter().flat_map(|(name, value)| [name, value]);
    for text in texts.chain(others) {
        assert!(text.len() <= 256, "longer than 256 bytes");
        assert!(text.bytes().all(|byte| matches!(byte, b' '..=b'~')), "not for a log");
    }
    assert!(refusal.others.len() <= 64, "more members than an answer has");
    let is_busy = status == 429 || status >= 500;
    assert!(!is_busy || refusal.remedy() == Remedy::Retry, "a busy server is believed");
    assert!(!is_busy || !matches!(error, Error::Refused(_) | Error::Config(_)));
}

fn refusal(cause: &Cause) -> Option<&TokenError> {
    cause.error().downcast_ref()
}

/// Answers with the body, and what it was sent in it.
struct Echo {
    status: u16,
    is_form: bool,
    body: Vec<u8>,
    /// The client's secret, the refresh token, and the field.
    planted: [String; 3],
    sent: Arc<Mutex<Vec<String>>>,
}

impl Transport for Echo {
    fn fetch(&self, exchange: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let request = exchange.request();
        let field = request.headers().get("authorization").and_then(|field| field.to_str().ok());
        let basic = field.and_then(|field| field.strip_prefix("Basic ")).unwrap_or_default();
        let form = String::from_utf8_lossy(request.body()).into_owned();
        let value = |name: &str| {
            let found =
                form.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap_or_default();
            found.to_owned()
        };
        let [secret, refresh, field] = self.planted.clone();
        let mut all = vec![
            ("<FORM>", value("client_secret=")),
            ("<BASIC>", basic.to_owned()),
            ("<REFRESH>", refresh),
            ("<HEADER>", field),
            ("<JWT>", value("client_assertion=")),
        ];
        // What was not sent does not come back.
        if !form.contains("client_assertion=") {
            all.push(("<POST>", secret));
        }
        let mut body = String::from_utf8_lossy(&self.body).into_owned();
        all.iter().for_each(|(name, secret)| body = body.replace(name, secret));
        // Every assertion begins alike: its end is its own.
        let own = |secret: String| secret.rsplit('.').next().unwrap_or_default().to_owned();
        let secrets = all.into_iter().map(|(_, secret)| secret).chain([value("refresh_token=")]);
        let secrets =
            secrets.map(|secret| if secret.starts_with("eyJ") { own(secret) } else { secret });
        self.sent.lock().expect("no panic").extend(secrets);
        let kind =
            if self.is_form { "application/x-www-form-urlencoded" } else { "application/json" };
        let answer = Response::builder().status(self.status).header("content-type", kind);
        Flow::ready(answer.body(body.into_bytes()).expect("an answer"))
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}
