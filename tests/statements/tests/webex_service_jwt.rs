//! Document 001: service keys and service JWTs of Webex Connect. One test for each statement that holds;
//! `docs/coverage.md` lists them all.

use auth_core::{Authenticator, Clock, RequestView, SystemClock, Timestamp, Verifier as _};
use auth_jwt::{
    Claims, ClaimsToSign, JwsAlgorithm, JwtAuthenticator, JwtKeys, JwtPolicy, JwtVerifier, KeyId,
    SigningKey, UnverifiedJws, VerifyingKey, profiles,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::AUTHORIZATION};
use ring::hmac;
use std::{collections::HashMap, path::Path, process::Command, time::Duration};

const SERVICE: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
const SERVICE_KEY: &str = "4f5c2d1e-service-key";
/// Decodes to 32 bytes.
const SECRET: &str = "c2VjcmV0IG9mIHRoZSBzZXJ2aWNlLCAzMiBieXRlcyE=";
const NOW: u64 = 1_734_006_610;

fn secret() -> SigningKey {
    SigningKey::from_base64_secret(JwsAlgorithm::HS256, SECRET).unwrap()
}

fn policy() -> JwtPolicy {
    profiles::webex_service_policy().with_leeway(Duration::ZERO)
}

/// A token as any tool would make it: this header and these claims, signed with HMAC and SHA-256.
fn made_by_hand(header: &str, claims: &str, secret: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn of_claims(claims: &str) -> String {
    made_by_hand(r#"{"alg":"HS256","typ":"JWT"}"#, claims, b"secret of the service, 32 bytes!")
}

fn judged(token: &str, now: u64) -> Result<Claims, &'static str> {
    UnverifiedJws::parse(token)
        .and_then(|token| token.verify(&secret().verifying()))
        .and_then(|signed| signed.claims(&policy(), Timestamp::from_unix(now)))
        .map_err(|refused| refused.reason().code)
}

#[track_caller]
fn check(claims: &str, now: u64, expected: Result<(), &str>) {
    assert_eq!(judged(&of_claims(claims), now).map(drop), expected, "{claims} at {now}");
}

/// The door of a platform: secrets by the name in `iss`.
fn door(names: &[&str]) -> JwtVerifier<HashMap<KeyId, JwtKeys>> {
    let id = |name: &&str| KeyId { issuer: Some((*name).into()), kid: None };
    let secrets = names.iter().map(|name| (id(name), secret().verifying().into())).collect();
    JwtVerifier::new("webex", policy(), secrets, Timestamp::from_unix(NOW)).unwrap()
}

fn told(door: &JwtVerifier<HashMap<KeyId, JwtKeys>>, field: HeaderName, value: &str) -> String {
    let headers = HeaderMap::from_iter([(field, HeaderValue::from_str(value).unwrap())]);
    let uri = Uri::from_static("/v1/events");
    let outcome = door.verify(RequestView::new(&Method::POST, &uri, &headers)).wait().unwrap();
    match outcome {
        Ok(accepted) => accepted.principal.claims.issuer().unwrap().to_owned(),
        Err(rejection) => rejection.reason().code.to_owned(),
    }
}

/// Always HS256: another algorithm, or none, is refused, each with its reason.
#[test]
fn s001_08_only_hs256() {
    let claims = format!(r#"{{"iss":"{SERVICE}","iat":{NOW}}}"#);
    assert!(judged(&of_claims(&claims), NOW).is_ok());
    for (alg, code) in [
        ("HS384", "jwt_alg_other"),
        ("HS512", "jwt_alg_other"),
        ("RS256", "jwt_alg_other"),
        ("ES256", "jwt_alg_other"),
        ("none", "jwt_alg_none"),
        ("None", "jwt_alg_none"),
        ("hs256", "jwt_alg_unknown"),
    ] {
        let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
        let token = made_by_hand(&header, &claims, b"secret of the service, 32 bytes!");
        assert_eq!(judged(&token, NOW).map(drop), Err(code), "{alg}");
    }
    let unsigned = of_claims(&claims);
    let unsigned = &unsigned.split_at(unsigned.rfind('.').unwrap() + 1).0;
    assert_eq!(judged(unsigned, NOW).map(drop), Err("jwt_signature"));
}

/// `iss` is the Service ID; the service key only where that alias is switched on; nobody else.
#[test]
fn s001_09_the_issuer_is_the_service_id() {
    let bearer = |issuer: &str| {
        let claims = format!(r#"{{"iss":"{issuer}","iat":{NOW}}}"#);
        format!("Bearer {}", of_claims(&claims))
    };
    let plain = door(&[SERVICE]);
    assert_eq!(told(&plain, AUTHORIZATION, &bearer(SERVICE)), SERVICE);
    assert_eq!(told(&plain, AUTHORIZATION, &bearer(SERVICE_KEY)), "jwt_key_unknown");
    assert_eq!(told(&plain, AUTHORIZATION, &bearer("mallory")), "jwt_key_unknown");
    let with_alias = door(&[SERVICE, SERVICE_KEY]);
    assert_eq!(told(&with_alias, AUTHORIZATION, &bearer(SERVICE_KEY)), SERVICE_KEY);
    assert_eq!(told(&with_alias, AUTHORIZATION, &bearer("mallory")), "jwt_key_unknown");
    check(&format!(r#"{{"iat":{NOW}}}"#), NOW, Err("jwt_iss_missing"));
    check(&format!(r#"{{"iss":7,"iat":{NOW}}}"#), NOW, Err("jwt_iss_type"));
}

/// `iat` is whole seconds: missing, fractional, a string and milliseconds each have their reason; minting writes digits.
#[test]
fn s001_10_iat_is_whole_seconds() {
    let check = |iat: &str, expected| {
        check(&format!(r#"{{"iss":"{SERVICE}"{iat}}}"#), NOW, expected);
    };
    check(&format!(r#","iat":{NOW}"#), Ok(()));
    check("", Err("jwt_iat_missing"));
    check(&format!(r#","iat":{NOW}.5"#), Err("jwt_iat_fraction"));
    check(&format!(r#","iat":"{NOW}""#), Err("jwt_iat_type"));
    check(&format!(r#","iat":{NOW}000"#), Err("jwt_iat_unit"));
    check(&format!(r#","iat":{}"#, NOW + 1), Err("jwt_iat_future"));
    check(r#","iat":null"#, Err("jwt_iat_type"));
    let minted = profiles::webex_service_claims(SERVICE);
    let minted = minted.sign(&secret(), Timestamp::from_unix(NOW), None).unwrap();
    let claims = judged(minted.expose(), NOW).unwrap().read::<serde_json::Value>().unwrap();
    assert_eq!(claims["iat"], serde_json::json!(NOW));
}

/// Without `exp` a token lives to `iat` + 3600; with one it must be whole and later than `iat`, in what is minted and in
/// what is verified.
#[test]
fn s001_11_s001_12_exp_is_optional_and_later_than_iat() {
    let of = |exp: &str| format!(r#"{{"iss":"{SERVICE}","iat":{NOW}{exp}}}"#);
    check(&of(""), NOW + 3599, Ok(()));
    check(&of(""), NOW + 3600, Err("jwt_iat_old"));
    let exp = |exp: u64| of(&format!(r#","exp":{exp}"#));
    check(&exp(NOW + 60), NOW + 59, Ok(()));
    check(&exp(NOW + 60), NOW + 60, Err("jwt_exp_past"));
    check(&exp(NOW), NOW, Err("jwt_exp_before_iat"));
    check(&exp(NOW - 1), NOW, Err("jwt_exp_before_iat"));
    check(&of(r#","exp":1734006670.5"#), NOW, Err("jwt_exp_fraction"));
    check(&of(r#","exp":"1734006670""#), NOW, Err("jwt_exp_type"));
    for lifetime in [Duration::ZERO, Duration::from_millis(999)] {
        let error = ClaimsToSign::expiring_in(lifetime).unwrap_err();
        assert!(matches!(error, auth_core::Error::Config(_)), "{error}");
        assert!(error.to_string().contains("lifetime"), "{error}");
    }
}

/// The secret is Base64 and decoded before it signs: signed with the text itself it is refused.
#[test]
fn s001_13_the_secret_is_decoded_before_it_signs() {
    let claims = format!(r#"{{"iss":"{SERVICE}","iat":{NOW}}}"#);
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    assert!(
        judged(&made_by_hand(header, &claims, b"secret of the service, 32 bytes!"), NOW).is_ok()
    );
    let undecoded = made_by_hand(header, &claims, SECRET.as_bytes());
    assert_eq!(judged(&undecoded, NOW).map(drop), Err("jwt_signature"));
    for wrong in ["not base64!", "c2VjcmV0*", "c2VjcmV0IG9mIHRoZSBzZXJ2aWNlLCAzMiBieXRlcyE=="] {
        let error = VerifyingKey::from_base64_secret(JwsAlgorithm::HS256, wrong).unwrap_err();
        assert!(matches!(error, auth_core::Error::Config(_)), "{error}");
        assert!(error.to_string().contains("secret is not Base64"), "{error}");
    }
}

/// Dead 60 minutes after issue, whatever `exp` says: accepted at 3599 s, refused at 3600 s, by the policy as it is
/// shipped too, whose leeway is for clocks that are ahead.
#[test]
fn s001_14_dead_after_sixty_minutes() {
    let claims = format!(r#"{{"iss":"{SERVICE}","iat":{NOW},"exp":{}}}"#, NOW + 7200);
    check(&claims, NOW + 3599, Ok(()));
    check(&claims, NOW + 3600, Err("jwt_iat_old"));
    assert_eq!(judged(&of_claims(&claims), NOW).unwrap().dies().unix(), NOW + 3600);
    let shipped = |now| {
        let token = of_claims(&claims);
        let signed = UnverifiedJws::parse(&token).unwrap();
        let signed = signed.verify(&secret().verifying()).unwrap();
        let claims = signed.claims(&profiles::webex_service_policy(), Timestamp::from_unix(now));
        claims.map(drop).map_err(|refused| refused.reason().code)
    };
    assert_eq!(shipped(NOW - 60), Ok(()));
    assert_eq!(shipped(NOW + 3599), Ok(()));
    assert_eq!(shipped(NOW + 3600), Err("jwt_iat_old"));
}

/// Any tool may make the token: PyJWT's is accepted, and PyJWT accepts ours. (The suite `jwt-pyjwt` has thousands more.)
#[test]
fn s001_15_any_tool_may_make_the_token() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/venv/bin/python");
    let pyjwt = |script: &str, arguments: &[&str]| {
        let mut python = Command::new(&python);
        python.args(["-c", &format!("import sys, base64, jwt\n{script}")]).args(arguments);
        let ran = python.output().ok().filter(|ran| ran.status.success())?;
        Some(String::from_utf8(ran.stdout).unwrap().trim().to_owned())
    };
    if pyjwt("", &[]).is_none() {
        eprintln!("skipped: PyJWT not installed; `cargo xtask peers install`");
        return;
    }
    let theirs = pyjwt(
        "print(jwt.encode({'iss': sys.argv[1], 'iat': int(sys.argv[2])}, base64.b64decode(sys.argv[3]), 'HS256'))",
        &[SERVICE, &NOW.to_string(), SECRET],
    );
    assert_eq!(judged(&theirs.unwrap(), NOW).unwrap().issuer(), Some(SERVICE));
    let now = Clock::now(&SystemClock);
    let ours = profiles::webex_service_claims(SERVICE).sign(&secret(), now, None).unwrap();
    let read = pyjwt(
        "print(jwt.decode(sys.argv[1], base64.b64decode(sys.argv[2]), ['HS256'])['iss'])",
        &[ours.expose(), SECRET],
    );
    assert_eq!(read.as_deref(), Some(SERVICE));
}

/// The sample of the document, verbatim: refused, and the message says seconds.
#[test]
fn s001_16_times_of_eleven_digits_are_no_seconds() {
    let sample = format!(r#"{{"iss":"{SERVICE}","iat":16112812000,"exp":16112813000}}"#);
    let refused = UnverifiedJws::parse(&of_claims(&sample))
        .and_then(|token| token.verify(&secret().verifying()))
        .and_then(|signed| signed.claims(&policy(), Timestamp::from_unix(NOW)))
        .unwrap_err();
    assert!(refused.reason().code.ends_with("_unit"), "{refused}");
    assert!(refused.to_string().contains("expected seconds"), "{refused}");
}

/// Sent as `Authorization: Bearer`; in the field `key` only where that is switched on.
#[test]
fn s001_17_sent_as_a_header() {
    let mint = JwtAuthenticator::new(
        secret(),
        profiles::webex_service_claims(SERVICE),
        Timestamp::from_unix(NOW),
    );
    let (mut uri, mut headers) = (Uri::from_static("https://api.example/v1"), HeaderMap::new());
    let view = RequestView::new(&Method::POST, &uri, &headers);
    let made = mint.credentials(view).wait().unwrap();
    made.commit(&mut uri, &mut headers).unwrap();
    let value = headers[AUTHORIZATION].to_str().unwrap();
    assert!(headers.len() == 1 && value.starts_with("Bearer eyJ") && uri.query().is_none());
    assert_eq!(told(&door(&[SERVICE]), AUTHORIZATION, value), SERVICE);
    let (field, token) = (HeaderName::from_static("key"), value.strip_prefix("Bearer ").unwrap());
    assert_eq!(told(&door(&[SERVICE]), field.clone(), token), "jwt_missing");
    assert_eq!(told(&door(&[SERVICE]).with_field(field.clone()), field, token), SERVICE);
}
