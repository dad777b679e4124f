//! A token is a credential: it has no `Display`, and is not copied.

use auth_jwt::SignedJwt;

fn log(minted: &SignedJwt) -> SignedJwt {
    println!("{minted}");
    minted.clone()
}

fn main() {}
