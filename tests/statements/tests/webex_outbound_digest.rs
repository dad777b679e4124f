//! Document 002, Digest Auth: what the fields of its form mean on the wire, on both ends. One test for each statement;
//! `docs/coverage.md` lists them all.

use auth_core::{
    Candidates, Flow, Lookup, MemoryReplayStore, RequestView, SystemClock, SystemRandom,
    Verifier as _,
};
use auth_digest::{
    ChallengePolicy, Digest, DigestAccounts, DigestAlgorithm, DigestChallenge, DigestPreset,
    DigestQuery, DigestUserName, DigestUserRecord, DigestVerifier, Ha1, HashFunction, NonceCount,
    Nonces, OfferedQop, Qop, UserSecret,
};
use auth_testing::ScriptedTransport;
use auth_tower::{AuthenticateLayer, Authenticated, OutgoingBody, VerifyLayer};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri, header::AUTHORIZATION};
use http_body_util::{BodyExt, Full};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};
use tower::{Layer, ServiceExt, service_fn};

const URL: &str = "https://bank.example/transfers";
const CHALLENGE: &str = "Digest realm=\"bank\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";

fn alice() -> Arc<Digest> {
    Arc::new(Digest::new("alice", "s3cret", SystemRandom::new()).unwrap())
}

/// A request as a server got it.
#[derive(Clone)]
struct Got {
    field: Option<String>,
    body: Bytes,
}

impl Got {
    /// A parameter of the credentials, without its quotes.
    fn parameter(&self, name: &str) -> Option<&str> {
        let behind = self.field.as_ref()?.split(&format!(" {name}=")).nth(1)?;
        Some(behind.split(',').next()?.trim_matches('"'))
    }
}

/// Status and fields of an answer.
type Said = (u16, Option<(&'static str, String)>);

/// Asks whoever has no credentials so, and takes any credentials.
fn asking(challenge: &'static str) -> impl Fn(&Got) -> Said + Clone + Send + 'static {
    move |got| match got.field {
        None => (401, Some(("www-authenticate", challenge.to_owned()))),
        Some(_) => (200, None),
    }
}

/// Posts through the layer: what the server got, and the last status, or why there is none.
async fn post(
    digest: &Arc<Digest>,
    url: &str,
    say: impl Fn(&Got) -> Said + Clone + Send + 'static,
) -> (Vec<Got>, Result<u16, String>) {
    let all = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&all);
    let server = service_fn(move |request: Request<OutgoingBody>| {
        let (log, say) = (Arc::clone(&log), say.clone());
        async move {
            let field = request.headers().get(AUTHORIZATION);
            let field = field.map(|field| field.to_str().unwrap().to_owned());
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let got = Got { field, body };
            let (status, field) = say(&got);
            log.lock().unwrap().push(got);
            let mut answer = Response::builder().status(status);
            if let Some((name, value)) = field {
                answer = answer.header(name, value);
            }
            Ok::<_, Infallible>(answer.body(Full::<Bytes>::default()).unwrap())
        }
    });
    let client = AuthenticateLayer::new(Arc::clone(digest)).layer(server);
    let request = Request::post(url).body(OutgoingBody::from("amount=1")).unwrap();
    let ended = client.oneshot(request).await;
    let ended = ended.map(|answer| answer.status().as_u16()).map_err(|error| error.to_string());
    let got = all.lock().unwrap().clone();
    (got, ended)
}

/// The body is held back until the challenge is answered: a request without it goes out first.
#[tokio::test]
async fn s002_10_identity_is_proved_before_sensitive_data_is_sent() {
    let probe = Arc::new(ScriptedTransport::new(|request: &Request<Vec<u8>>| {
        assert_eq!((request.method(), request.body().len()), (&Method::POST, 0));
        Ok(Response::builder()
            .status(401)
            .header("www-authenticate", CHALLENGE)
            .body(Vec::new())
            .unwrap())
    }));
    let digest = Digest::new("alice", "s3cret", SystemRandom::new()).unwrap();
    let digest = Arc::new(digest.proving_first(Arc::clone(&probe) as _));
    let (got, ended) = post(&digest, URL, |_| (200, None)).await;
    assert_eq!((ended, got.len(), probe.exchanges()), (Ok(200), 1, 1));
    assert!(got[0].field.is_some());
    assert_eq!(got[0].body, "amount=1");
}

/// Knows the passwords, and tells receivers the secret of one session.
struct DomainController(Arc<Mutex<Vec<DigestAlgorithm>>>);

impl<'q> Lookup<DigestQuery<'q>> for DomainController {
    type Found = Candidates<DigestUserRecord, ()>;

    fn lookup<'a>(&'a self, query: &DigestQuery<'q>) -> Flow<'a, Option<Self::Found>> {
        self.0.lock().unwrap().push(query.algorithm);
        let DigestUserName::Plain("alice") = query.name else { return Flow::ready(None) };
        let (function, realm) = (query.algorithm.function(), query.realm.as_bytes());
        let ha1 = Ha1::new(function, "alice", realm, b"s3cret");
        let session = ha1.session(query.algorithm, query.nonce, query.cnonce);
        let secret = UserSecret::Session(session);
        Flow::ready(Some(DigestUserRecord { user: "alice".into(), secret }.into()))
    }
}

/// The receiver asks an authority, which answers with a session key: HA1 never reaches the receiver.
#[tokio::test]
async fn s002_11_a_domain_controller_answers_with_a_session_key() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock).unwrap();
    let store = MemoryReplayStore::new(SystemClock);
    let door =
        DigestVerifier::new("bank", DomainController(Arc::clone(&asked)), nonces, store).unwrap();
    let door = Arc::new(door.with_algorithms(&[DigestAlgorithm::Sha256Sess]).unwrap());
    let server = VerifyLayer::new(door).layer(service_fn(
        |request: Request<auth_tower::CheckedBody<OutgoingBody>>| async move {
            let caller = request.extensions().get::<Authenticated<auth_digest::DigestPrincipal>>();
            let user = caller.map(|caller| caller.principal.user.to_string());
            Ok::<_, Infallible>(Response::new(Full::from(user.unwrap_or_default())))
        },
    ));
    for (password, status) in [("s3cret", 200), ("guess", 401)] {
        let digest = Arc::new(Digest::new("alice", password, SystemRandom::new()).unwrap());
        let client = AuthenticateLayer::new(digest).layer(server.clone());
        let request = Request::post(URL).body(OutgoingBody::from("amount=1")).unwrap();
        let answer = client.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status);
        if status == 200 {
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "alice");
        }
    }
    assert_eq!(*asked.lock().unwrap(), [DigestAlgorithm::Sha256Sess; 2]);
}

/// User name, password, realm, nonce and algorithm: the response is the one that they give.
#[tokio::test]
async fn s002_12_s002_13_s002_14_the_challenge_names_realm_nonce_and_algorithm() {
    for (algorithm, digits) in [
        (DigestAlgorithm::Md5, 32),
        (DigestAlgorithm::Sha256, 64),
        (DigestAlgorithm::Sha512_256, 64),
    ] {
        let say = move |got: &Got| match got.field {
            None => {
                let field = format!("Digest realm=\"bank\", nonce=\"n\", algorithm={algorithm}");
                (401, Some(("www-authenticate", field)))
            }
            Some(_) => (200, None),
        };
        let (got, ended) = post(&alice(), URL, say).await;
        assert_eq!((ended, got.len()), (Ok(200), 2));
        let sent = |name: &str| got[1].parameter(name);
        assert_eq!(
            (sent("realm"), sent("nonce"), sent("algorithm")),
            (Some("bank"), Some("n"), Some(algorithm.name()))
        );
        assert!(got[1].field.as_ref().unwrap().starts_with("Digest username=\"alice\""));
        // Without qop it is H(H(alice:bank:s3cret):n:H(POST:/transfers)), which RFC 2069 has.
        assert_eq!(sent("response").unwrap().len(), digits);
        if algorithm == DigestAlgorithm::Md5 {
            assert_eq!(sent("response"), Some("aad1868e078aefa38c42db2b7178f781"));
        }
    }
}

/// One that was not offered is an error, and nothing is sent under another.
#[tokio::test]
async fn s002_15_the_qop_is_one_of_those_that_were_offered() {
    let (got, ended) = post(&alice(), URL, asking(CHALLENGE)).await;
    assert_eq!((ended, got[1].parameter("qop")), (Ok(200), Some("auth")));
    let digest = Digest::new("alice", "s3cret", SystemRandom::new()).unwrap();
    let strict = Arc::new(digest.with_policy(ChallengePolicy::new().with_qop(Qop::AuthInt)));
    let (got, ended) = post(&strict, URL, asking(CHALLENGE)).await;
    assert!(ended.unwrap_err().contains("does not offer the qop of the policy"));
    assert!(got.iter().all(|got| got.field.is_none()));
}

/// Hexadecimal, this request included, and rising; one that was typed is the first.
#[tokio::test]
async fn s002_16_the_nonce_count_is_hexadecimal_and_counts_this_request() {
    let digest = alice();
    for expected in ["00000001", "00000002", "00000003"] {
        let (got, _) = post(&digest, URL, asking(CHALLENGE)).await;
        assert_eq!(got.last().unwrap().parameter("nc"), Some(expected));
    }
    let mut fields = DigestPreset::new("bank", "n1");
    fields.qop = Some(Qop::Auth);
    fields.nonce_count = Some(NonceCount::typed("0000000f").unwrap());
    let digest = Digest::new("alice", "s3cret", SystemRandom::new()).unwrap();
    let typed = Arc::new(digest.with_form(&fields).unwrap());
    for expected in ["0000000f", "00000010"] {
        let (got, _) = post(&typed, URL, |_| (200, None)).await;
        assert_eq!((got.len(), got[0].parameter("nc")), (1, Some(expected)));
    }
}

/// Without qop neither is on the wire, and typing one of them is an error that names it.
#[tokio::test]
async fn s002_17_s002_19_nonce_count_and_client_nonce_come_only_with_a_qop() {
    let legacy = "Digest realm=\"bank\", nonce=\"n1\", algorithm=SHA-256";
    let (got, ended) = post(&alice(), URL, asking(legacy)).await;
    assert_eq!(ended, Ok(200));
    for name in ["nc", "cnonce", "qop"] {
        assert_eq!(got[1].parameter(name), None, "{name}");
    }
    let mut count = DigestPreset::new("bank", "n1");
    count.nonce_count = Some(NonceCount::FIRST);
    let mut client = DigestPreset::new("bank", "n1");
    client.client_nonce = Some("c");
    for (fields, named) in [(count, "nonce count"), (client, "client nonce")] {
        let digest = Digest::new("alice", "s3cret", SystemRandom::new()).unwrap();
        let error = digest.with_form(&fields).unwrap_err().to_string();
        assert!(error.starts_with("configuration: ") && error.contains(named), "{error}");
    }
}

/// Mutual authentication: a forged proof is an error. Integrity: a changed body is refused.
#[tokio::test]
async fn s002_18_the_client_nonce_proves_the_server_and_the_body() {
    let say = |got: &Got| match got.field {
        None => asking(CHALLENGE)(got),
        Some(_) => {
            let forged = format!("rspauth=\"{}\", qop=auth", "0".repeat(64));
            (200, Some(("authentication-info", forged)))
        }
    };
    let (_, ended) = post(&alice(), URL, say).await;
    assert!(ended.unwrap_err().contains("rspauth"));

    let mut accounts = DigestAccounts::new();
    accounts
        .add("alice", "bank", Ha1::new(HashFunction::Sha256, "alice", b"bank", b"s3cret"))
        .unwrap();
    let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock).unwrap();
    let store = MemoryReplayStore::new(SystemClock);
    let door = DigestVerifier::new("bank", accounts, nonces, store).unwrap();
    let door = Arc::new(door.with_qop(OfferedQop::AuthInt).unwrap());
    for (change, status) in [(false, 200), (true, 401)] {
        let server = VerifyLayer::new(Arc::clone(&door)).layer(service_fn(
            |request: Request<auth_tower::CheckedBody<OutgoingBody>>| async move {
                let body = request.into_body().collect().await;
                let status = if body.is_ok() { 200 } else { 401 };
                let answer = Response::builder().status(status).body(Full::<Bytes>::default());
                Ok::<_, Infallible>(answer.unwrap())
            },
        ));
        let between = service_fn(move |request: Request<OutgoingBody>| {
            let server = server.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let body = if change { Bytes::from("amount=9") } else { body };
                server.oneshot(Request::from_parts(head, OutgoingBody::from(body))).await
            }
        });
        let client = AuthenticateLayer::new(alice()).layer(between);
        let request = Request::post(URL).body(OutgoingBody::from("amount=1")).unwrap();
        assert_eq!(client.oneshot(request).await.unwrap().status(), status);
    }
}

/// As it was sent, to every URL of the space, without being asked again.
#[tokio::test]
async fn s002_20_opaque_is_returned_unchanged_within_the_protection_space() {
    let challenge = "Digest realm=\"bank\", nonce=\"n1\", qop=\"auth\", algorithm=SHA-256, \
                     domain=\"/transfers /accounts\", opaque=\"no base64: \\\"%\"";
    let digest = alice();
    for (url, requests) in [
        (URL, 2),
        ("https://bank.example/accounts/1?q", 1),
        ("https://bank.example/transfers/2", 1),
    ] {
        let (got, ended) = post(&digest, url, asking(challenge)).await;
        assert_eq!((ended, got.len()), (Ok(200), requests), "{url}");
        let field = got.last().unwrap().field.clone().unwrap();
        assert!(field.contains("opaque=\"no base64: \\\"%\""), "{field}");
    }
    // Another space of the same server: it has to ask by itself.
    let (got, _) = post(&digest, "https://bank.example/elsewhere", asking(challenge)).await;
    assert_eq!(got.len(), 2);
}

/// What our server sends can be read back as Base64.
#[test]
fn s002_21_our_opaque_is_base64() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock).unwrap();
    let store = MemoryReplayStore::new(SystemClock);
    let door = DigestVerifier::new("bank", DigestAccounts::new(), nonces, store).unwrap();
    let (uri, headers) = (Uri::from_static(URL), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let refused = door.verify(view).wait().unwrap().unwrap_err();
    let field = refused.challenges()[0].field();
    let challenge = DigestChallenge::parse(field.as_bytes()).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.decode(challenge.opaque.unwrap()).unwrap().len(), 15);
}
