//! What only the memory of a session has, and how it is saved before the session is given up.

use crate::{Session, flight::Flight};
use auth_core::{Error, Flow, TokenSource};

/// What would be lost with a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remaining {
    /// Nothing. A session that was ended has nothing to lose either.
    Nothing,
    /// What a renewal brings that is under way.
    Renewal,
    /// A token that its store could not take.
    Saving,
}

impl<S> Session<S>
where
    S: TokenSource + 'static,
{
    /// Sees a renewal that is under way through, and saves a token that its store could not take
    /// ([`TokenSource::has_unsaved`]). It is done at once if there is neither: the session can then be dropped and nothing
    /// is lost.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` with the code `session_unsaved` when the token could not be saved. It stays in the memory of
    /// the session, and every call tries again, after the pause that follows a failed renewal.
    pub fn save_unsaved(&self) -> Flow<'_, ()> {
        if self.has_nothing_to_lose() {
            return Flow::ready(());
        }
        Flow::new(async move {
            // A renewal saves first. One that goes on in the background is waited for.
            let obtained = self.obtained(None).await;
            self.landed().await;
            if self.has_nothing_to_lose() { Ok(()) } else { Err(unsaved(obtained.err())) }
        })
    }

    /// What would be lost with the session.
    pub(crate) fn remaining(&self) -> Remaining {
        let state = self.0.state();
        let (is_ended, is_under_way) = (state.is_ended(), state.flight.is_some());
        drop(state);
        // Never under the lock: a source is foreign code.
        if is_under_way {
            Remaining::Renewal
        } else if !is_ended && self.0.source.has_unsaved() {
            Remaining::Saving
        } else {
            Remaining::Nothing
        }
    }

    /// Begins what [`save_unsaved`](Self::save_unsaved) waits for. It goes on where the transport has a background, and
    /// is driven on by the next caller where it has none.
    pub(crate) fn begin_saving(&self) {
        drop(self.obtained(None));
    }

    fn has_nothing_to_lose(&self) -> bool {
        self.remaining() == Remaining::Nothing
    }

    /// Waits for the renewal that is under way, and drives it if nobody else does.
    async fn landed(&self) {
        let under_way = self.0.state().flight.as_ref().map(Flight::watch);
        if let Some(watch) = under_way {
            // Good or bad, it has landed.
            let _ = watch.await;
        }
    }
}

fn unsaved(cause: Option<Error>) -> Error {
    let why = cause.map_or_else(String::new, |cause| format!(": {cause}"));
    let text = format!("token could not be saved, expected its store to take it{why}");
    Error::unavailable("session_unsaved", None, text)
}
