//! A token is a credential: it has no `Display`, and is not copied.

use auth_jwt::Minted;

fn log(minted: &Minted) -> Minted {
    println!("{minted}");
    minted.clone()
}

fn main() {}
