//! What was decoded without verification does not pass for claims.

use auth_jwt::{Claims, dangerous};

fn let_in(_: &Claims) {}

fn main() {
    let decoded = dangerous::decode_unverified("a.b.c").unwrap();
    let_in(&decoded);
}
