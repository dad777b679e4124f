//! What others get wrong, as it was found by trying them, and what ours does.
//!
//! Each test names the probe; none needs the peer. Where a defect is a server's or client's on the wire, the other end
//! is played here.

#![allow(clippy::unwrap_used, clippy::panic)]

use auth_core::{
    Answer, Authenticator, Authorization, Body, Credentials, MemoryReplayStore, Need, NextStep,
    Peer, RequestView, Result, RetryBudget, SystemRandom, Timestamp, Verifier as _,
};
use auth_digest::{
    AuthenticationInfo, BodyHash, ChallengePolicy, Digest, DigestAccounts, DigestAlgorithm,
    DigestChallenge, DigestMessage, DigestProtection, DigestRefusalKind, DigestResponse,
    DigestVerifier, Ha1, HashFunction, NonceCount, NonceUse, Nonces, OfferedQop, Qop, Username,
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode, Uri,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};

/// What a server answers.
struct Said(u16, Vec<(&'static str, Vec<u8>)>);

fn ask(challenge: &str) -> Said {
    Said(401, vec![("www-authenticate", challenge.as_bytes().to_vec())])
}

fn ok() -> Said {
    Said(200, Vec::new())
}

/// What a client adapter does with one request; says how it ended and how often it was sent.
fn drive(
    digest: &Digest,
    body: Body<'_>,
    mut server: impl FnMut(Option<&[u8]>) -> Said,
) -> Result<(u16, usize)> {
    let (target, none) = (Uri::from_static("https://a.example/a?b"), HeaderMap::new());
    let (mut attempts, mut sent) = (RetryBudget::default(), 0);
    loop {
        sent += 1;
        let view = RequestView::new(&Method::POST, &target, &none).with_body(body);
        let credentials = digest.credentials(view).wait()?;
        let (mut uri, mut headers) = (target.clone(), HeaderMap::new());
        credentials.commit(&mut uri, &mut headers)?;
        let Said(status, fields) = server(headers.get(AUTHORIZATION).map(HeaderValue::as_bytes));
        let fields: HeaderMap = fields
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::try_from(value).unwrap()))
            .collect();
        let request = RequestView::new(&Method::POST, &uri, &headers);
        let status = StatusCode::from_u16(status).unwrap();
        let verdict = digest.assess(&credentials, Answer::new(request, status, &fields));
        if let NextStep::Deliver = attempts.next(&credentials, verdict)? {
            return Ok((status.as_u16(), sent));
        }
    }
}

fn alice() -> Digest {
    Digest::new("alice", "s3cret", SystemRandom::new()).unwrap()
}

/// The first answer to a challenge.
#[track_caller]
fn answered(digest: &Digest, challenge: &str) -> String {
    let mut answered = None;
    drive(digest, Body::Bytes(b""), |field| match field {
        None => ask(challenge),
        Some(field) => {
            answered = Some(String::from_utf8(field.to_vec()).unwrap());
            ok()
        }
    })
    .unwrap();
    answered.unwrap()
}

fn read(field: &str) -> DigestResponse<'_> {
    DigestResponse::parse(field.strip_prefix("Digest ").unwrap().as_bytes()).unwrap()
}

/// digest_auth 0.3 answers `auth` when only `auth-int` is offered and it was given no body.
#[test]
fn auth_int_is_not_given_up_for_want_of_a_body() {
    let only = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth-int\"";
    let unread = drive(&alice(), Body::Unread, |_| ask(only));
    assert_eq!(unread.unwrap_err().code(), "digest_body_unread");
    assert_eq!(read(&answered(&alice(), only)).qop(), Some(Qop::AuthInt));
    let wanted = alice().with_policy(ChallengePolicy::new().with_qop(Qop::AuthInt));
    let other = drive(&wanted, Body::Bytes(b""), |_| ask(&only.replace("auth-int", "auth")));
    assert_eq!(other.unwrap_err().code(), "digest_choice_qop");
}

/// diqwest 3 keeps realm, nonce, opaque and the first qop, but neither algorithm nor userhash nor charset: against a
/// SHA-256 server each further request is made with MD5 and costs a round trip.
#[test]
fn nothing_of_a_challenge_is_lost_on_the_second_request() {
    let user = "J\u{e4}s\u{f8}n";
    for (rest, begin) in [
        (", charset=UTF-8", "Digest username*=UTF-8''J%C3%A4s%C3%B8n, realm"),
        (", charset=UTF-8, userhash=true", "Digest username=\""),
    ] {
        for algorithm in &DigestAlgorithm::ALL[..6] {
            let digest = Digest::new(user, "p", SystemRandom::new()).unwrap();
            let challenge = format!(
                "Digest realm=\"r\", nonce=\"n\", opaque=\"o\", algorithm={algorithm}, qop=\"auth\"{rest}"
            );
            let first = answered(&digest, &challenge);
            let mut second = String::new();
            let sent = drive(&digest, Body::Unread, |field| {
                second = String::from_utf8(field.unwrap().to_vec()).unwrap();
                ok()
            });
            assert_eq!(sent.unwrap(), (200, 1));
            let (first, second) = (read(&first), read(&second));
            assert!(second.write().starts_with(begin.as_bytes()));
            assert_eq!(second.named, Some(*algorithm));
            assert_eq!((&first.username, &first.opaque), (&second.username, &second.opaque));
            let counts = [first.counted.unwrap().nc, second.counted.unwrap().nc];
            assert_eq!(counts.map(NonceCount::number), [1, 2]);
        }
    }
}

/// diqwest 3 writes the challenge it keeps without escapes, so a quote in the realm breaks it.
#[test]
fn a_quote_in_the_realm_survives_being_kept() {
    let digest = alice();
    let challenge = r#"Digest realm="a \"b\" \\c", nonce="n", algorithm=SHA-256, qop="auth""#;
    for _ in 0..2 {
        let field = answered_or_kept(&digest, challenge);
        assert_eq!(&*read(&field).realm, br#"a "b" \c"#);
        assert!(field.contains(r#"realm="a \"b\" \\c""#));
    }
}

fn answered_or_kept(digest: &Digest, challenge: &str) -> String {
    let mut last = String::new();
    drive(digest, Body::Unread, |field| match field {
        None => ask(challenge),
        Some(field) => {
            last = String::from_utf8(field.to_vec()).unwrap();
            ok()
        }
    })
    .unwrap();
    last
}

/// digest_auth 0.3 fails on several challenges in one field; http-auth and httpx take the first Digest one.
#[test]
fn of_several_challenges_the_strongest_is_answered() {
    let several = "Basic realm=\"b, c\", Digest realm=\"r\", nonce=\"m\", qop=\"auth\", \
                   Negotiate YWJj==, Digest realm=\"r\", nonce=\"s\", algorithm=SHA-256, qop=\"auth\"";
    assert_eq!(&*read(&answered(&alice(), several)).nonce, b"s");
}

/// digest_auth 0.3 refuses a qop list with a value it does not know, and others trip over spaces in it.
#[test]
fn values_of_qop_that_nobody_knows_are_passed_over() {
    for list in ["auth,auth-conf", "auth-conf, auth", " auth , token ", "auth,auth-int"] {
        let challenge = format!("Digest realm=\"r\", nonce=\"n\", qop=\"{list}\"");
        assert_eq!(read(&answered(&alice(), &challenge)).qop(), Some(Qop::Auth), "{list}");
    }
}

/// digest_auth 0.3 and http-auth 0.1 do not know `md5`, digest_auth not `digest` either.
#[test]
fn names_of_schemes_algorithms_and_parameters_have_no_case() {
    let challenge = "dIGEST REALM=\"r\", Nonce=\"n\", ALGORITHM=md5, QOP=\"Auth\", NEW=\"x\"";
    assert_eq!(read(&answered(&alice(), challenge)).algorithm(), DigestAlgorithm::Md5);
    let session = challenge.replace("md5", "MD5-Sess");
    assert_eq!(read(&answered(&alice(), &session)).algorithm(), DigestAlgorithm::Md5Sess);
}

/// requests and httpx do not look at `stale`, and a server that always said so made another client loop for ever.
#[test]
fn stale_is_answered_once_for_each_nonce_and_not_for_ever() {
    let digest = alice();
    let fresh = "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"";
    answered(&digest, fresh);
    let stale = "Digest realm=\"r\", nonce=\"2\", qop=\"auth\", stale=TRUE";
    let sent = drive(&digest, Body::Unread, |field| {
        if *read(std::str::from_utf8(field.unwrap()).unwrap()).nonce == *b"2" {
            ok()
        } else {
            ask(stale)
        }
    });
    assert_eq!(sent.unwrap(), (200, 2));
    assert_eq!(drive(&digest, Body::Unread, |_| ask(stale)).unwrap(), (401, RetryBudget::MOST));
}

/// No client that was tried reads Authentication-Info.
#[test]
fn a_forged_rspauth_is_an_error_and_nextnonce_is_used() {
    let challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    let with = |info: &'static str| {
        move |field: Option<&[u8]>| match field {
            None => ask(challenge),
            Some(_) => Said(200, vec![("authentication-info", info.into())]),
        }
    };
    let forged = "rspauth=\"00000000000000000000000000000000\", qop=auth";
    let error = drive(&alice(), Body::Unread, with(forged)).unwrap_err();
    assert_eq!(error.code(), "digest_rspauth");
    let digest = alice();
    assert_eq!(drive(&digest, Body::Unread, with("nextnonce=\"m\"")).unwrap(), (200, 2));
    let next = answered_or_kept(&digest, challenge);
    assert_eq!(
        (&*read(&next).nonce, read(&next).counted.unwrap().nc),
        (&b"m"[..], NonceCount::FIRST)
    );
}

/// digest_auth 0.3 counts characters where it cuts bytes: an accent shifts what follows, and wider ones panic, in
/// challenges as in credentials.
#[test]
fn what_is_not_ascii_shifts_nothing_and_panics_nowhere() {
    for realm in ["caf\u{e9}", "\u{4f60}\u{597d}\u{4e16}\u{754c}", "\u{1f512}\u{1f512}\u{1f512}"] {
        let challenge = format!("Digest realm=\"{realm}\", nonce=\"n\", qop=\"auth\"");
        let field = answered(&alice(), &challenge);
        assert_eq!(&*read(&field).realm, realm.as_bytes());
        assert_eq!(&*read(&field).nonce, b"n");
        let name = Digest::new(realm, "p", SystemRandom::new()).unwrap();
        let field = answered(&name, &challenge);
        assert_eq!(read(&field).username, Username::Plain(realm.into()));
    }
    let latin1 = b"Digest realm=\"caf\xe9\", nonce=\"n\"";
    assert_eq!(&*DigestChallenge::parse(latin1).unwrap().realm, b"caf\xe9");
    let latin1 = b"username=\"caf\xe9\", realm=\"\xe9\", nonce=\"\xe9\", uri=\"\xe9\", response=\"00000000000000000000000000000000\"";
    let refused = DigestResponse::parse(latin1).unwrap_err();
    assert_eq!(refused.reason().code, "digest_username_text");
}

/// digest_auth 0.3 prints the password in `Debug`, http-auth derives it for its parameters.
#[test]
fn debug_shows_no_secret() {
    let digest = Digest::new("alice", "canary", SystemRandom::new()).unwrap();
    let ha1 = Ha1::new(HashFunction::Md5, "alice", b"r", b"canary");
    let hex = String::from_utf8(ha1.expose().to_vec()).unwrap();
    let session = ha1.session(DigestAlgorithm::Md5Sess, b"n", b"c");
    let challenge = "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"";
    let field = answered(&digest, challenge);
    let read = read(&field);
    let response = std::str::from_utf8(read.response).unwrap();
    let info = AuthenticationInfo { rspauth: Some(read.response.into()), ..Default::default() };
    let message = read.message("GET", None).unwrap();
    let shown = format!("{digest:?} {ha1:?} {session:?} {read:?} {:?} {info:?}", read.counted);
    assert_eq!(format!("{message:?}"), "DigestMessage(GET, ..)");
    for secret in ["canary", &hex, response, std::str::from_utf8(session.expose()).unwrap()] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// http-auth refuses fields of more than 64 KiB, others take what comes.
#[test]
fn a_challenge_of_any_size_is_read_or_refused() {
    let digest = alice();
    let (target, none) = (Uri::from_static("https://a.example/"), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &target, &none);
    for length in [0, 7, 4096, 8192, 65_536, 1 << 20] {
        for text in ["a", ",", "\"", "a=b,", "Digest ", "\\", "realm=\""] {
            let field = format!("Digest {}", text.repeat(length / text.len()));
            let mut fields = HeaderMap::new();
            fields.insert(WWW_AUTHENTICATE, HeaderValue::try_from(field).unwrap());
            let answer = Answer::new(view, StatusCode::UNAUTHORIZED, &fields);
            assert!(!matches!(
                digest.assess(&Credentials::none(), answer),
                auth_core::Verdict::Retry { .. }
            ));
        }
    }
}

/// httpx and requests hash with SHA-512 what they call so. No specification has it; the RFC has SHA-512/256.
#[test]
fn sha_512_is_another_algorithm_than_sha_512_256() {
    let challenge = "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512, qop=\"auth\"";
    let refused = drive(&alice(), Body::Unread, |_| ask(challenge)).unwrap_err();
    assert_eq!(refused.code(), "digest_choice_algorithm");
    let standard = challenge.replace("SHA-512", "SHA-512-256");
    assert_eq!(read(&answered(&alice(), &standard)).response.len(), 64);
    assert_eq!(DigestAlgorithm::named(b"SHA-512/256"), None);
}

/// Two clients in other languages counted in decimal, and one went on counting under the next nonce.
#[test]
fn counts_are_hexadecimal_and_begin_anew_with_each_nonce() {
    let digest = alice();
    let challenge = "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"";
    let mut last = String::new();
    for _ in 0..17 {
        last = answered_or_kept(&digest, challenge);
    }
    assert!(last.contains("nc=00000011"), "{last}");
    let next = "Digest realm=\"r\", nonce=\"2\", qop=\"auth\", stale=true";
    let mut seen = String::new();
    drive(&digest, Body::Unread, |field| {
        seen = String::from_utf8(field.unwrap().to_vec()).unwrap();
        if *read(&seen).nonce == *b"2" { ok() } else { ask(next) }
    })
    .unwrap();
    assert!(seen.contains("nc=00000001"), "{seen}");
}

/// No Rust crate reads a single `Authorization: Digest` field for a server.
#[test]
fn a_server_reads_the_field_of_a_request() {
    let field = b"Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"/\", response=\"00000000000000000000000000000000\"";
    let read = Authorization::parse(field).unwrap();
    let read = DigestResponse::parse(read.credentials()).unwrap();
    assert_eq!(read.username, Username::Plain("a".into()));
}

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

fn door(algorithm: DigestAlgorithm, protection: OfferedQop) -> DigestVerifier<DigestAccounts> {
    let mut accounts = DigestAccounts::new();
    for function in [HashFunction::Md5, HashFunction::Sha256, HashFunction::Sha512_256] {
        accounts.add("alice", "r", Ha1::new(function, "alice", b"r", b"s3cret")).unwrap();
    }
    let nonces = Nonces::new(&[7; 32], SystemRandom::new(), NOW).unwrap();
    let door = DigestVerifier::new("r", accounts, nonces, MemoryReplayStore::new(NOW)).unwrap();
    door.with_algorithms(&[algorithm]).unwrap().with_qop(protection).unwrap().with_userhash()
}

/// What becomes of a request: the user, or the code.
fn judge(
    door: &DigestVerifier<DigestAccounts>,
    field: Option<HeaderValue>,
) -> std::result::Result<String, (String, String)> {
    let uri = Uri::from_static("/a?b");
    let headers: HeaderMap = field.into_iter().map(|field| (AUTHORIZATION, field)).collect();
    let peer = Peer { encrypted: true, ..Peer::UNKNOWN };
    let request = RequestView::new(&Method::GET, &uri, &headers).with_peer(peer);
    assert_eq!(door.needs(request), Need::Nothing);
    match door.verify(request).wait().unwrap() {
        Ok(accepted) => Ok(accepted.principal.user.to_string()),
        Err(rejection) => Err((
            rejection.reason().code.to_owned(),
            rejection.challenges().first().map(ToString::to_string).unwrap_or_default(),
        )),
    }
}

/// The field of a client that takes the challenge for another one.
fn misread(door: &DigestVerifier<DigestAccounts>, changes: &[(&str, &str)]) -> HeaderValue {
    let mut challenge = judge(door, None).unwrap_err().1;
    for (from, to) in changes {
        assert!(challenge.contains(from), "{challenge}");
        challenge = challenge.replace(from, to);
    }
    let challenge = DigestChallenge::parse(challenge.as_bytes()).unwrap();
    let count = NonceUse { nc: NonceCount::FIRST, cnonce: b"c" };
    let protection = DigestProtection::Auth(count);
    let message = DigestMessage { method: "GET", uri: b"/a?b", nonce: b"", protection };
    challenge.respond("alice", b"s3cret", &message).unwrap()
}

/// wget 1.21 answers MD5 whatever was asked for, and `auth` where only `auth-int` was.
#[test]
fn a_client_that_answers_something_weaker_is_asked_again() {
    let sha256 = door(DigestAlgorithm::Sha256, OfferedQop::Auth);
    let (code, challenge) =
        judge(&sha256, Some(misread(&sha256, &[("algorithm=SHA-256", "algorithm=MD5")])))
            .unwrap_err();
    assert_eq!(code, "digest_algorithm_other");
    assert!(challenge.contains("algorithm=SHA-256"));
    let int = door(DigestAlgorithm::Sha256, OfferedQop::AuthInt);
    let field = misread(&int, &[("qop=\"auth-int\"", "qop=\"auth\"")]);
    assert_eq!(judge(&int, Some(field)).unwrap_err().0, "digest_qop_other");
}

/// curl 7.88 of Debian hashes with SHA-256 under the name of SHA-512-256.
#[test]
fn a_client_with_the_wrong_hash_is_refused_like_a_wrong_password() {
    let door = door(DigestAlgorithm::Sha512_256, OfferedQop::Auth);
    let names = [("algorithm=SHA-512-256", "algorithm=SHA-256"), (", userhash=true", "")];
    let field = misread(&door, &names);
    let field = field.to_str().unwrap().replace("algorithm=SHA-256", "algorithm=SHA-512-256");
    let refused = judge(&door, Some(HeaderValue::try_from(field).unwrap())).unwrap_err();
    assert_eq!(refused.0, "digest_response_wrong");
}

/// requests and httpx send the plain name where the hash of it was asked for, and expect to pass.
#[test]
fn a_client_that_ignores_userhash_passes_by_its_name() {
    let door = door(DigestAlgorithm::Sha256, OfferedQop::Auth);
    assert_eq!(judge(&door, Some(misread(&door, &[(", userhash=true", "")]))).unwrap(), "alice");
    assert_eq!(judge(&door, Some(misread(&door, &[]))).unwrap(), "alice");
}

/// requests and wget quote `algorithm` and `qop`, which a sender must not.
#[test]
fn a_client_that_quotes_algorithm_and_qop_passes() {
    let door = door(DigestAlgorithm::Sha256, OfferedQop::Auth);
    let field = misread(&door, &[]);
    let quoted = field
        .to_str()
        .unwrap()
        .replace("SHA-256", "\"SHA-256\"")
        .replace("qop=auth", "qop=\"auth\"");
    assert_eq!(judge(&door, Some(HeaderValue::try_from(quoted).unwrap())).unwrap(), "alice");
}

/// lighttpd does not count, and Traefik lost requests that overtook one another.
#[test]
fn requests_that_overtake_one_another_pass_and_none_passes_twice() {
    let door = door(DigestAlgorithm::Sha256, OfferedQop::Auth);
    let challenge = judge(&door, None).unwrap_err().1;
    let challenge = DigestChallenge::parse(challenge.as_bytes()).unwrap();
    let field = |nc| {
        let count = NonceUse { nc: NonceCount::new(nc).unwrap(), cnonce: b"c" };
        let protection = DigestProtection::Auth(count);
        let message = DigestMessage { method: "GET", uri: b"/a?b", nonce: b"", protection };
        challenge.respond("alice", b"s3cret", &message).unwrap()
    };
    for nc in [4, 2, 3, 1] {
        assert_eq!(judge(&door, Some(field(nc))).unwrap(), "alice");
        assert_eq!(judge(&door, Some(field(nc))).unwrap_err().0, "digest_replayed");
    }
}

/// No client that was tried hashes a body that is streamed.
#[test]
fn a_body_that_was_streamed_is_hashed_piece_by_piece() {
    for function in [HashFunction::Md5, HashFunction::Sha256, HashFunction::Sha512_256] {
        let mut hasher = BodyHash::begin(function);
        b"streamed".chunks(3).for_each(|piece| hasher.update(piece));
        let ha1 = Ha1::new(function, "alice", b"r", b"s3cret");
        let response = |body| {
            let count = NonceUse { nc: NonceCount::FIRST, cnonce: b"c" };
            let protection = DigestProtection::AuthInt(count, body);
            let message = DigestMessage { method: "PUT", uri: b"/", nonce: b"n", protection };
            ha1.session(DigestAlgorithm::Md5, b"n", b"c").response(&message)
        };
        let whole = response(BodyHash::of(function, b"streamed"));
        assert!(response(hasher.finish()).matches(whole.as_bytes()));
    }
}

/// `PartialEq` is what digest_auth offers for a comparison, which stops at the first difference.
#[test]
fn a_refusal_says_nothing_of_how_near_it_was() {
    let door = door(DigestAlgorithm::Sha256, OfferedQop::Auth);
    let field = misread(&door, &[]);
    let text = field.to_str().unwrap();
    for at in [0, 31, 63] {
        let start = text.find("response=\"").unwrap() + "response=\"".len() + at;
        let mut forged = text.as_bytes().to_vec();
        forged[start] = if forged[start] == b'0' { b'1' } else { b'0' };
        let refused = judge(&door, Some(HeaderValue::try_from(forged).unwrap())).unwrap_err();
        assert_eq!(refused.0, "digest_response_wrong");
    }
    let unread = DigestResponse::parse(b"realm=\"r\"").unwrap_err();
    assert_eq!(unread.kind(), DigestRefusalKind::Malformed);
}
