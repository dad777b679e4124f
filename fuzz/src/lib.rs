//! What must hold for any input. Each law is searched by the fuzz target of its name, and replayed by a test over the
//! committed seeds.

#![forbid(unsafe_code)]

mod address_list;
mod authorization;
mod challenges;
mod forwarded;

pub use address_list::address_list;
pub use authorization::authorization;
pub use challenges::challenges;
pub use forwarded::forwarded;

/// Takes an input, and panics where it does not hold.
pub type Law = fn(&[u8]);

/// Every law, by the name of its target and of its folder of seeds.
pub const LAWS: [(&str, Law); 4] = [
    ("address_list", address_list),
    ("authorization", authorization),
    ("challenges", challenges),
    ("forwarded", forwarded),
];
