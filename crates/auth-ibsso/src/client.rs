//! The client's side: one session, shared by all who send.

mod fallback;
mod log_in;
mod session;

pub use log_in::LogIn;
pub use session::{DestroyOnDrop, IbssoSession};
