use super::*;
use auth_core::{Body, Candidates, RequestView, Secret, Timestamp, Verifier};
use auth_testing::ManualClock;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Method, Uri};
use proptest::prelude::*;
use ring::signature::{Ed25519KeyPair, KeyPair};

const NOW: u64 = 1_614_265_330;

fn form(json: &str) -> SignatureForm {
    serde_json::from_str(json).unwrap()
}

fn signer(form: &SignatureForm, key: &str) -> BodySigner {
    BodySigner::new(form.clone(), BodySigningKey::read(form, &Secret::from(key)).unwrap()).unwrap()
}

fn verifier(form: &SignatureForm, keys: &[&str]) -> BodySignatureVerifier<usize> {
    let keys = keys.iter().enumerate();
    let keys: Candidates<_, _> = keys
        .map(|(nth, key)| (BodyVerifyingKey::read(form, &Secret::from(*key)).unwrap(), nth))
        .collect();
    BodySignatureVerifier::new(form.clone(), keys).unwrap().with_clock(ManualClock::at(NOW))
}

/// The sender that the verifier names, or the code and the status of its refusal.
fn judge(
    verifier: &BodySignatureVerifier<usize>,
    uri: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<SignedDelivery<usize>, (u16, &'static str)> {
    let uri: Uri = uri.parse().unwrap();
    let view = RequestView::new(&Method::POST, &uri, headers).with_body(Body::Bytes(body));
    let outcome = verifier.verify(view).wait().unwrap();
    outcome
        .map(|accepted| accepted.principal)
        .map_err(|refused| (refused.status().as_u16(), refused.reason().code))
}

fn fields<const N: usize>(fields: [(&'static str, &str); N]) -> HeaderMap {
    fields
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .collect()
}

fn with(base: &HeaderMap, name: &'static str, value: &str) -> HeaderMap {
    let mut changed = base.clone();
    changed.insert(name, HeaderValue::from_str(value).unwrap());
    changed
}

const HUB: &str = r#"{"form":"hub_signature","algorithm":"sha256"}"#;
const STANDARD_FORM: &str = r#"{"form":"standard_webhooks"}"#;
const TIMED: &str = r#"{"form":"time_and_body","header":"x-signature"}"#;
const TWILIO: &str = r#"{"form":"url_and_parameters","public_url":"https://hooks.example"}"#;
const SYMPHONY: &str = r#"{"form":"symphony_universal_webhook","header":"x-symphony-signature"}"#;
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The vector of the reference implementation of Standard Webhooks.
#[test]
fn standard_webhooks_agrees_with_its_reference() {
    let form = form(STANDARD_FORM);
    let body = br#"{"test": 2432232314}"#;
    let uri = Uri::from_static("https://hooks.example/x");
    let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    let made = signer(&form, WHSEC)
        .sign(SignableDelivery::new(id, Timestamp::from_unix(NOW), &uri, body))
        .unwrap();
    assert_eq!(made["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let verifier = verifier(&form, &[WHSEC]);
    let delivery = judge(&verifier, "/x", &made, body).unwrap();
    assert_eq!(delivery.id.unwrap().as_str(), id);
    assert_eq!(delivery.sent_at, Some(Timestamp::from_unix(NOW)));
}

/// The vector of the vendor's documentation.
#[test]
fn symphony_agrees_with_its_vendor() {
    let form = form(SYMPHONY);
    let uri = Uri::from_static("https://pod.example/webhook");
    let delivery = SignableDelivery::new("1", Timestamp::from_unix(NOW), &uri, b"Hello world!");
    let made = signer(&form, "this is my secret").sign(delivery).unwrap();
    assert_eq!(
        made["x-symphony-signature"],
        "8de567399a49f3ed91ed55435c0887c7c935413e01cbd7a2ac06dab1b04cc1c6"
    );
    let marked_up = b"<messageML>Hello <b>world</b>!</messageML>";
    assert_eq!(
        judge(&verifier(&form, &["this is my secret"]), "/webhook", &made, marked_up)
            .unwrap()
            .sender,
        0
    );
    assert_eq!(
        symphony_signed_text("a\"\\\n\u{1}é<b"),
        "{\"payload\":{\"message\":\"a\\\"\\\\\\n\\u0001é<b\"}}"
    );
}

/// What begins like a tag and never ends would else be free for anybody to write.
#[test]
fn text_behind_a_tag_that_never_ends_is_signed() {
    let form = form(SYMPHONY);
    let uri = Uri::from_static("https://pod.example/webhook");
    let delivery = SignableDelivery::new("1", Timestamp::from_unix(NOW), &uri, b"Pay 1");
    let made = signer(&form, "secret").sign(delivery).unwrap();
    let verifier = verifier(&form, &["secret"]);
    assert!(judge(&verifier, "/webhook", &made, b"<b>Pay</b> 1<i>").is_ok());
    for added in ["Pay 1< and 99 to Mallory", "Pay 1<", "<b>Pay 1</b> <and 99", "Pay 1>"] {
        let judged = judge(&verifier, "/webhook", &made, added.as_bytes());
        assert_eq!(judged, Err((401, "webhook_signature_wrong")), "{added}");
    }
}

/// The vector of Twilio's documentation, whose signature is SHA-1.
#[test]
fn twilio_agrees_with_its_vendor() {
    let json = r#"{"form":"url_and_parameters","public_url":"https://mycompany.com","algorithm":"legacy_sha1"}"#;
    let form = form(json);
    let body = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212";
    let sent = fields([
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("host", "evil.example"),
    ]);
    let verifier = verifier(&form, &["12345"]);
    assert!(judge(&verifier, "/myapp.php?foo=1&bar=2", &sent, body).is_ok());
    let wrong = Err((401, "webhook_signature_wrong"));
    assert_eq!(judge(&verifier, "/myapp.php?foo=1&bar=3", &sent, body), wrong);
    assert_eq!(
        judge(&verifier, "/myapp.php?foo=1&bar=2", &sent, &[body.as_slice(), b"&x=1"].concat()),
        wrong
    );
    // SHA-1 is verified, and never signed with.
    let refused = BodySigningKey::read(&form, &Secret::from("12345")).unwrap_err();
    assert_eq!(refused.code(), "webhook_signature_key");
}

#[test]
fn a_body_that_is_no_form_has_its_hash_in_the_url() {
    let form = form(TWILIO);
    let (signer, verifier) = (signer(&form, "token"), verifier(&form, &["token"]));
    let hash = twilio::body_hash(b"{}");
    let uri: Uri = format!("https://hooks.example/x?bodySHA256={hash}").parse().unwrap();
    let sign = |uri: &Uri, body: &[u8]| {
        signer.sign(SignableDelivery::new("1", Timestamp::from_unix(NOW), uri, body))
    };
    let made = sign(&uri, b"{}").unwrap();
    let target = uri.path_and_query().unwrap().as_str();
    assert!(judge(&verifier, target, &made, b"{}").is_ok());
    assert_eq!(judge(&verifier, target, &made, b"{ }"), Err((401, "webhook_body_hash")));
    assert_eq!(judge(&verifier, "/x", &made, b"{}"), Err((401, "webhook_body_hash")));
    assert_eq!(
        sign(&Uri::from_static("/x"), b"{}").unwrap_err().code(),
        "webhook_signature_delivery"
    );
}

/// The media type is not signed: a body whose hash is signed cannot be left out by calling it a form.
#[test]
fn a_body_whose_hash_is_signed_is_not_replaced_by_an_empty_form() {
    let form = form(TWILIO);
    let (signer, verifier) = (signer(&form, "token"), verifier(&form, &["token"]));
    let hash = twilio::body_hash(b"{}");
    let uri: Uri = format!("https://hooks.example/x?bodySHA256={hash}").parse().unwrap();
    let made = signer.sign(SignableDelivery::new("1", Timestamp::from_unix(NOW), &uri, b"{}"));
    let forged = with(&made.unwrap(), "content-type", "application/x-www-form-urlencoded");
    let target = uri.path_and_query().unwrap().as_str();
    for body in ["", "&", "&&&"] {
        let judged = judge(&verifier, target, &forged, body.as_bytes());
        assert_eq!(judged, Err((401, "webhook_body_hash")), "{body}");
    }
}

#[test]
fn x_hub_signature_is_over_the_raw_bytes() {
    for (algorithm, prefix) in [("sha256", "sha256="), ("sha512", "sha512=")] {
        let form = form(&HUB.replace("sha256", algorithm));
        let verifier = verifier(&form, &["hub secret"]);
        let body = b"{ \"a\" : 1 }\xff\n";
        let uri = Uri::from_static("https://hooks.example/x");
        let made = signer(&form, "hub secret").sign(SignableDelivery::new(
            "1",
            Timestamp::from_unix(NOW),
            &uri,
            body,
        ));
        let made = made.unwrap();
        let value = made["x-hub-signature"].to_str().unwrap().to_owned();
        assert!(value.starts_with(prefix), "{value}");
        assert_eq!(judge(&verifier, "/x", &made, body).unwrap().id, None);
        let digits = value.strip_prefix(prefix).unwrap();
        let upper = format!("{prefix}{}", digits.to_uppercase());
        assert!(judge(&verifier, "/x", &with(&made, "x-hub-signature", &upper), body).is_ok());
        let trimmed = &body[..body.len() - 1];
        assert_eq!(judge(&verifier, "/x", &made, trimmed), Err((401, "webhook_signature_wrong")));
        for wrong in [
            "",
            "sha1=00",
            digits,
            value.strip_suffix(|_| true).unwrap(),
            "sha256=",
            &format!("{value} "),
        ] {
            let refused =
                judge(&verifier, "/x", &with(&made, "x-hub-signature", wrong), body).unwrap_err();
            assert!(
                refused == (400, "webhook_signature_malformed")
                    || refused == (401, "webhook_signature_wrong"),
                "{wrong:?}: {refused:?}"
            );
        }
    }
}

#[test]
fn what_is_missing_doubled_or_stale_is_told_apart_in_the_log_alone() {
    let form = form(STANDARD_FORM);
    let verifier = verifier(&form, &[WHSEC]);
    let uri = Uri::from_static("https://hooks.example/x");
    let at = |seconds| {
        signer(&form, WHSEC)
            .sign(SignableDelivery::new("m1", Timestamp::from_unix(seconds), &uri, b"{}"))
            .unwrap()
    };
    let good = at(NOW);
    for (seconds, expected) in [
        (300, None),
        (-300, None),
        (301, Some("webhook_signature_stale")),
        (-301, Some("webhook_signature_stale")),
    ] {
        let judged = judge(&verifier, "/x", &at(NOW.saturating_add_signed(seconds)), b"{}");
        assert_eq!(judged.err(), expected.map(|code| (401, code)), "{seconds}");
    }
    let mut twice = good.clone();
    twice.append("webhook-id", HeaderValue::from_static("m2"));
    assert_eq!(judge(&verifier, "/x", &twice, b"{}").unwrap_err().0, 400);
    assert_eq!(
        judge(&verifier, "/x", &HeaderMap::new(), b"{}"),
        Err((401, "webhook_signature_missing"))
    );
    for (name, value, expected) in [
        ("webhook-id", "m1.1614265330", (400, "webhook_id")),
        ("webhook-id", "", (400, "webhook_id")),
        ("webhook-id", "m2", (401, "webhook_signature_wrong")),
        ("webhook-timestamp", "1614265330.5", (400, "webhook_timestamp")),
        ("webhook-timestamp", "-1", (400, "webhook_timestamp")),
        ("webhook-timestamp", "1614265331", (401, "webhook_signature_wrong")),
        ("webhook-signature", "v1,", (401, "webhook_signature_wrong")),
        ("webhook-signature", "v2,AAAA", (401, "webhook_signature_wrong")),
        ("webhook-signature", &"v1,AAAA ".repeat(17), (400, "webhook_signatures_several")),
    ] {
        assert_eq!(
            judge(&verifier, "/x", &with(&good, name, value), b"{}").unwrap_err(),
            expected,
            "{name}: {value}"
        );
    }
}

#[test]
fn both_keys_are_carried_and_taken_while_one_is_changed() {
    let other = format!("whsec_{}", STANDARD.encode([7; 32]));
    for (json, keys) in [(STANDARD_FORM, [WHSEC, &other]), (TIMED, ["old", "new"])] {
        let form = form(json);
        let next = BodySigningKey::read(&form, &Secret::from(keys[1])).unwrap();
        let signer = signer(&form, keys[0]).with_next_key(next).unwrap();
        let uri = Uri::from_static("https://hooks.example/x");
        let made = signer
            .sign(SignableDelivery::new("m1", Timestamp::from_unix(NOW), &uri, b"\xff{}"))
            .unwrap();
        for (known, expected) in
            [(vec![keys[0]], 0), (vec![keys[1]], 0), (vec![keys[0], keys[1]], 1)]
        {
            let judged = judge(&verifier(&form, &known), "/x", &made, b"\xff{}");
            assert_eq!(judged.unwrap().sender, expected, "{known:?}");
        }
    }
    let hub = form(HUB);
    let next = BodySigningKey::read(&hub, &Secret::from("new")).unwrap();
    assert_eq!(
        signer(&hub, "old").with_next_key(next).unwrap_err().code(),
        "webhook_signature_single"
    );
}

fn ed25519() -> (Ed25519KeyPair, [u8; 32]) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let public = pair.public_key().as_ref().try_into().unwrap();
    (pair, public)
}

#[test]
fn standard_webhooks_has_key_pairs() {
    let form = form(STANDARD_FORM);
    let (_, public) = ed25519();
    let private = [[9; 32], public].concat();
    let public = format!("whpk_{}", STANDARD.encode(public));
    let uri = Uri::from_static("https://hooks.example/x");
    for private in [STANDARD.encode(&private), STANDARD.encode([9; 32])] {
        let private = format!("whsk_{private}");
        let made = signer(&form, &private)
            .sign(SignableDelivery::new("m1", Timestamp::from_unix(NOW), &uri, b"{}"))
            .unwrap();
        assert!(made["webhook-signature"].to_str().unwrap().starts_with("v1a,"));
        assert!(judge(&verifier(&form, &[&public]), "/x", &made, b"{}").is_ok());
        assert_eq!(
            judge(&verifier(&form, &[&public]), "/x", &made, b"{} "),
            Err((401, "webhook_signature_wrong"))
        );
        // The bytes of a public key are no secret to make a MAC with.
        let mac = with(
            &made,
            "webhook-signature",
            &made["webhook-signature"].to_str().unwrap().replace("v1a,", "v1,"),
        );
        assert_eq!(
            judge(&verifier(&form, &[&public]), "/x", &mac, b"{}"),
            Err((401, "webhook_signature_wrong"))
        );
    }
}

#[test]
fn keys_that_cannot_be_used_are_told() {
    let read = |json: &str, key: &str| {
        let (form, key) = (form(json), Secret::from(key));
        let errors =
            [BodySigningKey::read(&form, &key).err(), BodyVerifyingKey::read(&form, &key).err()];
        errors.map(|error| error.map(|error| error.to_string()).unwrap_or_default())
    };
    let short = format!("whsec_{}", STANDARD.encode([1; 23]));
    for (json, key, expected) in [
        (HUB, "", ["is empty", "is empty"]),
        (HUB, "secret\n", ["line break", "line break"]),
        (STANDARD_FORM, "secret", ["whsec_, whsk_ and whpk_", "whsec_, whsk_ and whpk_"]),
        (STANDARD_FORM, "whsec_!", ["no Base64", "no Base64"]),
        (STANDARD_FORM, &short, ["fewer than 24", "fewer than 24"]),
        (STANDARD_FORM, "whsk_AAAA", ["expected 32 or 64 bytes", "belongs to the sender"]),
        (STANDARD_FORM, "whpk_AAAA", ["signs nothing", "expected 32 bytes"]),
    ] {
        for (error, expected) in read(json, key).into_iter().zip(expected) {
            assert!(error.contains(expected), "{key}: {error}");
            let rest = key.get(6..).filter(|rest| rest.len() > 3);
            assert!(rest.is_none_or(|rest| !error.contains(rest)), "{error}");
        }
    }
    let hub = form(HUB);
    let keys = BodyVerifyingKey::read(&hub, &Secret::from("x")).unwrap();
    let other = BodySignatureVerifier::new(
        form(&HUB.replace("sha256", "sha512")),
        Candidates::one(keys, ()),
    );
    assert_eq!(other.unwrap_err().code(), "webhook_signature_key");
    assert_eq!(
        BodySignatureVerifier::<()>::new(hub, Candidates::none()).unwrap_err().code(),
        "webhook_signature_key"
    );
}

#[test]
fn a_form_is_checked_when_it_is_taken() {
    for (json, expected) in [
        (r#"{"form":"time_and_body","header":"Content-Length"}"#, "routes or frames"),
        (r#"{"form":"body_hmac","header":"authorization"}"#, "that of the authorization"),
        (r#"{"form":"body_hmac","header":"a b"}"#, "no name"),
        (r#"{"form":"body_hmac","header":"x-sig","prefix":"a b"}"#, "prefix"),
        (r#"{"form":"url_and_parameters","public_url":"http://hooks.example"}"#, "use https"),
        (r#"{"form":"url_and_parameters","public_url":"https://hooks.example?x"}"#, "query"),
    ] {
        let form = form(json);
        let error = form.check().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for json in [
        r#"{"form":"md5"}"#,
        r#"{"form":"hub_signature","algorithm":"md5"}"#,
        r#"{"form":"standard_webhooks","header":"x"}"#,
    ] {
        assert!(serde_json::from_str::<SignatureForm>(json).is_err(), "{json}");
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

#[test]
fn a_detached_jws_is_verified_over_the_body() {
    let form = form(r#"{"form":"detached_jws","header":"x-jws-signature","algorithm":"EdDSA"}"#);
    let (_, public) = ed25519();
    let private =
        [b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".as_slice(), &[9; 32]]
            .concat();
    let spki = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), &public].concat();
    let key = BodySigningKey::read(&form, &Secret::from(pem("PRIVATE KEY", &private))).unwrap();
    let signer = BodySigner::new(form.clone(), key.with_key_id("k1")).unwrap();
    let uri = Uri::from_static("https://hooks.example/x");
    let body = vec![0xff; 20_000];
    let made =
        signer.sign(SignableDelivery::new("1", Timestamp::from_unix(NOW), &uri, &body)).unwrap();
    let value = made["x-jws-signature"].to_str().unwrap().to_owned();
    assert!(value.contains("..") && value.len() < 300, "{value}");
    let set = format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k0","x":"{0}"}},{{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"{1}"}}]}}"#,
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([8; 32]),
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(public),
    );
    let set = auth_jwt::JwkSet::parse(set.as_bytes()).unwrap();
    for key in [
        BodyVerifyingKey::read(&form, &Secret::from(pem("PUBLIC KEY", &spki))).unwrap(),
        BodyVerifyingKey::from_jwk_set(&form, &set).unwrap(),
    ] {
        let verifier = BodySignatureVerifier::new(form.clone(), Candidates::one(key, 0)).unwrap();
        assert_eq!(judge(&verifier, "/x", &made, &body).unwrap().sender, 0);
        assert_eq!(
            judge(&verifier, "/x", &made, &body[1..]),
            Err((401, "webhook_signature_wrong"))
        );
        let (head, signature) = value.split_once("..").unwrap();
        for wrong in [
            format!("{head}.e30.{signature}"),
            format!("{head}."),
            head.to_owned(),
            format!("..{signature}"),
        ] {
            let wrong = with(&made, "x-jws-signature", &wrong);
            assert_eq!(
                judge(&verifier, "/x", &wrong, &body),
                Err((400, "webhook_signature_malformed"))
            );
        }
    }
}

/// The keys of a set, of whatever algorithm they are.
struct Known(auth_jwt::JwtKeys);

impl auth_core::Lookup<auth_jwt::KeyId> for Known {
    type Found = auth_jwt::JwtKeys;

    fn lookup(&self, _: &auth_jwt::KeyId) -> auth_core::Flow<'_, Option<auth_jwt::JwtKeys>> {
        auth_core::Flow::ready(Some(self.0.clone()))
    }
}

#[test]
fn a_detached_jws_has_the_algorithm_of_its_form_however_the_key_came() {
    let of = |algorithm: &str| {
        let json = r#"{"form":"detached_jws","header":"x-jws-signature","algorithm":"ALG"}"#;
        form(&json.replace("ALG", algorithm))
    };
    let (_, public) = ed25519();
    let spki = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), &public].concat();
    let spki = pem("PUBLIC KEY", &spki);
    let private =
        [b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".as_slice(), &[9; 32]]
            .concat();
    let key = BodySigningKey::read(&of("EdDSA"), &Secret::from(pem("PRIVATE KEY", &private)));
    let uri = Uri::from_static("https://hooks.example/x");
    let delivery = SignableDelivery::new("1", Timestamp::from_unix(NOW), &uri, b"{}");
    let made = BodySigner::new(of("EdDSA"), key.unwrap()).unwrap().sign(delivery).unwrap();
    let read = BodyVerifyingKey::read(&of("EdDSA"), &Secret::from(spki.clone())).unwrap();
    let refused = BodySignatureVerifier::new(of("ES256"), Candidates::one(read, 0)).unwrap_err();
    assert_eq!(refused.code(), "webhook_signature_key");
    let known = auth_jwt::VerifyingKey::from_pem(JwsAlgorithm::EdDSA, &spki).unwrap();
    for (algorithm, expected) in
        [("EdDSA", Ok(())), ("ES256", Err((401, "webhook_signature_wrong")))]
    {
        let key = BodyVerifyingKey::from_lookup(Known(Candidates::one(known.clone(), ())));
        let verifier = BodySignatureVerifier::new(of(algorithm), Candidates::one(key, 0)).unwrap();
        assert_eq!(judge(&verifier, "/x", &made, b"{}").map(drop), expected, "{algorithm}");
    }
}

#[test]
fn a_signature_is_verified_without_an_allocation() {
    let uri = Uri::from_static("/x");
    for (json, key) in [(HUB, "hub secret"), (STANDARD_FORM, WHSEC), (TIMED, "secret")] {
        let form = form(json);
        let (signer, verifier) = (signer(&form, key), verifier(&form, &[key]));
        for size in [1024, 1024 * 1024] {
            let body = vec![7; size];
            let made = signer
                .sign(SignableDelivery::new("m1", Timestamp::from_unix(NOW), &uri, &body))
                .unwrap();
            let measured = allocation_counter::measure(|| {
                let view =
                    RequestView::new(&Method::POST, &uri, &made).with_body(Body::Bytes(&body));
                assert!(verifier.verify(view).wait().unwrap().is_ok());
            });
            assert_eq!(measured.count_total, 0, "{json}");
        }
    }
}

proptest! {
    /// Law: whatever is signed is verified, and a change of any byte is not.
    #[test]
    fn whatever_is_signed_is_verified(body in proptest::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let uri = Uri::from_static("/x");
        for (json, key) in [(HUB, "hub secret"), (STANDARD_FORM, WHSEC), (TIMED, "secret"),
            (r#"{"form":"body_hmac","header":"x-sig","algorithm":"sha512","encoding":"base64","prefix":"v=1:"}"#, "s")] {
            let form = form(json);
            let verifier = verifier(&form, &["other-secret-of-a-length", key].map(|key| if json == STANDARD_FORM { WHSEC } else { key }));
            let made = signer(&form, key).sign(SignableDelivery::new("m1", Timestamp::from_unix(NOW), &uri, &body)).unwrap();
            prop_assert!(judge(&verifier, "/x", &made, &body).is_ok());
            let mut changed = body.clone();
            changed[at.index(body.len())] ^= 1 << bit;
            prop_assert_eq!(judge(&verifier, "/x", &made, &changed), Err((401, "webhook_signature_wrong")));
        }
    }

    #[test]
    fn no_field_panics(value in "[ -~]{0,200}", body in proptest::collection::vec(any::<u8>(), 0..64)) {
        for (json, key) in [(HUB, "s"), (STANDARD_FORM, WHSEC), (TIMED, "s"), (TWILIO, "s"), (SYMPHONY, "s")] {
            let form = form(json);
            let name = form.header().unwrap();
            let mut sent = fields([("webhook-id", "m1"), ("webhook-timestamp", "1614265330")]);
            sent.insert(name, HeaderValue::from_str(&value).unwrap());
            prop_assert!(judge(&verifier(&form, &[key]), "/x", &sent, &body).is_err());
        }
    }
}
