//! Why PKCS#12 was not read.

use auth_core::Error;

/// Nothing in it is from the file, except numbers.
#[derive(Debug)]
pub(super) enum Fault {
    Size(usize),
    Form,
    Algorithm(&'static str),
    Rounds(u64),
    NoMac,
    Password,
    Key(&'static str),
    NoCertificate,
}

/// What can be wrong with the keys of a file.
pub(super) const KEYS: Keys = Keys {
    none: "no private key",
    several: "more than one private key",
    kind: "a private key that TLS cannot use",
};

pub(super) struct Keys {
    pub(super) none: &'static str,
    pub(super) several: &'static str,
    pub(super) kind: &'static str,
}

/// Writes what OpenSSL can read, which is nearly everything, in the form that is read here.
const CONVERT: &str = "OpenSSL converts files of other programs: `openssl pkcs12 -in FILE -out bot.pem` (with `-legacy` if \
                       it says that an algorithm is unsupported), then `openssl pkcs12 -export -in bot.pem -out bot.p12`";

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let (code, text) = match fault {
            Fault::Size(bytes) => (
                "tls_pkcs12_size",
                format!("PKCS#12 has {bytes} bytes, expected at most {}", super::MOST_BYTES),
            ),
            Fault::Form => (
                "tls_pkcs12_form",
                format!(
                    "client identity is no PKCS#12 in DER, or is cut off; PEM is for ClientIdentity::from_pem, and {CONVERT}"
                ),
            ),
            Fault::Algorithm(what) => (
                "tls_pkcs12_algorithm",
                format!("PKCS#12 has {what} of a kind that is not read here; {CONVERT}"),
            ),
            Fault::Rounds(sum) => (
                "tls_pkcs12_rounds",
                format!(
                    "iteration counts of the PKCS#12 add up to {sum}, or one is 0; expected from 1 to {} in all; {CONVERT}",
                    super::password::MOST_ROUNDS
                ),
            ),
            Fault::NoMac => {
                ("tls_pkcs12_mac", format!("PKCS#12 has no MAC, expected one; {CONVERT}"))
            }
            Fault::Password => (
                "tls_pkcs12_password",
                "password of the PKCS#12 is wrong, or the file was changed; `openssl pkcs12 -in FILE -noout` tries a password"
                    .to_owned(),
            ),
            Fault::Key(what) => (
                "tls_pkcs12_key",
                format!(
                    "PKCS#12 has {what}, expected one: RSA of at least 2048 bits, P-256, P-384 or Ed25519; `openssl pkcs12 \
                     -export -inkey KEY -in CERTIFICATES -out bot.p12` makes a file of one key and its certificates"
                ),
            ),
            Fault::NoCertificate => (
                "tls_pkcs12_certificate",
                "PKCS#12 has no certificate of its private key; `openssl pkcs12 -export -inkey KEY -in CERTIFICATES -out \
                 bot.p12` makes a file of one key and its certificates"
                    .to_owned(),
            ),
        };
        Self::config(code, text)
    }
}

/// The error of the DER reader is left out: it names a position in the file, which tells the owner of the file nothing.
impl From<der::Error> for Fault {
    fn from(_: der::Error) -> Self {
        Self::Form
    }
}
