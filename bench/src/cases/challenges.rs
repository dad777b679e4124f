//! Challenge lists.

use auth_core::Challenges;
use harness::case::{Call, Case, Group, call, floor, ours, peer};
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
                found
                    .map(|challenge| challenge.map_or(0, |challenge| challenge.params.len()))
                    .sum::<usize>()
            })
        }),
        ours("auth-core, all parameters", Some(1.0), 0, || {
            call(|| {
                let found = Challenges::parse(black_box(FIELD).as_bytes());
                found
                    .map(|challenge| {
                        challenge.map_or(0, |challenge| challenge.parameters().count())
                    })
                    .sum::<usize>()
            })
        }),
    ];
    Group {
        name: "challenges",
        input: "three challenges of 373 bytes in one field; pure function",
        cases,
    }
}

/// Eight times the bytes, eight times the work: the worst lists we know, at 8 and at 64 KiB.
pub fn slopes() -> [Group; 4] {
    [
        slope(
            "slope-schemes",
            floor("8 KiB", || whole(8, "A,")),
            linear("64 KiB", || whole(64, "A,")),
        ),
        slope(
            "slope-parameters",
            floor("8 KiB", || whole(8, "A a=b,c=d,")),
            linear("64 KiB", || whole(64, "A a=b,c=d,")),
        ),
        slope(
            "slope-escapes",
            floor("8 KiB", || whole(8, "\\\"")),
            linear("64 KiB", || whole(64, "\\\"")),
        ),
        slope(
            "slope-token68",
            floor("8 KiB", || whole(8, "====")),
            linear("64 KiB", || whole(64, "====")),
        ),
    ]
}

fn slope(name: &'static str, short: Case, long: Case) -> Group {
    Group { name, input: "hostile lists of 8 and 64 KiB; pure function", cases: vec![short, long] }
}

fn linear(name: &'static str, make: fn() -> Call) -> Case {
    ours(name, Some(8.1), 0, make)
}

fn whole(kib: usize, piece: &str) -> Call {
    let front = if piece.starts_with('A') { "" } else { "A a=\"" };
    let mut field = format!("{front}{}", piece.repeat(kib * 1024 / piece.len())).into_bytes();
    field.truncate(kib * 1024);
    call(move || {
        let read = Challenges::parse(black_box(&field));
        read.map(|challenge| challenge.map_or(0, |challenge| challenge.parameters().count()))
            .sum::<usize>()
    })
}
