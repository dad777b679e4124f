//! What was used before: nonces, token identifiers, signatures, webhook deliveries.

mod memory;
mod unique;

pub use memory::MemoryReplayStore;
pub use unique::Unique;

use crate::Flow;
use std::{sync::Arc, time::Duration};

/// Remembers identifiers that must not be used twice, for as long as a verifier could take them again.
///
/// An identifier is a [`Unique`]: it says which scheme and whose key proved it, when it was issued, and until when it is
/// remembered.
///
/// # When the store is full
///
/// A full store is never an outage. It forgets the identifiers that were issued longest ago, and raises its *horizon*:
/// whatever was issued at or before the horizon is [`TooOld`](ReplayOutcome::TooOld) from then on, and never accepted. So
/// nothing that was forgotten can be used again, and callers with something newer do not notice. The caller whose key
/// proved an identifier owns a share of the store; past its share its own oldest identifiers are forgotten and a
/// horizon of its own rises, so that one caller cannot push out what others used.
///
/// An identifier without a proven moment of issue has no horizon that could protect it: it stands apart, is never
/// forgotten early, and is [`Full`](ReplayOutcome::Full) when there is no room.
///
/// # Security
///
/// Verifiers that share a store and a key take its identifiers for the same time: one with a larger leeway, or a longer
/// life of its nonces, would take again what was forgotten when the other one no longer took it.
///
/// Ask it only after the signature is proven, so that strangers cannot fill it. Everything but
/// [`Fresh`](ReplayOutcome::Fresh) refuses, and so does an error: a store that cannot tell never says fresh.
pub trait ReplayStore: Send + Sync {
    /// Uses an identifier, once and for all.
    ///
    /// # Errors
    ///
    /// When the store cannot tell.
    fn check_and_set(&self, unique: &Unique) -> Flow<'_, ReplayOutcome>;

    /// Uses one value of a counter that rises with every use, out of order within a window.
    ///
    /// The last `width` values up to the highest one used are told apart, so that requests that overtook one another
    /// pass and none passes twice; whatever is older counts as seen. At most 128 wide. It is remembered as long as the
    /// last use says. This is Digest's nonce count (RFC 7616 section 3.4, `nc`).
    ///
    /// # Errors
    ///
    /// When the store cannot tell.
    fn window(&self, unique: &Unique, counter: u64, width: u32) -> Flow<'_, ReplayOutcome>;

    /// Claims an identifier whose effect is still to happen, for `hold` at most: then [`confirm`](Self::confirm) it when
    /// the effect has happened, or [`release`](Self::release) it when it has not.
    ///
    /// So a delivery that failed halfway is taken again, and one that succeeded is not.
    ///
    /// # Errors
    ///
    /// When the store cannot tell.
    fn reserve(&self, unique: &Unique, hold: Duration) -> Flow<'_, ReservationOutcome>;

    /// The effect has happened: the identifier is used. False when the claim had run out and is not this ticket's any
    /// more.
    ///
    /// # Errors
    ///
    /// When the store cannot tell.
    fn confirm(&self, unique: &Unique, ticket: ReservationTicket) -> Flow<'_, bool>;

    /// The effect has not happened: the identifier is free again. False when the claim was not this ticket's any more.
    ///
    /// # Errors
    ///
    /// When the store cannot tell.
    fn release(&self, unique: &Unique, ticket: ReservationTicket) -> Flow<'_, bool>;
}

/// Was it used before?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayOutcome {
    /// No, and from now on it was.
    Fresh,
    /// Yes: refuse.
    Seen,
    /// The store no longer knows, since it was issued at or before the store's horizon or its end has passed: refuse, and
    /// have the caller come back with something newer.
    TooOld,
    /// It has no moment of issue, and there is no room to remember it: refuse for now (503).
    Full,
}

/// Which caller may bring the effect about?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationOutcome {
    /// This one, with this ticket.
    Reserved(ReservationTicket),
    /// Another one, which has not finished: refuse for now (503 with `Retry-After`).
    Held,
    /// No caller any more: the effect has happened.
    Done,
    /// As [`ReplayOutcome::TooOld`].
    TooOld,
    /// As [`ReplayOutcome::Full`].
    Full,
}

/// Tells one claim from the next on the same identifier: it only grows, so that a slow holder cannot undo what a later
/// one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReservationTicket(pub u64);

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<S: ReplayStore + ?Sized> ReplayStore for $pointer<S> {
            fn check_and_set(&self, unique: &Unique) -> Flow<'_, ReplayOutcome> {
                (**self).check_and_set(unique)
            }

            fn window(&self, unique: &Unique, counter: u64, width: u32) -> Flow<'_, ReplayOutcome> {
                (**self).window(unique, counter, width)
            }

            fn reserve(&self, unique: &Unique, hold: Duration) -> Flow<'_, ReservationOutcome> {
                (**self).reserve(unique, hold)
            }

            fn confirm(&self, unique: &Unique, ticket: ReservationTicket) -> Flow<'_, bool> {
                (**self).confirm(unique, ticket)
            }

            fn release(&self, unique: &Unique, ticket: ReservationTicket) -> Flow<'_, bool> {
                (**self).release(unique, ticket)
            }
        }
    )*};
}

forward!(Arc, Box);
