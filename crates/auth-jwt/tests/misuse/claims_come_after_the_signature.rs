//! A token that nobody has verified has no claims to judge.

use auth_core::Timestamp;
use auth_jwt::{JwtPolicy, UnverifiedJws};

fn main() {
    let token = UnverifiedJws::parse("a.b.c").unwrap();
    let _ = token.claims(&JwtPolicy::new(), Timestamp::from_unix(0));
}
