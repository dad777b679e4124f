//! Common JWTs as a stranger would forge them, and pods that are asked for keys without end.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::{RequestView, Verifier};
use auth_jwt::{JwsAlgorithm, SigningKey};
use auth_symphony::{CommonJwtVerifier, Context, SymphonyEndpoints};
use auth_testing::{ManualClock, ScriptedTransport};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, Response, Uri};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

const NOW: u64 = 1_700_000_000;
const KEY: &str = include_str!("keys/pkcs8.pem");
const PUBLIC: &str = include_str!("keys/public.pem");
/// The modulus of the public key.
const N: &str = "5i6dPXwKVZf4npUkvNQIbpGSuQjGW0msof6XazyOiSh5lau2kndAAXShzZUwR5pJEGjx59sjxUdWeZECW9PzE4dZpA7Ze7C7E_GmJSEeDKtBekf0zG9QwkpdnqLOAVz5s8wPbI8QkcmIPajKaMgkgsDEwjPFXfdsLDXf07PT-ZYvnRQq8odTP4zctDMN9jdQxQgFQH4JgcRXI__0efoAUuIO7GEG5GOPIrAWnmhyKLZUMRHB9XsHWppGSogghzT10N1hibX6hS8fJtL0VTMY4pUlZIyMjeh1s31ycIu-t30RI-bNjpvzjQSUpUyCs2O1PJEz7hnt4TJ4j2yt2oadYw";

/// A pod whose key set has the RSA key without its algorithm, and a symmetric key that it should not have.
fn door() -> (CommonJwtVerifier, Arc<AtomicUsize>) {
    let asked: Arc<AtomicUsize> = Arc::default();
    let counted = Arc::clone(&asked);
    let secret = URL_SAFE_NO_PAD.encode([7; 32]);
    let keys = format!(
        r#"{{"keys":[{{"kty":"RSA","kid":"k","n":"{N}","e":"AQAB"}},{{"kty":"oct","kid":"s","alg":"HS256","k":"{secret}"}}]}}"#
    );
    let transport = ScriptedTransport::new(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Response::new(keys.as_bytes().to_vec()))
    });
    let context = Context::new(transport).with_clock(ManualClock::at(NOW));
    let endpoints = SymphonyEndpoints::new("https://pod.example").unwrap();
    (CommonJwtVerifier::new(&endpoints, context).unwrap(), asked)
}

fn token(algorithm: JwsAlgorithm, key: &SigningKey, header: &str, claims: &str) -> String {
    let header = header.replace("ALG", &algorithm.to_string());
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mut signature = vec![0; key.signature_len()];
    let written = key.sign(message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(&signature[..written]))
}

fn is_accepted(door: &CommonJwtVerifier, token: &str) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    let uri = Uri::from_static("/");
    let judged = door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait().unwrap();
    if let Err(refused) = &judged {
        assert!(refused.status().is_client_error());
        assert_eq!(refused.status() == 401, !refused.challenges().is_empty());
    }
    judged.is_ok()
}

#[test]
fn a_common_jwt_is_of_the_pods_rsa_key_and_nothing_else() {
    let (door, _) = door();
    let rsa = |algorithm| SigningKey::from_pem(algorithm, KEY).unwrap();
    let secret = |bytes: &[u8]| SigningKey::from_secret(JwsAlgorithm::HS256, bytes).unwrap();
    let claims = format!(r#"{{"exp":{},"sub":"7"}}"#, NOW + 240);
    let (head, of_secret) = (r#"{"alg":"ALG","kid":"k"}"#, r#"{"alg":"ALG","kid":"s"}"#);
    let (rs256, hs256) = (JwsAlgorithm::RS256, JwsAlgorithm::HS256);
    assert!(is_accepted(&door, &token(rs256, &rsa(rs256), head, &claims)));
    let modulus = URL_SAFE_NO_PAD.decode(N).unwrap();
    let public: String = PUBLIC.lines().filter(|line| !line.starts_with('-')).collect();
    let public = base64::engine::general_purpose::STANDARD.decode(public).unwrap();
    let expired = format!(r#"{{"exp":{},"sub":"7"}}"#, NOW - 61);
    for forged in [
        // Its text in PEM is no secret that this crate signs with.
        token(hs256, &secret(&public), head, &claims),
        token(hs256, &secret(&modulus), head, &claims),
        token(hs256, &secret(&[7; 32]), of_secret, &claims),
        token(JwsAlgorithm::RS512, &rsa(JwsAlgorithm::RS512), head, &claims),
        token(rs256, &rsa(rs256), r#"{"alg":"none","kid":"k"}"#, &claims),
        token(rs256, &rsa(rs256), r#"{"alg":"ALG","kid":"k","crit":["x"],"x":1}"#, &claims),
        token(rs256, &rsa(rs256), r#"{"alg":"ALG","kid":"k","b64":false,"crit":["b64"]}"#, &claims),
        token(rs256, &rsa(rs256), r#"{"alg":"ALG","alg":"ALG","kid":"k"}"#, &claims),
        token(rs256, &rsa(rs256), head, &expired),
        token(rs256, &rsa(rs256), head, r#"{"sub":"7"}"#),
        token(rs256, &rsa(rs256), head, &format!(r#"{{"exp":{}}}"#, NOW + 240)),
    ] {
        assert!(!is_accepted(&door, &forged), "{forged}");
    }
}

#[test]
fn unknown_keys_do_not_have_the_pod_asked_without_end() {
    let (door, asked) = door();
    let key = SigningKey::from_pem(JwsAlgorithm::RS256, KEY).unwrap();
    let claims = format!(r#"{{"exp":{},"sub":"7","iss":"https://evil.example"}}"#, NOW + 240);
    for nth in 0..100 {
        let header = format!(r#"{{"alg":"ALG","kid":"unknown-{nth}"}}"#);
        assert!(!is_accepted(&door, &token(JwsAlgorithm::RS256, &key, &header, &claims)));
    }
    assert!(asked.load(Ordering::Relaxed) <= 2, "{asked:?}");
}
