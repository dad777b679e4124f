//! The demo: a real server on loopback behind auth-tower, and real calls through the adapters.

pub mod accounts;
pub mod authorization_server;
pub mod aws;
pub mod callers;
pub mod calls;
pub mod digest;
pub mod documents;
pub mod issuer;
pub mod oauth2;
pub mod print;
pub mod ready;
pub mod rotation;
pub mod sender;
pub mod server;
pub mod storms;
pub mod symphony;
pub mod table;
pub mod webhooks;
