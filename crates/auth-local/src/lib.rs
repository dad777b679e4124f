//! What a program on one machine needs beside the network: tokens in files, and the redirect that a person comes back
//! with.
//!
//! For command lines, daemons and desktop programs. [`FileTokenStore`] keeps the tokens of an
//! [`auth_session::Stored`] source where other processes and the next start find them. [`RedirectReceiver`] waits on
//! loopback for the browser in which a person has just allowed the program to act (RFC 8252 section 7.3).
//!
//! # What it does not do
//!
//! It is no database: a store is one directory on one machine. It opens no browser. And its work is done on the thread
//! that polls or calls: files are small and soon written, and the receiver is meant for a thread that has nothing else
//! to do.

mod redirect;
mod store;

pub use redirect::{Authorized, RedirectReceiver, Reply};
pub use store::FileTokenStore;
