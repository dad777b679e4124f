//! Common JWTs before the door of a server that is not the pod.

use super::{APP_KEY, NOW, Stage, stage, transport};
use auth_core::{RequestView, Timestamp, Verifier};
use auth_emulator::{Endpoint, Fault};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, SigningKey};
use auth_symphony::CommonJwtVerifier;
use http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
use std::time::Duration;

/// The key of the emulated pod: that of its key set, and of its certificate.
const POD_KEY: &str =
    include_str!("../../../../crates/auth-emulator/src/symphony/pod_keys/key.pem");

fn claims() -> ClaimsToSign {
    ClaimsToSign::expiring_in(Duration::from_secs(300)).unwrap()
}

/// A token of this key with this name of a key, of the beginning.
fn signed(algorithm: JwsAlgorithm, pem: &str, kid: &str, claims: ClaimsToSign) -> String {
    let key = match algorithm {
        JwsAlgorithm::HS256 => SigningKey::from_secret(algorithm, pem.as_bytes()),
        _ => SigningKey::from_pem(algorithm, pem),
    };
    let claims = if kid.is_empty() { claims } else { claims.with_key_id(kid).unwrap() };
    let signed = claims.sign(&key.unwrap(), Timestamp::from_unix(NOW), None);
    signed.unwrap().expose().to_owned()
}

fn door(stage: &Stage) -> CommonJwtVerifier {
    CommonJwtVerifier::new(&stage.endpoints(), stage.context(transport())).unwrap()
}

/// The user, or the code of the reason or error.
async fn told(door: &CommonJwtVerifier, token: &str) -> String {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    let (method, uri) = (Method::GET, Uri::from_static("/"));
    match door.verify(RequestView::new(&method, &uri, &headers)).await {
        Ok(Ok(accepted)) => accepted.principal.claims.subject().unwrap().to_owned(),
        Ok(Err(rejection)) => rejection.reason().code.to_owned(),
        Err(error) => error.code().to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_common_jwt_is_of_this_pod_about_somebody_and_nothing_else_that_the_pod_signs() {
    use JwsAlgorithm::{HS256, RS256, RS512};
    let stage = stage().await;
    let door = door(&stage);
    let user = stage.symphony.user_jwt("app", 7).unwrap();
    let user = user.expose_text().unwrap();
    let kid = "emulated-pod";
    let public = include_str!("../../../../crates/auth-emulator/src/symphony/pod_keys/jwks.json");
    for (token, expected) in [
        (signed(RS256, POD_KEY, kid, claims().with_subject("7")), "7"),
        (signed(RS256, POD_KEY, "", claims().with_subject("7")), "7"),
        (signed(RS256, APP_KEY, kid, claims().with_subject("7")), "jwt_signature"),
        (signed(RS512, POD_KEY, kid, claims().with_subject("7")), "jwt_alg"),
        (signed(HS256, public, kid, claims().with_subject("7")), "jwt_alg"),
        (signed(RS256, POD_KEY, "other", claims().with_subject("7")), "jwt_key"),
        (signed(RS256, POD_KEY, kid, claims()), "jwt_sub_missing"),
        (user.to_owned(), "jwt_alg"),
    ] {
        let said = told(&door, &token).await;
        assert!(said.starts_with(expected), "{said} {expected}");
    }
    let good = signed(RS256, POD_KEY, kid, claims().with_subject("7"));
    stage.pass(400);
    assert_eq!(told(&door, &good).await, "jwt_exp_past");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_gives_no_keys_is_no_fault_of_the_caller() {
    let stage = stage().await;
    let door = door(&stage);
    let good = signed(JwsAlgorithm::RS256, POD_KEY, "emulated-pod", claims().with_subject("7"));
    stage.symphony.faults().arm(Fault::Forbidden, Endpoint::SessionLogIn, 1);
    assert_eq!(told(&door, &good).await, "jwks_status");
    stage.pass(1);
    assert_eq!(told(&door, &good).await, "7");
}
