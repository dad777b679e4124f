//! What must hold for any input. Each law is searched by the fuzz target of its name, and replayed by a test over the
//! committed seeds.

#![forbid(unsafe_code)]

mod address_list;
mod authorization;
mod challenges;
mod claims;
mod forged;
mod forwarded;
mod jws;
mod jwt_verdicts;

pub use address_list::address_list;
pub use authorization::authorization;
pub use challenges::challenges;
pub use claims::claims;
pub use forwarded::forwarded;
pub use jws::jws;
pub use jwt_verdicts::jwt_verdicts;

/// Takes an input, and panics where it does not hold.
pub type Law = fn(&[u8]);

/// Every law, by the name of its target and of its folder of seeds.
pub const LAWS: [(&str, Law); 7] = [
    ("address_list", address_list),
    ("authorization", authorization),
    ("challenges", challenges),
    ("claims", claims),
    ("forwarded", forwarded),
    ("jws", jws),
    ("jwt_verdicts", jwt_verdicts),
];
