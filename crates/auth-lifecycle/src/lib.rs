//! Credentials that a platform issues, from their creation to their end.

mod already_hashed;
mod cache;
mod cached_store;
#[cfg(test)]
mod ledger;

pub use cache::{Cache, CacheSettings, Change, FillTicket, LogPage, PollTicket, Seen};
pub use cached_store::{CachedStore, Found, LoggedStore};
