//! Credentials that a platform issues, from their creation to their end.

mod already_hashed;
mod cache;
mod cached_store;

pub use cache::{Cache, CacheSettings, Change, FillTicket, LogPage, PollTicket, Seen};
pub use cached_store::{CachedStore, Found, LoggedStore};

#[cfg(test)]
mod ledger;
