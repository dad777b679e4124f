//! Headers: parameters that are known, unknown and not understood, and algorithms that are not the key's.

use super::Meant::{Accepted, Refused};
use super::make::{Maker, signed};
use super::{Meant, Recipe, recipe};
use ring::hmac;

/// Parameters more, as JSON.
type Parameters = (&'static str, Meant, &'static str);

const PARAMETERS: &[Parameters] = &[
    ("header-unknown-parameter", Accepted, r#""foo":"bar""#),
    ("header-unknown-object", Accepted, r#""foo":{"bar":[1,2]}"#),
    ("header-cty", Accepted, r#""cty":"JWT""#),
    ("header-cty-number", Accepted, r#""cty":7"#),
    ("header-zip", Accepted, r#""zip":"DEF""#),
    ("header-enc", Accepted, r#""enc":"A128GCM""#),
    ("header-kid", Accepted, r#""kid":"2026-01""#),
    ("header-kid-path", Accepted, r#""kid":"../../../../dev/null""#),
    ("header-kid-quotes", Accepted, r#""kid":"x' UNION SELECT 'key' --""#),
    ("header-kid-escapes", Accepted, r#""kid":"\u0000\"\\""#),
    ("header-kid-address", Accepted, r#""kid":"https://attacker.example/key""#),
    ("header-kid-number", Refused("jwt_kid_type"), r#""kid":7"#),
    ("header-kid-null", Refused("jwt_kid_type"), r#""kid":null"#),
    ("header-kid-object", Refused("jwt_kid_type"), r#""kid":{}"#),
    ("header-jku", Refused("jwt_jku"), r#""jku":"https://attacker.example/jwks""#),
    ("header-x5u", Refused("jwt_x5u"), r#""x5u":"https://attacker.example/x""#),
    ("header-jwk", Refused("jwt_jwk"), r#""jwk":{"kty":"oct","k":"AAAA"}"#),
    ("header-x5c", Refused("jwt_x5c"), r#""x5c":["MIIB"]"#),
    ("header-x5t", Accepted, r#""x5t":"dGhlIHRodW1icHJpbnQgaXMgMjA""#),
    ("header-x5t-s256", Accepted, r##""x5t#S256":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""##),
    ("header-jku-null", Refused("jwt_jku"), r#""jku":null"#),
    ("header-crit-unknown", Refused("jwt_crit"), r#""crit":["x"],"x":1"#),
    ("header-crit-unknown-and-absent", Refused("jwt_crit"), r#""crit":["x"]"#),
    ("header-crit-exp", Refused("jwt_crit"), r#""crit":["exp"],"exp":2000000300"#),
    ("header-crit-registered", Refused("jwt_crit"), r#""crit":["alg"]"#),
    ("header-crit-empty", Refused("jwt_crit"), r#""crit":[]"#),
    ("header-crit-null", Refused("jwt_crit"), r#""crit":null"#),
    ("header-crit-string", Refused("jwt_crit"), r#""crit":"x","x":1"#),
    ("header-crit-number", Refused("jwt_crit"), r#""crit":[7]"#),
    ("header-crit-b64-true", Refused("jwt_crit"), r#""crit":["b64"],"b64":true"#),
    ("header-b64-false", Refused("jwt_crit"), r#""crit":["b64"],"b64":false"#),
    ("header-b64-false-not-critical", Refused("jwt_b64"), r#""b64":false"#),
    ("header-b64-true-not-critical", Refused("jwt_b64"), r#""b64":true"#),
    ("header-b64-string", Refused("jwt_b64"), r#""b64":"false""#),
    ("header-duplicate-alg", Refused("jwt_header_duplicate"), r#""alg":"none""#),
    ("header-duplicate-alg-escaped", Refused("jwt_header_duplicate"), r#""\u0061lg":"none""#),
    ("header-duplicate-kid", Refused("jwt_header_duplicate"), r#""kid":"a","kid":"b""#),
    ("header-duplicate-nested", Refused("jwt_header_duplicate"), r#""foo":{"a":1,"a":2}"#),
    ("header-name-of-other-case", Accepted, r#""Alg":"none","CRIT":["x"]"#),
    ("header-utf-8", Accepted, "\"naïve\":\"日本 😀\""),
    ("header-lone-surrogate", Refused("jwt_header_json"), r#""foo":"\ud800""#),
    ("header-depth-8", Accepted, r#""foo":[[[[[[[]]]]]]]"#),
    ("header-depth-9", Refused("jwt_header_depth"), r#""foo":[[[[[[[[]]]]]]]]"#),
];

/// A whole header, where `ALG` stands for the key's algorithm.
const HEADERS: &[Parameters] = &[
    ("header-typ-none", Accepted, r#"{"alg":"ALG"}"#),
    ("header-typ-access-token", Refused("jwt_typ_other"), r#"{"typ":"at+jwt","alg":"ALG"}"#),
    ("header-typ-lower-case", Accepted, r#"{"typ":"jwt","alg":"ALG"}"#),
    ("header-typ-number", Refused("jwt_typ_type"), r#"{"typ":7,"alg":"ALG"}"#),
    ("header-typ-null", Refused("jwt_typ_type"), r#"{"typ":null,"alg":"ALG"}"#),
    ("header-alg-lower-case", Refused("jwt_alg_unknown"), r#"{"alg":"alg","typ":"JWT"}"#),
    ("header-alg-space", Refused("jwt_alg_unknown"), r#"{"alg":"ALG ","typ":"JWT"}"#),
    ("header-alg-nul", Refused("jwt_alg_unknown"), r#"{"alg":"ALG\u0000","typ":"JWT"}"#),
    ("header-alg-missing", Refused("jwt_alg_missing"), r#"{"typ":"JWT"}"#),
    ("header-alg-empty", Refused("jwt_alg_unknown"), r#"{"alg":"","typ":"JWT"}"#),
    ("header-alg-null", Refused("jwt_alg_type"), r#"{"alg":null,"typ":"JWT"}"#),
    ("header-alg-number", Refused("jwt_alg_type"), r#"{"alg":256,"typ":"JWT"}"#),
    ("header-alg-array", Refused("jwt_alg_type"), r#"{"alg":["ALG"],"typ":"JWT"}"#),
    ("header-alg-unknown", Refused("jwt_alg_unknown"), r#"{"alg":"HS1","typ":"JWT"}"#),
    ("header-alg-escaped", Accepted, r#"{"\u0061lg":"ALG","typ":"JWT"}"#),
    (
        "header-alg-none-before",
        Refused("jwt_header_duplicate"),
        r#"{"alg":"none","alg":"ALG","typ":"JWT"}"#,
    ),
    ("header-white-space", Accepted, " {\r\n\t\"alg\" : \"ALG\" , \"typ\":\"JWT\" } \n"),
    ("header-empty", Refused("jwt_header_object"), ""),
    ("header-empty-object", Refused("jwt_alg_missing"), "{}"),
    ("header-array", Refused("jwt_header_object"), r#"["ALG"]"#),
    ("header-string", Refused("jwt_header_object"), r#""ALG""#),
    ("header-null", Refused("jwt_header_object"), "null"),
    ("header-truncated", Refused("jwt_header_json"), r#"{"alg":"ALG""#),
    ("header-trailing-comma", Refused("jwt_header_json"), r#"{"alg":"ALG",}"#),
    ("header-trailing-garbage", Refused("jwt_header_json"), r#"{"alg":"ALG"}x"#),
    ("header-two-objects", Refused("jwt_header_json"), r#"{"alg":"ALG"}{"alg":"none"}"#),
    ("header-byte-order-mark", Refused("jwt_header_object"), "\u{feff}{\"alg\":\"ALG\"}"),
    ("header-single-quotes", Refused("jwt_header_json"), "{'alg':'ALG'}"),
];

pub(super) fn recipes() -> Vec<Recipe> {
    let parameters = PARAMETERS.iter().map(|&(kind, meant, members)| {
        recipe(kind, meant, move |maker| {
            let (header, payload) = (maker.header_with(members), maker.payload());
            Some(maker.sign(header, payload))
        })
    });
    let headers = HEADERS.iter().map(|&(kind, meant, header)| {
        recipe(kind, meant, move |maker| {
            let header = header.replace("ALG", maker.algorithm());
            let header = header.replace("\"alg\":\"alg\"", &lower(maker));
            let payload = maker.payload();
            Some(maker.sign(header, payload))
        })
    });
    parameters.chain(headers).chain(lengths()).chain(none()).chain(others()).collect()
}

fn lower(maker: &Maker<'_>) -> String {
    format!("\"alg\":\"{}\"", maker.algorithm().to_lowercase())
}

fn lengths() -> impl Iterator<Item = Recipe> {
    let rows = [
        ("header-kid-128", Accepted, "kid", 128),
        ("header-kid-129", Refused("jwt_kid_long"), "kid", 129),
        ("header-long", Accepted, "foo", 600),
        ("header-longer-than-a-token", Refused("jwt_size"), "foo", 9000),
    ];
    rows.into_iter().map(|(kind, meant, name, length)| {
        recipe(kind, meant, move |maker| {
            let member = format!("\"{name}\":\"{}\"", "x".repeat(length));
            let (header, payload) = (maker.header_with(&member), maker.payload());
            Some(maker.sign(header, payload))
        })
    })
}

/// No signature at all (RFC 7518 section 3.6), in every spelling, and with the signature left in place.
fn none() -> impl Iterator<Item = Recipe> {
    [
        ("none", "none"),
        ("none-title-case", "None"),
        ("none-upper-case", "NONE"),
        ("none-mixed-case", "nOnE"),
    ]
    .into_iter()
    .map(|(kind, name)| {
        recipe(kind, Refused("jwt_alg_none"), move |maker| {
            let header = format!(r#"{{"alg":"{name}","typ":"JWT"}}"#);
            Some(signed(header, maker.payload(), |_| Vec::new()))
        })
    })
    .chain([recipe("none-with-signature", Refused("jwt_alg_none"), |maker| {
        let payload = maker.payload();
        Some(maker.sign(r#"{"alg":"none","typ":"JWT"}"#, payload))
    })])
}

/// The algorithm of another key.
fn others() -> impl Iterator<Item = Recipe> {
    let swapped = recipe("alg-of-another-key", Refused("jwt_alg_other"), |maker| {
        let others: Vec<&str> =
            auth_jwt::JwsAlgorithm::ALL.iter().map(|other| other.name()).collect();
        let others: Vec<&str> =
            others.into_iter().filter(|other| *other != maker.algorithm()).collect();
        let other = maker.random.of_these(&others);
        let payload = maker.payload();
        Some(maker.sign(format!(r#"{{"alg":"{other}","typ":"JWT"}}"#), payload))
    });
    let renamed = recipe("alg-of-rfc-9864", Refused("jwt_alg_unknown"), |maker| {
        if maker.algorithm() != "EdDSA" {
            return None;
        }
        let payload = maker.payload();
        Some(maker.sign(r#"{"alg":"Ed25519","typ":"JWT"}"#, payload))
    });
    let public = [
        ("hs-with-public-pem", 0),
        ("hs-with-public-der", 1),
        ("hs-with-public-jwk", 2),
        ("hs-with-public-pem-and-the-keys-alg", 3),
    ];
    let public = public.into_iter().map(|(kind, form)| {
        let code = if form == 3 { "jwt_signature" } else { "jwt_alg_other" };
        recipe(kind, Refused(code), move |maker| {
            if maker.key.spki.is_empty() {
                return None;
            }
            let secret = match form {
                1 => maker.key.spki.clone(),
                2 => maker.key.jwk.to_string().into_bytes(),
                _ => maker.key.pem().into_bytes(),
            };
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            let header = if form == 3 { maker.header() } else { r#"{"alg":"HS256"}"#.into() };
            let payload = maker.payload();
            Some(signed(header, payload, |message| hmac::sign(&key, message).as_ref().to_vec()))
        })
    });
    [swapped, renamed].into_iter().chain(public)
}
