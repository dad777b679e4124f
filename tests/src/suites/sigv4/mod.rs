//! AWS Signature Version 4: the official suite, generated requests before us and before others, a server that verifies
//! what we sign, clients that sign for us, a browser with a URL of ours, and our clients on the scheme's own port.

pub mod browser;
pub mod clients;
pub mod differential;
pub mod doors;
mod generated;
pub mod moto;
pub mod own_port;
mod rust;
pub mod suite;
