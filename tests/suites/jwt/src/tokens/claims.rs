//! Claims of every type, and times before and after now.

use super::Meant::{Accepted, Refused};
use super::make::object;
use super::{Meant, Recipe, recipe};

/// A claim and its value as JSON, in a token that is good otherwise.
type Row = (&'static str, Meant, &'static str, &'static str);

/// [`super::NOW`] is 2,000,000,000.
const ROWS: &[Row] = &[
    ("exp-now", Refused("jwt_exp_past"), "exp", "2000000000"),
    ("exp-a-second-later", Accepted, "exp", "2000000001"),
    ("exp-a-second-before", Refused("jwt_exp_past"), "exp", "1999999999"),
    ("exp-long-before", Refused("jwt_exp_before_iat"), "exp", "1300819380"),
    ("exp-last-with-ten-digits", Accepted, "exp", "9999999999"),
    ("exp-zero", Refused("jwt_exp_before_iat"), "exp", "0"),
    ("exp-minus-zero", Refused("jwt_exp_before_iat"), "exp", "-0"),
    ("exp-negative", Refused("jwt_exp_negative"), "exp", "-2000000300"),
    ("exp-milliseconds", Refused("jwt_exp_unit"), "exp", "2000000300000"),
    ("exp-eleven-digits", Refused("jwt_exp_unit"), "exp", "16112813000"),
    ("exp-fraction", Accepted, "exp", "2000000300.5"),
    ("exp-point-zero", Accepted, "exp", "2000000300.0"),
    ("exp-exponent", Accepted, "exp", "2.0000003e9"),
    ("exp-1e400", Refused("jwt_exp_unit"), "exp", "1e400"),
    ("exp-1e-400", Refused("jwt_exp_before_iat"), "exp", "1e-400"),
    ("exp-1e300", Refused("jwt_exp_unit"), "exp", "1e300"),
    ("exp-2-to-the-53-and-1", Refused("jwt_exp_unit"), "exp", "9007199254740993"),
    ("exp-2-to-the-63", Refused("jwt_exp_unit"), "exp", "9223372036854775808"),
    ("exp-2-to-the-64", Refused("jwt_exp_unit"), "exp", "18446744073709551616"),
    ("exp-40-digits", Refused("jwt_exp_unit"), "exp", "2000000300200000030020000003002000000300"),
    ("exp-leading-zero", Refused("jwt_claims_json"), "exp", "02000000300"),
    ("exp-plus", Refused("jwt_claims_json"), "exp", "+2000000300"),
    ("exp-hexadecimal", Refused("jwt_claims_json"), "exp", "0x77359400"),
    ("exp-nan", Refused("jwt_claims_json"), "exp", "NaN"),
    ("exp-infinity", Refused("jwt_claims_json"), "exp", "Infinity"),
    ("exp-string", Refused("jwt_exp_type"), "exp", "\"2000000300\""),
    ("exp-word", Refused("jwt_exp_type"), "exp", "\"tomorrow\""),
    ("exp-empty-string", Refused("jwt_exp_type"), "exp", "\"\""),
    ("exp-true", Refused("jwt_exp_type"), "exp", "true"),
    ("exp-null", Refused("jwt_exp_type"), "exp", "null"),
    ("exp-array", Refused("jwt_exp_type"), "exp", "[2000000300]"),
    ("exp-object", Refused("jwt_exp_type"), "exp", "{\"seconds\":2000000300}"),
    ("nbf-now", Accepted, "nbf", "2000000000"),
    ("nbf-a-second-later", Refused("jwt_nbf_future"), "nbf", "2000000001"),
    ("nbf-long-before", Accepted, "nbf", "1300819380"),
    ("nbf-milliseconds", Refused("jwt_nbf_unit"), "nbf", "1999999000000"),
    ("nbf-fraction-before", Accepted, "nbf", "1999999000.5"),
    ("nbf-fraction-of-this-second", Refused("jwt_nbf_future"), "nbf", "2000000000.5"),
    ("nbf-point-zero", Accepted, "nbf", "1999999000.0"),
    ("nbf-exponent", Accepted, "nbf", "1.999999e9"),
    ("nbf-1e400", Refused("jwt_nbf_unit"), "nbf", "1e400"),
    ("nbf-negative", Refused("jwt_nbf_negative"), "nbf", "-1"),
    ("nbf-string", Refused("jwt_nbf_type"), "nbf", "\"1999999000\""),
    ("nbf-word", Refused("jwt_nbf_type"), "nbf", "\"yesterday\""),
    ("nbf-true", Refused("jwt_nbf_type"), "nbf", "true"),
    ("nbf-false", Refused("jwt_nbf_type"), "nbf", "false"),
    ("nbf-null", Refused("jwt_nbf_type"), "nbf", "null"),
    ("nbf-array", Refused("jwt_nbf_type"), "nbf", "[1999999000]"),
    ("nbf-object", Refused("jwt_nbf_type"), "nbf", "{}"),
    ("iat-now", Accepted, "iat", "2000000000"),
    ("iat-a-second-later", Refused("jwt_iat_future"), "iat", "2000000001"),
    ("iat-after-exp", Refused("jwt_iat_future"), "iat", "2000009000"),
    ("iat-zero", Accepted, "iat", "0"),
    ("iat-milliseconds", Refused("jwt_iat_unit"), "iat", "1999999000000"),
    ("iat-fraction", Accepted, "iat", "1999999000.5"),
    ("iat-point-zero", Accepted, "iat", "1999999000.0"),
    ("iat-negative", Refused("jwt_iat_negative"), "iat", "-1"),
    ("iat-string", Refused("jwt_iat_type"), "iat", "\"1999999000\""),
    ("iat-word", Refused("jwt_iat_type"), "iat", "\"yesterday\""),
    ("iat-true", Refused("jwt_iat_type"), "iat", "true"),
    ("iat-null", Refused("jwt_iat_type"), "iat", "null"),
    ("iat-array", Refused("jwt_iat_type"), "iat", "[1999999000]"),
    ("iss-number", Refused("jwt_iss_type"), "iss", "7"),
    ("iss-null", Refused("jwt_iss_type"), "iss", "null"),
    ("iss-array", Refused("jwt_iss_type"), "iss", "[\"issuer\"]"),
    ("iss-object", Refused("jwt_iss_type"), "iss", "{}"),
    ("iss-empty", Accepted, "iss", "\"\""),
    ("sub-number", Refused("jwt_sub_type"), "sub", "7215135"),
    ("sub-null", Refused("jwt_sub_type"), "sub", "null"),
    ("sub-array", Refused("jwt_sub_type"), "sub", "[\"subject\"]"),
    ("aud-string", Accepted, "aud", "\"audience\""),
    ("aud-array", Accepted, "aud", "[\"audience\",\"other\"]"),
    ("aud-empty-array", Accepted, "aud", "[]"),
    ("aud-number", Refused("jwt_aud_type"), "aud", "7"),
    ("aud-null", Refused("jwt_aud_type"), "aud", "null"),
    ("aud-mixed-array", Refused("jwt_aud_type"), "aud", "[\"audience\",7]"),
    ("aud-object", Refused("jwt_aud_type"), "aud", "{\"audience\":true}"),
    ("jti-string", Accepted, "jti", "\"b2bf8821-0dd5-4cd3-b4a4-cfbcb1ba3f0e\""),
    ("jti-number", Refused("jwt_jti_type"), "jti", "7"),
    ("jti-null", Refused("jwt_jti_type"), "jti", "null"),
    ("claim-named-like-a-prototype", Accepted, "__proto__", "{\"admin\":true}"),
    ("claim-without-a-name", Accepted, "", "1"),
    ("claim-number-beyond-every-type", Accepted, "number", "1e400"),
    ("claim-integer-beyond-every-type", Accepted, "number", "123456789012345678901234567890"),
];

pub(super) fn recipes() -> Vec<Recipe> {
    let rows = ROWS.iter().map(|&(kind, meant, claim, value)| {
        recipe(kind, meant, move |maker| {
            let (header, payload) = (maker.header(), maker.claims_with(claim, value));
            Some(maker.sign(header, payload))
        })
    });
    rows.chain([
        recipe("plain", Accepted, |maker| Some(maker.good())),
        without("exp-missing", Refused("jwt_exp_missing"), "exp"),
        without("iat-missing", Accepted, "iat"),
        without("iss-missing", Accepted, "iss"),
        recipe("no-claims", Refused("jwt_exp_missing"), |maker| {
            let header = maker.header();
            Some(maker.sign(header, "{}"))
        }),
    ])
    .collect()
}

fn without(kind: &'static str, meant: Meant, claim: &'static str) -> Recipe {
    recipe(kind, meant, move |maker| {
        let (header, mut claims) = (maker.header(), maker.claims());
        claims.retain(|(name, _)| name != claim);
        Some(maker.sign(header, object(&claims)))
    })
}
