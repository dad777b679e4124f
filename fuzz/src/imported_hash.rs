//! The input is the hash of a password that another program made. A second reader of bcrypt's accepts the same; what is
//! not bcrypt is Argon2id as `auth-static` reads it.

use auth_lifecycle::StoredPassword;
use auth_static::PasswordHash;
use std::str;

/// Holds for any bytes as a hash. Nothing is computed, since that takes long on purpose.
pub fn imported_hash(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let read = StoredPassword::parse(text);
    let argon2 = text.starts_with("$argon2id$") && PasswordHash::parse(text).is_ok();
    assert_eq!(read.is_ok(), argon2 || is_bcrypt(data), "{read:?}");
    match read {
        Ok(hash) => assert!(format!("{hash:?}").starts_with("StoredPassword(")),
        Err(error) => {
            let code = error.code();
            assert!(code.starts_with("lifecycle_import_") || code.starts_with("basic_hash_"));
            assert!(error.to_string().len() < 200, "{error}");
        }
    }
}

/// 60 characters, the last of salt and of hash without bits that belong to nothing.
fn is_bcrypt(data: &[u8]) -> bool {
    const DIGITS: &[u8] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let Ok(whole) = <[u8; 60]>::try_from(data) else { return false };
    let value = |byte: u8| DIGITS.iter().position(|digit| *digit == byte);
    let cost =
        whole[4].wrapping_sub(b'0').wrapping_mul(10).wrapping_add(whole[5].wrapping_sub(b'0'));
    matches!(&whole[..4], b"$2a$" | b"$2b$" | b"$2y$")
        && whole[4..6].iter().all(u8::is_ascii_digit)
        && (4..15).contains(&cost)
        && whole[6] == b'$'
        && whole[7..].iter().all(|byte| value(*byte).is_some())
        && value(whole[28]).is_some_and(|value| value % 16 == 0)
        && value(whole[59]).is_some_and(|value| value % 4 == 0)
}
