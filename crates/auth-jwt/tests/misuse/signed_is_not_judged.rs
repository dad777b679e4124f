//! A signature says nothing of time, issuer or audience: what it proves is not claims yet.

use auth_jwt::{Claims, VerifiedJws};

fn let_in(_: Claims) {}

fn judge(signed: VerifiedJws) {
    let_in(signed);
}

fn main() {}
