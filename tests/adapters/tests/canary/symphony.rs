//! Log-ins of Symphony: bots and apps at an installation that repeats everything it was sent, a server of log-ins, and
//! configuration files with secrets wherever they can stand.

use super::{
    ibsso::{Seen, logged, note},
    plant,
};
use auth_core::{Answer, Authenticator, Body, Error, Flow, MemoryReplayStore, RequestView, Secret};
use auth_jwt::{
    ClaimsToSign, JwsAlgorithm, JwtAuthenticator, JwtKeys, KeyId, SigningKey,
    profiles::symphony_login_claims,
};
use auth_outbound::{TransportBuilder, configured_transport};
use auth_symphony::{
    App, BdkConfig, Bot, CircleOfTrust, Context, LogInEndpoint, LogInRetry, SymphonyEndpoints,
    SymphonyLogIn, SymphonyUser, TokenIssuer, TokenName, UserJwtVerifier,
};
use auth_testing::{Canary, CapturedOutput, ManualClock, ScriptedTransport};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use serde_json::{Value, json};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

const NOW: u64 = 1_700_000_000;
const KEY: &str = include_str!("../../../demo/src/bot.pem");
const PUBLIC_KEY: &str = include_str!("../../../demo/src/bot.pub.pem");

/// The secrets of one run: what a pod gives, and what both sides make while they run.
struct Planted {
    session: Canary,
    keys: Canary,
    common: Canary,
    symphony: Canary,
    /// Signatures of the tokens that were sent, and the tokens of an app.
    made: Mutex<BTreeSet<String>>,
}

impl Planted {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            session: plant("session"),
            keys: plant("keys"),
            common: plant("common"),
            symphony: plant("symphony"),
            made: Mutex::default(),
        })
    }

    fn all(&self) -> [&Canary; 4] {
        [&self.session, &self.keys, &self.common, &self.symphony]
    }

    /// A token whose claims a bot reads; its signature is the secret.
    fn jwt(&self, secret: &Canary) -> String {
        let claims = json!({ "canUseSimplifiedKeyDelivery": true, "exp": NOW + 300 }).to_string();
        format!("e30.{}.{}", URL_SAFE_NO_PAD.encode(claims), secret.text())
    }

    /// Without its signature a token is of no use to anybody.
    fn made(&self, token: &str) {
        let secret = token.rsplit('.').next().unwrap();
        assert!(secret.len() >= 64, "{} bytes", secret.len());
        self.made.lock().unwrap().insert(secret.to_owned());
    }

    fn show_nothing(&self, shown: &CapturedOutput) {
        let all = shown.all();
        assert_eq!(shown.leaks(&self.all()), [""; 0], "in\n{all:.1500}");
        let made = self.made.lock().unwrap();
        let lines = KEY.lines().filter(|line| !line.starts_with('-')).map(str::to_owned);
        for secret in made.iter().cloned().chain(lines) {
            // The beginning is enough of it, and a list of its bytes is no better.
            let secret = &secret[..secret.len().min(32)];
            let list: Vec<_> = secret.bytes().map(|byte| byte.to_string()).collect();
            for form in [secret.to_owned(), list.join(", ")] {
                assert!(!all.contains(&form), "{secret} is shown");
            }
        }
    }

    /// What an installation answers when all is well.
    fn good(&self, request: &Request<Vec<u8>>) -> Value {
        let sent: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        match request.uri().path() {
            "/relay/pubkey/authenticate" | "/keyauth/v1/authenticate" => {
                json!({ "name": "keyManagerToken", "token": self.keys.text() })
            }
            "/login/idm/tokens" => {
                json!({ "access_token": self.jwt(&self.common), "expires_in": 300 })
            }
            "/agent/v1/info" => json!({ "version": "Agent-24.12.0" }),
            "/pod/v1/podcert" => json!({ "certificate": PUBLIC_KEY }),
            "/login/v1/pubkey/app/authenticate/extensionApp" => json!({
                "appToken": sent["appToken"],
                "symphonyToken": self.symphony.text(),
                "expireAt": (NOW + 300) * 1000,
            }),
            _ => json!({
                "name": "sessionToken",
                "token": self.jwt(&self.session),
                "authorizationToken": format!("Bearer {}", self.jwt(&self.common)),
            }),
        }
    }

    /// Everything that an installation can answer with all secrets in it; `SENT` stands for what it was sent.
    fn answers(&self) -> Vec<Response<String>> {
        let text = self.all().map(Canary::text).join(" ");
        let one = self.session.text();
        let bodies = [
            "SENT".into(),
            json!({ "code": 401, "message": text }).to_string(),
            json!({ "name": text, "token": one }).to_string(),
            json!({ "token": { text.clone(): 1 } }).to_string(),
            json!({ "token": text, "access_token": text, "expires_in": 300 }).to_string(),
            json!({ "access_token": one, "expires_in": text, "version": text }).to_string(),
            json!({ "appToken": text, "symphonyToken": text, "expireAt": 1 }).to_string(),
            json!({ "certificate": format!("-----BEGIN CERTIFICATE-----\n{one}\n-----END CERTIFICATE-----") })
                .to_string(),
            format!("{one}{{"),
        ];
        let mut answers = Vec::new();
        for status in [200, 302, 400, 401, 403, 404, 429, 503] {
            for body in &bodies {
                let answer = Response::builder().status(status).header("retry-after", &text);
                answers.push(answer.header("location", &text).body(body.clone()).unwrap());
            }
        }
        answers
    }

    /// An installation whose exchange of this number goes wrong, and how many there were.
    fn installation(
        self: &Arc<Self>,
        wrong: &Response<String>,
        at: u32,
    ) -> (Context, ManualClock, Arc<Mutex<u32>>) {
        let (planted, wrong, number) = (Arc::clone(self), wrong.clone(), Arc::new(Mutex::new(0)));
        let counted = Arc::clone(&number);
        let transport = ScriptedTransport::new(move |request| {
            let sent: Value = serde_json::from_slice(request.body()).unwrap_or_default();
            for member in ["token", "authToken", "appToken"] {
                let _ = sent[member].as_str().inspect(|token| planted.made(token));
            }
            let fields = format!("{:?}", request.headers());
            let leaked = planted.all().map(|secret| fields.contains(secret.text()));
            assert!(!leaked.contains(&true), "a field is not sensitive: {fields}");
            let mut number = counted.lock().unwrap();
            *number += 1;
            if *number == at {
                let body = String::from_utf8_lossy(request.body());
                return Ok(wrong.clone().map(|text| text.replace("SENT", &body).into_bytes()));
            }
            Ok(Response::new(planted.good(request).to_string().into_bytes()))
        });
        let clock = ManualClock::at(NOW);
        (Context::new(transport).with_clock(clock.clone()), clock, number)
    }
}

fn endpoints() -> SymphonyEndpoints {
    let pod = SymphonyEndpoints::new("https://pod.example").unwrap();
    pod.with_agent("https://agent.example").unwrap()
}

fn log_in(name: &str) -> SymphonyLogIn {
    SymphonyLogIn::rsa(name, KEY).unwrap().with_retry(LogInRetry::once())
}

/// Bots of every kind and their app, with each answer in the place of each of their exchanges.
#[test]
fn no_bot_of_symphony_shows_or_tells_a_secret() {
    let (planted, seen) = (Planted::new(), Seen::default());
    let by_key = (log_in("my-bot"), log_in("my-app"));
    let certificate = SymphonyLogIn::certificate().with_retry(LogInRetry::once());
    let by_certificate = (certificate.clone(), certificate);
    seen.0.debug(&by_key).debug(&by_certificate);
    let plain: fn(Bot) -> Bot = |bot| bot;
    let kinds = [
        (&by_key, plain),
        (&by_certificate, plain),
        (&by_key, Bot::with_common_jwt),
        (&by_key, Bot::with_simplified_key_delivery),
    ];
    let mut most = 0;
    logged(&seen.0, || {
        for answer in &planted.answers() {
            for (kind, at) in kinds.iter().flat_map(|kind| (1..=6).map(move |at| (kind, at))) {
                let (context, clock, number) = planted.installation(answer, at);
                let context = context.with_observer(seen.clone());
                let ((bot, app), kind) = kind;
                let app = App::new(endpoints(), app.clone(), context.clone());
                let bot = kind(Bot::new(endpoints(), bot.clone(), context)).with_app(app.clone());
                live(&planted, &seen.0, (&bot, &app), &clock);
                most = most.max(*number.lock().unwrap());
            }
        }
    });
    assert!(most > 6, "{most} exchanges at most, so the last ones never went wrong");
    for told in [
        "RenewalFailed",
        "Renewed",
        "Condemned",
        "session obtained a token",
        "symphony_log_in_answer",
        "symphony_common_jwt_answer",
        "symphony_token_name",
    ] {
        assert!(seen.0.all().contains(told), "{told:?} was never told");
    }
    planted.show_nothing(&seen.0);
}

/// Two requests of each kind, all of which are refused.
fn live(planted: &Planted, shown: &CapturedOutput, who: (&Bot, &App), clock: &ManualClock) {
    let (bot, app) = who;
    let (pod, agent) = (bot.pod(), bot.agent());
    let user = app.on_behalf_of(SymphonyUser::Name("jane.doe".into()));
    shown.debug(bot).debug(app).debug(&pod).debug(&agent).debug(&user);
    let callers: [(&dyn Authenticator, &str); 3] = [
        (&pod, "https://pod.example/pod/v2/sessioninfo"),
        (&agent, "https://agent.example/agent/v5/datafeeds"),
        (&user, "https://agent.example/agent/v5/datafeeds"),
    ];
    for (caller, url) in callers.iter().cycle().take(6) {
        let (uri, headers) = (Uri::from_static(url), HeaderMap::new());
        let view = RequestView::new(&Method::POST, &uri, &headers);
        match caller.credentials(view).wait() {
            Err(error) => drop(shown.error(&error)),
            Ok(made) => {
                let (mut uri, mut sent) = (uri.clone(), HeaderMap::new());
                made.commit(&mut uri, &mut sent).unwrap();
                assert!(!sent.is_empty(), "no credentials");
                let challenge = HeaderValue::from_str(&planted.jwt(&planted.session)).unwrap();
                let answer = HeaderMap::from_iter([(header::WWW_AUTHENTICATE, challenge)]);
                let answer = Answer::new(view, StatusCode::UNAUTHORIZED, &answer);
                shown.debug(&made).debug(&sent).debug(&caller.assess(&made, answer));
            }
        }
        clock.advance(Duration::from_secs(2));
    }
    note(shown, bot.session_token().wait());
    note(shown, bot.key_manager_token().wait());
    note(shown, app.session_token().wait());
}

/// The circle of trust and the tokens of users' clients, with each answer in the place of each exchange.
#[test]
fn no_circle_of_trust_shows_or_tells_a_secret() {
    let (planted, seen) = (Planted::new(), Seen::default());
    let app = log_in("my-app");
    let claims = ClaimsToSign::expiring_in(Duration::from_secs(300)).unwrap();
    let claims = claims
        .with_issuer("Symphony Communication Services LLC.")
        .with_audience("my-app")
        .with_subject_number(7)
        .with_claim("user", &planted.common.text())
        .unwrap();
    let key = SigningKey::from_pem(JwsAlgorithm::RS512, KEY).unwrap();
    let signer = JwtAuthenticator::new(key, claims, ManualClock::at(NOW));
    let user = signer.sign().unwrap().expose().to_owned();
    planted.made(&user);
    let (mut trusted, mut verified) = (0, 0);
    logged(&seen.0, || {
        for (answer, at) in
            planted.answers().iter().flat_map(|answer| (1..=3).map(move |at| (answer, at)))
        {
            let shown = &seen.0;
            let (context, _, _) = planted.installation(answer, at);
            let context = context.with_observer(seen.clone());
            let circle = CircleOfTrust::new(&endpoints(), &app, context.clone()).unwrap();
            let users = UserJwtVerifier::new(&endpoints(), "my-app", context);
            let begun = circle.begin().wait();
            if let Ok(token) = &begun {
                let symphony = planted.symphony.text().as_bytes();
                trusted += usize::from(circle.is_trusted(token.expose(), symphony));
            }
            note(shown, begun);
            for token in [&*user, &user[..user.len() - 9], planted.session.text()] {
                match users.verify(token).wait() {
                    Err(error) => drop(shown.error(&error)),
                    Ok(outcome) => {
                        verified += usize::from(outcome.is_ok());
                        shown.debug(&outcome);
                    }
                }
            }
            shown.debug(&circle).debug(&users);
        }
    });
    assert!(trusted > 0 && verified > 0, "{trusted} trusted, {verified} verified");
    for told in ["symphony_pair_answer", "symphony_certificate_answer", "jwt_signature"] {
        assert!(seen.0.all().contains(told), "{told:?} was never told");
    }
    planted.show_nothing(&seen.0);
}

/// Gives the session token to those who log in, unless it is down.
struct Issuer(Arc<Planted>, bool);

impl TokenIssuer for Issuer {
    type Account = &'static str;

    fn issue(&self, _: &'static str) -> Flow<'_, Secret> {
        match self.1 {
            true => Flow::failed(Error::transport("store_down", "nobody could tell")),
            false => Flow::ready(Secret::new(self.0.jwt(&self.0.session))),
        }
    }
}

/// What an endpoint of log-ins shows, whatever callers send; of what goes to them, the refusals.
#[test]
fn no_server_of_symphony_log_ins_shows_or_tells_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let clock = ManualClock::at(NOW);
    let key = SigningKey::from_pem(JwsAlgorithm::RS512, KEY).unwrap();
    let keys = |is_down| {
        let id = KeyId { issuer: Some("my-bot".into()), kid: None };
        let keys = HashMap::from([(id, JwtKeys::from_iter([(key.verifying(), "my-bot")]))]);
        let (issuer, replays) =
            (Issuer(Arc::clone(&planted), is_down), MemoryReplayStore::new(clock.clone()));
        LogInEndpoint::new(TokenName::Session, keys, issuer, replays, clock.clone()).unwrap()
    };
    let signed = |name: &str| {
        let signer = JwtAuthenticator::new(key.clone(), symphony_login_claims(name), clock.clone());
        let token = signer.sign().unwrap().expose().to_owned();
        planted.made(&token);
        token
    };
    let good = signed("my-bot");
    let tokens = [
        good.clone(),
        good.clone(),
        signed("other-bot"),
        format!("{good}x"),
        good[..good.len() - 90].to_owned(),
        format!("{good}\n"),
        format!("é{good}"),
        good.replace('.', " "),
        planted.jwt(&planted.session),
        format!("{good}{}", "x".repeat(20_000)),
    ];
    let mut bodies: Vec<_> = tokens.iter().map(|it| json!({ "token": it }).to_string()).collect();
    bodies.push(format!(r#"{{"token":"{good}"#));
    bodies.push(format!(r#"{{"token":{{"{good}":1}}}}"#));
    bodies.push(format!(r#"{{"token":"{good}","token":"{good}"}}"#));
    bodies.push(format!(r#"{{"{good}":"{good}"}}"#));
    bodies.push(good.clone());
    let (mut issued, mut refused) = (0, 0);
    logged(&shown, || {
        for (endpoint, body) in
            [keys(false), keys(true)].iter().flat_map(|it| bodies.iter().map(move |b| (it, b)))
        {
            shown.debug(endpoint);
            let (uri, mut headers) =
                (Uri::from_static("/login/pubkey/authenticate"), HeaderMap::new());
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&good).unwrap());
            let view = RequestView::new(&Method::POST, &uri, &headers)
                .with_body(Body::Bytes(body.as_bytes()));
            let answer = endpoint.log_in(view).wait();
            if let Ok(answer) = &answer {
                let text = String::from_utf8_lossy(answer.response.body());
                shown.debug(&answer.refused).debug(answer.response.headers());
                match answer.refused {
                    Some(_) => refused += usize::from(!shown.text(&text).all().is_empty()),
                    None => issued += usize::from(text.contains(planted.session.text())),
                }
            }
            note(&shown, answer);
        }
    });
    assert!(issued == 1 && refused > 20, "{issued} issued, {refused} refused");
    for told in ["store_down", "symphony_log_in_repeated", "symphony_log_in_body", "login failed"] {
        assert!(shown.all().contains(told), "{told:?} was never told");
    }
    planted.show_nothing(&shown);
}

/// Log-ins and base URLs that are wrong, with secrets in them.
#[test]
fn no_error_of_a_symphony_log_in_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    for secret in planted.all().map(Canary::text) {
        for key in [
            secret.to_owned(),
            KEY.replacen("MII", secret, 1),
            KEY.replace("PRIVATE", secret),
            KEY[..KEY.len() / 2].to_owned(),
            format!("{secret}\n{}", KEY.replace('M', "N")),
        ] {
            shown.error(&SymphonyLogIn::rsa("my-bot", &key).unwrap_err());
        }
        shown.error(&SymphonyLogIn::rsa(&format!("my-bot:{secret}"), KEY).unwrap_err());
        for url in [
            format!("https://me:{secret}@pod.example"),
            format!("https://pod.example/?token={secret}"),
            format!("https://pod.example/#{secret}"),
            format!("http://pod.example/{secret}"),
            format!("https://pod.example/{secret} {secret}"),
        ] {
            shown.error(&SymphonyEndpoints::new(&url).unwrap_err());
        }
    }
    planted.show_nothing(&shown);
}

const BDK: &str = r#"host: acme.symphony.com
proxy:
  host: proxy.acme.com
  port: 3128
  username: me
  password: PROXY
defaultHeaders:
  X-Gateway-Key: PROXY
bot:
  username: my-bot
  privateKey:
    content: "KEY"
app:
  appId: my-app
  certificate:
    path: app.p12
    password: ${PASSWORD}
ssl:
  trustStore:
    content: STORE
retry:
  maxAttempts: 4
"#;

/// A file of a kit, whole, and with each of its lines changed in each of these ways.
#[test]
fn no_configuration_of_a_kit_shows_a_secret() {
    let (planted, shown) = (Planted::new(), CapturedOutput::default());
    let [password, key, store, proxy] = planted.all().map(Canary::text);
    let whole = BDK.replace("PROXY", proxy).replace("KEY", key).replace("STORE", store);
    let variable = |name: &str| (name == "PASSWORD").then(|| password.to_owned());
    let secrets = [password, key, store, proxy];
    let lines: Vec<_> = whole.lines().collect();
    let mut texts = vec![whole.clone(), whole.replace(key, &KEY.replace('\n', "\\n"))];
    for (at, line) in lines.iter().enumerate() {
        let (name, value) = line.split_once(':').unwrap();
        let mut changes = vec![
            String::new(),
            format!("{line}\n{line}"),
            format!(" {line}"),
            format!("\t{line}"),
            line.trim().to_owned(),
            format!("{name}{value}"),
            format!("{name}:[{value}]"),
            format!("{name}: {{{value}: 1"),
            format!("{name}: \"{value}"),
            format!("{name}: &{}", value.trim()),
            format!("{name}: *{}", value.trim()),
            format!("{name}: !{}", value.trim()),
            format!("{name}: ${{{}", value.trim()),
        ];
        for secret in secrets {
            changes.push(format!("{name}: {secret}"));
            changes.push(format!("{name}: ${{PASSWORD}}"));
            changes.push(format!("{name}: [{secret}]"));
            changes.push(format!("{name}: ${{NONE:-{secret}"));
        }
        // Names of hosts, accounts and files are told where they are wrong.
        let is_name = ["host", "username", "appId", "path"].contains(&name.trim());
        for change in changes.into_iter().take(if is_name { 13 } else { usize::MAX }) {
            let mut lines = lines.clone();
            lines[at] = &change;
            texts.push(lines.join("\n"));
        }
    }
    texts.extend((0..whole.len()).map(|end| whole[..end].to_owned()));
    let (mut good, mut wrong) = (0, 0);
    for text in texts {
        match BdkConfig::parse(&text, variable) {
            Err(error) => {
                wrong += 1;
                shown.error(&error);
            }
            Ok(config) => {
                good += 1;
                shown.debug(&config);
                for identity in [&config.bot, &config.app].into_iter().flatten() {
                    let read = |_: &str| Ok(Secret::new(key));
                    note(&shown, identity.log_in(read));
                    let routes = config.routes(Some(identity), read);
                    note(&shown, routes.as_ref().map_err(Clone::clone));
                    let silent = || ScriptedTransport::new(|_| Ok(Response::new(Vec::new())));
                    let begin = || TransportBuilder::new(move |_| Ok(silent()));
                    let made = configured_transport(routes.into_iter().flatten(), begin);
                    note(&shown, made.map(drop));
                }
            }
        }
    }
    assert!(good > 100 && wrong > 100, "{good} good, {wrong} wrong");
    for told in [
        "symphony_bdk_member",
        "Content(..)",
        "is unknown here",
        "key of \"my-bot\"",
        "outbound_pkcs12",
    ] {
        assert!(shown.all().contains(told), "{told:?} was never told");
    }
    planted.show_nothing(&shown);
}
