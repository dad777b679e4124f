//! What is remembered of one identifier.

use super::{Share, Told};
use crate::{ReservationTicket, Timestamp};
use std::time::Instant;

/// The time, in both ways of a clock.
#[derive(Clone, Copy)]
pub(super) struct Now {
    pub(super) moment: Timestamp,
    pub(super) steady: Instant,
}

impl Now {
    /// The reading at which a moment will have come, if no clock is set meanwhile; `None` if that is beyond all readings.
    pub(super) fn reading_at(self, moment: Timestamp) -> Option<Instant> {
        self.steady.checked_add(moment.since(self.moment))
    }

    /// Has an end come, in both ways of the clock? A clock that is ahead for a moment ends nothing.
    pub(super) fn is_past(self, end: u64, reading: Option<Instant>) -> bool {
        end <= self.moment.unix() && reading.is_none_or(|reading| reading <= self.steady)
    }
}

pub(super) struct Entry {
    pub(super) share: Share,
    pub(super) kind: Kind,
}

/// Most identifiers are used at once, and cost no more than their hash and their owner.
pub(super) enum Kind {
    Used,
    /// What may still change, in memory of its own.
    Open(Box<Open>),
}

/// What becomes of a claim that is settled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// The identifier is used.
    Used,
    /// It is free again.
    Free,
}

pub(super) enum Open {
    /// Until the end of the claim; `None` for ever.
    Held { ticket: ReservationTicket, end: Option<Instant> },
    /// Bit n, the low half first, is the counter that is n below the highest.
    Window { highest: u64, seen: [u64; 2] },
}

impl Kind {
    pub(super) fn window(counter: u64) -> Self {
        Self::Open(Box::new(Open::Window { highest: counter, seen: [1, 0] }))
    }

    pub(super) fn held(ticket: ReservationTicket, end: Option<Instant>) -> Self {
        Self::Open(Box::new(Open::Held { ticket, end }))
    }

    /// What it takes beside its entry, in bytes.
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Used => 0,
            Self::Open(_) => size_of::<Open>(),
        }
    }

    /// Whether it is a claim that has run out.
    pub(super) fn is_free(&self, now: Instant) -> bool {
        let Self::Open(open) = self else { return false };
        matches!(**open, Open::Held { end: Some(end), .. } if end <= now)
    }

    pub(super) const fn ticket(&self) -> Option<ReservationTicket> {
        let Self::Open(open) = self else { return None };
        match **open {
            Open::Held { ticket, .. } => Some(ticket),
            Open::Window { .. } => None,
        }
    }

    pub(super) fn is_held_by(&self, by: ReservationTicket, now: Instant) -> bool {
        self.ticket() == Some(by) && !self.is_free(now)
    }

    /// Uses one value of the counter; the window moves up when it is the highest yet.
    pub(super) fn slide(&mut self, counter: u64, width: u32) -> Told {
        let Self::Open(open) = self else { return Told::Seen };
        let Open::Window { highest, seen } = &mut **open else { return Told::Seen };
        let [low, high] = *seen;
        let mut bits = u128::from(high) << 64 | u128::from(low);
        if let Some(up) = counter.checked_sub(*highest).filter(|up| *up > 0) {
            bits = u32::try_from(up).ok().and_then(|up| bits.checked_shl(up)).unwrap_or(0) | 1;
            *highest = counter;
        } else {
            let below = u32::try_from(highest.saturating_sub(counter)).unwrap_or(u32::MAX);
            match 1_u128.checked_shl(below).filter(|_| below < width) {
                Some(bit) if bits & bit == 0 => bits |= bit,
                _ => return Told::Seen,
            }
        }
        *seen = [low_half(bits), low_half(bits >> 64)];
        Told::Fresh
    }
}

fn low_half(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default()
}

/// In whole seconds, rounded up: what is remembered is never remembered for too short a time.
pub(super) fn seconds_up(moment: Timestamp) -> u64 {
    let exact = moment.since_epoch();
    exact.as_secs().saturating_add(u64::from(exact.subsec_nanos() > 0))
}
