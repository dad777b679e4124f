//! AWS Signature Version 4: the official suite, generated requests before us and before others, a server that verifies
//! what we sign, and clients that sign for us.

pub mod clients;
pub mod differential;
pub mod doors;
mod generated;
pub mod moto;
mod rust;
pub mod suite;
