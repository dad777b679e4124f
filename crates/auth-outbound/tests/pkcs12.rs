//! Files that OpenSSL writes.

#![cfg(feature = "pkcs12")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

use auth_core::{Error, Secret};
use auth_outbound::{ClientIdentity, TlsSettings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::{fs, path::PathBuf, process::Command};

/// A folder of its own, gone when the test is, with a key, its certificate and the chain above it.
struct Folder(PathBuf);

impl Folder {
    /// `None`, said loudly, where there is no OpenSSL.
    fn with_openssl(name: &str, key: &KeyPair) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("skipped: openssl not installed");
            return None;
        }
        let path =
            std::env::temp_dir().join(format!("auth-outbound-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        let root = authority("root");
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
        let between = authority("between");
        let between =
            CertifiedIssuer::signed_by(between, KeyPair::generate().unwrap(), &root).unwrap();
        let mut own = CertificateParams::new([]).unwrap();
        own.distinguished_name.push(DnType::CommonName, "my-bot");
        let own = own.signed_by(key, &between).unwrap().pem();
        folder.write("key.pem", &key.serialize_pem());
        folder.write("own.pem", &own);
        folder.write("above.pem", &(between.pem() + &root.pem()));
        folder.write("chain.pem", &(own + &between.pem() + &root.pem()));
        Some(folder)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    /// What `openssl pkcs12 -export` writes with these options, which spaces separate.
    #[track_caller]
    fn exported(&self, options: &str, password: &str) -> Vec<u8> {
        let password = format!("pass:{password}");
        let ran = Command::new("openssl")
            .args(["pkcs12", "-export", "-out", "out.p12", "-passout", &password])
            .args(options.split(' '))
            .current_dir(&self.0)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{options}: {}", String::from_utf8_lossy(&ran.stderr));
        self.read("out.p12")
    }

    fn pem(&self) -> ClientIdentity {
        ClientIdentity::from_pem(&self.read("chain.pem"), &self.read("key.pem")).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

const PASSWORD: &str = "pa55:word";
const WHOLE: &str = "-inkey key.pem -in own.pem -certfile above.pem";

fn read(file: &[u8], password: &str) -> Result<ClientIdentity, Error> {
    ClientIdentity::from_pkcs12(file, &Secret::from(password))
}

#[track_caller]
fn refused(file: &[u8], password: &str, code: &str, says: &str) {
    let error = read(file, password).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(error.code() == code && shown.contains(says), "{shown}");
    assert!(!shown.contains(PASSWORD) && !shown.contains("my-bot"), "{shown}");
}

#[test]
fn every_form_that_openssl_writes_is_read() {
    let Some(folder) = Folder::with_openssl("forms", &KeyPair::generate().unwrap()) else { return };
    let pem = folder.pem();
    for options in [
        "",
        " -legacy",
        " -legacy -descert",
        " -legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-RC2-40",
        " -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
        " -keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha384",
        " -keypbe DES-EDE3-CBC -certpbe DES-EDE3-CBC -macalg sha512",
        " -keypbe NONE -certpbe NONE",
        " -keypbe NONE",
        " -certpbe NONE",
        " -iter 1",
        " -nomaciter",
        " -iter 600000",
        " -name bot -caname one -caname two -CSP x -LMK",
    ] {
        let file = folder.exported(&format!("{WHOLE}{options}"), PASSWORD);
        let identity = read(&file, PASSWORD).unwrap_or_else(|error| panic!("{options}: {error}"));
        assert_eq!(identity, pem, "{options}");
        assert_eq!(format!("{identity:?}"), "ClientIdentity(3 certificates)");
        TlsSettings::system().with_identity(identity).config(&[]).unwrap();
        refused(&file, "pa55:worD", "tls_pkcs12_password", "openssl pkcs12 -in FILE -noout");
    }
}

#[test]
fn every_key_that_tls_can_use_is_read_with_its_certificate() {
    for (name, options) in [
        ("rsa", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048"),
        ("p256", "-algorithm EC -pkeyopt ec_paramgen_curve:P-256"),
        ("p384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"),
        ("ed25519", "-algorithm ED25519"),
    ] {
        let mut making = Command::new("openssl");
        let Ok(made) = making.arg("genpkey").args(options.split(' ')).output() else {
            return eprintln!("skipped: openssl not installed");
        };
        let key = KeyPair::from_pem(&String::from_utf8(made.stdout).unwrap()).unwrap();
        let folder = Folder::with_openssl(name, &key).unwrap();
        for options in [WHOLE, "-legacy -inkey key.pem -in chain.pem"] {
            let file = folder.exported(options, PASSWORD);
            assert_eq!(read(&file, PASSWORD).unwrap(), folder.pem(), "{name} {options}");
        }
    }
}

#[test]
fn passwords_are_text_of_any_script() {
    let Some(folder) = Folder::with_openssl("words", &KeyPair::generate().unwrap()) else { return };
    for password in ["", "wörter: bücher", "密码 пароль", "🔑", &"x".repeat(500)] {
        for options in ["", " -legacy"] {
            let file = folder.exported(&format!("{WHOLE}{options}"), password);
            assert_eq!(read(&file, password).unwrap(), folder.pem(), "{password}{options}");
            refused(&file, "other", "tls_pkcs12_password", "");
            let error = ClientIdentity::from_pkcs12(&file, &Secret::new([0xff])).unwrap_err();
            assert_eq!(error.code(), "tls_pkcs12_password");
        }
    }
}

#[test]
fn what_is_wrong_with_a_file_is_named_with_what_mends_it() {
    let Some(folder) = Folder::with_openssl("wrong", &KeyPair::generate().unwrap()) else { return };
    let file = folder.exported(WHOLE, PASSWORD);
    let converts = "openssl pkcs12 -export -in bot.pem -out bot.p12";
    let keyless = folder.exported("-nokeys -in chain.pem", PASSWORD);
    refused(&keyless, PASSWORD, "tls_pkcs12_key", "has no private key");
    let nomac = folder.exported(&format!("{WHOLE} -nomac"), PASSWORD);
    refused(&nomac, PASSWORD, "tls_pkcs12_mac", converts);
    let rc4 = folder.exported(&format!("{WHOLE} -legacy -keypbe PBE-SHA1-RC4-128"), PASSWORD);
    refused(&rc4, PASSWORD, "tls_pkcs12_algorithm", "(with `-legacy` if");
    for cut in [0, 1, 2, 100, file.len() / 2, file.len() - 1] {
        refused(&file[..cut], PASSWORD, "tls_pkcs12_form", converts);
    }
    refused(&[&file[..], b"\0"].concat(), PASSWORD, "tls_pkcs12_form", converts);
    refused(&folder.read("key.pem"), PASSWORD, "tls_pkcs12_form", "ClientIdentity::from_pem");
    refused(b"no file", PASSWORD, "tls_pkcs12_form", converts);
    refused(&vec![0x30; 1 << 20], PASSWORD, "tls_pkcs12_size", "expected at most 262144");
}

#[test]
fn counts_of_iterations_are_refused_before_any_is_done() {
    let Some(folder) = Folder::with_openssl("rounds", &KeyPair::generate().unwrap()) else {
        return;
    };
    let begun = std::time::Instant::now();
    for form in ["", " -legacy"] {
        let file = folder.exported(&format!("{WHOLE}{form} -iter 1234"), PASSWORD);
        for count in [&[0, 0x80, 0, 0, 0][..], &[0x3d, 0x09, 1], &[0x7f, 0xff, 0xff, 0xff], &[0]] {
            // That of the certificates, that of the key, and that of the MAC.
            for nth in 0..3 {
                let file = with_number(&file, &[0x04, 0xd2], count, nth);
                refused(&file, PASSWORD, "tls_pkcs12_rounds", "expected from 1 to 4000000 in all");
            }
        }
    }
    assert!(begun.elapsed().as_secs() < 10, "it was hashed all the same");
}

/// The file with its nth INTEGER of this value replaced by another, and all lengths around it put right.
fn with_number(der: &[u8], old: &[u8], new: &[u8], nth: usize) -> Vec<u8> {
    let mut found = 0;
    let changed = replaced(der, &mut |value| {
        found += usize::from(value == old);
        (value == old && found == nth + 1).then(|| new.to_vec())
    });
    assert_eq!(found, 3, "the file has a count more or less");
    changed.unwrap()
}

/// `None` where it is no DER.
fn replaced(mut der: &[u8], number: &mut impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    while let [tag, first, rest @ ..] = der {
        let more = usize::from(first.checked_sub(0x80).unwrap_or_default());
        let (length, rest) = rest.split_at_checked(more)?;
        let length = match more {
            0 => usize::from(*first),
            _ => length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let inner = match tag {
            0x02 => number(content),
            0x04 if content.first() == Some(&0x30) => replaced(content, number),
            tag if tag & 0x20 != 0 => replaced(content, number),
            _ => None,
        };
        let content = inner.as_deref().unwrap_or(content);
        let [.., high, low] = content.len().to_be_bytes();
        match content.len() {
            0..=0x7f => all.extend([*tag, low]),
            0x80..=0xff => all.extend([*tag, 0x81, low]),
            _ => all.extend([*tag, 0x82, high, low]),
        }
        all.extend(content);
        der = rest;
    }
    der.is_empty().then_some(all)
}
