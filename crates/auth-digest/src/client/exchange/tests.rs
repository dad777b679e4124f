//! Challenges and refusals, from a server that a script plays.

use crate::client::tests::{
    Received, URL, Unreadable, alice, ask, assert_retried, challenge, drive, drive_to, ok,
    sent_under, serves, trusting,
};
use crate::client::{ChallengePolicy, Digest};
use crate::{DigestAlgorithm, Md5Allowed, Qop};
use auth_core::{
    Answer, Authenticator as _, Credentials, Error, RequestMemory, RequestView, Verdict,
};
use http::{HeaderMap, Method, Response, Uri};
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

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
    assert_eq!(drive(&int(), |_| ask(&[&challenge("n")])).unwrap_err().code(), "digest_choice_qop");
    let md5 = "Digest realm=\"r\", nonce=\"m\", qop=\"auth\"";
    let never = alice().with_policy(ChallengePolicy::new().with_md5(Md5Allowed::Never));
    assert_eq!(drive(&never, |_| ask(&[md5])).unwrap_err().code(), "digest_choice_md5");
    let open = |digest: &Digest, url| drive_to(digest, url, trusting(md5));
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
    assert_eq!(drive(&digest, serves("1")).unwrap(), (200, 2));
    // Without stale: a nonce that has served before may be forgotten, so the password is not thought to be wrong.
    assert_eq!(drive(&digest, serves("2")).unwrap(), (200, 2));
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
fn a_late_refusal_of_an_older_nonce_leaves_what_is_kept() {
    let digest = alice();
    drive(&digest, serves("1")).unwrap();
    let (uri, none, memory) = (Uri::from_static(URL), HeaderMap::new(), RequestMemory::new());
    let view = RequestView::new(&Method::GET, &uri, &none).with_memory(&memory);
    let late = digest.present(view).unwrap().unwrap();
    drive(&digest, serves("2")).unwrap();
    assert_retried(&digest, &late, view, "3");
    assert_eq!(sent_under(&digest, view), ("3".into(), 1), "it has a nonce of its own");
    assert_eq!(drive(&digest, serves("2")).unwrap(), (200, 1));
}

/// A program that drives the client by hand and says nothing of its attempts.
#[test]
fn without_a_memory_the_newest_challenge_is_answered_and_condemns_once() {
    let digest = alice();
    let (uri, none) = (Uri::from_static(URL), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &none);
    assert_retried(&digest, &Credentials::none(), view, "1");
    assert_retried(&digest, &Credentials::none(), view, "2");
    assert_eq!(sent_under(&digest, view), ("2".into(), 1));
    let second = digest.present(view).unwrap().unwrap();
    assert_retried(&digest, &second, view, "3");
    let first = digest.present(view).unwrap().unwrap();
    let refusal = ask(&[&challenge("4")]);
    let answer = Answer::new(view, refusal.status(), refusal.headers());
    assert!(matches!(digest.assess(&first, answer), Verdict::Accept), "the password is wrong");
    assert!(digest.present(view).unwrap().is_none());
}

/// A server asks for one realm in a part of it. Then its configuration is changed: another realm, for all of it.
#[test]
fn a_realm_that_was_renamed_is_learned_though_the_old_one_says_more_of_the_place() {
    let digest = alice();
    let server = |realm: &'static str, rest: &'static str| {
        move |received: Received<'_>| match received.credentials() {
            Some(credentials) if *credentials.realm == *realm.as_bytes() => ok(),
            _ => ask(&[&challenge("n").replace("\"r\"", &format!("\"{realm}\"{rest}"))]),
        }
    };
    assert_eq!(drive(&digest, server("old", ", domain=\"/dir/\"")).unwrap(), (200, 2));
    assert_eq!(drive(&digest, server("old", "")).unwrap(), (200, 1));
    assert_eq!(drive(&digest, server("new", "")).unwrap(), (200, 2));
    assert_eq!(drive(&digest, server("new", "")).unwrap(), (200, 1));
}

/// The server says of the first nonce of the new realm that it is old already: the old realm is forgotten all the same.
#[test]
fn a_renamed_realm_is_learned_over_a_nonce_that_was_stale_at_once() {
    let digest = alice();
    let old = challenge("1").replace("\"r\"", "\"old\", domain=\"/dir/\"");
    assert_eq!(drive(&digest, trusting(&old)).unwrap(), (200, 2));
    let renamed = |received: Received<'_>| match (received.count("2"), received.count("3")) {
        (_, Some(_)) => ok(),
        (Some(_), _) => ask(&[&(challenge("3") + ", stale=true")]),
        _ => ask(&[&challenge("2")]),
    };
    assert_eq!(drive(&digest, renamed).unwrap(), (200, 3));
    assert_eq!(drive(&digest, renamed).unwrap(), (200, 1));
}

/// The same for a password that is wrong in the new realm: it is tried once for each request, and the old realm no more.
#[test]
fn a_realm_that_was_renamed_may_have_another_password() {
    let digest = alice();
    let old = challenge("1").replace("\"r\"", "\"old\", domain=\"/dir/\"");
    assert_eq!(drive(&digest, trusting(&old)).unwrap(), (200, 2));
    let mut realms = Vec::new();
    for _ in 0..3 {
        let refusing = |received: Received<'_>| {
            realms.extend(received.credentials().map(|sent| sent.realm.into_owned()));
            ask(&[&challenge("2")])
        };
        assert_eq!(drive(&digest, refusing).unwrap(), (401, 2));
    }
    assert_eq!(realms, [&b"old"[..], b"r", b"r", b"r"]);
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
    drive(&digest, trusting(&challenge("1"))).unwrap();
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
    drive(&digest, trusting(&challenge("1"))).unwrap();
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
fn an_unreadable_challenge_is_reported_and_the_others_are_answered() {
    let seen = Unreadable::default();
    let good = challenge("n");
    for fields in [
        ["Digest realm=\"x", &good],
        [&good, "Digest realm=\"x"],
        ["Negotiate =", &good],
        ["Digest nonce=\"x\"", &good],
    ] {
        let digest = alice().with_observer(seen.clone());
        let server = |received: Received<'_>| match received.count("n") {
            None => ask(&fields),
            Some(_) => ok(),
        };
        assert_eq!(drive(&digest, server).unwrap(), (200, 2), "{fields:?}");
        let told = std::mem::take(&mut *seen.0.lock().unwrap());
        assert!(matches!(&told[..], [(field, _)] if field == "www-authenticate"), "{told:?}");
    }
}
