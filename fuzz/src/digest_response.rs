//! The input is what stands behind `Digest` in `Authorization`. What is read prints as what reads the same.

use auth_digest::DigestResponse;

/// Holds for any bytes as credentials.
pub fn digest_response(data: &[u8]) {
    let read = match DigestResponse::parse(data) {
        Ok(read) => read,
        Err(refused) => return assert!(refused.reason().code.starts_with("digest_")),
    };
    let printed = read.write();
    let list = printed.strip_prefix(b"Digest ").expect("the scheme");
    let again = DigestResponse::parse(list).expect("what was printed");
    assert!(again == read, "reads otherwise");
    assert_eq!(again.write(), printed, "prints otherwise the second time");
    assert!(!format!("{read:?}").contains("response: "), "shows a proof");
}
