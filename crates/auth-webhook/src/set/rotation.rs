//! What is sent is changed without a gap: two slots, and whose turn it is.

use super::{
    Inner, TenantAuthorizations,
    slots::{Slot, Slots},
    unknown,
};
use crate::{ConfiguredBy, OutboundAuthorization};
use auth_core::{Error, Result, Timestamp};
use std::{fmt, sync::Arc};

/// Which slot of an authorization a delivery was sent under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotName {
    /// What was there before the change.
    Current,
    /// What is being changed to.
    Next,
}

/// Which deliveries are sent under the next slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotTurn {
    /// All, from this moment on.
    At(Timestamp),
    /// So many of a hundred. All attempts of one delivery, on every node, have the same slot.
    Share(u8),
}

impl TenantAuthorizations {
    /// Begins to change an authorization: `next` is sent as `turn` says, and what is there is sent else.
    ///
    /// # Errors
    ///
    /// `webhook_rotation_under_way`; `webhook_rotation_share` for more than a hundred of a hundred; else those of
    /// [`edit`](Self::edit).
    pub fn begin_rotation(
        &self,
        name: &str,
        next: OutboundAuthorization,
        turn: SlotTurn,
        by: ConfiguredBy,
    ) -> Result<()> {
        turn.check()?;
        self.replace(name, &next, by, |slots, slot| {
            if slots.next.is_some() {
                let text =
                    format!("authorization {name:?} is being changed; finish or cancel that first");
                return Err(Error::config("webhook_rotation_under_way", text));
            }
            slots.next = Some((slot, turn));
            Ok(())
        })
    }

    /// Says anew which deliveries are sent under the next slot.
    ///
    /// # Errors
    ///
    /// `webhook_rotation_none` when nothing is being changed, `webhook_rotation_share`.
    pub fn set_turn(&self, name: &str, turn: SlotTurn) -> Result<()> {
        turn.check()?;
        self.rotating(name, |slots, next| slots.next = Some((next, turn)))
    }

    /// Ends the change: from now on the next slot is all that is sent.
    ///
    /// # Errors
    ///
    /// `webhook_rotation_none` when nothing is being changed.
    pub fn finish_rotation(&self, name: &str) -> Result<()> {
        self.rotating(name, |slots, next| *slots = Slots { current: next, next: None })
    }

    /// Takes the change back: what was there before is all that is sent.
    ///
    /// # Errors
    ///
    /// `webhook_rotation_none` when nothing is being changed.
    pub fn cancel_rotation(&self, name: &str) -> Result<()> {
        self.rotating(name, |slots, _| slots.next = None)
    }

    fn rotating(&self, name: &str, change: impl FnOnce(&mut Slots, Arc<Slot>)) -> Result<()> {
        let before = self.change(|tenant| {
            let slots = tenant.authorizations.get_mut(name).ok_or_else(|| unknown(name))?;
            let (before, next) = (slots.clone(), slots.named(name, SlotName::Next)?);
            change(slots, next);
            Ok(before)
        });
        // What was taken away ends here, outside of the lock.
        before.map(drop)
    }
}

impl Slots {
    /// The slot of this name.
    pub(super) fn named(&self, authorization: &str, slot: SlotName) -> Result<Arc<Slot>> {
        match (slot, &self.next) {
            (SlotName::Current, _) => Ok(Arc::clone(&self.current)),
            (SlotName::Next, Some((next, _))) => Ok(Arc::clone(next)),
            (SlotName::Next, None) => {
                let text = format!(
                    "authorization {authorization:?} is not being changed; begin a rotation first"
                );
                Err(Error::config("webhook_rotation_none", text))
            }
        }
    }
}

impl SlotTurn {
    fn check(self) -> Result<()> {
        match self {
            Self::Share(share) if share > 100 => {
                let text = format!("share of the next slot is {share}, expected at most 100");
                Err(Error::config("webhook_rotation_share", text))
            }
            _ => Ok(()),
        }
    }

    /// Is it the turn of the next slot for this delivery?
    pub(super) fn has_come(self, set: &Inner, delivery: &str) -> bool {
        match self {
            Self::At(moment) => set.clock.now() >= moment,
            Self::Share(share) => {
                // Keyed, so that nobody who names deliveries chooses their slot.
                let digest = set.hasher.hash(delivery.as_bytes());
                let drawn =
                    digest.as_bytes().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
                drawn % 100 < u64::from(share)
            }
        }
    }
}

impl SlotName {
    /// `current` or `next`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
        }
    }
}

impl fmt::Display for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
