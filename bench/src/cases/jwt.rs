//! JWT: HS256 and RS512, minted and verified, with keys that are kept.

mod floors;
pub mod jsonwebtoken;
mod others;
pub mod rsa;

use auth_core::{Clock, SystemClock, Timestamp};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, JwtPolicy, SigningKey, UnverifiedJws, VerifyingKey};
use harness::case::{Call, Group, call, floor, ours, peer};
use jsonwebtoken::Backend::{AwsLc, RustCrypto};
use std::{hint::black_box, time::Duration};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const ISSUER: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
const LIFETIME: Duration = Duration::from_secs(3600);
const INPUT: &str = "iss, iat, exp; pure function, key kept";

pub fn groups() -> Vec<Group> {
    vec![hs256_mint(), hs256_verify(), rs512_mint(), rs512_verify()]
}

fn hs256_mint() -> Group {
    let cases = vec![
        floor("ring, serde_json, base64 into one buffer", floors::mint),
        peer("jsonwebtoken, aws-lc-rs", || jsonwebtoken::mint(AwsLc)),
        peer("jsonwebtoken, RustCrypto", || jsonwebtoken::mint(RustCrypto)),
        peer("jwt-simple", others::simple_mint),
        peer("josekit", others::jose_mint),
        ours("auth-jwt", Some(1.0), 1, || {
            let key = SigningKey::from_secret(JwsAlgorithm::HS256, SECRET).expect("a key");
            mint(key)
        }),
    ];
    Group { name: "hs256-mint", input: INPUT, cases }
}

fn hs256_verify() -> Group {
    let cases = vec![
        floor("ring, base64, serde_json over a known header", floors::verify),
        peer("jsonwebtoken, aws-lc-rs", || jsonwebtoken::verify(jsonwebtoken::Backend::AwsLc)),
        peer("jsonwebtoken, RustCrypto", || {
            jsonwebtoken::verify(jsonwebtoken::Backend::RustCrypto)
        }),
        peer("jwt-simple", others::simple_verify),
        peer("josekit", others::jose_verify),
        ours("auth-jwt, the header that it mints", Some(1.2), 1, || {
            let key = SigningKey::from_secret(JwsAlgorithm::HS256, SECRET).expect("a key");
            let minted = claims().sign(&key, now(), None).expect("a token");
            verify(minted.expose().to_owned(), key.verifying())
        }),
        ours("auth-jwt, another's header", Some(1.2), 1, || {
            let key = VerifyingKey::from_secret(JwsAlgorithm::HS256, SECRET).expect("a key");
            verify(floors::token(), key)
        }),
    ];
    Group { name: "hs256-verify", input: INPUT, cases }
}

/// At most 50,000 instructions over the signature, which is some six million.
fn rs512_mint() -> Group {
    let cases = vec![
        floor("ring, key parsed once, the signature alone", rsa::sign),
        peer("jsonwebtoken, aws-lc-rs", || jsonwebtoken::mint_rsa(AwsLc)),
        peer("jsonwebtoken, RustCrypto", || jsonwebtoken::mint_rsa(RustCrypto)),
        peer("jwt-simple", others::simple_mint_rsa),
        peer("josekit", others::jose_mint_rsa),
        ours("auth-jwt", Some(1.008), 10, || mint(rsa::key())),
    ];
    Group { name: "rs512-mint", input: "2048 bit; iss, iat, exp; pure function, key kept", cases }
}

fn rs512_verify() -> Group {
    let cases = vec![
        floor("ring, the signature alone", rsa::verify),
        peer("jsonwebtoken, aws-lc-rs", || jsonwebtoken::verify_rsa(AwsLc)),
        peer("jsonwebtoken, RustCrypto", || jsonwebtoken::verify_rsa(RustCrypto)),
        peer("jwt-simple", others::simple_verify_rsa),
        peer("josekit", others::jose_verify_rsa),
        ours("auth-jwt", Some(1.05), 6, || verify(rsa::token(), rsa::key().verifying())),
    ];
    Group { name: "rs512-verify", input: "2048 bit; iss, iat, exp; pure function, key kept", cases }
}

fn claims() -> ClaimsToSign {
    ClaimsToSign::expiring_in(LIFETIME).expect("claims").with_issuer(ISSUER)
}

fn mint(key: SigningKey) -> Call {
    let (claims, now) = (claims(), now());
    call(move || claims.sign(black_box(&key), black_box(now), None).expect("a token"))
}

fn verify(token: String, key: VerifyingKey) -> Call {
    let policy = JwtPolicy::new().with_issuer(ISSUER);
    call(move || {
        let signed = UnverifiedJws::parse(black_box(&token)).expect("a token").verify(&key);
        let claims = signed.expect("a signature").claims(&policy, now()).expect("claims");
        claims.issuer().map(str::len)
    })
}

fn now() -> Timestamp {
    SystemClock.now()
}
