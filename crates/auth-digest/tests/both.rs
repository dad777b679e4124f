//! Both ends against each other, over every combination of what a server can ask for.

#![allow(clippy::unwrap_used, clippy::panic)]

use auth_core::{
    Answer, Authenticator, Authorization, Body, HandlerReply, MemoryReplayStore, Need, NextStep,
    Outcome, Peer, Rejection, RequestView, RetryBudget, SystemRandom, Timestamp, Verifier as _,
};
use auth_digest::{
    Digest, DigestAccounts, DigestAlgorithm, DigestPrincipal, DigestResponse, DigestVerifier, Ha1,
    HashFunction, Nonces, OfferedQop,
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Uri,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
const TARGET: &str = "https://a.example/dir/index.html?q=%41";
const NAME: &str = "J\u{e4}s\u{f8}n Doe";
const PASSWORD: &str = "Secret, or n\u{f6}t?";

/// What a server asks for.
#[derive(Clone, Copy, Debug)]
struct Combination {
    algorithm: DigestAlgorithm,
    protection: OfferedQop,
    userhash: bool,
    charset: bool,
}

fn combinations() -> Vec<Combination> {
    let mut all = Vec::new();
    for algorithm in &DigestAlgorithm::ALL[..6] {
        for protection in
            [OfferedQop::Legacy, OfferedQop::Auth, OfferedQop::AuthInt, OfferedQop::Both]
        {
            for (userhash, charset) in [(false, false), (false, true), (true, false), (true, true)]
            {
                if protection != OfferedQop::Legacy || !algorithm.is_session() {
                    all.push(Combination { algorithm: *algorithm, protection, userhash, charset });
                }
            }
        }
    }
    all
}

impl Combination {
    fn door(self, realm: &str) -> DigestVerifier<DigestAccounts> {
        let mut accounts = DigestAccounts::new();
        for function in [HashFunction::Md5, HashFunction::Sha256, HashFunction::Sha512_256] {
            let ha1 = Ha1::new(function, NAME, realm.as_bytes(), PASSWORD.as_bytes());
            accounts.add(NAME, realm, ha1).unwrap();
        }
        let nonces = Nonces::new(&[7; 32], SystemRandom::new(), NOW).unwrap();
        let store = MemoryReplayStore::new(NOW);
        let door = DigestVerifier::new(realm, accounts, nonces, store).unwrap();
        let door = door.with_algorithms(&[self.algorithm]).unwrap();
        let door = door.with_qop(self.protection).unwrap();
        let door = if self.userhash { door.with_userhash() } else { door };
        if self.charset { door } else { door.without_charset() }
    }
}

fn client(password: &str) -> Digest {
    Digest::new(NAME, password, SystemRandom::new()).unwrap()
}

/// What a server adapter does.
fn judge(
    door: &DigestVerifier<DigestAccounts>,
    headers: &HeaderMap,
    body: &[u8],
) -> Outcome<DigestPrincipal> {
    let uri: Uri = TARGET.parse().unwrap();
    let peer = Peer { encrypted: true, ..Peer::UNKNOWN };
    let request = RequestView::new(&Method::POST, &uri, headers).with_peer(peer);
    let body = match door.needs(request) {
        Need::Nothing => Body::Unread,
        Need::Bytes { .. } => Body::Bytes(body),
    };
    door.verify(request.with_body(body)).wait().unwrap()
}

fn reply(outcome: Outcome<DigestPrincipal>) -> (StatusCode, HeaderMap) {
    match outcome {
        Ok(mut accepted) => {
            let (status, headers) = (StatusCode::OK, HeaderMap::new());
            let proof = accepted.take_obligations().completions.pop().unwrap();
            let body = match proof.needs(status, &headers) {
                Need::Nothing => Body::Unread,
                _ => Body::Bytes(b"reply"),
            };
            (status, proof.complete(HandlerReply::new(status, &headers, body)).wait().unwrap())
        }
        Err(rejection) => {
            let fields = rejection.challenges().iter();
            let fields = fields.map(|it| (WWW_AUTHENTICATE, it.field().clone())).collect();
            (rejection.status(), fields)
        }
    }
}

/// What a client adapter does; says how often it sent the request.
fn drive(
    client: &Digest,
    door: &DigestVerifier<DigestAccounts>,
    body: &[u8],
) -> (StatusCode, usize) {
    let (target, none) = (TARGET.parse::<Uri>().unwrap(), HeaderMap::new());
    let (mut attempts, mut sent) = (RetryBudget::default(), 0);
    loop {
        sent += 1;
        let view = RequestView::new(&Method::POST, &target, &none).with_body(Body::Bytes(body));
        let credentials = client.credentials(view).wait().unwrap();
        let (mut uri, mut headers) = (target.clone(), HeaderMap::new());
        credentials.commit(&mut uri, &mut headers).unwrap();
        let (status, fields) = reply(judge(door, &headers, body));
        let request = RequestView::new(&Method::POST, &uri, &headers);
        let mut answer = Answer::new(request, status, &fields);
        if client.reads(status, &fields) != Need::Nothing {
            answer = answer.with_body(b"reply");
        }
        let verdict = client.assess(&credentials, answer);
        if let NextStep::Deliver = attempts.next(&credentials, verdict).unwrap() {
            return (status, sent);
        }
    }
}

#[test]
fn ours_accepts_ours_and_refuses_a_wrong_password() {
    assert_eq!(combinations().len(), 84);
    for combination in combinations() {
        let door = combination.door("r");
        let (right, wrong) = (client(PASSWORD), client("wrong"));
        assert_eq!(drive(&right, &door, b"{}"), (StatusCode::OK, 2), "{combination:?}");
        assert_eq!(drive(&right, &door, b"{}"), (StatusCode::OK, 1), "{combination:?}");
        assert_eq!(drive(&wrong, &door, b"{}"), (StatusCode::UNAUTHORIZED, 2), "{combination:?}");
    }
}

/// The field that answers a door.
fn answered(door: &DigestVerifier<DigestAccounts>, body: &[u8]) -> HeaderValue {
    let (client, target, none) =
        (client(PASSWORD), TARGET.parse::<Uri>().unwrap(), HeaderMap::new());
    let view = RequestView::new(&Method::POST, &target, &none).with_body(Body::Bytes(body));
    let bare = client.credentials(view).wait().unwrap();
    let (status, fields) = reply(judge(door, &none, body));
    client.assess(&bare, Answer::new(view, status, &fields));
    let (mut uri, mut headers) = (target.clone(), HeaderMap::new());
    client.credentials(view).wait().unwrap().commit(&mut uri, &mut headers).unwrap();
    headers.remove(AUTHORIZATION).unwrap()
}

fn refused(
    door: &DigestVerifier<DigestAccounts>,
    field: HeaderValue,
    body: &[u8],
) -> Option<Rejection> {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, field)]);
    judge(door, &headers, body).err()
}

/// Does the field say the same, spelled otherwise? MD5 is meant whether it is named or not.
fn says_the_same(field: &[u8], other: &[u8]) -> bool {
    let named = |field| {
        let field = Authorization::parse(field).ok().filter(|field| field.is("Digest"))?;
        let mut read = DigestResponse::parse(field.credentials()).ok()?;
        read.named = Some(read.algorithm());
        Some(read)
    };
    let (one, other) = (named(field), named(other));
    one.is_some() && one == other
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bit_that_is_flipped_is_noticed(at: prop::sample::Index, bit in 0_u32..8) {
        for combination in combinations() {
            let door = combination.door("r");
            let good = answered(&door, b"{}");
            let mut flipped = good.as_bytes().to_vec();
            flipped[at.index(good.len())] ^= 1 << bit;
            let Ok(field) = HeaderValue::from_bytes(&flipped) else { continue };
            if says_the_same(good.as_bytes(), &flipped) {
                continue;
            }
            let rejection = refused(&door, field, b"{}");
            let text = String::from_utf8_lossy(&flipped);
            prop_assert!(rejection.is_some(), "{:?}: {}", combination, text);
            prop_assert_ne!(rejection.unwrap().reason().code, "digest_replayed");
            prop_assert!(refused(&door, good, b"{}").is_none(), "{:?}", combination);
        }
    }

    #[test]
    fn under_auth_int_any_bit_of_the_body_is_noticed(at: prop::sample::Index, bit in 0_u32..8) {
        for combination in combinations().into_iter().filter(|it| it.protection == OfferedQop::AuthInt) {
            let door = combination.door("r");
            let (good, body) = (answered(&door, b"pay 1 to bob"), b"pay 1 to bob");
            let mut flipped = body.to_vec();
            flipped[at.index(body.len())] ^= 1 << bit;
            let rejection = refused(&door, good.clone(), &flipped).unwrap();
            prop_assert_eq!(rejection.reason().code, "digest_response_wrong");
            prop_assert!(refused(&door, good, body).is_none());
        }
    }

    #[test]
    fn what_is_printed_reads_the_same(realm in "[ -~\u{e9}\t]{0,20}") {
        for combination in combinations() {
            let door = combination.door(&realm);
            let field = answered(&door, b"{}");
            let read = Authorization::parse(field.as_bytes()).unwrap();
            let read = DigestResponse::parse(read.credentials()).unwrap();
            let printed = read.write();
            prop_assert_eq!(&printed, field.as_bytes());
            let rejection = refused(&door, HeaderValue::from_bytes(&printed).unwrap(), b"{}");
            prop_assert!(rejection.is_none());
        }
    }
}
