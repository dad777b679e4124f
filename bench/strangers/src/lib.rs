//! What a caller that is refused costs a server: the same, whether the server knows it or not, and no more for tokens that
//! were made to be slow.
//!
//! A package of its own, without the peers that take minutes to build: `cargo xtask test` runs it.

mod basic;
pub mod digest;
mod jwt;
mod sigv4;

use harness::case::Group;

pub fn groups() -> Vec<Group> {
    vec![basic::group(), digest::group(), jwt::group(), jwt::names(), sigv4::group()]
}
