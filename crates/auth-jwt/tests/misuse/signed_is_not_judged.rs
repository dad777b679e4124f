//! A signature says nothing of time, issuer or audience: what it proves is not claims yet.

use auth_jwt::{Claims, Signed};

fn let_in(_: Claims) {}

fn judge(signed: Signed) {
    let_in(signed);
}

fn main() {}
