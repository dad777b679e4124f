//! Project Wycheproof's set for JSON Web Signature.

use super::{resigned, rfc::verified};
use auth_jwt::JwsAlgorithm;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use conformance::{CaseResult, Missing, Settings};
use serde_json::Value;

/// Every case of the set, under its own number.
///
/// # Errors
///
/// If the set is not there.
pub fn cases(settings: &Settings) -> Result<Vec<CaseResult>, Missing> {
    const FILE: &str = "testvectors_v1/json_web_signature_test.json";
    let path = settings.vectors("wycheproof-json-web")?.join(FILE);
    let text = std::fs::read_to_string(path)
        .map_err(|_| Missing::Vectors(format!("wycheproof-json-web, {FILE}")))?;
    let set: Value = serde_json::from_str(&text).expect("the set is JSON");
    let groups = set["testGroups"].as_array().into_iter().flatten();
    let (mut cases, mut keys) = (Vec::new(), Vec::new());
    for group in groups {
        let tests = group["tests"].as_array().cloned().unwrap_or_default();
        cases.extend(tests.iter().map(|test| case(group, test)));
        keys.extend(tests.first().map(|first| pair(group, &first["tcId"])));
    }
    let all = CaseResult::compare("all", set["numberOfTests"].to_string(), cases.len().to_string());
    Ok(cases.into_iter().chain([all]).chain(keys).collect())
}

fn case(group: &Value, test: &Value) -> CaseResult {
    let jwk = group.get("public").unwrap_or(&group["private"]);
    let expected = test["result"].as_str().unwrap_or("no result");
    let said = match test["jws"].as_str() {
        Some(token) => verified(token, &with_algorithm(jwk, token)),
        // A JWS in JSON, which is text to us as anything else.
        None => verified(&test["jws"].to_string(), jwk),
    };
    // Why a bad one is refused is ours to say.
    let actual =
        if expected == "invalid" && said.starts_with("invalid") { expected } else { &said };
    CaseResult::compare(format!("tcId-{}", test["tcId"]), expected, actual)
}

/// The private half of a group's key signs what its public half verifies, if it is for signing and for an algorithm of
/// ours.
fn pair(group: &Value, first: &Value) -> CaseResult {
    let private = &group["private"];
    let public = group.get("public").unwrap_or(private);
    let known = private["alg"].as_str().is_some_and(|name| JwsAlgorithm::named(name).is_some());
    let expected = if known { "valid" } else { "no key" };
    let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":{}}}"#, private["alg"]));
    let actual = match resigned(&format!("{header}.e30"), private) {
        Ok(token) => verified(&token, public),
        Err(code) if expected == "valid" => code,
        Err(_) => "no key".into(),
    };
    CaseResult::compare(format!("key-of-tcId-{first}"), expected, actual)
}

/// A key without `alg` is taken for the token's, so that its `use` and `key_ops` are what is judged.
fn with_algorithm(jwk: &Value, token: &str) -> Value {
    let mut jwk = jwk.clone();
    let header = token.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
    let header: Value = serde_json::from_slice(&header).unwrap_or_default();
    if jwk.get("alg").is_none() && header["alg"].is_string() {
        jwk["alg"] = header["alg"].clone();
    }
    jwk
}
