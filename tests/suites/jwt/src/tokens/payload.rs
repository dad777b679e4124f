//! Payloads that are, or nearly are, a JSON object of claims.

use super::Meant::{Accepted, Refused};
use super::make::object;
use super::{Meant, Recipe, recipe};

/// What is done to the text of good claims.
type Row = (&'static str, Meant, fn(&str) -> Vec<u8>);

const ROWS: &[Row] = &[
    ("payload-empty", Refused("jwt_claims_object"), |_| Vec::new()),
    ("payload-array", Refused("jwt_claims_object"), |good| format!("[{good}]").into()),
    ("payload-string", Refused("jwt_claims_object"), |_| b"\"claims\"".into()),
    ("payload-number", Refused("jwt_claims_object"), |_| b"2000000300".into()),
    ("payload-null", Refused("jwt_claims_object"), |_| b"null".into()),
    ("payload-true", Refused("jwt_claims_object"), |_| b"true".into()),
    ("payload-text", Refused("jwt_claims_object"), |_| b"It's a dangerous business, Frodo".into()),
    ("payload-truncated", Refused("jwt_claims_json"), |good| {
        good.strip_suffix('}').unwrap_or_default().into()
    }),
    ("payload-trailing-comma", Refused("jwt_claims_json"), |good| good.replace('}', ",}").into()),
    ("payload-trailing-garbage", Refused("jwt_claims_json"), |good| format!("{good}x").into()),
    ("payload-trailing-nul", Refused("jwt_claims_json"), |good| format!("{good}\0").into()),
    ("payload-two-objects", Refused("jwt_claims_json"), |good| format!("{good}{good}").into()),
    ("payload-byte-order-mark", Refused("jwt_claims_object"), |good| {
        format!("\u{feff}{good}").into()
    }),
    ("payload-comment", Refused("jwt_claims_json"), |good| format!("{good}/**/").into()),
    ("payload-single-quotes", Refused("jwt_claims_json"), |good| good.replace('"', "'").into()),
    ("payload-unquoted-names", Refused("jwt_claims_json"), |good| {
        good.replace("\"exp\"", "exp").into()
    }),
    ("payload-vertical-tab", Refused("jwt_claims_object"), |good| format!("\u{b}{good}").into()),
    ("payload-no-break-space", Refused("jwt_claims_object"), |good| format!("\u{a0}{good}").into()),
    ("payload-utf-16", Refused("jwt_claims_json"), |good| {
        good.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }),
    ("payload-utf-16-big-endian", Refused("jwt_claims_object"), |good| {
        good.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }),
    ("payload-not-utf-8", Refused("jwt_claims_utf8"), |good| with(good, b"\"x\":\"\xff\xfe\"")),
    ("payload-overlong-utf-8", Refused("jwt_claims_utf8"), |good| {
        with(good, b"\"x\":\"\xc0\xaf\"")
    }),
    ("payload-surrogate-in-utf-8", Refused("jwt_claims_utf8"), |good| {
        with(good, b"\"x\":\"\xed\xa0\x80\"")
    }),
    ("payload-lone-surrogate", Refused("jwt_claims_json"), |good| with(good, br#""x":"\ud800""#)),
    ("payload-surrogates-swapped", Refused("jwt_claims_json"), |good| {
        with(good, br#""x":"\udc00\ud800""#)
    }),
    ("payload-control-character", Refused("jwt_claims_json"), |good| with(good, b"\"x\":\"a\nb\"")),
    ("payload-unknown-escape", Refused("jwt_claims_json"), |good| with(good, br#""x":"\x41""#)),
    ("payload-duplicate-exp", Refused("jwt_claims_duplicate"), |good| {
        with(good, br#""exp":2000000300"#)
    }),
    ("payload-duplicate-exp-expired", Refused("jwt_claims_duplicate"), |good| {
        with(good, br#""exp":1300819380"#)
    }),
    ("payload-duplicate-exp-escaped", Refused("jwt_claims_duplicate"), |good| {
        with(good, br#""\u0065xp":2000000300"#)
    }),
    ("payload-duplicate-iss", Refused("jwt_claims_duplicate"), |good| {
        with(good, br#""iss":"other""#)
    }),
    ("payload-duplicate-nested", Refused("jwt_claims_duplicate"), |good| {
        with(good, br#""x":{"a":1,"a":2}"#)
    }),
    ("payload-duplicate-in-array", Refused("jwt_claims_duplicate"), |good| {
        with(good, br#""x":[{"a":1,"a":1}]"#)
    }),
    ("payload-same-name-at-two-levels", Accepted, |good| with(good, br#""x":{"exp":1}"#)),
    ("payload-other-case-of-a-name", Accepted, |good| with(good, br#""EXP":1,"Nbf":"x""#)),
    ("payload-white-space", Accepted, |good| format!(" \t\r\n{} \n", spaced(good)).into()),
    ("payload-escaped-name", Accepted, |good| good.replace("\"exp\"", "\"\\u0065xp\"").into()),
    ("payload-escaped-text", Accepted, |good| with(good, br#""x":"\"\\\/\b\f\n\r\t\u0000""#)),
    ("payload-escaped-pair", Accepted, |good| with(good, br#""x":"\ud83d\ude00""#)),
    ("payload-utf-8", Accepted, |good| with(good, "\"naïve\":\"日本 😀\"".as_bytes())),
    ("payload-depth-8", Accepted, |good| with(good, nested(7).as_bytes())),
    ("payload-depth-9", Refused("jwt_claims_depth"), |good| with(good, nested(8).as_bytes())),
    ("payload-depth-1000", Refused("jwt_claims_depth"), |good| with(good, nested(999).as_bytes())),
    ("payload-64-claims", Accepted, |good| members(good, 64)),
    ("payload-65-claims", Refused("jwt_claims_members"), |good| members(good, 65)),
    ("payload-large", Accepted, |good| with(good, text(4000).as_bytes())),
    ("payload-too-large", Refused("jwt_size"), |good| with(good, text(7000).as_bytes())),
    ("payload-huge", Refused("jwt_size"), |good| with(good, text(40_000).as_bytes())),
];

pub(super) fn recipes() -> Vec<Recipe> {
    let rows = ROWS.iter().map(|&(kind, meant, change)| {
        recipe(kind, meant, move |maker| {
            let (header, payload) = (maker.header(), maker.payload());
            Some(maker.sign(header, change(&payload)))
        })
    });
    rows.chain([recipe(
        "payload-duplicate-exp-first-expired",
        Refused("jwt_claims_duplicate"),
        |maker| {
            let mut claims = maker.claims();
            claims.insert(0, ("exp".into(), "1300819380".into()));
            let header = maker.header();
            Some(maker.sign(header, object(&claims)))
        },
    )])
    .collect()
}

/// One more member, behind the others.
fn with(good: &str, member: &[u8]) -> Vec<u8> {
    [good.strip_suffix('}').unwrap_or_default().as_bytes(), b",", member, b"}"].concat()
}

/// White space where no member's own text can be touched.
fn spaced(good: &str) -> String {
    let inner = good.strip_prefix('{').and_then(|good| good.strip_suffix('}')).unwrap_or_default();
    format!("{{\n  {inner}\r\n\t}}")
}

/// A member with so many arrays in one another.
fn nested(depth: usize) -> String {
    format!("\"x\":{}{}", "[".repeat(depth), "]".repeat(depth))
}

fn text(length: usize) -> String {
    format!("\"x\":\"{}\"", "x".repeat(length))
}

/// As many members as this in all.
fn members(good: &str, count: usize) -> Vec<u8> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(good).unwrap_or_default();
    let more: Vec<String> = (object.len()..count).map(|n| format!("\"member{n}\":{n}")).collect();
    with(good, more.join(",").as_bytes())
}
