//! Detached JWS (RFC 7515 appendix F), whose payload is encoded though it is not there.

use super::{ACCEPTED, Sent, WRONG, judged, judged_with, text};
use crate::peer::{Peer, said};
use auth_jwt::JwkSet;
use auth_webhook::{
    BodySigner, BodySigningKey, BodyVerifyingKey, Secret, SignableDelivery, SignatureAlgorithm,
    SignatureForm,
};
use conformance::{Compared, NotStarted, Settings, compare};
use serde_json::{Value, json};

pub fn jwcrypto(settings: &Settings) -> Result<Vec<Compared>, NotStarted> {
    Ok(cases(&Peer::python(settings, "jwcrypto", "jwcrypto")?, "jwcrypto")?)
}

/// And what PyJWT detaches otherwise.
pub fn joserfc(settings: &Settings) -> Result<Vec<Compared>, NotStarted> {
    Peer::python(settings, "jwt", "PyJWT")?;
    Ok(cases(&Peer::python(settings, "joserfc", "joserfc")?, "joserfc")?)
}

const ALGORITHMS: [(&str, SignatureAlgorithm); 6] = [
    ("RS256", SignatureAlgorithm::RS256),
    ("RS512", SignatureAlgorithm::RS512),
    ("PS256", SignatureAlgorithm::PS256),
    ("PS512", SignatureAlgorithm::PS512),
    ("ES256", SignatureAlgorithm::ES256),
    ("EdDSA", SignatureAlgorithm::EdDSA),
];

const BODY: &str = "{\"event\": \"delivered \u{260e}\"}\n";
const TARGET: &str = "https://hooks.example/";
const FIELD: &str = "x-jws-signature";

fn cases(peer: &Peer, library: &str) -> Result<Vec<Compared>, String> {
    let mut asked = Vec::new();
    for (name, _) in ALGORITHMS {
        asked.push(json!({ "do": "key", "alg": name }));
        asked.push(json!({ "do": "key", "alg": name }));
    }
    let keys = peer.answers(&asked)?;
    let mut cases = Vec::new();
    for ((name, algorithm), keys) in ALGORITHMS.iter().zip(keys.chunks(2)) {
        let form = SignatureForm::DetachedJws { header: FIELD.into(), algorithm: *algorithm };
        for case in of_algorithm(peer, library, name, &form, keys)? {
            cases.push(Compared { id: format!("{name}-{}", case.id), ..case });
        }
    }
    Ok(cases)
}

fn of_algorithm(
    peer: &Peer,
    library: &str,
    name: &str,
    form: &SignatureForm,
    keys: &[Value],
) -> Result<Vec<Compared>, String> {
    let [key, other] = keys else { return Err("two keys were expected".into()) };
    let half = |key: &Value, half: &str| said(&key[half]);
    let (private, public, stranger) =
        (half(key, "private"), half(key, "public"), half(other, "public"));
    let sign = |library: &str, body: &str| json!({ "do": format!("{library} sign"), "alg": name, "key": private, "body": body });
    let mut named = sign(library, BODY);
    named["kid"] = "one".into();
    let read = BodySigningKey::read(form, &Secret::from(private.as_str())).map_err(text)?;
    let signer = BodySigner::new(form.clone(), read.with_key_id("one")).map_err(text)?;
    let ours = signer.sign(SignableDelivery::new(
        "4711",
        super::now(),
        &http::Uri::from_static(TARGET),
        BODY.as_bytes(),
    ));
    let ours = ours.map_err(text)?;
    let ours = ours.get(FIELD).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let verify = |key: &str, body: &str| {
        json!({
            "do": format!("{library} verify"), "alg": name, "key": key, "body": body, "signature": ours,
        })
    };
    let answers = peer.answers(&[
        sign(library, BODY),
        sign(library, ""),
        named,
        sign("pyjwt", BODY),
        verify(&public, BODY),
        verify(&stranger, BODY),
        verify(&public, BODY.trim_end()),
    ])?;
    let answers: Vec<String> = answers.iter().map(said).collect();
    let [good, empty, named, unencoded, right, by_stranger, another_body] = &*answers else {
        return Err("seven answers were expected".into());
    };
    let sent = |signature: &str, body: &str| Sent::new(TARGET, body, &[(FIELD, signature)]);
    let mut cases = Vec::new();
    let forged = forged(good);
    for (id, known, sent, expected) in [
        ("theirs-good", vec![&*public], sent(good, BODY)?, ACCEPTED),
        ("theirs-empty-body", vec![&*public], sent(empty, "")?, ACCEPTED),
        ("theirs-two-keys-known", vec![&*stranger, &*public], sent(good, BODY)?, ACCEPTED),
        ("theirs-another-key", vec![&*stranger], sent(good, BODY)?, WRONG),
        ("theirs-another-body", vec![&*public], sent(good, BODY.trim_end())?, WRONG),
        ("theirs-not-detached", vec![&*public], sent(&attached(good), BODY)?, MALFORMED),
        ("theirs-of-no-algorithm", vec![&*public], sent(&forged, BODY)?, MALFORMED),
        // RFC 7797: the payload is signed as it is. The header says so, and we know no such header.
        ("theirs-unencoded", vec![&*public], sent(unencoded, BODY)?, MALFORMED),
    ] {
        cases.push(compare(id, expected, judged(form, &known, &sent)?));
    }
    for (id, kid, expected) in
        [("theirs-of-key-set", "one", ACCEPTED), ("theirs-of-another-kid", "two", WRONG)]
    {
        let set = key_set(peer, &public, kid)?;
        let set = BodyVerifyingKey::from_jwk_set(form, &set).map_err(text)?;
        let verdict = judged_with(form, vec![set], &sent(named, BODY)?)?;
        cases.push(compare(id, expected, verdict));
    }
    for (id, expected, verdict) in [
        ("ours-good", ACCEPTED, right),
        ("ours-another-key", "refused", by_stranger),
        ("ours-another-body", "refused", another_body),
    ] {
        cases.push(compare(id, expected, verdict));
    }
    Ok(cases)
}

const MALFORMED: &str = "webhook_signature_malformed";

/// The same with its payload in it.
fn attached(signature: &str) -> String {
    signature.replacen("..", ".e30.", 1)
}

/// The same under a header that names no algorithm.
fn forged(signature: &str) -> String {
    let rest = signature.split_once("..").map_or("", |(_, rest)| rest);
    // {"alg":"none"}
    format!("eyJhbGciOiJub25lIn0..{rest}")
}

/// A key set that has this key under this name.
fn key_set(peer: &Peer, public: &str, kid: &str) -> Result<JwkSet, String> {
    let answers = peer.answers(&[json!({ "do": "jwk", "key": public, "kid": kid })])?;
    JwkSet::parse(said(&json!({ "keys": answers })).as_bytes()).map_err(text)
}
