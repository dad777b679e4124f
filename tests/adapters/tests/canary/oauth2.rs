//! OAuth 2.0 with servers that repeat everything they were sent: in errors, in fields, in redirects.

use super::plant;
use auth_core::{
    Answer, Authenticator, Error, Event, Exchange, Flow, Observer, Renewal, RequestView, Result,
    Secret, SystemClock, SystemRandom, TokenSource as _, Transport,
};
use auth_oauth2::{
    AssertionAudience, AuthorizationCallback, AuthorizationCode, AuthorizationServerMetadata,
    ClientAuthentication, ClientCredentials, ClientRegistration, ConnectionId, Context,
    JwsAlgorithm, MemoryPendingAuthorizations, MetadataLocation, OAuthToken, OpenGrant,
    ParameterPlacement, PendingAuthorization, PendingAuthorizations as _, Sealer, Session,
    SigningKey, StorableToken as _, TenantId, TokenAnswerFormat, TokenEndpoint, TokenRequest,
};
use auth_reqwest::ReqwestTransport;
use auth_testing::{Canary, CapturedOutput};
use auth_ureq::UreqTransport;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// The secrets of one run.
struct Planted {
    client: Canary,
    code: Canary,
    refresh: Canary,
    access: Canary,
    field: Canary,
    parameter: Canary,
}

impl Planted {
    fn new() -> Self {
        Self {
            client: plant("client+secret/"),
            code: plant("code"),
            refresh: plant("refresh=token&"),
            access: plant("access"),
            field: plant("field"),
            parameter: plant("parameter"),
        }
    }

    fn all(&self) -> [&Canary; 6] {
        [&self.client, &self.code, &self.refresh, &self.access, &self.field, &self.parameter]
    }

    fn clients(&self) -> Vec<ClientAuthentication> {
        let secret = || format!("{}, which is longer than its hash", self.client.text());
        let pem = include_str!("../../../demo/src/bot.pem");
        let key = SigningKey::from_pem(JwsAlgorithm::RS256, pem).unwrap();
        let issuer = || AssertionAudience::issuer("https://login.example");
        [
            ClientAuthentication::client_secret_post("me", self.client.text()),
            ClientAuthentication::client_secret_basic("me", self.client.text()),
            ClientAuthentication::client_secret_jwt("me", secret(), AssertionAudience::Endpoint),
            ClientAuthentication::private_key_jwt("me", key, issuer()),
            ClientAuthentication::none("me"),
        ]
        .map(Result::unwrap)
        .into()
    }

    fn endpoint(&self, url: &str) -> TokenEndpoint {
        let endpoint = TokenEndpoint::new(url).unwrap().allowing_secrets_in_url();
        endpoint.with_header("x-key", self.field.text()).unwrap()
    }

    fn registrations(&self, url: &str) -> Vec<ClientRegistration> {
        let clients = self.clients();
        let forms = clients.iter().map(|client| (client, ParameterPlacement::FormBody));
        let others = [ParameterPlacement::JsonBody, ParameterPlacement::Url];
        let all =
            forms.chain(others.iter().flat_map(|to| [(&clients[0], *to), (&clients[2], *to)]));
        all.map(|(client, to)| {
            ClientRegistration::new(self.endpoint(url).with_placement(to), client.clone())
        })
        .collect()
    }

    fn request(&self) -> TokenRequest {
        let request = TokenRequest::new("urn:ietf:params:oauth:grant-type:token-exchange");
        request.with_parameter("subject_token", self.parameter.text()).unwrap()
    }

    fn token(&self) -> OAuthToken {
        let body = serde_json::json!({
            "access_token": self.access.text(), "refresh_token": self.refresh.text(), "expires_in": 60,
        });
        let context = Context::new(Canned(move || Ok(answered(200, &body.to_string()))));
        let registrations = self.registrations(URL);
        registrations[0].obtain(&self.request(), &context).wait().unwrap()
    }
}

const URL: &str = "https://login.example/token";

fn answered(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
}

/// What a server answers that repeats what it was sent, whole and in its parts, in one of so many ways.
fn echoed(request: &Request<Vec<u8>>, way: usize) -> (Response<Vec<u8>>, usize) {
    let fields = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
    let fields = fields.collect::<Vec<_>>().join("; ");
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let decoded = url_decoded(&body);
    let uri = request.uri().to_string();
    let values = request.headers().values().map(|value| value.to_str().unwrap().to_owned());
    let wholes = [&fields, &body, &decoded, &uri];
    let parts = wholes.iter().flat_map(|text| text.split(['&', ';', '?', '{', ',']));
    let parts = parts.map(str::to_owned).chain(values);
    let mut parts: Vec<_> = parts.filter(|part| (17..1024).contains(&part.len())).collect();
    parts.sort();
    parts.dedup();
    parts.extend(wholes.map(Clone::clone));
    let (n, part) = (way / WAYS_OF_A_PART, &parts[way / WAYS_OF_A_PART % parts.len()]);
    let status = [400, 401, 500, 429, 503, 200][n % 6];
    let json = |status, json: serde_json::Value| answered(status, &json.to_string());
    let all = parts.len() * WAYS_OF_A_PART;
    let answer = match way % WAYS_OF_A_PART {
        0 => answered(status, part),
        1 => {
            let told = serde_json::json!({"error": "invalid_client", "error_description": part});
            json(status, told)
        }
        2 => json(status, serde_json::json!({"error": "invalid_client", "error_uri": part})),
        3 => json(status, serde_json::json!({"error": "invalid_grant", part: 1, "other": part})),
        4 => json(status, serde_json::json!({ "error": part })),
        5 => json(200, serde_json::json!({"access_token": "t", "token_type": part})),
        6 => json(200, serde_json::json!({"access_token": "t", "expires_in": part})),
        7 => json(200, serde_json::json!({"access_token": format!("{part} ")})),
        _ => {
            let (status, name) = [
                (302, header::LOCATION),
                (401, header::WWW_AUTHENTICATE),
                (503, header::RETRY_AFTER),
                (200, header::CONTENT_TYPE),
            ][n % 4]
                .clone();
            let mut answer = answered(status, "");
            answer.headers_mut().extend(HeaderValue::from_str(part).ok().map(|part| (name, part)));
            answer
        }
    };
    (answer, all)
}

const WAYS_OF_A_PART: usize = 9;

fn url_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let hex = |at: usize| others.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap());
                rest = &others[2..];
            }
            (b'+', ..) => {
                bytes.push(b' ');
                rest = others;
            }
            (other, ..) => {
                bytes.push(*other);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Answers by a closure that saw nothing.
struct Canned<F>(F);

/// Repeats what it is sent, in one of the ways; and keeps what it was sent beside the planted secrets.
#[derive(Clone)]
struct Echo {
    way: Arc<Mutex<usize>>,
    ways: Arc<Mutex<usize>>,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    fn new() -> Self {
        Self { way: Arc::default(), ways: Arc::new(Mutex::new(1)), sent: Arc::default() }
    }
}

impl<F: Fn() -> Result<Response<Vec<u8>>> + Send + Sync> Transport for Canned<F> {
    fn fetch(&self, _: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        Flow::from((self.0)())
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}

impl Transport for Echo {
    fn fetch(&self, exchange: Exchange) -> Flow<'_, Response<Vec<u8>>> {
        let request = exchange.request();
        let text = format!("{}&{}", String::from_utf8_lossy(request.body()), request.uri());
        for name in ["client_assertion", "code_verifier"] {
            let found =
                text.split(['&', '?']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            self.sent.lock().unwrap().extend(found.map(str::to_owned));
        }
        let (answer, ways) = echoed(request, *self.way.lock().unwrap());
        *self.ways.lock().unwrap() = ways;
        Flow::ready(answer)
    }

    fn pause(&self, _: Duration) -> Flow<'_, ()> {
        Flow::ready(())
    }

    fn detach(&self, work: Flow<'static, ()>) -> Option<Flow<'static, ()>> {
        Some(work)
    }
}

#[derive(Clone, Default)]
struct Seen(CapturedOutput);

impl Observer for Seen {
    fn observe(&self, event: Event<'_>) {
        self.0.debug(&event);
        if let Event::RenewalFailed { error, .. } = event {
            self.0.error(error);
        }
    }
}

/// Asks again and again, until the server has answered in every way.
fn in_every_way(echo: &Echo, ask: impl Fn()) {
    let mut way = 0;
    while way < *echo.ways.lock().unwrap() {
        *echo.way.lock().unwrap() = way;
        ask();
        way += 1;
    }
}

fn shows_nothing(planted: &Planted, echo: &Echo, shown: &CapturedOutput) {
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{:.1500}", shown.all());
    let (all, mut sent) = (shown.all(), echo.sent.lock().unwrap().clone());
    sent.sort();
    sent.dedup();
    for secret in sent {
        // What was cut off at its end is a part of it still.
        let parts =
            secret.as_bytes().chunks_exact(32).map(|part| std::str::from_utf8(part).unwrap());
        // Two assertions of one client have their header in common.
        let mut parts = parts.skip(if secret.contains('.') { 3 } else { 0 });
        assert!(!parts.any(|part| all.contains(part)), "{secret} is shown");
    }
}

/// What a server repeats that knows the whole request.
#[test]
fn no_error_of_a_token_request_repeats_what_was_sent() {
    let (planted, echo) = (Planted::new(), Echo::new());
    let (context, request) = (Context::new(echo.clone()), planted.request());
    let token = planted.token();
    for number in 0..planted.registrations(URL).len() {
        let shown = CapturedOutput::default();
        in_every_way(&echo, || {
            // Another one each time: one that was refused as unknown asks no more.
            let registration = || planted.registrations(URL).swap_remove(number);
            let obtained = registration().obtain(&request, &context).wait();
            let refreshed = registration().refresh(&token, &context).wait();
            for outcome in [obtained, refreshed] {
                match outcome {
                    Ok(token) => drop(shown.debug(&token)),
                    Err(error) => drop(shown.error(&error)),
                }
            }
        });
        shows_nothing(&planted, &echo, &shown);
        assert!(shown.all().contains("[secret]"), "nothing was repeated");
    }
}

#[test]
fn no_observer_of_a_session_hears_what_was_sent() {
    let (planted, echo) = (Planted::new(), Echo::new());
    for registration in planted.registrations(URL).into_iter().take(2) {
        let seen = Seen::default();
        let context = Context::new(echo.clone()).with_observer(seen.clone());
        in_every_way(&echo, || {
            let grant = ClientCredentials::new(registration.clone());
            let session = Session::new(grant, context.clone());
            session.put(planted.token()).unwrap();
            let (uri, headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
            let view = RequestView::new(&Method::GET, &uri, &headers);
            let sent = session.credentials(view).wait().unwrap();
            // The receiver repeats what it was sent as well.
            let access = planted.access.text();
            let mut answer = HeaderMap::new();
            let challenge = format!("Bearer error=\"{access}\", error_description=\"{access}\"");
            answer.insert(header::WWW_AUTHENTICATE, challenge.try_into().unwrap());
            let answer = Answer::new(view, http::StatusCode::UNAUTHORIZED, &answer);
            seen.0.debug(&session.assess(&sent, answer)).debug(&session);
            for _ in 0..2 {
                match session.token().wait() {
                    Ok(token) => drop(seen.0.debug(&token)),
                    Err(error) => drop(seen.0.error(&error)),
                }
            }
        });
        shows_nothing(&planted, &echo, &seen.0);
        assert!(seen.0.all().contains("RenewalFailed"), "nothing was told");
    }
}

#[test]
fn no_authorization_shows_its_state_code_or_verifier() {
    let (planted, echo) = (Planted::new(), Echo::new());
    let context = Context::new(echo.clone());
    let connection = ConnectionId::new(TenantId::new("acme"), "crm").on_behalf_of("alice");
    let key = Secret::new([7; 32].to_vec());
    let sealer = Sealer::new(&key, SystemRandom::new()).unwrap();
    for registration in planted.registrations(URL).into_iter().take(2) {
        let shown = CapturedOutput::default();
        let url = format!("https://login.example/authorize?key={}", planted.parameter.text());
        let grant =
            AuthorizationCode::new(registration, &url, "https://p.example/callback").unwrap();
        in_every_way(&echo, || {
            let (url, pending) = grant.begin(&connection, &context).unwrap();
            let state = pending.state().expose_text().unwrap().to_owned();
            assert!(url.contains(&state));
            echo.sent.lock().unwrap().push(state.clone());
            let sealed = pending.seal(&sealer).unwrap();
            let sealed = sealed.expose_text().unwrap().to_owned();
            let pending = PendingAuthorization::unseal(&sealer, &connection, &sealed).unwrap();
            shown.debug(&grant).debug(&pending);
            for query in [
                format!(
                    "error={state}&error_description=state+{state}&error_uri={state}&state={state}"
                ),
                format!("code={}&state={state}&state={state}", planted.code.text()),
                format!("code={}&code=x&state={state}", planted.code.text()),
                format!("code={}&error=x&state={state}", planted.code.text()),
                format!("code={}", planted.code.text()),
            ] {
                match AuthorizationCallback::parse(&query) {
                    Err(error) => drop(shown.error(&error)),
                    Ok(callback) => {
                        shown.debug(&callback);
                        let pending = PendingAuthorization::unseal(&sealer, &connection, &sealed);
                        let redeemed =
                            grant.redeem(pending.unwrap(), callback, &connection, &context).wait();
                        shown.error(&redeemed.unwrap_err());
                    }
                }
            }
            let query = format!("code={}&state={state}", planted.code.text());
            let callback = AuthorizationCallback::parse(&query).unwrap();
            shown.debug(&callback);
            match grant.redeem(pending, callback, &connection, &context).wait() {
                Ok(token) => drop(shown.debug(&token)),
                Err(error) => drop(shown.error(&error)),
            }
        });
        let (_, pending) = grant.begin(&connection, &context).unwrap();
        let store = MemoryPendingAuthorizations::new(SystemClock);
        store.keep(pending).wait().unwrap();
        shown.debug(&store);
        shown.error(
            &PendingAuthorization::unseal(&sealer, &connection, planted.code.text()).unwrap_err(),
        );
        shows_nothing(&planted, &echo, &shown);
    }
}

/// What every value of the crate shows of itself.
#[test]
fn no_value_of_oauth2_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let context = Context::new(Canned(|| Ok(answered(500, ""))));
    let url = format!("{URL}?key={}", planted.parameter.text());
    let (request, token) = (planted.request(), planted.token());
    shown.debug(&request).debug(&token).debug(&token.masked()).debug(&token.to_rest());
    let body = serde_json::json!({
        "access_token": planted.access.text(), "refresh_token": planted.refresh.text(), "scope": "a",
    });
    let answer = answered(200, &body.to_string());
    let format = TokenAnswerFormat::new();
    shown.debug(&format).debug(&format.read(&answer, auth_core::Timestamp::default()).unwrap());
    let placements =
        [ParameterPlacement::FormBody, ParameterPlacement::JsonBody, ParameterPlacement::Url];
    for client in planted.clients() {
        for placement in placements {
            let endpoint = planted.endpoint(&url).with_placement(placement);
            let exchange = request.exchange(&endpoint, &client, &context).unwrap();
            shown.debug(&client).debug(&endpoint).debug(&exchange);
            let registration = ClientRegistration::new(endpoint.clone(), client.clone())
                .with_refresh_endpoint(endpoint)
                .with_answer_format(format.clone());
            let grant = OpenGrant::new(registration.clone(), request.clone());
            let session = Session::new(grant.clone(), context.clone());
            shown.debug(&registration).debug(&grant).debug(&session);
            shown.debug(&ClientCredentials::new(registration));
            shown.error(&grant.token(&context, Renewal::Due(token.clone())).wait().unwrap_err());
        }
        let refused = planted.endpoint(&url);
        let refused =
            TokenEndpoint::new(refused.url()).unwrap().with_placement(ParameterPlacement::Url);
        if let Err(error) = request.exchange(&refused, &client, &context) {
            shown.error(&error);
        }
    }
    let metadata = format!(
        r#"{{"issuer":"https://login.example","token_endpoint":"{url}","authorization_endpoint":"{URL}"}}"#
    );
    let metadata =
        AuthorizationServerMetadata::read(&answered(200, &metadata), "https://login.example");
    shown.debug(&metadata.unwrap().token_endpoint);
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}

/// What is wrong with what a person typed, with a secret where it does not belong.
#[test]
fn no_error_of_a_setting_repeats_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let secret = planted.client.text();
    let errors: Vec<Option<Error>> = vec![
        TokenEndpoint::new(secret).err(),
        TokenEndpoint::new(&format!("https://me:{secret}@login.example/")).err(),
        TokenEndpoint::new(&format!("http://login.example/?{secret}")).err(),
        TokenEndpoint::new(&format!("https://login.example/#{secret}")).err(),
        planted.endpoint(URL).with_header(&format!("{secret} "), "x").err(),
        planted.endpoint(URL).with_header("x-key", &format!("{secret}\n")).err(),
        planted.endpoint(URL).with_header("authorization", secret).err(),
        ClientAuthentication::client_secret_post("me", format!("{secret}\n")).err(),
        ClientAuthentication::client_secret_basic("me", format!("{secret}\u{1}")).err(),
        ClientAuthentication::client_secret_jwt("me", &secret[..8], AssertionAudience::Endpoint)
            .err(),
        ClientAuthentication::none(&format!("{secret}\n")).err(),
        planted.request().with_parameter("subject_token", secret).err(),
        planted.request().with_parameter("client_secret", secret).err(),
        planted.request().with_scope(&format!("{secret}\"")).err(),
        planted.request().with_resource(secret).err(),
        AuthorizationServerMetadata::exchange(secret, MetadataLocation::OAuth).err(),
        AuthorizationServerMetadata::exchange(
            &format!("https://a.example/?{secret}"),
            MetadataLocation::OpenId,
        )
        .err(),
        OAuthToken::from_rest(secret.as_bytes()).err(),
    ];
    for (n, error) in errors.into_iter().enumerate() {
        shown.error(&error.unwrap_or_else(|| panic!("error {n}")));
    }
    for body in [format!("<{secret}>"), format!(r#"{{"issuer":"{secret}"}}"#)] {
        for status in [200, 302, 404] {
            let read =
                AuthorizationServerMetadata::read(&answered(status, &body), "https://a.example");
            shown.error(&read.unwrap_err());
        }
    }
    let endpoint =
        format!(r#"{{"issuer":"https://a.example","token_endpoint":"http://x.example/{secret}"}}"#);
    let read = AuthorizationServerMetadata::read(&answered(200, &endpoint), "https://a.example");
    shown.error(&read.unwrap_err());
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}

/// The transports of both clients, with every parameter in the URL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_transport_tells_the_parameters_of_a_url() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let handle = tokio::runtime::Handle::current();
    let reqwest = ReqwestTransport::builder(handle).allowing_loopback().build().unwrap();
    let ureq = UreqTransport::builder().allowing_loopback().build().unwrap();
    let contexts = [Context::new(reqwest), Context::new(ureq)];
    for url in [
        format!("http://{free}/token"),
        "https://10.0.0.1/token".into(),
        "https://name.invalid/".into(),
    ] {
        let url = format!("{url}?key={}", planted.parameter.text());
        for registration in planted.registrations(&url) {
            for context in &contexts {
                let error = registration.obtain(&planted.request(), context).await.unwrap_err();
                shown.error(&error);
            }
        }
    }
    assert_eq!(shown.leaks(&planted.all()), [""; 0], "in\n{}", shown.all());
}
