//! Clients with good and with wrong credentials of each kind.

use super::doors::{
    ACCESS_KEY, BODY, Doors, FIELD, HANDLED, HUB_SECRET, Issuer, KEY, PASSWORD, REGION, SECRET_KEY,
    SERVICE, USER,
};
use crate::peer::run;
use auth_webhook::{BodySigner, BodySigningKey, Secret, SignableDelivery, SignatureForm};
use conformance::{Compared, compare, script};
use serde_json::{Value, json};
use std::{path::Path, process::Command};

const GOOD: &str = HANDLED;

/// What was answered, with what the handler said or why it was not asked.
fn answered(doors: &Doors, command: &mut Command) -> String {
    let before = doors.handled();
    let said = run(command).unwrap_or_else(|what| what);
    let (body, status) = said.rsplit_once('\n').unwrap_or(("", &said));
    format!("{status} {}", doors.told(before, body))
}

/// A delivery with curl.
pub fn delivery(curl: &Path, doors: &Doors, path: &str, body: &str, more: &[&str]) -> Command {
    let mut command = Command::new(curl);
    command.args(["--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}"]);
    command.args(["--header", "content-type: application/json", "--data-binary", body]);
    command.args(more).arg(format!("{}/{path}", doors.base));
    command
}

pub fn curl(curl: &Path, doors: &Doors, issuer: &Issuer) -> Vec<Compared> {
    let user = format!("{USER}:{PASSWORD}");
    let (guess, stranger) = (format!("{USER}:guess"), format!("mallory:{PASSWORD}"));
    let aws_key = format!("{ACCESS_KEY}:{SECRET_KEY}");
    let (aws_guess, aws_stranger) =
        (format!("{ACCESS_KEY}:guess"), format!("AKIDSTRANGER:{SECRET_KEY}"));
    let aws = format!("aws:amz:{REGION}:{SERVICE}");
    let (aws_region, aws_service) =
        (format!("aws:amz:us-east-1:{SERVICE}"), format!("aws:amz:{REGION}:sns"));
    let key = format!("{FIELD}: {KEY}");
    let key_twice = ["--header", &key, "--header", &key];
    let shorter = format!("{FIELD}: {}", &KEY[..KEY.len() - 1]);
    let as_bearer = format!("authorization: Bearer {KEY}");
    let signature = hub_signature();
    let mut cases = Vec::new();
    let mut check = |id: &str, path: &str, more: &[&str], expected: &str| {
        let answer = answered(doors, &mut delivery(curl, doors, path, BODY, more));
        cases.push(compare(id, expected, answer));
    };
    check("none", "none", &[], GOOD);
    check("none-with-credentials", "none", &["--user", &user], GOOD);
    for (id, more, expected) in [
        ("good", vec!["--user", &user], GOOD),
        ("wrong-password", vec!["--user", &guess], "401 basic_wrong"),
        ("unknown-user", vec!["--user", &stranger], "401 basic_wrong"),
        ("nothing", vec![], "401 basic_missing"),
        ("digest-in-its-place", vec!["--digest", "--user", &user], "401 basic_missing"),
    ] {
        check(&format!("basic-{id}"), "basic", &more, expected);
    }
    for (id, more, expected) in [
        ("good", vec!["--digest", "--user", &user], GOOD),
        ("wrong-password", vec!["--digest", "--user", &guess], "401 digest_response_wrong"),
        ("unknown-user", vec!["--digest", "--user", &stranger], "401 digest_user_unknown"),
        ("nothing", vec![], "401 digest_missing"),
        ("basic-in-its-place", vec!["--user", &user], "401 digest_missing"),
    ] {
        check(&format!("digest-{id}"), "digest", &more, expected);
    }
    for (id, more, expected) in [
        ("good", vec!["--header", &*key], GOOD),
        ("shorter", vec!["--header", &*shorter], "401 api_key_unknown"),
        ("twice", key_twice.to_vec(), "400 field_several"),
        ("as-bearer", vec!["--header", &*as_bearer], "401 api_key_missing"),
        ("nothing", vec![], "401 api_key_missing"),
    ] {
        check(&format!("api-key-{id}"), "api_key", &more, expected);
    }
    for (id, more, expected) in [
        ("good", vec!["--aws-sigv4", &*aws, "--user", &aws_key], GOOD),
        ("wrong-secret", vec!["--aws-sigv4", &aws, "--user", &aws_guess], "403 sigv4_signature"),
        ("unknown-key", vec!["--aws-sigv4", &aws, "--user", &aws_stranger], "403 sigv4_key"),
        (
            "other-region",
            vec!["--aws-sigv4", &aws_region, "--user", &aws_key],
            "403 sigv4_scope_region",
        ),
        (
            "other-service",
            vec!["--aws-sigv4", &aws_service, "--user", &aws_key],
            "403 sigv4_scope_service",
        ),
        ("nothing", vec![], "401 sigv4_missing"),
    ] {
        check(&format!("aws-signature-{id}"), "aws_signature", &more, expected);
    }
    for (id, token) in issuer.tokens() {
        let expected = match id {
            "good" => GOOD,
            "of-another-key" => "401 jwt_signature",
            "for-another-audience" => "401 jwt_aud_other",
            "expired" => "401 jwt_exp_past",
            _ => "401 jwt_alg_none",
        };
        check(&format!("oauth2-{id}"), "oauth2", &["--oauth2-bearer", token], expected);
    }
    check("oauth2-nothing", "oauth2", &[], "401 jwt_missing");
    for (id, more, expected) in [
        ("good", vec!["--user", &*user, "--header", &signature], GOOD),
        ("unsigned", vec!["--user", &*user], "401 webhook_signature_missing"),
        ("signed-alone", vec!["--header", &*signature], "401 basic_missing"),
        (
            "another-body",
            // curl puts it behind the other, and an & between the two.
            vec!["--user", &*user, "--header", &signature, "--data-binary", "x"],
            "401 webhook_signature_wrong",
        ),
    ] {
        check(&format!("signed-{id}"), "signed", &more, expected);
    }
    check("listed-address", "here", &["--user", &user], GOOD);
    check("other-address", "elsewhere", &["--user", &user], "403 webhook_address");
    check("too-large", "small", &["--user", &user], "413 body_too_large");
    check("too-large-and-wrong", "small", &["--user", &guess], "413 body_too_large");
    check("too-large-without-credentials", "small", &[], "401 basic_missing");
    let chunked = ["--user", &user, "--header", "transfer-encoding: chunked"];
    check("too-large-in-chunks", "small", &chunked, "413 body_too_large");
    cases
}

/// The field of a signature of the usual body, as our sender makes it.
fn hub_signature() -> String {
    let form = SignatureForm::HubSignature { algorithm: Default::default() };
    let made = BodySigningKey::read(&form, &Secret::from(HUB_SECRET)).and_then(|key| {
        let uri = http::Uri::from_static("https://hooks.example/");
        let now = auth_webhook::Clock::now(&auth_webhook::SystemClock);
        BodySigner::new(form, key)?.sign(SignableDelivery::new("1", now, &uri, BODY.as_bytes()))
    });
    let field = made.ok().and_then(|fields| fields.get("x-hub-signature").cloned());
    let field = field.and_then(|field| field.to_str().map(str::to_owned).ok());
    format!("x-hub-signature: {}", field.unwrap_or_default())
}

pub fn requests(python: &Path, doors: &Doors) -> Vec<Compared> {
    let mut cases = Vec::new();
    for (id, kind, path, user, secret, times, expected) in [
        ("none", "none", "none", "", "", 1, GOOD),
        ("basic-good", "basic", "basic", USER, PASSWORD, 1, GOOD),
        ("basic-good-as-latin-1", "basic-text", "basic", USER, PASSWORD, 1, GOOD),
        ("basic-wrong-password", "basic", "basic", USER, "guess", 1, "401 basic_wrong"),
        ("basic-nothing", "none", "basic", "", "", 1, "401 basic_missing"),
        ("digest-good", "digest", "digest", USER, PASSWORD, 1, GOOD),
        ("digest-three-times", "digest", "digest", USER, PASSWORD, 3, GOOD),
        (
            "digest-wrong-password",
            "digest",
            "digest",
            USER,
            "guess",
            1,
            "401 digest_response_wrong",
        ),
        (
            "digest-unknown-user",
            "digest",
            "digest",
            "mallory",
            PASSWORD,
            1,
            "401 digest_user_unknown",
        ),
        ("digest-nothing", "none", "digest", "", "", 1, "401 digest_missing"),
        ("api-key-good", "api-key", "api_key", FIELD, KEY, 1, GOOD),
        ("api-key-wrong", "api-key", "api_key", FIELD, "4f5c", 1, "401 api_key_unknown"),
        ("api-key-nothing", "none", "api_key", "", "", 1, "401 api_key_missing"),
    ] {
        let call = json!({
            "library": "requests", "kind": kind, "user": user, "secret": secret, "times": times,
            "url": format!("{}/{path}", doors.base), "body": BODY,
        });
        let before = doors.handled();
        let answer = answered(doors, &mut python_client(python, &call));
        let had = doors.handled() - before;
        let expected_had = if expected == GOOD { times } else { 0 };
        let expected = format!("{expected}, {expected_had} handled");
        cases.push(compare(id, expected, format!("{answer}, {had} handled")));
    }
    cases
}

pub fn boto3(python: &Path, doors: &Doors) -> Vec<Compared> {
    let mut cases = Vec::new();
    for (id, user, secret, region, service, other_body, expected) in [
        ("good", ACCESS_KEY, SECRET_KEY, REGION, SERVICE, None, GOOD),
        ("wrong-secret", ACCESS_KEY, "guess", REGION, SERVICE, None, "403 sigv4_signature"),
        ("unknown-key", "AKIDSTRANGER", SECRET_KEY, REGION, SERVICE, None, "403 sigv4_key"),
        (
            "other-region",
            ACCESS_KEY,
            SECRET_KEY,
            "us-east-1",
            SERVICE,
            None,
            "403 sigv4_scope_region",
        ),
        ("other-service", ACCESS_KEY, SECRET_KEY, REGION, "sns", None, "403 sigv4_scope_service"),
        ("another-body", ACCESS_KEY, SECRET_KEY, REGION, SERVICE, Some("x"), "403 sigv4_signature"),
    ] {
        let mut call = json!({
            "library": "botocore", "user": user, "secret": secret, "region": region, "service": service,
            "url": format!("{}/aws_signature", doors.base), "body": BODY,
        });
        if let Some(other) = other_body {
            call["other_body"] = other.into();
        }
        let answer = answered(doors, &mut python_client(python, &call));
        cases.push(compare(format!("aws-signature-{id}"), expected, answer));
    }
    cases
}

fn python_client(python: &Path, call: &Value) -> Command {
    let mut command = Command::new(python);
    command.args([script("webhook_client.py"), call.to_string()]);
    for name in ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "AWS_PROFILE"] {
        command.env_remove(name);
    }
    command.env("NO_PROXY", "*").env("PYTHONIOENCODING", "utf-8");
    command
}
