//! The input is a text that somebody presents as a token, and the beginning of one that is given the right checksum. A
//! second reader accepts the same and reads the same.

use auth_lifecycle::{ParsedToken, masked_token};
use std::str;

/// Holds for any bytes as a token.
pub fn lifecycle_token(data: &[u8]) {
    holds(data);
    holds(&[data, b"_", &checksum(data)].concat());
}

fn holds(presented: &[u8]) {
    let (ours, theirs) = (ParsedToken::parse(presented), second_reading(presented));
    let masked = masked_token(presented);
    assert_eq!(ours.is_ok(), theirs.is_some(), "{ours:?}");
    let (Ok(ours), Some([prefix, environment, id, secret])) = (ours, theirs) else {
        return assert_eq!(masked, "........");
    };
    assert_eq!([ours.prefix(), ours.environment(), ours.id()], [prefix, environment, id]);
    assert_eq!(masked, format!("{prefix}_{environment}_....{}", id.split_at(8).1));
    assert!(!format!("{ours:?}{masked}").contains(secret));
}

fn second_reading(presented: &[u8]) -> Option<[&str; 4]> {
    let text = str::from_utf8(presented).ok()?;
    let parts: Vec<&str> = text.split('_').collect();
    let [prefix, environment, id, secret, given] = parts[..] else { return None };
    let label = |part: &str| {
        (2..9).contains(&part.len()) && part.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9'))
    };
    let base62 = |part: &str| part.chars().all(|c| matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9'));
    let formed = label(prefix) && label(environment) && base62(id) && base62(secret);
    let right = checksum(text.rsplit_once('_')?.0.as_bytes()) == given.as_bytes();
    let lengths = (id.len(), secret.len()) == (12, 33);
    (formed && right && lengths).then_some([prefix, environment, id, secret])
}

/// CRC-32, bit by bit, in base62.
fn checksum(body: &[u8]) -> [u8; 6] {
    let mut rest = !body.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    });
    let mut text = [0; 6];
    for place in (0..6).rev() {
        text[place] = match u8::try_from(rest % 62).unwrap() {
            digit @ 0..10 => b'0' + digit,
            upper @ 10..36 => b'A' + upper - 10,
            lower => b'a' + lower - 36,
        };
        rest /= 62;
    }
    text
}
