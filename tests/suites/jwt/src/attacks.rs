//! Attacks on verifiers, each with the reason that we give for refusing it.

use super::keys::{self, Key};
use super::tokens::{NOW, signed};
use super::{Said, claims, policy};
use auth_jwt::{DatePrecision, JwsAlgorithm, JwtPolicy, UnverifiedJws, VerifyingKey};
use conformance::{Compared, compare};
use ring::hmac;

/// A token signed by the right key, but for what is said of it.
struct Signer {
    key: Key,
    ours: VerifyingKey,
    policy: JwtPolicy,
}

const CLAIMS: &str = r#"{"iss":"issuer","exp":2000000300}"#;
const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

/// Header or claims, and the verdict.
type Row = (&'static str, &'static str, &'static str);

const HEADERS: &[Row] = &[
    ("good", HEADER, "accepted"),
    ("alg-missing", r#"{"typ":"JWT"}"#, "refused (jwt_alg_missing)"),
    ("alg-twice", r#"{"alg":"none","alg":"RS256"}"#, "refused (jwt_header_duplicate)"),
    ("alg-twice-escaped", r#"{"alg":"RS256","\u0061lg":"none"}"#, "refused (jwt_header_duplicate)"),
    ("alg-of-the-same-key", r#"{"alg":"PS256"}"#, "refused (jwt_alg_other)"),
    ("jku", r#"{"alg":"RS256","jku":"https://attacker.example/"}"#, "refused (jwt_jku)"),
    ("x5u", r#"{"alg":"RS256","x5u":"https://attacker.example/"}"#, "refused (jwt_x5u)"),
    ("x5c", r#"{"alg":"RS256","x5c":["MIIB"]}"#, "refused (jwt_x5c)"),
    ("kid-path", r#"{"alg":"RS256","kid":"../../../dev/null"}"#, "accepted"),
    ("kid-quotes", r#"{"alg":"RS256","kid":"' OR '1'='1"}"#, "accepted"),
    ("crit-unknown", r#"{"alg":"RS256","crit":["x"],"x":1}"#, "refused (jwt_crit)"),
    ("crit-empty", r#"{"alg":"RS256","crit":[]}"#, "refused (jwt_crit)"),
    ("b64-false", r#"{"alg":"RS256","crit":["b64"],"b64":false}"#, "refused (jwt_crit)"),
    ("b64-false-not-critical", r#"{"alg":"RS256","b64":false}"#, "refused (jwt_b64)"),
];

const PAYLOADS: &[Row] = &[
    ("exp-string", r#"{"exp":"2000000300"}"#, "refused (jwt_exp_type)"),
    ("exp-float", r#"{"exp":2000000300.5}"#, "refused (jwt_exp_fraction)"),
    ("exp-1e400", r#"{"exp":1e400}"#, "refused (jwt_exp_unit)"),
    ("exp-missing", r#"{"iss":"issuer"}"#, "refused (jwt_exp_missing)"),
    ("exp-twice", r#"{"exp":2000000300,"exp":2000000300}"#, "refused (jwt_claims_duplicate)"),
    ("nested-twice", r#"{"exp":2000000300,"x":{"a":1,"a":1}}"#, "refused (jwt_claims_duplicate)"),
];

pub fn attacks() -> Vec<Compared> {
    let pairs = keys::pairs();
    let Some([key, other]) =
        pairs.into_iter().find(|pair| pair[0].algorithm == JwsAlgorithm::RS256)
    else {
        return Vec::new();
    };
    let signer = match super::key(&key.jwk) {
        Ok(ours) => {
            Signer { key, ours, policy: policy().with_date_precision(DatePrecision::WholeSeconds) }
        }
        Err(code) => return vec![compare("key", "a key", code)],
    };
    let mut cases = Vec::new();
    for (id, header, expected) in HEADERS {
        cases.push(compare(*id, expected, signer.says_of(&signer.signed(header, CLAIMS))));
    }
    for (id, payload, expected) in PAYLOADS {
        cases.push(compare(*id, expected, signer.says_of(&signer.signed(HEADER, payload))));
    }
    cases.extend(none(&signer));
    cases.extend(public_as_secret(&signer));
    cases.extend(embedded(&signer, &other));
    cases.extend(signatures(&signer));
    cases.extend(key_ids(&signer));
    cases.extend(deep(&signer));
    cases
}

/// `none` in its sixteen spellings, without a signature and with the right one.
fn none(signer: &Signer) -> Vec<Compared> {
    (0..16)
        .flat_map(|upper| {
            let name: String = "none"
                .chars()
                .enumerate()
                .map(|(n, c)| if upper & (1 << n) == 0 { c } else { c.to_ascii_uppercase() })
                .collect();
            let header = format!(r#"{{"alg":"{name}"}}"#);
            let signed = signer.signed(&header, CLAIMS);
            let unsigned = format!("{}.", signed.rsplit_once('.').unwrap_or_default().0);
            [("unsigned", unsigned), ("signed", signed)].map(|(form, token)| {
                let id = format!("alg-{name}-{form}");
                compare(id, "refused (jwt_alg_none)", signer.says_of(&token))
            })
        })
        .collect()
}

/// A public key taken for the secret of an HMAC, in each form that a verifier may hold it in.
fn public_as_secret(signer: &Signer) -> Vec<Compared> {
    let key = &signer.key;
    let forms = [
        ("pem", key.pem()),
        ("pem-without-newline", key.pem().trim_end().to_owned()),
        ("jwk", key.jwk.to_string()),
        ("modulus", key.jwk["n"].as_str().unwrap_or_default().to_owned()),
    ];
    let forms = forms.map(|(form, text)| (form, text.into_bytes()));
    let hashes =
        [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)];
    forms
        .into_iter()
        .chain([("der", key.spki.clone())])
        .flat_map(|(form, secret)| {
            hashes.map(|(name, hash)| {
                let sign = |header: &str| {
                    let key = hmac::Key::new(hash, &secret);
                    signed(header, CLAIMS, |message| hmac::sign(&key, message).as_ref().to_vec())
                };
                let (named, kept) = (sign(&format!(r#"{{"alg":"{name}"}}"#)), sign(HEADER));
                [
                    compare(
                        format!("{name}-with-{form}"),
                        "refused (jwt_alg_other)",
                        signer.says_of(&named),
                    ),
                    compare(
                        format!("{name}-with-{form}-as-RS256"),
                        "refused (jwt_signature)",
                        signer.says_of(&kept),
                    ),
                ]
            })
        })
        .flatten()
        .collect()
}

/// A token that brings the key it was signed with.
fn embedded(signer: &Signer, other: &Key) -> Vec<Compared> {
    let header = format!(r#"{{"alg":"RS256","jwk":{}}}"#, other.jwk);
    let token = signed(&header, CLAIMS, |message| other.sign(message));
    let plain = signed(HEADER, CLAIMS, |message| other.sign(message));
    vec![
        compare("jwk-embedded", "refused (jwt_signature)", signer.says_of(&token)),
        compare("another-key", "refused (jwt_signature)", signer.says_of(&plain)),
    ]
}

fn signatures(signer: &Signer) -> Vec<Compared> {
    let good = signer.signed(HEADER, CLAIMS);
    let (message, signature) = good.rsplit_once('.').unwrap_or_default();
    [
        ("signature-empty", format!("{message}."), "refused (jwt_signature)"),
        ("signature-gone", message.to_owned(), "refused (jwt_parts)"),
        ("signature-padded", format!("{good}=="), "refused (jwt_signature_base64url)"),
        ("signature-and-newline", format!("{good}\n"), "refused (jwt_signature_base64url)"),
        ("signature-twice", format!("{good}.{signature}"), "refused (jwt_parts)"),
        ("five-parts", format!("{message}..{signature}."), "refused (jwt_encrypted)"),
    ]
    .into_iter()
    .map(|(id, token, expected)| compare(id, expected, signer.says_of(&token)))
    .collect()
}

/// What keys are looked up by comes out as it came in: no path, no query, no address.
fn key_ids(signer: &Signer) -> Vec<Compared> {
    ["../../../dev/null", "' OR '1'='1", "\u{0}", "https://attacker.example/key", ""]
        .into_iter()
        .enumerate()
        .map(|(n, kid)| {
            let header = serde_json::json!({ "alg": "RS256", "kid": kid }).to_string();
            let token = signer.signed(&header, CLAIMS);
            let read =
                UnverifiedJws::parse(&token).and_then(|token| token.key_id(&JwtPolicy::new()));
            let read = read.map_or_else(
                |refused| refused.reason().code.to_owned(),
                |id| format!("{:?} {:?}", id.issuer.as_deref(), id.kid.as_deref()),
            );
            compare(format!("key-id-{n}"), format!("{:?} {:?}", Some("issuer"), Some(kid)), read)
        })
        .collect()
}

fn deep(signer: &Signer) -> Vec<Compared> {
    [8, 100, 2500]
        .into_iter()
        .map(|depth| {
            let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let payload = format!(r#"{{"exp":2000000300,"x":{nested}}}"#);
            let said = signer.says_of(&signer.signed(HEADER, &payload));
            compare(format!("depth-{depth}"), "refused (jwt_claims_depth)", said)
        })
        .collect()
}

impl Signer {
    fn signed(&self, header: &str, payload: &str) -> String {
        signed(header, payload, |message| self.key.sign(message))
    }

    fn says_of(&self, token: &str) -> Said {
        claims(token, &self.ours, &self.policy, NOW)
    }
}
