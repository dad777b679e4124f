//! A token that nobody has verified has no claims to judge.

use auth_core::Timestamp;
use auth_jwt::{Policy, Unverified};

fn main() {
    let token = Unverified::parse("a.b.c").unwrap();
    let _ = token.claims(&Policy::new(), Timestamp::from_unix(0));
}
