//! What was seen before: nonces, token identifiers, signatures, webhook deliveries.

mod memory;

pub use memory::MemoryReplayStore;

use crate::{Flow, Timestamp};
use std::sync::Arc;

/// Remembers what must not be used twice, until it could not be used anyway.
///
/// # Security
///
/// Ask it only after the signature is proven, so that strangers cannot fill it. [`Full`](Replay::Full) and
/// [`Unavailable`](Replay::Unavailable) refuse: a store that cannot tell never says fresh.
///
/// `scope` separates what could be confused (`jti` of one issuer from that of another); `id` is any bytes.
pub trait ReplayStore: Send + Sync {
    /// Uses an identifier, once and for all until `until`.
    fn check_and_set(&self, scope: &str, id: &[u8], until: Timestamp) -> Flow<'_, Replay>;

    /// Uses one value of a counter that rises with every use, out of order within a window.
    ///
    /// The last `width` values up to the highest one used are told apart, so that requests that overtook one another
    /// pass and none passes twice; whatever is older counts as seen. At most 128 wide. This is Digest's nonce count
    /// (RFC 7616 section 3.4, `nc`).
    fn window(
        &self,
        scope: &str,
        id: &[u8],
        counter: u64,
        width: u32,
        until: Timestamp,
    ) -> Flow<'_, Replay>;

    /// Claims an identifier whose effect is still to happen, until `hold` at most: then [`confirm`](Self::confirm) it
    /// when it has, or [`release`](Self::release) it when it has not.
    ///
    /// So a delivery that failed halfway is taken again, and one that succeeded is not.
    fn reserve(&self, scope: &str, id: &[u8], hold: Timestamp) -> Flow<'_, Reservation>;

    /// The effect has happened: the identifier is used until `until`. False when the claim had run out and is not this
    /// ticket's any more.
    fn confirm(&self, scope: &str, id: &[u8], ticket: Ticket, until: Timestamp) -> Flow<'_, bool>;

    /// The effect has not happened: the identifier is free again. False when the claim was not this ticket's any more.
    fn release(&self, scope: &str, id: &[u8], ticket: Ticket) -> Flow<'_, bool>;
}

/// Was it seen before?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// No, and from now on it was.
    Fresh,
    /// Yes: refuse.
    Seen,
    /// There is no room to remember it: refuse.
    Full,
    /// The store cannot tell: refuse.
    Unavailable,
}

/// Who may bring the effect about?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// You, with this ticket.
    Reserved(Ticket),
    /// Somebody else, who has not finished: come back later.
    Held,
    /// Nobody: it has happened.
    Done,
    /// There is no room to remember it: refuse.
    Full,
    /// The store cannot tell: refuse.
    Unavailable,
}

/// Tells one claim from the next on the same identifier: it only grows, so that a slow holder cannot undo what a later
/// one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

impl<S: ReplayStore + ?Sized> ReplayStore for Arc<S> {
    fn check_and_set(&self, scope: &str, id: &[u8], until: Timestamp) -> Flow<'_, Replay> {
        (**self).check_and_set(scope, id, until)
    }

    fn window(
        &self,
        scope: &str,
        id: &[u8],
        counter: u64,
        width: u32,
        until: Timestamp,
    ) -> Flow<'_, Replay> {
        (**self).window(scope, id, counter, width, until)
    }

    fn reserve(&self, scope: &str, id: &[u8], hold: Timestamp) -> Flow<'_, Reservation> {
        (**self).reserve(scope, id, hold)
    }

    fn confirm(&self, scope: &str, id: &[u8], ticket: Ticket, until: Timestamp) -> Flow<'_, bool> {
        (**self).confirm(scope, id, ticket, until)
    }

    fn release(&self, scope: &str, id: &[u8], ticket: Ticket) -> Flow<'_, bool> {
        (**self).release(scope, id, ticket)
    }
}
