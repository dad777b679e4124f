//! What a program on one machine needs beside the network: tokens in files, and the redirect that a person comes back
//! with.
//!
//! For command lines, daemons and desktop programs. [`SecretFile`] and [`SecretVariable`] give the secrets that a
//! configuration names; [`ConfigurationFile`], [`environment_variable`] and [`read_named_file`] are the configuration
//! itself, for the crate that parses it. [`FileTokenStore`] keeps the tokens of an
//! [`auth_session::Stored`] source where other processes and the next start find them. [`CallbackReceiver`] waits on
//! loopback for the browser in which a person has just allowed the program to act (RFC 8252 section 7.3).
//!
//! # What it does not do
//!
//! It is no database: a store is one directory on one machine. It opens no browser. The store works on threads of its own
//! and blocks nobody; the receiver works on the thread that calls it, and is meant for one that has nothing else to do.

mod callback;
mod configuration;
mod secrets;
mod store;
mod threads;

pub use callback::{CallbackReceiver, CallbackReply, ReceivedCallback};
pub use configuration::{ConfigurationFile, environment_variable, read_named_file};
pub use secrets::{SecretFile, SecretVariable};
pub use store::FileTokenStore;
