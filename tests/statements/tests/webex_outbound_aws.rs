//! Document 002, AWS Signature: what the fields of its form mean on the wire. One test for each statement;
//! `docs/coverage.md` lists them all.

use auth_core::{Authenticator, Body, RequestView, Timestamp, Verifier as _};
use auth_sigv4::{AccessKey, AccessKeys, AwsService, SigV4, SigV4Policy, SigV4Verifier};
use http::{HeaderMap, Method, Uri, header::AUTHORIZATION};

const NOW: Timestamp = Timestamp::from_unix(1_440_938_160);
const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// The fields of a form.
#[derive(Clone, Copy)]
struct Form {
    access_key: &'static str,
    secret_key: &'static str,
    region: &'static str,
    service: &'static str,
}

const FORM: Form =
    Form { access_key: ID, secret_key: SECRET, region: "us-east-1", service: "service" };

/// The fields that are sent to the host of the official suite.
fn sent(form: Form) -> HeaderMap {
    let key = AccessKey::new(form.access_key, form.secret_key).unwrap();
    let signer = SigV4::new(key, form.region, AwsService::named(form.service), NOW).unwrap();
    let (mut uri, mut headers) =
        (Uri::from_static("https://example.amazonaws.com/"), HeaderMap::new());
    let request = RequestView::new(&Method::POST, &uri, &headers).with_body(Body::Bytes(b""));
    let made = signer.credentials(request).wait().unwrap();
    made.commit(&mut uri, &mut headers).unwrap();
    headers
}

/// What a receiver with `FORM` in its own form says: the principal, or the reason in its log.
fn received(headers: &HeaderMap) -> &'static str {
    let policy = SigV4Policy::new(AwsService::named(FORM.service), FORM.region).unwrap();
    let keys = AccessKeys::new([(AccessKey::new(ID, SECRET).unwrap(), "webex")]);
    let door = SigV4Verifier::new(policy, keys, NOW);
    let uri = Uri::from_static("https://example.amazonaws.com/");
    let request = RequestView::new(&Method::POST, &uri, headers).with_body(Body::Bytes(b""));
    match door.verify(request).wait().unwrap() {
        Ok(accepted) => accepted.principal,
        Err(rejection) => rejection.reason().code,
    }
}

/// The exact bytes of the official suite (post-vanilla), and another key is another signature.
#[test]
fn s002_22_a_request_is_signed_with_access_key_and_secret_key() {
    let headers = sent(FORM);
    assert_eq!(
        headers[AUTHORIZATION],
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
         SignedHeaders=host;x-amz-date, \
         Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    );
    assert_eq!(received(&headers), "webex");
    assert_eq!(received(&sent(Form { secret_key: "guess", ..FORM })), "sigv4_signature");
    assert_eq!(received(&sent(Form { access_key: "AKIDOTHER", ..FORM })), "sigv4_key");
    for (id, secret, named) in [("", SECRET, "access key"), (ID, "", "secret")] {
        let error = AccessKey::new(id, secret).unwrap_err().to_string();
        assert!(error.starts_with("configuration: ") && error.contains(named), "{error}");
    }
}

/// Region and service are part of what is signed; one that is no name is an error that says which.
#[test]
fn s002_23_a_signature_is_for_one_region_and_one_service() {
    assert_eq!(received(&sent(Form { region: "eu-west-1", ..FORM })), "sigv4_scope_region");
    assert_eq!(received(&sent(Form { service: "sns", ..FORM })), "sigv4_scope_service");
    // Claiming the other region does not make it so.
    let mut headers = sent(Form { region: "eu-west-1", ..FORM });
    let claimed = headers[AUTHORIZATION].to_str().unwrap().replace("eu-west-1", FORM.region);
    headers.insert(AUTHORIZATION, claimed.parse().unwrap());
    assert_eq!(received(&headers), "sigv4_signature");
    for (region, service, named) in [("us east", "sns", "region"), ("us-east-1", "s/n", "service")]
    {
        let key = AccessKey::new(ID, SECRET).unwrap();
        let error =
            SigV4::new(key, region, AwsService::named(service), NOW).unwrap_err().to_string();
        assert!(error.starts_with("configuration: ") && error.contains(named), "{error}");
    }
}
