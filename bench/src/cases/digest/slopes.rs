//! Eight times the bytes, eight times the work: the worst fields we know, of 4 and of 32 KiB or more. What is allocated is the error.

use auth_digest::{DigestChallenge, DigestResponse};
use harness::case::{Call, Group, call, floor, ours};
use std::hint::black_box;

pub fn groups() -> [Group; 3] {
    [
        Group {
            name: "digest-slope-separators",
            input: "a challenge with 4 and 32 KiB of commas in it; pure function",
            cases: vec![
                floor("4 KiB", || challenge(4, "realm=a", ",", "nonce=b")),
                ours("32 KiB", Some(8.1), 0, || challenge(32, "realm=a", ",", "nonce=b")),
            ],
        },
        Group {
            name: "digest-slope-escapes",
            input: "a challenge that never ends its realm, of 4 and 32 KiB; pure function",
            cases: vec![
                floor("4 KiB", || challenge(4, "realm=\"", "\\\"", "")),
                ours("32 KiB", Some(8.1), 3, || challenge(32, "realm=\"", "\\\"", "")),
            ],
        },
        Group {
            name: "digest-slope-unknown",
            input: "credentials of 2 and 16 unknown parameters of 4 KiB; pure function",
            cases: vec![
                floor("8 KiB", || credentials(2)),
                ours("64 KiB", Some(8.1), 0, || credentials(16)),
            ],
        },
    ]
}

fn challenge(kib: usize, front: &str, piece: &str, end: &str) -> Call {
    let middle = piece.repeat(kib * 1024 / piece.len());
    let field = format!("Digest {front}{middle}{end}").into_bytes();
    call(move || DigestChallenge::parse(black_box(&field)).is_ok())
}

fn credentials(parameters: usize) -> Call {
    let value = "\\a".repeat(2040);
    let list: Vec<String> = (0..parameters).map(|n| format!("x{n:02}=\"{value}\"")).collect();
    let list = list.join(", ").into_bytes();
    call(move || DigestResponse::parse(black_box(&list)).is_ok())
}
