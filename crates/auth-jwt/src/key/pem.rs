//! PEM (RFC 7468), as people paste it.

use auth_core::{Error, Result};
use rustls_pki_types::pem::{PemObject, SectionKind};
use zeroize::Zeroizing;

/// What a PEM section is said to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// PKCS#8 or PKCS#1.
    Private,
    /// SPKI or PKCS#1.
    Public,
    Certificate,
}

/// The one key of a text; of a chain of certificates the first.
///
/// The two characters `\n` count as a line break: that is what is left of one in many a configuration file.
pub(super) fn read(text: &str) -> Result<(Kind, Zeroizing<Vec<u8>>)> {
    // The label is the same to the reader of DER behind this, which tells both forms of a public key apart.
    let text =
        Zeroizing::new(text.replace("\\n", "\n").replace(" RSA PUBLIC KEY--", " PUBLIC KEY--"));
    let mut found = None;
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()) {
        let (kind, der) = section.map_err(|_| malformed(&text))?;
        found = keep(found, kind, Zeroizing::new(der))?;
    }
    found.ok_or_else(|| missing(&text))
}

fn keep(
    found: Option<(Kind, Zeroizing<Vec<u8>>)>,
    section: SectionKind,
    der: Zeroizing<Vec<u8>>,
) -> Result<Option<(Kind, Zeroizing<Vec<u8>>)>> {
    let kind = match section {
        SectionKind::PrivateKey | SectionKind::RsaPrivateKey => Kind::Private,
        SectionKind::PublicKey => Kind::Public,
        SectionKind::Certificate => Kind::Certificate,
        SectionKind::EcPrivateKey => {
            let text = "PEM is an EC PRIVATE KEY (SEC 1), expected PKCS#8: \
                        `openssl pkcs8 -topk8 -nocrypt` converts it";
            return Err(Error::config("jwt_key_sec1", text));
        }
        _ => return Ok(found),
    };
    match &found {
        None => Ok(Some((kind, der))),
        Some((Kind::Certificate, _)) if kind == Kind::Certificate => Ok(found),
        Some(_) => Err(Error::config("jwt_key_several", "PEM has more than one key, expected one")),
    }
}

fn missing(text: &str) -> Error {
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains(OLD_ENCRYPTION) {
        let text = "PEM is an encrypted private key, expected one that is not: \
                    `openssl pkcs8 -in FILE` decrypts it";
        return Error::config("jwt_key_encrypted", text);
    }
    let text = "PEM has no key, expected a section like -----BEGIN PRIVATE KEY-----";
    Error::config("jwt_key_pem", text)
}

/// The first field of a key that is encrypted as before PKCS#8 (RFC 1421 section 4.6.1.1).
const OLD_ENCRYPTION: &str = "Proc-Type: 4,ENCRYPTED";

/// Those fields are no Base64.
fn malformed(text: &str) -> Error {
    let fault = if text.contains(OLD_ENCRYPTION) {
        "PEM is an encrypted private key, expected one that is not; decrypt it first: \
         `openssl pkcs8 -topk8 -nocrypt -in FILE`"
    } else {
        "PEM is cut off or not Base64 between its lines"
    };
    Error::config("jwt_key_pem", fault)
}
