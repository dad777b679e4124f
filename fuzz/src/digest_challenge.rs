//! The input is a Digest challenge. What is read prints as what reads the same, and a second reader, where it accepts, has
//! read the same.

use auth_digest::DigestChallenge;
use http_auth::parser::ChallengeParser;
use std::str;

/// Holds for any bytes as one challenge.
pub fn digest_challenge(data: &[u8]) {
    let Ok(read) = DigestChallenge::parse(data) else { return };
    let shown = format!("{read:?}");
    assert!(shown.len() < 64 * 1024 * 16, "shows more than it read");
    if let Ok(printed) = read.write() {
        let printed = printed.to_string();
        let again = DigestChallenge::parse(printed.as_bytes()).expect("what was printed");
        assert_eq!(
            (&again.realm, &again.nonce, again.stale),
            (&read.realm, &read.nonce, read.stale)
        );
        let stable = again.write().expect("what was read again").to_string();
        assert_eq!(stable, printed, "prints otherwise the second time");
    }
    let Ok(text) = str::from_utf8(data) else { return };
    let theirs: Result<Vec<_>, _> = ChallengeParser::new(text).collect();
    let Ok([theirs]) = theirs.as_deref() else { return };
    for (name, ours) in [("realm", &read.realm), ("nonce", &read.nonce)] {
        let mut values = theirs.params.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let value = values.next().expect("read by us").1.to_unescaped();
        assert_eq!(value.as_bytes(), &**ours, "{name}");
    }
}
