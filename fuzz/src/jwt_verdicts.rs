//! The input is a header up to the first line feed, and the payload behind it. They are signed here, and jsonwebtoken and
//! we come to the same verdict, but where one of the reviewed differences says why not.

use std::sync::LazyLock;

use auth_core::{Clock, SystemClock};
use auth_jwt::{Claims, JwtPolicy, JwtRefused, SubjectJsonType, UnverifiedJws};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, errors::ErrorKind};

use crate::forged::{self, KEY, Members, is_stricter};

/// Holds for any bytes as a header and a payload.
pub fn jwt_verdicts(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == b'\n');
    let (header, payload) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let token = forged::token(header, payload);
    if token.len() > UnverifiedJws::MOST_BYTES || on_the_edge(payload) {
        return;
    }
    for (policy, validation) in &*BOTH {
        let theirs = jsonwebtoken::decode::<serde_json::Value>(&token, &THEIR_KEY, validation);
        match (ours(&token, policy), theirs) {
            (Ok(_), Err(error)) => {
                assert!(they_are_stricter(header, payload, error.kind()), "{error} {token}");
            }
            (Err(refused), Ok(_)) => {
                let code = refused.reason().code;
                let reviewed = is_stricter(code) || STRICTER.contains(&code);
                assert!(reviewed || half_a_pair(code, header, payload), "{code} {token}");
            }
            (Ok(ours), Ok(theirs)) => {
                assert_eq!(ours.read::<serde_json::Value>().ok(), Some(theirs.claims));
            }
            (Err(_), Err(_)) => {}
        }
    }
}

static THEIR_KEY: LazyLock<DecodingKey> = LazyLock::new(|| DecodingKey::from_secret(&[7; 32]));

/// The same policy in both languages: nobody in particular, and somebody in particular.
static BOTH: LazyLock<[(JwtPolicy, Validation); 2]> = LazyLock::new(|| {
    let mut anybody = Validation::new(Algorithm::HS256);
    anybody.leeway = 60;
    anybody.validate_nbf = true;
    anybody.validate_aud = false;
    let mut somebody = anybody.clone();
    somebody.validate_aud = true;
    somebody.set_issuer(&["i", "j"]);
    somebody.set_audience(&["a", "b"]);
    somebody.set_required_spec_claims(&["exp", "iss", "aud"]);
    let named = JwtPolicy::new().with_subject(SubjectJsonType::TextOrNumber);
    let ours = named.clone().allowing_any_audience();
    let named = named.with_issuer("i").with_issuer("j").with_audience("a").with_audience("b");
    [(ours, anybody), (named, somebody)]
});

fn ours(token: &str, policy: &JwtPolicy) -> Result<Claims, JwtRefused> {
    UnverifiedJws::parse(token)?.verify(&KEY)?.claims(policy, SystemClock.now())
}

/// What we refuse and jsonwebtoken 11 does not, each on purpose.
const STRICTER: [&str; 19] = [
    // It ignores what a header demands or brings (RFC 7515 section 4.1.11, RFC 7797, RFC 8725 section 3.10).
    "jwt_crit",
    "jwt_b64",
    "jwt_jku",
    "jwt_jwk",
    "jwt_x5u",
    "jwt_x5c",
    // It has no bound.
    "jwt_kid_long",
    // It takes null for missing.
    "jwt_kid_type",
    "jwt_typ_type",
    // It looks at no type of a token (RFC 8725 section 3.11).
    "jwt_typ_other",
    // It does not look at claims that it was not told to compare, nor ever at `iat` and `jti`.
    "jwt_iss_type",
    "jwt_aud_type",
    "jwt_sub_type",
    "jwt_jti_type",
    "jwt_iat_type",
    "jwt_iat_negative",
    "jwt_iat_unit",
    "jwt_iat_future",
    // It takes any number for seconds.
    "jwt_exp_unit",
];

/// It reads past half a surrogate pair where it does not want the string.
fn half_a_pair(code: &str, header: &[u8], payload: &[u8]) -> bool {
    let strict = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).is_err();
    match code {
        "jwt_header_json" => strict(header),
        "jwt_claims_json" => strict(payload),
        _ => false,
    }
}

/// It reads members of a header that mean nothing to a signature, and numbers as `f64`.
fn they_are_stricter(header: &[u8], payload: &[u8], error: &ErrorKind) -> bool {
    const READ: [&str; 5] = ["cty", "enc", "zip", "url", "nonce"];
    let members = Members::read(header).expect("JSON");
    let large = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).is_err();
    matches!(error, ErrorKind::Json(_))
        && (READ.iter().any(|name| members.has(name)) || large(header) || large(payload))
}

/// A date so close to the clock, leeway included, that both may read another time; or finer than they count.
fn on_the_edge(payload: &[u8]) -> bool {
    let now = SystemClock.now().since_epoch().as_secs_f64();
    let Some(members) = Members::read(payload) else { return false };
    ["exp", "nbf", "iat"]
        .iter()
        .any(|name| members.number(name).flatten().is_some_and(|date| (date - now).abs() < 70.0))
}
