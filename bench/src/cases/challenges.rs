//! Challenge lists.

use crate::case::{Group, call, ours, peer};
use auth_core::Challenges;
use std::hint::black_box;

/// The two Digest challenges of RFC 7616 section 3.9.1, and a Basic one, in one field.
const FIELD: &str = concat!(
    r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, "#,
    r#"nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", "#,
    r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, "#,
    r#"nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", "#,
    r#"Basic realm="simple""#,
);

pub fn read() -> Group {
    let cases = vec![
        peer("http-auth, all parameters", || {
            call(|| {
                let found = http_auth::parser::ChallengeParser::new(black_box(FIELD));
                found.map(|challenge| challenge.map_or(0, |challenge| challenge.params.len())).sum::<usize>()
            })
        }),
        ours("auth-core, all parameters", 1.0, 0, || {
            call(|| {
                let found = Challenges::parse(black_box(FIELD).as_bytes());
                found.map(|challenge| challenge.map_or(0, |challenge| challenge.parameters().count())).sum::<usize>()
            })
        }),
    ];
    Group { name: "challenges", input: "three challenges of 373 bytes in one field; pure function", cases }
}
