//! jsonwebtoken, with its backend in Rust.

use super::{NOW, Said, Set, compared, tokens};
use conformance::Compared;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::Jwk};
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{SystemTime, UNIX_EPOCH};

/// What we say, held against what jsonwebtoken says.
pub fn jsonwebtoken() -> Vec<Compared> {
    let set = tokens::all();
    compared(set, &verdicts(set))
}

fn verdicts(set: &Set) -> Vec<Said> {
    let keys: BTreeMap<&str, (DecodingKey, Algorithm)> = set
        .keys
        .iter()
        .map(|[key, _]| {
            let name = key.algorithm.name();
            let jwk: Jwk = serde_json::from_value(key.jwk.clone()).expect("a JWK");
            let key = DecodingKey::from_jwk(&jwk).expect("a key");
            (name, (key, name.parse().expect("an algorithm")))
        })
        .collect();
    let say = |token: &tokens::Token| {
        let (key, algorithm) = &keys[token.algorithm.name()];
        loop {
            let before = system_time();
            let said = verdict(&token.text, key, *algorithm, before);
            // It reads the system's clock, which must not have moved on since we did.
            if system_time() == before {
                return said;
            }
        }
    };
    set.tokens.iter().map(say).collect()
}

fn verdict(token: &str, key: &DecodingKey, algorithm: Algorithm, system_time: u64) -> Said {
    // No clock can be handed to it. What it allows for clocks moves `nbf` from the system's time to ours, and what it
    // wants tokens to live for moves `exp` as far, and back by the allowance. That holds until our time has come.
    let ahead = NOW.saturating_sub(system_time);
    let mut validation = Validation::new(algorithm);
    validation.leeway = ahead;
    validation.reject_tokens_expiring_in_less_than = 2 * ahead;
    validation.validate_nbf = true;
    validation.validate_aud = false;
    let decoded =
        catch_unwind(AssertUnwindSafe(|| jsonwebtoken::decode::<Value>(token, key, &validation)));
    match decoded {
        Ok(Ok(_)) => Said::Accepted,
        Ok(Err(error)) => {
            // The kind without what it holds, which may be the text of another library's error.
            let kind = format!("{:?}", error.kind());
            Said::Refused(kind.split('(').next().unwrap_or_default().to_owned())
        }
        Err(_) => Said::Refused("panicked".into()),
    }
}

fn system_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
