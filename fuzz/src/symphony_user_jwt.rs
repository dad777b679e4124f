//! The input is what the client of a user says of its user, signed here with the key of the pod's certificate.

use crate::{claims::Sentences, forged::encoded, ibsso_answer::answering};
use auth_jwt::{JwsAlgorithm, SigningKey, UnverifiedJws};
use auth_symphony::{SymphonyEndpoints, UserJwtVerifier};
use std::sync::LazyLock;

const KEY: &str = include_str!("../../crates/auth-symphony/tests/keys/pkcs1.pem");
const CERTIFICATE: &str = include_str!("../../crates/auth-symphony/tests/keys/pod.crt");

static SIGNING: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_pem(JwsAlgorithm::RS512, KEY).expect("a key"));

static USERS: LazyLock<UserJwtVerifier> = LazyLock::new(|| {
    let endpoints = SymphonyEndpoints::new("https://pod.example").expect("endpoints");
    let body = serde_json::json!({ "certificate": CERTIFICATE }).to_string();
    UserJwtVerifier::new(&endpoints, "my-app", answering(200, body.into_bytes()))
});

/// A user is believed exactly when a second reading of the payload finds the issuer, the app, an end that is yet to come,
/// and a number for a user.
pub fn symphony_user_jwt(data: &[u8]) {
    let message = format!("{}.{}", encoded(br#"{"alg":"RS512"}"#), encoded(data));
    let mut signature = vec![0; SIGNING.signature_len()];
    let length = SIGNING.sign(message.as_bytes(), &mut signature).expect("a signature");
    let token = format!("{message}.{}", encoded(&signature[..length]));
    if token.len() > UnverifiedJws::MOST_BYTES {
        return;
    }
    let sentences = Sentences::of_symphony_users();
    let judged = USERS.verify(&token).wait().expect("the certificate is there");
    sentences.agree(data, judged.as_ref().map_err(|refused| *refused));
    if let Ok(claims) = judged {
        let user = claims.subject().expect("a user");
        assert!(!user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit()));
    }
}
