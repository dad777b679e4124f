use super::*;
use crate::{
    AuthorizationSet, BodySignatureVerifier, BodySigner, BodySigningKey, BodyVerifyingKey,
    ConfiguredBy, DeliveryEnd, DeliveryPlan, SignatureForm, Subscription, WebhookDelivery,
    WebhookSender, WebhookUrl,
};
use auth_core::{
    Body, Candidates, Clock, ConnectionId, Error, Flow, HandlerReply, KeyHasher, Lookup,
    MemoryReplayStore, Need, Peer, Presence, ReplayOutcome, ReplayStore, RequestView,
    ReservationOutcome, ReservationTicket, Result, Secret, SystemClock, SystemRandom, TenantId,
    Transport, Unique, Verifier,
};
use auth_digest::{DigestQuery, DigestUserRecord, Ha1, HashFunction, UserSecret};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, JwtKeys, KeyId, SigningKey};
use auth_net::AddressList;
use auth_sigv4::AccessKeys;
use auth_static::{BasicAccounts, FixedKeys};
use auth_testing::ScriptedTransport;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

type Door = Arc<dyn Verifier<Principal = Delivery<&'static str>>>;

/// A receiver over HTTP: a door, and a handler that answers with this status.
fn serve(
    door: &Door,
    handler: &(dyn Fn(&Delivery<&'static str>) -> u16 + Sync),
    request: &Request<Vec<u8>>,
) -> Response<Vec<u8>> {
    let mut peer = Peer::default();
    (peer.address, peer.encrypted) = (Some(IpAddr::from([192, 0, 2, 1])), true);
    let view = RequestView::new(request.method(), request.uri(), request.headers()).with_peer(peer);
    // As a server layer has it: the body of a request without credentials is not read.
    let view = match (door.presence(view), door.needs(view)) {
        (Presence::Present, Need::Bytes { limit }) if limit < request.body().len() => {
            return Response::builder().status(413).body(Vec::new()).unwrap();
        }
        (Presence::Present, Need::Bytes { .. }) => view.with_body(Body::Bytes(request.body())),
        _ => view,
    };
    match door.verify(view).wait() {
        Err(error) => {
            let status = if matches!(error, Error::Config(_)) { 500 } else { 503 };
            Response::builder().status(status).body(Vec::new()).unwrap()
        }
        Ok(Err(refused)) => {
            let mut answer = Response::builder().status(refused.status());
            for challenge in refused.challenges() {
                answer = answer.header("www-authenticate", challenge.field());
            }
            answer.body(refused.reason().code.as_bytes().to_vec()).unwrap()
        }
        Ok(Ok(mut accepted)) => {
            let status = StatusCode::from_u16(handler(&accepted.principal)).unwrap();
            let headers = HeaderMap::new();
            let mut answer = Response::builder().status(status).body(Vec::new()).unwrap();
            for completion in accepted.take_obligations().completions {
                let reply = HandlerReply::new(status, &headers, Body::Bytes(b""));
                answer.headers_mut().extend(completion.complete(reply).wait().unwrap());
            }
            answer
        }
    }
}

fn connection() -> ConnectionId {
    ConnectionId::new(TenantId::new("acme"), "receipts")
}

struct DigestUser(Ha1);

impl Lookup<DigestQuery<'_>> for DigestUser {
    type Found = Candidates<DigestUserRecord, &'static str>;

    fn lookup(&self, _: &DigestQuery<'_>) -> Flow<'_, Option<Self::Found>> {
        let record = DigestUserRecord { user: "u".into(), secret: UserSecret::Ha1(self.0.clone()) };
        Flow::ready(Some(Candidates::one(record, "acme")))
    }
}

struct IssuerKey(SigningKey);

impl Lookup<KeyId> for IssuerKey {
    type Found = JwtKeys<&'static str>;

    fn lookup(&self, _: &KeyId) -> Flow<'_, Option<Self::Found>> {
        Flow::ready(Some(Candidates::one(self.0.verifying(), "acme")))
    }
}

/// A sender and a receiver of one of the six kinds; `outbound` may be wrong.
fn deliver(outbound: &str, inbound: &str) -> (DeliveryEnd, Vec<u16>) {
    deliver_to(Arc::new(WebhookReceiver::authorized(connection(), verifier(inbound))), outbound)
}

fn deliver_to(door: Door, outbound: &str) -> (DeliveryEnd, Vec<u16>) {
    let issuer = SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32]).unwrap();
    let statuses: Arc<Mutex<Vec<u16>>> = Arc::default();
    let told = Arc::clone(&statuses);
    let transport = ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
        if request.uri().path() == "/token" {
            let right = request.body().windows(6).any(|window| window == b"s3cret");
            let claims = ClaimsToSign::expiring_in(Duration::from_secs(60)).unwrap();
            let claims = claims.with_issuer("https://login.example").with_audience("hooks");
            let token = claims.sign(&issuer, SystemClock.now(), None).unwrap();
            let body = format!(r#"{{"access_token":"{}","token_type":"Bearer"}}"#, token.expose());
            return Ok(Response::builder()
                .status(if right { 200 } else { 401 })
                .body(body.into_bytes())
                .unwrap());
        }
        let answer =
            serve(&door, &|delivery| if delivery.sender == "acme" { 200 } else { 500 }, request);
        told.lock().unwrap().push(answer.status().as_u16());
        Ok(answer)
    });
    let transport: Arc<dyn Transport> = Arc::new(transport);
    let set =
        AuthorizationSet::builder(move |_: &TenantId, _: Option<&str>| Ok(Arc::clone(&transport)))
            .build()
            .unwrap();
    let acme = set.of_tenant(&TenantId::new("acme"));
    acme.save("out", serde_json::from_str(outbound).unwrap(), ConfiguredBy::Tenant).unwrap();
    let url = WebhookUrl::parse("https://hooks.example/receipts?x=1").unwrap();
    acme.subscribe("hook", Subscription::webhook(url).under("out")).unwrap();
    let sender = WebhookSender::new(&set, DeliveryPlan::default());
    let delivery = WebhookDelivery::json(
        "d1",
        r#"{"channel":"message","transaction_id":"1","status":"delivered"}"#,
    );
    let report = sender.deliver(acme.tenant(), "hook", delivery).wait().unwrap();
    let statuses = statuses.lock().unwrap().clone();
    (report.end, statuses)
}

#[track_caller]
fn check(outbound: &str, inbound: &str, expected: &[u16]) {
    let (end, statuses) = deliver(outbound, inbound);
    assert_eq!((end, &*statuses), (DeliveryEnd::Delivered, expected));
    let wrong = outbound
        .replace(r#":"p""#, r#":"q""#)
        .replace("s3cret", "s3cres")
        .replace("v4lue", "v4lux");
    if wrong != outbound {
        let (end, statuses) = deliver(&wrong, inbound);
        assert!(matches!(end, DeliveryEnd::Exhausted | DeliveryEnd::Held(_)), "{end:?}");
        assert!(statuses.iter().all(|status| [401, 403].contains(status)), "{statuses:?}");
    }
}

#[test]
fn each_of_the_six_is_verified_and_wrong_credentials_are_refused() {
    check(r#"{"type":"none"}"#, r#"{"type":"none"}"#, &[200]);
    check(
        r#"{"type":"basic","username":"u","password":"p"}"#,
        r#"{"type":"basic","realm":"hooks"}"#,
        &[200],
    );
    check(
        r#"{"type":"digest","username":"u","password":"p"}"#,
        r#"{"type":"digest","realm":"hooks"}"#,
        &[401, 200],
    );
    check(
        r#"{"type":"aws_signature","access_key":"AKIDEXAMPLE","secret_key":"s3cret","region":"eu-west-1","service_name":"execute-api"}"#,
        r#"{"type":"aws_signature","region":"eu-west-1","service_name":"execute-api"}"#,
        &[200],
    );
    check(
        r#"{"type":"api_key","key":"X-Key","key_value":"v4lue"}"#,
        r#"{"type":"api_key","key":"x-key"}"#,
        &[200],
    );
    check(
        r#"{"type":"oauth2","grant_type":"client_credentials","client_id":"id","client_secret":"s3cret","access_token_url":"https://login.example/token"}"#,
        r#"{"type":"oauth2","issuer":"https://login.example","audience":"hooks"}"#,
        &[200],
    );
}

/// Knows the passwords, and tells receivers the secret of one session.
struct DomainController;

impl Lookup<DigestQuery<'_>> for DomainController {
    type Found = Candidates<DigestUserRecord, &'static str>;

    fn lookup(&self, query: &DigestQuery<'_>) -> Flow<'_, Option<Self::Found>> {
        let ha1 = Ha1::new(query.algorithm.function(), "u", query.realm.as_bytes(), b"p");
        let secret = match query.algorithm.is_session() {
            true => UserSecret::Session(ha1.session(query.algorithm, query.nonce, query.cnonce)),
            false => UserSecret::Ha1(ha1),
        };
        let record = DigestUserRecord { user: "u".into(), secret };
        Flow::ready(Some(Candidates::one(record, "acme")))
    }
}

#[test]
fn a_receiver_offers_the_algorithms_that_it_is_told() {
    let inbound = |algorithms: &str| {
        let text = format!(r#"{{"type":"digest","realm":"hooks","algorithms":{algorithms}}}"#);
        serde_json::from_str::<InboundAuthorization>(&text).unwrap()
    };
    let known = || InboundLookUps::new().with_digest_users(DomainController);
    let door = |algorithms: &str| -> Door {
        let verifier = inbound(algorithms).verifier(known()).unwrap();
        Arc::new(WebhookReceiver::authorized(connection(), verifier))
    };
    for (algorithms, offered) in [
        ("[]", "SHA-256"),
        (r#"["SHA-512-256"]"#, "SHA-512-256"),
        (r#"["SHA-256-sess"]"#, "SHA-256-sess"),
        (r#"["SHA-256", "SHA-512-256-sess"]"#, "SHA-512-256-sess"),
    ] {
        let asked = serve(&door(algorithms), &|_| 200, &Request::post("/in").body(vec![]).unwrap());
        let field = asked.headers()["www-authenticate"].to_str().unwrap();
        assert!(field.contains(&format!("algorithm={offered},")), "{field}");
        for (password, expected) in [("p", &[401, 200][..]), ("q", &[401, 401])] {
            let out = format!(r#"{{"type":"digest","username":"u","password":"{password}"}}"#);
            let (_, statuses) = deliver_to(door(algorithms), &out);
            assert_eq!(&statuses[..2], expected, "{algorithms} {password}");
        }
    }
    let error = inbound(r#"["SHA-1"]"#).verifier(known()).unwrap_err();
    assert_eq!(error.code(), "webhook_digest_algorithm");
    assert!(error.to_string().contains("algorithms has \"SHA-1\""), "{error}");
    let plain = r#"{"type":"digest","realm":"hooks"}"#;
    assert_eq!(serde_json::to_string(&inbound("[]")).unwrap(), plain);
}

#[test]
fn look_ups_that_know_nobody_are_told() {
    for (inbound, method) in [
        (r#"{"type":"none"}"#, "with_everybody"),
        (r#"{"type":"basic","realm":"r"}"#, "with_passwords"),
        (r#"{"type":"digest","realm":"r"}"#, "with_digest_users"),
        (r#"{"type":"aws_signature","region":"r","service_name":"s"}"#, "with_access_keys"),
        (r#"{"type":"api_key","key":"k"}"#, "with_api_keys"),
        (r#"{"type":"oauth2","issuer":"i","audience":"a"}"#, "with_issuer_keys"),
    ] {
        let inbound: InboundAuthorization = serde_json::from_str(inbound).unwrap();
        let error = inbound.verifier(InboundLookUps::<()>::new()).unwrap_err();
        assert!(error.to_string().contains(method), "{error}");
    }
    assert!(
        serde_json::from_str::<InboundAuthorization>(
            r#"{"type":"basic","realm":"r","password":"p"}"#
        )
        .is_err()
    );
}

fn hub() -> (BodySigner, BodySignatureVerifier<&'static str>) {
    let form = SignatureForm::HubSignature { algorithm: Default::default() };
    let secret = Secret::from("hub secret");
    let signer =
        BodySigner::new(form.clone(), BodySigningKey::read(&form, &secret).unwrap()).unwrap();
    let key = BodyVerifyingKey::read(&form, &secret).unwrap();
    (signer, BodySignatureVerifier::new(form, Candidates::one(key, "acme")).unwrap())
}

fn signed(id: Option<&str>, body: &[u8]) -> Request<Vec<u8>> {
    let (signer, _) = hub();
    let uri = Uri::from_static("https://hooks.example/x");
    let fields =
        signer.sign(crate::SignableDelivery::new("d1", SystemClock.now(), &uri, body)).unwrap();
    let mut request = Request::new(body.to_vec());
    (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) =
        (Method::POST, uri, fields);
    request.headers_mut().remove("x-wx-gtrid");
    if let Some(id) = id {
        request.headers_mut().insert("x-wx-gtrid", id.parse().unwrap());
    }
    request
}

#[test]
fn an_id_that_is_not_signed_never_makes_a_delivery_fresh() {
    let door: Door = Arc::new(
        WebhookReceiver::signed(connection(), hub().1).once(MemoryReplayStore::new(SystemClock)),
    );
    let handled = AtomicUsize::new(0);
    let handler = |_: &Delivery<_>| {
        handled.fetch_add(1, Ordering::Relaxed);
        200
    };
    for id in [Some("a"), Some("a"), Some("b"), None] {
        assert_eq!(serve(&door, &handler, &signed(id, b"{}")).status(), 200);
    }
    assert_eq!(handled.load(Ordering::Relaxed), 1);
    assert_eq!(serve(&door, &handler, &signed(Some("a"), b"{ }")).status(), 200);
    assert_eq!(handled.load(Ordering::Relaxed), 2);
}

#[test]
fn a_delivery_that_failed_is_handed_on_again_and_one_under_way_is_not() {
    let door: Door = Arc::new(
        WebhookReceiver::signed(connection(), hub().1).once(MemoryReplayStore::new(SystemClock)),
    );
    let request = signed(None, b"{}");
    assert_eq!(serve(&door, &|_| 500, &request).status(), 500);
    let inner = Arc::clone(&door);
    let meanwhile = move |_: &Delivery<_>| {
        let again = serve(&inner, &|_| panic!("it is being handled"), &signed(None, b"{}"));
        assert_eq!(
            (again.status().as_u16(), &**again.body()),
            (503, b"webhook_under_way".as_slice())
        );
        202
    };
    assert_eq!(serve(&door, &meanwhile, &request).status(), 202);
    let again = serve(&door, &|_| panic!("it was handled"), &request);
    assert_eq!((again.status().as_u16(), &**again.body()), (200, b"webhook_handled".as_slice()));
    // A handler that is dropped without a reply.
    let door: Door = Arc::new(
        WebhookReceiver::signed(connection(), hub().1).once(MemoryReplayStore::new(SystemClock)),
    );
    let view = RequestView::new(request.method(), request.uri(), request.headers())
        .with_body(Body::Bytes(b"{}"));
    drop(door.verify(view).wait().unwrap().unwrap());
    assert_eq!(serve(&door, &|_| 200, &request).status(), 200);
}

#[test]
fn repetitions_are_told_apart_by_tenant_and_authorization() {
    let store = Arc::new(MemoryReplayStore::new(SystemClock));
    let door = |tenant: &str, authorization: &str| -> Door {
        let connection = ConnectionId::new(TenantId::new(tenant), authorization);
        Arc::new(WebhookReceiver::signed(connection, hub().1).once(Arc::clone(&store)))
    };
    let handled = AtomicUsize::new(0);
    let handler = |_: &Delivery<_>| {
        handled.fetch_add(1, Ordering::Relaxed);
        200
    };
    for (tenant, authorization) in [("acme", "a"), ("acme", "a"), ("acme", "b"), ("other", "a")] {
        serve(&door(tenant, authorization), &handler, &signed(None, b"{}"));
    }
    assert_eq!(handled.load(Ordering::Relaxed), 3);
}

/// The answers, held against what makes a sender come back.
#[test]
fn the_answers_follow_the_senders_rules() {
    let both = || {
        let (_, signature) = hub();
        let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
        let inbound: InboundAuthorization =
            serde_json::from_str(r#"{"type":"basic","realm":"hooks"}"#).unwrap();
        let accounts = BasicAccounts::new(&hasher, [("u", "p", "acme"), ("v", "p", "other")]);
        let known = InboundLookUps::new().with_passwords(accounts);
        WebhookReceiver::authorized_and_signed(
            connection(),
            inbound.verifier(known).unwrap(),
            signature,
        )
    };
    let listed = |list: &str| AddressList::new([list]).unwrap();
    let with = |user: &str, request: Request<Vec<u8>>| {
        let mut request = request;
        request.headers_mut().insert("authorization", user.parse().unwrap());
        request
    };
    let good = || with("Basic dTpw", signed(None, b"{}"));
    let check = |door: Door, request: Request<Vec<u8>>, expected: u16, comes_back: bool| {
        let answer = serve(&door, &|_| 200, &request);
        assert_eq!(answer.status(), expected, "{:?}", String::from_utf8_lossy(answer.body()));
        let outcome = crate::DeliveryOutcome::of(answer.status());
        assert_eq!(matches!(outcome, crate::DeliveryOutcome::Refused), comes_back, "{expected}");
    };
    check(Arc::new(both()), good(), 200, false);
    check(Arc::new(both()), with("Basic dTpx", signed(None, b"{}")), 401, true);
    check(Arc::new(both()), signed(None, b"{}"), 401, true);
    let mut unsigned = good();
    unsigned.headers_mut().remove("x-hub-signature");
    check(Arc::new(both()), unsigned, 401, true);
    let mut forged = good();
    *forged.body_mut() = b"{ }".to_vec();
    check(Arc::new(both()), forged, 401, true);
    let mut malformed = good();
    malformed.headers_mut().insert("x-hub-signature", "sha256=xy".parse().unwrap());
    check(Arc::new(both()), malformed, 400, false);
    check(Arc::new(both()), with("Basic djpw", signed(None, b"{}")), 403, true);
    check(Arc::new(both().with_addresses(listed("192.0.2.0/24"))), good(), 200, false);
    check(Arc::new(both().with_addresses(listed("198.51.100.0/24"))), good(), 403, true);
    check(Arc::new(both().once(Down)), good(), 503, true);
}

/// A store that cannot tell.
struct Down;

impl ReplayStore for Down {
    fn check_and_set(&self, _: &Unique) -> Flow<'_, ReplayOutcome> {
        down()
    }

    fn window(&self, _: &Unique, _: u64, _: u32) -> Flow<'_, ReplayOutcome> {
        down()
    }

    fn reserve(&self, _: &Unique, _: Duration) -> Flow<'_, ReservationOutcome> {
        down()
    }

    fn confirm(&self, _: &Unique, _: ReservationTicket) -> Flow<'_, bool> {
        down()
    }

    fn release(&self, _: &Unique, _: ReservationTicket) -> Flow<'_, bool> {
        down()
    }
}

fn down<T: Send>() -> Flow<'static, T> {
    Flow::failed(Error::transport("store_down", "store does not answer"))
}

/// Without credentials no body is read, and the answer is the challenge all the same.
#[test]
fn what_brings_no_credentials_is_refused_before_its_body_is_read() {
    let bare = || signed(None, b"{}");
    let unsigned = || {
        let mut request = bare();
        request.headers_mut().remove("x-hub-signature");
        request
    };
    let signed_alone: Door = Arc::new(WebhookReceiver::signed(connection(), hub().1));
    for (door, challenge) in [
        (inbound(r#"{"type":"basic","realm":"hooks"}"#), "Basic"),
        (inbound(r#"{"type":"digest","realm":"hooks"}"#), "Digest"),
        (inbound(r#"{"type":"api_key","key":"x-key"}"#), "ApiKey"),
        (inbound(r#"{"type":"oauth2","issuer":"https://i.example","audience":"a"}"#), "Bearer"),
        (signed_alone, "WebhookSignature"),
    ] {
        let answer = serve(&door, &|_| panic!("nobody was proven"), &unsigned());
        assert_eq!(answer.status(), 401, "{challenge}");
        let told = answer.headers()["www-authenticate"].to_str().unwrap();
        assert!(told.starts_with(challenge), "{told}, expected {challenge}");
    }
    let open: Door = inbound(r#"{"type":"none"}"#);
    assert_eq!(serve(&open, &|_| 200, &unsigned()).status(), 200);
    let both = WebhookReceiver::authorized_and_signed(
        connection(),
        verifier(r#"{"type":"none"}"#),
        hub().1,
    );
    let both: Door = Arc::new(both);
    assert_eq!(serve(&both, &|_| 200, &bare()).status(), 200);
    assert_eq!(serve(&both, &|_| panic!("it is unsigned"), &unsigned()).status(), 401);
}

fn inbound(text: &str) -> Door {
    Arc::new(WebhookReceiver::authorized(connection(), verifier(text)))
}

/// Over look-ups that know one sender of each type.
fn verifier(text: &str) -> InboundVerifier<&'static str> {
    let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
    let known = InboundLookUps::new()
        .with_everybody("acme")
        .with_passwords(BasicAccounts::new(&hasher, [("u", "p", "acme")]))
        .with_digest_users(DigestUser(Ha1::new(HashFunction::Sha256, "u", b"hooks", b"p")))
        .with_access_keys(AccessKeys::new([(
            auth_sigv4::AccessKey::new("AKIDEXAMPLE", "s3cret").unwrap(),
            "acme",
        )]))
        .with_api_keys(hasher.clone(), FixedKeys::new(&hasher, [("v4lue", "acme")]))
        .with_issuer_keys(IssuerKey(
            SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32]).unwrap(),
        ));
    serde_json::from_str::<InboundAuthorization>(text).unwrap().verifier(known).unwrap()
}

#[test]
fn an_address_that_is_unknown_is_told_apart_from_one_that_is_not_listed() {
    let list = AddressList::new(["192.0.2.0/24"]).unwrap();
    let door = WebhookReceiver::signed(connection(), hub().1).with_addresses(list);
    let request = signed(None, b"{}");
    let told = |address: Option<IpAddr>| {
        let peer = Peer { address, ..Peer::default() };
        let view =
            RequestView::new(request.method(), request.uri(), request.headers()).with_peer(peer);
        let outcome = door.verify(view.with_body(Body::Bytes(b"{}"))).wait().unwrap();
        outcome.map(drop).map_err(|refused| (refused.status().as_u16(), refused.reason().code))
    };
    assert_eq!(told(Some(IpAddr::from([192, 0, 2, 9]))), Ok(()));
    assert_eq!(told(Some(IpAddr::from([198, 51, 100, 9]))), Err((403, "webhook_address")));
    assert_eq!(told(None), Err((403, "webhook_address_unknown")));
}

/// The receiver's limit counts, whatever its signature's verifier was told.
#[test]
fn the_limit_of_a_body_is_the_receivers() {
    let signature = hub().1.with_most_body_bytes(10);
    let door = WebhookReceiver::signed(connection(), signature).with_most_body_bytes(4 << 20);
    let request = signed(None, b"{}");
    let view = RequestView::new(request.method(), request.uri(), request.headers());
    assert_eq!(door.needs(view), Need::Bytes { limit: 4 << 20 });
}

#[test]
fn a_receiver_whose_body_was_not_read_says_so() {
    let door = WebhookReceiver::signed(connection(), hub().1);
    let request = signed(None, b"{}");
    let view = RequestView::new(request.method(), request.uri(), request.headers());
    let judged: Result<_> = door.verify(view).wait();
    assert_eq!(judged.unwrap_err().code(), "webhook_unread_body");
}

/// As a layer over HTTP asks: the body is read where presence and needs say so, and not else.
fn ask_as_a_layer(door: &Door, request: &Request<Vec<u8>>, address: Option<IpAddr>) -> (u16, bool) {
    let mut peer = Peer::default();
    (peer.address, peer.encrypted) = (address, true);
    let view = RequestView::new(request.method(), request.uri(), request.headers()).with_peer(peer);
    let need = match door.presence(view) {
        Presence::Absent => Need::Nothing,
        Presence::Present => door.needs(view),
    };
    let is_read = !matches!(need, Need::Nothing);
    let view = if is_read { view.with_body(Body::Bytes(request.body())) } else { view };
    match door.verify(view).wait().unwrap() {
        Ok(_) => (200, is_read),
        Err(refused) => {
            assert!(refused.status() != 401 || !refused.challenges().is_empty());
            (refused.status().as_u16(), is_read)
        }
    }
}

#[test]
fn no_body_is_read_of_a_request_that_its_head_refuses() {
    let known = Some(IpAddr::from([192, 0, 2, 1]));
    let basic = || {
        let hasher = KeyHasher::random(&SystemRandom::new()).unwrap();
        let accounts = BasicAccounts::new(&hasher, [("u", "p", "acme")]);
        let inbound: InboundAuthorization =
            serde_json::from_str(r#"{"type":"basic","realm":"hooks"}"#).unwrap();
        inbound.verifier(InboundLookUps::new().with_passwords(accounts)).unwrap()
    };
    let none =
        || InboundAuthorization::None {}.verifier(InboundLookUps::new().with_everybody("acme"));
    let listed = || AddressList::new(["192.0.2.0/24"]).unwrap();
    let authorized: Door = Arc::new(WebhookReceiver::authorized(connection(), basic()));
    let everybody: Door = Arc::new(WebhookReceiver::authorized(connection(), none().unwrap()));
    let listed_hub: Door =
        Arc::new(WebhookReceiver::signed(connection(), hub().1).with_addresses(listed()));
    let both: Door =
        Arc::new(WebhookReceiver::authorized_and_signed(connection(), none().unwrap(), hub().1));
    let bare = || Request::post("https://hooks.example/x").body(b"{}".to_vec()).unwrap();
    let with = |name: &'static str, value: &str| {
        let mut request = bare();
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let mut twice = signed(None, b"{}");
    twice.headers_mut().append("x-hub-signature", "sha256=00".parse().unwrap());
    for (door, request, address, expected) in [
        (&authorized, bare(), known, (401, false)),
        (&authorized, with("authorization", "Basic dTpw"), known, (200, true)),
        (&everybody, bare(), known, (200, true)),
        (&listed_hub, bare(), known, (401, false)),
        (&listed_hub, signed(None, b"{}"), known, (200, true)),
        (&listed_hub, signed(None, b"{}"), None, (403, false)),
        (&listed_hub, signed(None, b"{}"), Some(IpAddr::from([198, 51, 100, 1])), (403, false)),
        (&listed_hub, twice, known, (400, false)),
        (&both, bare(), known, (401, false)),
        (&both, signed(None, b"{}"), known, (200, true)),
    ] {
        assert_eq!(ask_as_a_layer(door, &request, address), expected, "{request:?}");
    }
}

/// Many connections bring one delivery at once, and the handler fails now and then.
#[test]
fn of_many_at_once_one_is_handled_and_a_handler_that_panics_frees_the_delivery() {
    let door: Door = Arc::new(
        WebhookReceiver::signed(connection(), hub().1).once(MemoryReplayStore::new(SystemClock)),
    );
    let (at_work, handled) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let handler = |_: &Delivery<&'static str>| {
        assert_eq!(at_work.fetch_add(1, Ordering::SeqCst), 0, "two handle one delivery");
        std::thread::sleep(Duration::from_millis(1));
        at_work.fetch_sub(1, Ordering::SeqCst);
        match handled.fetch_add(1, Ordering::SeqCst) {
            0 => 500,
            1 => panic!("a bug of the handler"),
            _ => 200,
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let request = signed(None, b"{}");
                    let served = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        serve(&door, &handler, &request).status().as_u16()
                    }));
                    assert!(matches!(served, Err(_) | Ok(200 | 500 | 503)));
                }
            });
        }
    });
    assert_eq!(handled.load(Ordering::SeqCst), 3);
}

/// What the scheme owes the sender when the handler has replied is not lost behind the repetition's check.
#[test]
fn a_digest_sender_is_answered_with_proof_behind_once() {
    use auth_core::{Authenticator, Exchange, send};
    let users = DigestUser(Ha1::new(HashFunction::Sha256, "u", b"hooks", b"p"));
    let inbound =
        InboundAuthorization::Digest { realm: "hooks".to_owned(), algorithms: Vec::new() };
    let known = InboundLookUps::new().with_digest_users(users);
    let door = WebhookReceiver::authorized(connection(), inbound.verifier(known).unwrap());
    let door: Door = Arc::new(door.once(MemoryReplayStore::new(SystemClock)));
    let transport = ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
        Ok(serve(&door, &|_| 200, request))
    });
    let digest = auth_digest::Digest::new("u", Secret::from("p"), SystemRandom::new()).unwrap();
    let request = Request::post("https://hooks.example/x").body(b"{}".to_vec()).unwrap();
    let sender: &dyn Authenticator = &digest;
    let answer = send(&transport, sender, Exchange::new(request)).wait().unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["authentication-info"].to_str().unwrap().contains("rspauth="));
}
