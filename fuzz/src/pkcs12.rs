//! The input is a client identity in PKCS#12, mostly under the password of the seeds.

use auth_core::Secret;
use auth_outbound::ClientIdentity;

/// What is read is read under its own password alone, alike each time and with nothing behind it; a refusal is one of ours
/// and shows no password.
pub fn pkcs12(data: &[u8]) {
    let read = |data: &[u8], password: &str| {
        ClientIdentity::from_pkcs12(data, &Secret::from(password)).map_err(|error| {
            let shown = format!("{error} {error:?}");
            assert!(
                error.code().starts_with("tls_pkcs12_") && !shown.contains(password),
                "{shown}"
            );
            error.code()
        })
    };
    let Ok(identity) = read(data, "seed") else { return };
    assert_eq!(read(data, "seed").as_ref(), Ok(&identity));
    assert_eq!(read(data, "seeD").unwrap_err(), "tls_pkcs12_password");
    assert!(read(&[data, &[0]].concat(), "seed").is_err());
    assert!(read(&data[1..], "seed").is_err());
}
