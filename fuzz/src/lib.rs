//! What must hold for any input. Each law is searched by the fuzz target of its name, and replayed by a test over the
//! committed seeds.

#![forbid(unsafe_code)]

mod address_list;
mod authorization;
mod challenges;
mod claims;
mod forged;
mod forwarded;
mod jwk;
mod jws;
mod jwt_verdicts;
mod pem;
mod redirect;

pub use address_list::address_list;
pub use authorization::authorization;
pub use challenges::challenges;
pub use claims::claims;
pub use forwarded::forwarded;
pub use jwk::jwk;
pub use jws::jws;
pub use jwt_verdicts::jwt_verdicts;
pub use pem::pem;
pub use redirect::redirect;

/// Takes an input, and panics where it does not hold.
pub type Law = fn(&[u8]);

/// Every law, by the name of its target and of its folder of seeds.
pub const LAWS: [(&str, Law); 10] = [
    ("address_list", address_list),
    ("authorization", authorization),
    ("challenges", challenges),
    ("claims", claims),
    ("forwarded", forwarded),
    ("jwk", jwk),
    ("jws", jws),
    ("jwt_verdicts", jwt_verdicts),
    ("pem", pem),
    ("redirect", redirect),
];
