//! The examples of RFC 7515 appendix A and of RFC 8037 appendix A, in both directions.

use super::{Said, claims, key, policy, signature};
use auth_jwt::UnverifiedJws;
use conformance::{Compared, compare};
use serde_json::{Value, json};

/// One example: the algorithm, its key with the private half where there is one, and the token.
struct Example {
    id: String,
    jwk: Value,
    token: String,
}

/// RFC 7515 appendix A: compact tokens verified and made again; those in JSON joined to compact ones, since we read no
/// others.
pub fn rfc7515() -> Vec<Compared> {
    let mut cases = Vec::new();
    for example in examples("7515-") {
        let id = &example.id;
        // ES512 (A.4) is not among our algorithms, and its key is refused before the token is looked at.
        if example.jwk["alg"] == "ES512" {
            let refused = key(&example.jwk).map_or_else(|code| code, |_| "a key".into());
            cases.push(compare(format!("{id}-key"), "jwk_kind", refused));
            continue;
        }
        cases.push(compare(id.as_str(), "valid", verified(&example.token, &example.jwk)));
        cases.push(broken(&example));
        cases.extend(again(&example));
        // The claims of A.1 are those of A.2 and A.3: dead since 2011-03-22T18:43:00Z.
        for (when, expected, now) in [
            ("before-exp", "accepted", 1_300_819_379),
            ("at-exp", "refused (jwt_exp_past)", 1_300_819_380),
        ] {
            let said = judged(&example, now);
            cases.push(compare(format!("{id}-{when}"), expected, said));
        }
    }
    cases.extend(unsecured());
    cases.extend(json_serialization());
    cases
}

/// RFC 8037 appendix A.4 and A.5: Ed25519.
pub fn rfc8037() -> Vec<Compared> {
    let mut cases = Vec::new();
    for example in examples("8037-") {
        cases.push(compare("A.5-verified", "valid", verified(&example.token, &example.jwk)));
        cases.push(broken(&example));
        cases.extend(again(&example));
        let read = key(&example.jwk)
            .and_then(|key| signature(&example.token, &key))
            .map(|payload| String::from_utf8_lossy(&payload).into_owned());
        cases.push(compare(
            "A.5-payload",
            "Example of Ed25519 signing",
            read.unwrap_or_else(|code| code),
        ));
    }
    cases
}

/// Appendix A.5 and appendix E: what no verifier of signatures may accept.
fn unsecured() -> Vec<Compared> {
    let payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let critical = "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.";
    [("7515-A.5", format!("eyJhbGciOiJub25lIn0.{payload}.")), ("7515-E", critical.to_owned())]
        .into_iter()
        .map(|(id, token)| {
            let said = UnverifiedJws::parse(&token)
                .map_or_else(|refused| refused.reason().code.to_owned(), |_| "parsed".into());
            compare(id, "jwt_alg_none", said)
        })
        .collect()
}

/// Appendix A.6 and A.7: the same signatures in JSON, which is refused as it stands.
fn json_serialization() -> Vec<Compared> {
    let parts = |example: &Example| {
        let parts: Vec<String> = example.token.split('.').map(str::to_owned).collect();
        <[String; 3]>::try_from(parts).unwrap_or_default()
    };
    let signed: Vec<Example> = examples("7515-")
        .into_iter()
        .filter(|example| ["7515-A.2", "7515-A.3"].contains(&example.id.as_str()))
        .collect();
    let signatures: Vec<Value> = signed
        .iter()
        .map(|example| {
            let [protected, _, signature] = parts(example);
            let kid = match example.id.as_str() {
                "7515-A.2" => "2010-12-29",
                _ => "e9bc097a-ce51-4036-9562-d2ade882db0d",
            };
            json!({ "protected": protected, "header": { "kid": kid }, "signature": signature })
        })
        .collect();
    let [_, payload, _] = signed.first().map(parts).unwrap_or_default();
    let general = json!({ "payload": payload, "signatures": signatures });
    let mut flattened = signatures.last().cloned().unwrap_or_default();
    flattened["payload"] = payload.into();
    [("7515-A.6", general), ("7515-A.7", flattened)]
        .into_iter()
        .map(|(id, text)| {
            let said = UnverifiedJws::parse(&text.to_string())
                .map_or_else(|refused| refused.reason().code.to_owned(), |_| "parsed".into());
            compare(id, "jwt_parts", said)
        })
        .collect()
}

fn examples(document: &str) -> Vec<Example> {
    let all: Value =
        serde_json::from_str(include_str!("jose-examples.json")).expect("the examples are JSON");
    let all = all["examples"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.into_iter()
        .filter(|example| text(&example["id"]).starts_with(document))
        .map(|example| {
            let mut jwk = example["key"].clone();
            jwk["alg"] = example["algorithm"].clone();
            Example { id: text(&example["id"]), jwk, token: text(&example["token"]) }
        })
        .collect()
}

/// `valid`, or the code of the refusal.
pub(super) fn verified(token: &str, jwk: &Value) -> String {
    key(jwk)
        .and_then(|key| signature(token, &key))
        .map_or_else(|code| format!("invalid ({code})"), |_| "valid".into())
}

/// The example with one letter of its payload changed.
fn broken(example: &Example) -> Compared {
    let changed = example.token.replacen('.', ".A", 1);
    let changed = changed.replacen(".Ae", ".f", 1).replacen(".AR", ".S", 1);
    let said = verified(&changed, &example.jwk);
    compare(format!("{}-changed", example.id), "invalid (jwt_signature)", said)
}

/// The example's signature made again, where the algorithm makes the same one each time.
fn again(example: &Example) -> Option<Compared> {
    let algorithm = example.jwk["alg"].as_str()?;
    if algorithm.starts_with("ES") || algorithm.starts_with("PS") {
        return None;
    }
    let (message, _) = example.token.rsplit_once('.')?;
    let made = super::resigned(message, &example.jwk).unwrap_or_else(|code| code);
    Some(compare(format!("{}-signed", example.id), &example.token, made))
}

fn judged(example: &Example, now: u64) -> Said {
    match key(&example.jwk) {
        Ok(key) => claims(&example.token, &key, &policy(), now),
        Err(code) => Said::Refused(code),
    }
}
