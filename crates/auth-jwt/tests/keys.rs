//! Keys in every form that people have them in, made by OpenSSL, which also checks what we sign.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr)]

use auth_jwt::{JwsAlgorithm, SigningKey, VerifyingKey};
use std::{fs, path::PathBuf, process::Command};

/// A folder of its own, gone when the test is.
struct Folder(PathBuf);

impl Folder {
    /// `None`, said loudly, where there is no OpenSSL.
    fn with_openssl(name: &str) -> Option<Self> {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("skipped: openssl not installed");
            return None;
        }
        let path = std::env::temp_dir().join(format!("auth-jwt-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Some(Self(path))
    }

    /// Runs openssl here; arguments are separated by spaces.
    fn openssl(&self, arguments: &str) -> bool {
        let ran = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(&self.0)
            .output()
            .unwrap();
        ran.status.success()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const MESSAGE: &[u8] = b"eyJhbGciOiJSUzUxMiJ9.e30";

fn signed(key: &SigningKey) -> Vec<u8> {
    let mut signature = vec![0; key.signature_len()];
    let length = key.sign(MESSAGE, &mut signature).unwrap();
    assert_eq!(length, signature.len());
    signature
}

/// Each half reads every form of the other, and no flipped bit gets through.
#[track_caller]
fn check_pair(signing: &SigningKey, verifying: &[VerifyingKey]) {
    let signature = signed(signing);
    for key in verifying.iter().chain([&signing.verifying()]) {
        assert_eq!(key.algorithm(), signing.algorithm());
        assert!(key.verify(MESSAGE, &signature).is_ok());
        let mut flipped = signature.clone();
        flipped[7] ^= 1;
        assert!(key.verify(MESSAGE, &flipped).is_err());
        assert!(key.verify(b"other", &signature).is_err());
        assert!(key.verify(MESSAGE, &signature[1..]).is_err());
        assert!(key.verify(MESSAGE, b"").is_err());
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(key: auth_core::Result<T>, code: &str, says: &str) {
    let error = key.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn rsa_keys_are_read_in_every_form() {
    let Some(folder) = Folder::with_openssl("rsa") else { return };
    assert!(folder.openssl("genrsa -out pkcs8.pem 2048"));
    assert!(folder.openssl("rsa -in pkcs8.pem -traditional -out pkcs1.pem"));
    assert!(folder.openssl("pkcs8 -topk8 -nocrypt -in pkcs8.pem -outform DER -out pkcs8.der"));
    assert!(folder.openssl("rsa -in pkcs8.pem -traditional -outform DER -out pkcs1.der"));
    assert!(folder.openssl("rsa -in pkcs8.pem -pubout -out spki.pem"));
    assert!(folder.openssl("rsa -in pkcs8.pem -pubout -outform DER -out spki.der"));
    assert!(folder.openssl("rsa -in pkcs8.pem -RSAPublicKey_out -out public-pkcs1.pem"));
    assert!(
        folder.openssl("rsa -in pkcs8.pem -RSAPublicKey_out -outform DER -out public-pkcs1.der")
    );
    assert!(folder.openssl("req -new -x509 -key pkcs8.pem -subj /CN=a -out certificate.pem"));
    assert!(folder.openssl("pkcs8 -topk8 -passout pass:a -in pkcs8.pem -out encrypted.pem"));
    for algorithm in [
        JwsAlgorithm::RS256,
        JwsAlgorithm::RS384,
        JwsAlgorithm::RS512,
        JwsAlgorithm::PS256,
        JwsAlgorithm::PS384,
        JwsAlgorithm::PS512,
    ] {
        let verifying = ["spki.pem", "public-pkcs1.pem", "certificate.pem"]
            .map(|name| VerifyingKey::from_pem(algorithm, &folder.text(name)).unwrap());
        let from_der = ["spki.der", "public-pkcs1.der"]
            .map(|name| VerifyingKey::from_der(algorithm, &folder.bytes(name)).unwrap());
        for name in ["pkcs8.pem", "pkcs1.pem"] {
            let key = SigningKey::from_pem(algorithm, &folder.text(name)).unwrap();
            check_pair(&key, &verifying);
            check_pair(&key, &from_der);
            let pasted = folder.text(name).replace('\n', "\\n");
            check_pair(&SigningKey::from_pem(algorithm, &pasted).unwrap(), &verifying);
        }
        for name in ["pkcs8.der", "pkcs1.der"] {
            check_pair(&SigningKey::from_der(algorithm, &folder.bytes(name)).unwrap(), &verifying);
        }
    }
    let key = SigningKey::from_pem(JwsAlgorithm::RS512, &folder.text("pkcs8.pem")).unwrap();
    fs::write(folder.0.join("signature"), signed(&key)).unwrap();
    fs::write(folder.0.join("message"), MESSAGE).unwrap();
    assert!(folder.openssl("dgst -sha512 -verify spki.pem -signature signature message"));

    let signing = |name: &str| SigningKey::from_pem(JwsAlgorithm::RS512, &folder.text(name));
    let verifying = |name: &str| VerifyingKey::from_pem(JwsAlgorithm::RS512, &folder.text(name));
    refused(signing("spki.pem"), "jwt_key_public", "PEM is a public key");
    refused(signing("certificate.pem"), "jwt_key_public", "PEM is a certificate");
    refused(signing("encrypted.pem"), "jwt_key_encrypted", "openssl pkcs8 -in");
    refused(verifying("pkcs8.pem"), "jwt_key_private", "PEM is a private key");
    let twice = folder.text("spki.pem").repeat(2);
    refused(VerifyingKey::from_pem(JwsAlgorithm::RS512, &twice), "jwt_key_several", "expected one");
    let chain = folder.text("certificate.pem").repeat(2);
    assert!(VerifyingKey::from_pem(JwsAlgorithm::RS512, &chain).is_ok());
    refused(
        VerifyingKey::from_pem(JwsAlgorithm::ES256, &folder.text("spki.pem")),
        "jwt_key_mismatch",
        "a P-256 key for ES256",
    );
    refused(
        SigningKey::from_pem(JwsAlgorithm::HS256, &folder.text("pkcs8.pem")),
        "jwt_key_mismatch",
        "a shared secret",
    );
    for name in ["spki.pem", "certificate.pem", "public-pkcs1.pem"] {
        let text = folder.bytes(name);
        refused(
            VerifyingKey::from_secret(JwsAlgorithm::HS256, &text),
            "jwt_key_public",
            "everybody knows",
        );
    }
    for (name, algorithm) in [
        ("pkcs8.pem", JwsAlgorithm::ES256),
        ("pkcs1.pem", JwsAlgorithm::ES256),
        ("pkcs8.pem", JwsAlgorithm::EdDSA),
        ("pkcs1.pem", JwsAlgorithm::EdDSA),
    ] {
        refused(
            SigningKey::from_pem(algorithm, &folder.text(name)),
            "jwt_key_rejected",
            &format!("private key is of another kind than {algorithm} signs with, expected a"),
        );
    }
    assert!(folder.openssl("genrsa -out short.pem 1024"));
    assert!(folder.openssl("rsa -in short.pem -pubout -out short-public.pem"));
    refused(signing("short.pem"), "jwt_key_rejected", "TooSmall");
    refused(verifying("short-public.pem"), "jwt_key_rsa_size", "1024 bits, expected 2048");
}

#[test]
fn elliptic_keys_are_read_in_every_form() {
    let Some(folder) = Folder::with_openssl("ec") else { return };
    for (algorithm, curve) in
        [(JwsAlgorithm::ES256, "P-256"), (JwsAlgorithm::ES384, "P-384"), (JwsAlgorithm::EdDSA, "")]
    {
        let made = match curve {
            "" => folder.openssl("genpkey -algorithm ed25519 -out pkcs8.pem"),
            curve => folder.openssl(&format!(
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:{curve} -out pkcs8.pem"
            )),
        };
        assert!(made && folder.openssl("pkey -in pkcs8.pem -pubout -out spki.pem"));
        assert!(folder.openssl("pkey -in pkcs8.pem -pubout -outform DER -out spki.der"));
        assert!(folder.openssl("req -new -x509 -key pkcs8.pem -subj /CN=a -out certificate.pem"));
        let key = SigningKey::from_pem(algorithm, &folder.text("pkcs8.pem")).unwrap();
        check_pair(
            &key,
            &[
                VerifyingKey::from_pem(algorithm, &folder.text("spki.pem")).unwrap(),
                VerifyingKey::from_pem(algorithm, &folder.text("certificate.pem")).unwrap(),
                VerifyingKey::from_der(algorithm, &folder.bytes("spki.der")).unwrap(),
            ],
        );
        refused(
            SigningKey::from_pem(JwsAlgorithm::RS256, &folder.text("pkcs8.pem")),
            "jwt_key_rejected",
            "private key is of another kind than RS256 signs with, expected an RSA key",
        );
        let other = if algorithm == JwsAlgorithm::ES256 {
            JwsAlgorithm::ES384
        } else {
            JwsAlgorithm::ES256
        };
        refused(
            VerifyingKey::from_pem(other, &folder.text("spki.pem")),
            "jwt_key_mismatch",
            other.name(),
        );
        refused(
            SigningKey::from_pem(other, &folder.text("pkcs8.pem")),
            "jwt_key_rejected",
            &format!("private key is of another kind than {other} signs with"),
        );
    }
    assert!(folder.openssl("ecparam -name prime256v1 -genkey -noout -out sec1.pem"));
    refused(
        SigningKey::from_pem(JwsAlgorithm::ES256, &folder.text("sec1.pem")),
        "jwt_key_sec1",
        "openssl pkcs8 -topk8",
    );
    assert!(
        folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out k1.pem")
    );
    assert!(folder.openssl("pkey -in k1.pem -pubout -out k1-public.pem"));
    refused(
        VerifyingKey::from_pem(JwsAlgorithm::ES256, &folder.text("k1-public.pem")),
        "jwt_key_kind",
        "expected RSA, P-256",
    );
}

/// Every prefix, and every flipped bit: refused or read, never a panic, and never another key.
#[test]
fn der_is_read_strictly() {
    let Some(folder) = Folder::with_openssl("der") else { return };
    assert!(
        folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pkcs8.pem")
    );
    assert!(folder.openssl("pkey -in pkcs8.pem -pubout -outform DER -out spki.der"));
    let der = folder.bytes("spki.der");
    for length in 0..der.len() {
        assert!(VerifyingKey::from_der(JwsAlgorithm::ES256, &der[..length]).is_err(), "{length}");
    }
    assert!(VerifyingKey::from_der(JwsAlgorithm::ES256, &[&der[..], &[0]].concat()).is_err());
    let point = der.len() - 64;
    for at in 0..point {
        for bit in 0..8 {
            let mut flipped = der.clone();
            flipped[at] ^= 1 << bit;
            assert!(VerifyingKey::from_der(JwsAlgorithm::ES256, &flipped).is_err(), "{at} {bit}");
        }
    }
}

/// ring accepts private keys whose numbers do not belong together, and then makes no signature with them: so a key is
/// tried when it is read.
#[test]
fn what_is_read_as_a_private_key_signs() {
    let Some(folder) = Folder::with_openssl("private") else { return };
    assert!(folder.openssl("genrsa -out key.pem 2048"));
    assert!(folder.openssl("rsa -in key.pem -traditional -outform DER -out key.der"));
    let der = folder.bytes("key.der");
    let mut refused_because_it_was_tried = 0;
    for at in (0..der.len()).step_by(13) {
        let mut flipped = der.clone();
        flipped[at] ^= 1;
        match SigningKey::from_der(JwsAlgorithm::RS256, &flipped) {
            Ok(key) => check_pair(&key, &[]),
            Err(error) => {
                refused_because_it_was_tried += usize::from(error.code() == "jwt_key_rsa");
            }
        }
    }
    assert!(refused_because_it_was_tried > 0, "ring has changed");
}

#[test]
fn a_secret_is_as_long_as_its_hash_and_given_in_any_base64() {
    for (algorithm, least) in
        [(JwsAlgorithm::HS256, 32), (JwsAlgorithm::HS384, 48), (JwsAlgorithm::HS512, 64)]
    {
        check_pair(&SigningKey::from_secret(algorithm, &vec![7; least]).unwrap(), &[]);
        for length in [0, 1, least - 1] {
            let says = format!("{algorithm} secret has {length} bytes, expected at least {least}");
            refused(VerifyingKey::from_secret(algorithm, &vec![7; length]), "jwt_key_short", &says);
        }
    }
    refused(
        VerifyingKey::from_secret(JwsAlgorithm::RS256, &[7; 64]),
        "jwt_key_algorithm",
        "RS256 has no secret",
    );
    // Bytes that both alphabets write differently, with every length of padding.
    for extra in 0..3 {
        let secret = [vec![0xfb, 0xef, 0xbe, 0xff], vec![0xff; 32 + extra]].concat();
        let key = SigningKey::from_secret(JwsAlgorithm::HS256, &secret).unwrap();
        use base64::{Engine, engine::general_purpose as forms};
        for text in [
            forms::STANDARD.encode(&secret),
            forms::STANDARD_NO_PAD.encode(&secret),
            forms::URL_SAFE.encode(&secret),
            forms::URL_SAFE_NO_PAD.encode(&secret),
            format!("  {}\n", forms::STANDARD.encode(&secret)),
        ] {
            check_pair(
                &key,
                &[VerifyingKey::from_base64_secret(JwsAlgorithm::HS256, &text).unwrap()],
            );
        }
    }
    let long = "A".repeat(64);
    for wrong in [
        "?",
        "a",
        "YQ=",
        "YQ===",
        &format!("{long}="),
        &format!("{long}===="),
        "Y Q==",
        "YR==",
        &format!("={long}"),
    ] {
        refused(
            VerifyingKey::from_base64_secret(JwsAlgorithm::HS256, wrong),
            "jwt_key_base64",
            "secret is not Base64",
        );
    }
}

#[test]
fn what_is_no_key_is_told() {
    for (text, code) in [
        ("", "jwt_key_pem"),
        ("key", "jwt_key_pem"),
        ("-----BEGIN PRIVATE KEY-----", "jwt_key_pem"),
        ("-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----", "jwt_key_pem"),
        ("-----BEGIN PRIVATE KEY-----\nYQ==\n-----END PRIVATE KEY-----", "jwt_key_rejected"),
        ("-----BEGIN PUBLIC KEY-----\nYQ==\n-----END PUBLIC KEY-----", "jwt_key_public"),
        ("-----BEGIN X509 CRL-----\nYQ==\n-----END X509 CRL-----", "jwt_key_pem"),
    ] {
        refused(SigningKey::from_pem(JwsAlgorithm::RS512, text), code, "");
    }
    let certificate = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----";
    refused(
        VerifyingKey::from_pem(JwsAlgorithm::RS512, certificate),
        "jwt_key_certificate",
        "X.509",
    );
}

/// As OpenSSL wrote encrypted keys before PKCS#8, and still does with `-traditional`. The code is that of any PEM that is
/// not read.
#[test]
fn an_old_encrypted_key_is_told_from_one_that_is_cut_off() {
    for kind in ["RSA", "EC"] {
        let pem = format!(
            "-----BEGIN {kind} PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nYQ==\n\
             -----END {kind} PRIVATE KEY-----\n"
        );
        for pem in [pem.replace('\n', "\r\n"), pem.replace('\n', "\\n"), pem] {
            let says = "is an encrypted private key, expected one that is not; decrypt it first";
            refused(SigningKey::from_pem(JwsAlgorithm::RS256, &pem), "jwt_key_pem", says);
        }
    }
    let Some(folder) = Folder::with_openssl("old") else { return };
    assert!(folder.openssl("genrsa -traditional -aes256 -passout pass:a -out old.pem 2048"));
    refused(
        SigningKey::from_pem(JwsAlgorithm::RS256, &folder.text("old.pem")),
        "jwt_key_pem",
        "decrypt it first",
    );
    assert!(folder.openssl("pkcs8 -topk8 -nocrypt -passin pass:a -in old.pem -out new.pem"));
    assert!(SigningKey::from_pem(JwsAlgorithm::RS256, &folder.text("new.pem")).is_ok());
}

#[test]
fn shows_its_algorithm_and_needs_room_to_sign() {
    let key = SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32]).unwrap();
    assert_eq!(format!("{key:?} {:?}", key.verifying()), "SigningKey(HS256) VerifyingKey(HS256)");
    refused(key.sign(MESSAGE, &mut [0; 31]), "jwt_signature_room", "expected 32 bytes");
}
