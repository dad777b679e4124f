//! A client identity in PKCS#12, as programs export certificates with their keys.

mod container;
mod fault;
mod password;
mod scheme;

use crate::ClientIdentity;
use auth_core::{Result, Secret};
use container::{Bags, Container, KeyBag};
use fault::{Fault, KEYS};
use password::{Password, Rounds};
use rustls::{
    crypto,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};
use std::sync::Arc;
use zeroize::Zeroizing;

impl ClientIdentity {
    /// Reads PKCS#12 (RFC 7292), a file that is mostly called `.p12` or `.pfx`: the certificate, its chain, and its private
    /// key, under a password.
    ///
    /// Files of `openssl pkcs12 -export` are read in the form of today (PBES2 with AES and PBKDF2) and in the old one
    /// (RC2 or Triple DES, SHA-1), and those of other programs that use the same algorithms and write DER. For all others
    /// the error has the commands that convert them. The certificate of the key comes first in the chain, wherever the file
    /// has it; the others follow in the order of the file.
    ///
    /// # Errors
    ///
    /// `Error::Config`, with a code for each cause:
    ///
    /// | code | cause |
    /// |---|---|
    /// | `tls_pkcs12_size` | the file has more than 256 KiB |
    /// | `tls_pkcs12_form` | it is no PKCS#12 in DER, or it is cut off |
    /// | `tls_pkcs12_algorithm` | it uses an algorithm that is not read here |
    /// | `tls_pkcs12_rounds` | its iteration counts add up to more than 4,000,000, or one of them is 0 |
    /// | `tls_pkcs12_mac` | it has no MAC, so nobody could tell a wrong password from a changed file |
    /// | `tls_pkcs12_password` | the password is wrong, or the file was changed |
    /// | `tls_pkcs12_key` | it has no private key, more than one, or one that TLS cannot use |
    /// | `tls_pkcs12_certificate` | it has no certificate of its key |
    ///
    /// # Security
    ///
    /// The file decides how long the password is hashed. The sum of its iteration counts is bounded before the first of them
    /// is begun: 4,000,000 is three times what is recommended for the slowest of these algorithms, and takes some seconds.
    /// So read files of strangers on a thread that may be busy for so long. Nothing is decrypted before the MAC
    /// is right. The other forms of the password, what is derived from it and what is decrypted are wiped; the copy of the
    /// private key that TLS takes is not.
    ///
    /// The old form protects its content badly: certificates, which are no secret, by a key of 40 bits, and the private key
    /// by a hash of the password that is fast to try. Keep such files as if they had no password.
    pub fn from_pkcs12(der: &[u8], password: &Secret) -> Result<Self> {
        Ok(read(der, password)?)
    }
}

const MOST_BYTES: usize = 256 * 1024;

fn read(der: &[u8], password: &Secret) -> Result<ClientIdentity, Fault> {
    if der.len() > MOST_BYTES {
        return Err(Fault::Size(der.len()));
    }
    let password = Password::new(password)?;
    let container = Container::read(der)?;
    let mut rounds = Rounds::default();
    for scheme in container.schemes() {
        rounds.add(scheme.rounds())?;
    }
    let mac = container.mac.as_ref().ok_or(Fault::NoMac)?;
    rounds.add(mac.rounds)?;
    mac.verify(&password, container.content)?;
    let mut opened = Vec::new();
    for (scheme, encrypted) in &container.encrypted {
        opened.push(scheme.decrypt(&password, encrypted)?);
    }
    let mut bags = container.plain;
    for part in &opened {
        let part = Bags::read(part)?;
        for scheme in part.schemes() {
            rounds.add(scheme.rounds())?;
        }
        bags.append(part);
    }
    identity(&bags, &password)
}

fn identity(bags: &Bags<'_>, password: &Password) -> Result<ClientIdentity, Fault> {
    let key = match bags.keys.as_slice() {
        [] => return Err(Fault::Key(KEYS.none)),
        [KeyBag::Plain(key)] => Zeroizing::new(key.to_vec()),
        [KeyBag::Encrypted(scheme, encrypted)] => scheme.decrypt(password, encrypted)?,
        _ => return Err(Fault::Key(KEYS.several)),
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
    let key = Zeroizing::new(key);
    let mut chain: Vec<_> =
        bags.certificates.iter().map(|der| CertificateDer::from(der.to_vec())).collect();
    let own = own(&chain, &key)?;
    let own = chain.remove(own);
    chain.insert(0, own);
    Ok(ClientIdentity::new(chain, key.clone_key()))
}

/// Which certificate is that of the key.
fn own(chain: &[CertificateDer<'static>], key: &PrivateKeyDer<'static>) -> Result<usize, Fault> {
    let provider = crypto::ring::default_provider().key_provider;
    let signing = provider.load_private_key(key.clone_key()).map_err(|_| Fault::Key(KEYS.kind))?;
    let is_own = |one: &CertificateDer<'static>| {
        CertifiedKey::new(vec![one.clone()], Arc::clone(&signing)).keys_match().is_ok()
    };
    chain.iter().position(is_own).ok_or(Fault::NoCertificate)
}

#[cfg(test)]
mod tests;
