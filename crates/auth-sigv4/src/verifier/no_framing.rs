//! What stands for a payload in chunks without the feature `aws-chunked`: there is none, and a request that has one is
//! refused.

use super::presented::Presented;
use crate::{
    DerivedKey,
    reason::{RefusalKind, Refused},
    request::Said,
};
use auth_core::{Accepted, Reason, RequestView};

const CHUNKED: Refused = Refused::of(
    &Reason::new(
        "sigv4_chunked",
        "payload comes in chunks, which are verified with the feature aws-chunked of auth-sigv4",
    ),
    RefusalKind::Forbidden,
);

/// None.
pub(super) enum Framing {}

impl Framing {
    pub(super) const fn of(
        _: &[u8],
        _: RequestView<'_>,
        _: &Presented<'_>,
        _: Result<(), Refused>,
    ) -> Result<Self, Refused> {
        Err(CHUNKED)
    }

    pub(super) const fn said(&self) -> Said {
        match *self {}
    }

    pub(super) fn hold<P>(
        self,
        _: Accepted<P>,
        _: DerivedKey,
        _: &[u8; 32],
        _: &[u8],
    ) -> Accepted<P> {
        match self {}
    }
}
