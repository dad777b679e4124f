//! Document 003: Infobip's ways to authenticate. One test for each statement that holds; `docs/coverage.md` lists them
//! all.

use auth_core::{Authenticator, Context, RequestView, SystemRandom, Verifier};
use auth_oauth2::ClientCredentialsForm;
use auth_reqwest::AuthClient;
use auth_session::Session;
use auth_static::{ApiKey, ApiKeyVerifier, Basic, Bearer, FixedKeys, KeyHasher, Placement};
use auth_testing::{Canary, CapturedOutput, ManualClock, ScriptedTransport};
use auth_tower::{TracingObserver, VerifyLayer};
use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};
use std::time::Duration;

fn wire(authenticator: &dyn Authenticator) -> (Uri, HeaderMap) {
    let (mut uri, mut headers) =
        (Uri::from_static("https://x.api.infobip.com/sms/1"), HeaderMap::new());
    let made =
        authenticator.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait().unwrap();
    made.commit(&mut uri, &mut headers).unwrap();
    (uri, headers)
}

fn accepts(placement: &str, headers: &HeaderMap, uri: &Uri) -> bool {
    let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
    let keys = FixedKeys::new(&hasher, [("003026bb-8f4b", "acme")]);
    let placement = match placement {
        "App" => Placement::scheme("App"),
        parameter => Placement::query(parameter),
    };
    let door = ApiKeyVerifier::new("infobip", placement.unwrap(), hasher, keys).unwrap();
    door.verify(RequestView::new(&Method::POST, uri, headers)).wait().unwrap().is_ok()
}

/// Combine with TLS: any credential to http beyond loopback is refused unless allowed by name.
#[tokio::test]
async fn s003_03_no_credential_goes_over_plain_http_beyond_loopback() {
    let credentials: [Box<dyn Authenticator>; 4] = [
        Box::new(Basic::new("u", "p").unwrap()),
        Box::new(ApiKey::new(Placement::scheme("App").unwrap(), "k").unwrap()),
        Box::new(ApiKey::new(Placement::query("apikey").unwrap(), "k").unwrap()),
        Box::new(Bearer::new("t").unwrap()),
    ];
    // Nobody listens at this address (RFC 5737), so whoever is allowed to connect fails in another way.
    for authenticator in credentials {
        for (client, expected) in [
            (AuthClient::builder(), "client_plain_http"),
            (AuthClient::builder().allowing_plain_http(), "reqwest_"),
        ] {
            let client =
                client.with_timeout(std::time::Duration::from_millis(200)).build().unwrap();
            let request = client.http().get("http://192.0.2.1/").build().unwrap();
            let error = client.send(&*authenticator, request).await.unwrap_err();
            assert!(error.code().starts_with(expected), "{error}");
        }
    }
}

/// Base64 of user:password, one line however long; ':' in a user name is an error.
#[test]
fn s003_08_basic_is_one_line_of_base64() {
    let password = "p".repeat(200);
    let (_, headers) = wire(&Basic::new("user", &password).unwrap());
    let value = headers[AUTHORIZATION].to_str().unwrap();
    let encoded = value.strip_prefix("Basic ").unwrap();
    assert_eq!(encoded.len(), 205_usize.div_ceil(3) * 4);
    assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)));
    let error = Basic::new("us:er", "p").unwrap_err();
    assert!(matches!(error, auth_core::Error::Config(_)), "{error}");
}

/// A key in the header or the query: the parameter's name is settable, and no log shows the key.
#[test]
fn s003_11_a_key_in_header_or_query_is_in_no_log() {
    let (uri, headers) =
        wire(&ApiKey::new(Placement::query("my-key").unwrap(), "003026bb-8f4b").unwrap());
    assert_eq!(uri.query(), Some("my-key=003026bb-8f4b"));
    assert!(accepts("my-key", &headers, &uri) && !accepts("other", &headers, &uri));
    let (shown, key) = (
        CapturedOutput::default(),
        Canary::plant("infobip", &auth_core::SystemRandom::new()).unwrap(),
    );
    let logs = tracing_subscriber::fmt()
        .with_writer({
            let shown = shown.clone();
            move || shown.clone()
        })
        .with_max_level(tracing::Level::TRACE)
        .finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(logs, || {
        runtime.block_on(async {
            let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
            let keys = FixedKeys::new(&hasher, [(key.text(), "acme")]);
            let door = ApiKeyVerifier::new("r", Placement::query("my-key").unwrap(), hasher, keys)
                .unwrap();
            let layer = VerifyLayer::new(door).with_observer(TracingObserver);
            let app = axum::Router::new().fallback(|| async { "in" }).layer(layer);
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap());
            tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
            let client = AuthClient::builder().with_observer(TracingObserver).build().unwrap();
            for (sent, status) in [(key.text().to_owned(), 200), (format!("{}x", key.text()), 401)]
            {
                let authenticator =
                    ApiKey::new(Placement::query("my-key").unwrap(), &sent).unwrap();
                let request = client.http().get(&url).build().unwrap();
                assert_eq!(client.send(&authenticator, request).await.unwrap().status(), status);
            }
        });
    });
    assert!(shown.all().contains("request accepted") && shown.all().contains("request rejected"));
    assert_eq!(shown.leaks(&[&key]), [""; 0]);
}

/// `Authorization: App KEY`: exact bytes from the client, any casing of the scheme accepted by the verifier.
#[test]
fn s003_16_the_scheme_word_is_app() {
    let (uri, headers) =
        wire(&ApiKey::new(Placement::scheme("App").unwrap(), "003026bb-8f4b").unwrap());
    assert_eq!(headers[AUTHORIZATION], "App 003026bb-8f4b");
    assert!(accepts("App", &headers, &uri));
    for (value, expected) in [
        ("app 003026bb-8f4b", true),
        ("APP 003026bb-8f4b", true),
        ("aPp 003026bb-8f4b", true),
        ("App 003026bb-8f4c", false),
        ("Apps 003026bb-8f4b", false),
        ("Bearer 003026bb-8f4b", false),
    ] {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
        assert_eq!(accepts("App", &headers, &uri), expected, "{value}");
    }
}

/// The token and its life come from the token endpoint; the token, as the document writes one, goes out as Bearer letter
/// by letter; two hours later it has been replaced twice, and no request went out without a good one.
#[test]
fn s003_26_s003_28_s003_29_oauth_tokens_come_from_an_endpoint_and_are_renewed() {
    const TOKEN: &str = "eyJraWQiOiI5d29rWGRoSSIsInR5cCI6IkpXVCIsImFsZyI6IkhTMjU2In0.eyJzdWIiOiJERDIwMjAiLCJpc3MiOiJpbmZvYmlwLmNvbSIsImV4cCI6MTYzMzAwNDQwNiwiaWF0IjoxNjMzMDAwODA2LCJqdGkiOiJiMmJmODgyMS01OTcxLTRiOTMtYWVmNy0zM2QwMDNkMjIxNjcifQ.KvIIOmCKJETiB6xKOqBxvZYnYOa8RAulYhChBEmI4Os";
    let clock = ManualClock::at(1_633_000_806);
    let transport = ScriptedTransport::new(|request| {
        assert_eq!(request.uri(), "https://x.api.infobip.com/auth/1/oauth2/token");
        let body = "grant_type=client_credentials&client_id=username&client_secret=pass+word";
        assert_eq!(String::from_utf8_lossy(request.body()), body);
        let answer =
            format!(r#"{{"access_token":"{TOKEN}","expires_in":3600,"token_type":"bearer"}}"#);
        Ok(http::Response::new(answer.into_bytes()))
    });
    let grant = ClientCredentialsForm::new()
        .with_client_id("username")
        .with_client_secret("pass word")
        .with_access_token_url("https://x.api.infobip.com/auth/1/oauth2/token")
        .build()
        .unwrap();
    let context = Context::new(transport.clone()).with_clock(clock.clone());
    let session = Session::new(grant, context);
    for (minutes, exchanges) in [(0, 1), (30, 1), (30, 2), (30, 2), (30, 3)] {
        clock.advance(Duration::from_secs(minutes * 60));
        let (_, headers) = wire(&session);
        assert_eq!(headers[AUTHORIZATION], format!("Bearer {TOKEN}"));
        assert_eq!(transport.exchanges(), exchanges, "{minutes} minutes later");
    }
}
