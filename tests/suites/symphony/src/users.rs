//! What a user's client says of its user, signed by PyJWT with the key of the emulated pod.

use super::{APP, Pod, PyJwt};
use auth_symphony::UserJwtVerifier;
use conformance::{Compared, compare};
use serde_json::{Value, json};

/// The key of the certificate that the emulated pod gives.
const POD_KEY: &str =
    include_str!("../../../../crates/auth-emulator/src/symphony/pod_keys/key.pem");
const ISSUER: &str = "Symphony Communication Services LLC.";

/// Claims of a token that is good, with these in place of its own; null takes one out.
fn claims(changed: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER,
        "aud": APP,
        "sub": "7",
        "exp": 300,
        "user": { "id": 7, "username": "jane@acme.com" },
    });
    for (name, value) in changed.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    if let Some(members) = claims.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    claims
}

pub fn cases(pod: &Pod, python: &PyJwt) -> Result<Vec<Compared>, String> {
    let sign = |algorithm, changed| PyJwt::sign(POD_KEY, algorithm, claims(changed));
    let rs512 = |changed| sign("RS512", changed);
    let calls = [
        ("good", rs512(json!({})), "user 7"),
        ("subject-as-a-number", rs512(json!({ "sub": 7 })), "user 7"),
        ("audience-in-an-array", rs512(json!({ "aud": [APP] })), "user 7"),
        ("rs256", sign("RS256", json!({})), "jwt_alg"),
        ("ps512", sign("PS512", json!({})), "jwt_alg"),
        ("another-app", rs512(json!({ "aud": "other" })), "jwt_aud"),
        ("no-audience", rs512(json!({ "aud": null })), "jwt_aud"),
        ("another-issuer", rs512(json!({ "iss": "Symphony" })), "jwt_iss"),
        ("no-issuer", rs512(json!({ "iss": null })), "jwt_iss"),
        ("subject-that-is-no-number", rs512(json!({ "sub": "jane" })), "jwt_sub_type"),
        ("no-subject", rs512(json!({ "sub": null })), "jwt_sub_missing"),
        ("ended", rs512(json!({ "exp": -100 })), "jwt_exp_past"),
        ("no-end", rs512(json!({ "exp": null })), "jwt_exp_missing"),
        ("end-in-milliseconds", rs512(json!({ "exp": 1_800_000_000_000_000_i64 })), "jwt_exp"),
        (
            "another-key",
            PyJwt::sign(&pod.keys.other.pkcs8, "RS512", claims(json!({}))),
            "jwt_signature",
        ),
    ];
    let signs: Vec<Value> = calls.iter().map(|(_, sign, _)| sign.clone()).collect();
    let tokens = python.ask(&signs)?;
    let verifier = UserJwtVerifier::new(&pod.endpoints()?, APP, pod.context()?);
    let mut cases = Vec::new();
    for ((id, _, expected), token) in calls.iter().zip(&tokens) {
        let judged = pod.runtime.block_on(async { verifier.verify(token).await });
        let said = match judged {
            Ok(Ok(claims)) => format!("user {}", claims.subject().unwrap_or_default()),
            Ok(Err(refused)) => refused.reason().code.to_owned(),
            Err(error) => error.to_string(),
        };
        // The first words of a code say which claim it is.
        let said = if said.starts_with(expected) { (*expected).to_owned() } else { said };
        cases.push(compare(*id, expected, said));
    }
    Ok(cases)
}
