//! The input is a client certificate in DER.

use auth_symphony::certificate_user;

/// A user's name stands in the certificate as it is, and has no character that a reader could take for its end.
pub fn symphony_certificate(data: &[u8]) {
    let Ok(name) = certificate_user(data) else { return };
    assert!((1..=200).contains(&name.len()) && !name.chars().any(char::is_control));
    let name = name.as_bytes();
    assert!(data.windows(name.len()).any(|part| part == name), "it does not stand there");
}
