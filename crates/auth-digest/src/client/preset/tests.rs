//! A client that begins with typed fields.

use crate::client::tests::{Received, alice, ask, challenge, drive, drive_to, ok};
use crate::client::{ClientNonceCounting, Digest, DigestPreset};
use crate::{DigestAlgorithm, NonceCount, Qop};
use auth_core::Result;

fn typed(change: impl FnOnce(&mut DigestPreset<'static>)) -> Result<Digest> {
    let mut fields = DigestPreset::new("r", "typed");
    change(&mut fields);
    alice().with_form(&fields)
}

#[test]
fn typed_fields_are_sent_from_the_first_request_on_and_their_count_rises() {
    let digest = typed(|fields| {
        fields.algorithm = Some(DigestAlgorithm::Sha256);
        fields.qop = Some(Qop::Auth);
        fields.nonce_count = Some(NonceCount::typed("a").unwrap());
        fields.client_nonce = Some("mine");
        fields.opaque = Some("say \"so\"");
    })
    .unwrap();
    for expected in 10..13 {
        let server = |received: Received<'_>| {
            assert_eq!(received.count("typed"), Some(expected));
            assert!(
                received
                    .field()
                    .unwrap()
                    .contains(r#"opaque="say \"so\"", qop=auth, cnonce="mine", uri="#)
            );
            if received.is_right("s3cret") { ok() } else { ask(&[]) }
        };
        assert_eq!(drive(&digest, server).unwrap(), (200, 1));
    }
}

#[test]
fn typed_fields_are_repeated_to_the_letter_by_name_alone() {
    let digest = typed(|fields| {
        fields.qop = Some(Qop::Auth);
        fields.counting = ClientNonceCounting::Repeated;
    })
    .unwrap();
    let mut fields = Vec::new();
    for _ in 0..3 {
        drive(&digest, |received| {
            fields.push(received.field().unwrap().to_owned());
            ok()
        })
        .unwrap();
    }
    assert!(fields[0].contains("nc=00000001") && fields.iter().all(|field| *field == fields[0]));
}

#[test]
fn a_challenge_takes_the_place_of_what_was_typed() {
    let digest = typed(|fields| fields.algorithm = Some(DigestAlgorithm::Sha256)).unwrap();
    let server = |received: Received<'_>| match received.count("n") {
        Some(_) if received.is_right("s3cret") => ok(),
        _ => ask(&[&challenge("n")]),
    };
    assert_eq!(drive(&digest, server).unwrap(), (200, 2));
    assert_eq!(drive(&digest, server).unwrap(), (200, 1));
}

#[test]
fn typed_fields_that_do_not_go_together_are_named() {
    #[track_caller]
    fn check(change: impl FnOnce(&mut DigestPreset<'static>), code: &str, name: &str) {
        let error = typed(change).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().starts_with(&format!("configuration: {name} ")), "{error}");
    }
    let (count, nonce) = ("digest_typed_nonce_count", "digest_typed_client_nonce");
    check(|fields| fields.nonce_count = Some(NonceCount::FIRST), count, "nonce count");
    check(|fields| fields.client_nonce = Some("c"), nonce, "client nonce");
    check(
        |fields| fields.algorithm = Some(DigestAlgorithm::Md5Sess),
        "digest_typed_algorithm",
        "algorithm",
    );
    check(|fields| fields.realm = "a\nb", "digest_typed_control", "realm");
    check(|fields| fields.opaque = Some("a\0"), "digest_typed_control", "opaque");
    let end = "nonce ends with a line break; remove";
    check(|fields| fields.nonce = "a\r\n", "digest_typed_control", end);
    check(
        |fields| (fields.qop, fields.client_nonce) = (Some(Qop::Auth), Some("")),
        nonce,
        "client nonce",
    );
}

#[test]
fn typed_md5_does_not_go_where_somebody_listens() {
    let digest = typed(|_| {}).unwrap();
    let error = drive_to(&digest, "http://a.example/", |_| ok()).unwrap_err();
    assert_eq!(error.code(), "digest_choice_md5");
    assert_eq!(drive(&digest, |_| ok()).unwrap(), (200, 1));
}

#[test]
fn a_count_that_has_reached_its_end_begins_with_another_nonce() {
    let digest = typed(|fields| {
        fields.algorithm = Some(DigestAlgorithm::Sha256);
        fields.qop = Some(Qop::Auth);
        fields.nonce_count = NonceCount::new(u32::MAX);
    })
    .unwrap();
    assert_eq!(
        drive(&digest, |received| if received.count("typed") == Some(u32::MAX) {
            ok()
        } else {
            ask(&[])
        })
        .unwrap(),
        (200, 1)
    );
    let server = |received: Received<'_>| match received.count("n") {
        Some(1) => ok(),
        Some(_) => panic!("another count"),
        None => {
            assert!(received.field().is_none());
            ask(&[&challenge("n")])
        }
    };
    assert_eq!(drive(&digest, server).unwrap(), (200, 2));
}
