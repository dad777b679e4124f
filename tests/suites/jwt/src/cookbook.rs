//! The JOSE cookbook (RFC 7520) section 4, and its example of Ed25519: every signature there is, whatever it is wrapped
//! in, as a compact token.

use super::rfc::verified;
use conformance::{CaseResult, Missing, Settings};
use serde_json::Value;
use std::path::Path;

/// Every signature of every file.
///
/// # Errors
///
/// If the cookbook is not there.
pub fn cases(settings: &Settings) -> Result<Vec<CaseResult>, Missing> {
    let folder = settings.vectors("jose-cookbook")?;
    let mut files: Vec<_> = std::fs::read_dir(folder.join("jws"))
        .map_err(|_| Missing::Vectors("jose-cookbook, jws".into()))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files.push(folder.join("curve25519/jws.json"));
    Ok(files.iter().flat_map(|file| in_file(file)).collect())
}

fn in_file(file: &Path) -> Vec<CaseResult> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let case: Value = match serde_json::from_str(&text) {
        Ok(case) => case,
        Err(error) => {
            let id = file.display().to_string();
            return vec![CaseResult::compare(id, "a case", error.to_string())];
        }
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let id = name.split('.').next().unwrap_or_default().replace('_', ".");
    let (keys, signings) = (listed(&case["input"]["key"]), listed(&case["signing"]));
    let algorithms = listed(&case["input"]["alg"]);
    let mut cases = Vec::new();
    for (n, signing) in signings.iter().enumerate() {
        let mut jwk = keys[n].clone();
        jwk["alg"] = algorithms[n].clone();
        let id = if signings.len() == 1 { id.clone() } else { format!("{id}-{}", n + 1) };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let message = text(&signing["sig-input"]);
        let token = format!("{message}.{}", text(&signing["sig"]));
        for (form, wrapped) in wrapped(&case["output"], &message, n) {
            let actual = if wrapped == token { verified(&token, &jwk) } else { wrapped };
            cases.push(CaseResult::compare(format!("{id}-{form}"), "valid", actual));
        }
        if case["reproducible"] == true {
            let made = super::resigned(&message, &jwk).unwrap_or_else(|code| code);
            cases.push(CaseResult::compare(format!("{id}-signed"), token, made));
        }
    }
    // Compact with the payload left out (4.5): nothing tells us what was signed.
    let compact = case["output"]["compact"].as_str().unwrap_or_default();
    if compact.contains("..") {
        let jwk = &keys[0];
        let said = verified(compact, jwk);
        cases.push(CaseResult::compare(format!("{id}-detached"), "invalid (jwt_signature)", said));
    }
    cases
}

/// The compact token that each form of the output comes to. What is left out of a form is taken from the message.
fn wrapped(output: &Value, message: &str, n: usize) -> Vec<(&'static str, String)> {
    let (_, payload) = message.split_once('.').unwrap_or_default();
    let joined = |holder: &Value, signed: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let payload = holder["payload"].as_str().unwrap_or(payload);
        format!("{}.{payload}.{}", text(&signed["protected"]), text(&signed["signature"]))
    };
    let mut forms = Vec::new();
    if let Some(compact) = output["compact"].as_str() {
        forms.push(("compact", compact.replace("..", &format!(".{payload}."))));
    }
    if output["json"].is_object() {
        forms.push(("json", joined(&output["json"], &output["json"]["signatures"][n])));
    }
    if output["json_flat"].is_object() {
        forms.push(("flat", joined(&output["json_flat"], &output["json_flat"])));
    }
    forms
}

fn listed(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}
