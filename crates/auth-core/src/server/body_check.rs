//! Bodies that are still to come when their request is accepted.

use crate::{Error, Rejection, Result};
use http::HeaderMap;

/// Checks a body as it arrives. The handler never sees the end of a body that fails.
///
/// Where several checks hold for one body ([`AllOf`](crate::AllOf)), all of them see the same bytes off the wire.
pub trait BodyCheck: Send {
    /// What the handler will read. Asked once, before the handler: the adapter corrects `Content-Length` by it.
    fn content(&self) -> CheckedContent {
        CheckedContent::AsIs
    }

    /// Takes off the header fields that belong to a framing, as the handler reads its content alone. Asked once,
    /// before the handler, and only of a check whose content is [`CheckedContent::Replaced`].
    fn unframe(&self, headers: &mut HeaderMap) {
        let _ = headers;
    }

    /// Takes the next bytes off the wire, in pieces of any size, and says what of them the handler may have.
    ///
    /// # Errors
    ///
    /// A rejection when the body is already known to be wrong; nothing more is then asked.
    fn update(&mut self, wire: &[u8]) -> Result<ReleasedBytes, Rejection>;

    /// The wire has ended, perhaps with trailer fields, which the handler never gets.
    ///
    /// # Errors
    ///
    /// A rejection when the body was not what its credentials say.
    fn finish(self: Box<Self>, trailers: Option<&HeaderMap>) -> Result<(), Rejection>;
}

/// What the handler reads of a body that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckedContent {
    /// The bytes of the wire.
    AsIs,
    /// Other bytes: the content of a framing.
    Replaced {
        /// How many bytes, if the head says so.
        length: Option<u64>,
    },
}

/// What of some bytes off the wire the handler may have.
#[derive(Debug, PartialEq, Eq)]
pub enum ReleasedBytes {
    /// Those very bytes.
    AsIs,
    /// These instead: the content of a framing, what was held back before, or nothing yet.
    Instead(Vec<u8>),
}

/// One check for two, of which one at most replaces the body.
pub(super) fn both(
    one: Option<Box<dyn BodyCheck>>,
    other: Option<Box<dyn BodyCheck>>,
) -> Result<Option<Box<dyn BodyCheck>>> {
    let (one, other) = match (one, other) {
        (None, check) | (check, None) => return Ok(check),
        (Some(one), Some(other)) => (one, other),
    };
    match (one.content(), other.content()) {
        (CheckedContent::Replaced { .. }, CheckedContent::Replaced { .. }) => {
            Err(Error::config("all_of_two_framings", TWO_FRAMINGS))
        }
        _ => Ok(Some(Box::new(Both(one, other)))),
    }
}

const TWO_FRAMINGS: &str = "two body checks replace the body with its content, expected one at most; take one of the two verifiers out";

struct Both(Box<dyn BodyCheck>, Box<dyn BodyCheck>);

impl BodyCheck for Both {
    fn content(&self) -> CheckedContent {
        match self.0.content() {
            CheckedContent::AsIs => self.1.content(),
            replaced => replaced,
        }
    }

    fn unframe(&self, headers: &mut HeaderMap) {
        for check in [&self.0, &self.1] {
            if check.content() != CheckedContent::AsIs {
                check.unframe(headers);
            }
        }
    }

    fn update(&mut self, wire: &[u8]) -> Result<ReleasedBytes, Rejection> {
        let (one, other) = (self.0.update(wire)?, self.1.update(wire)?);
        Ok(match one {
            ReleasedBytes::AsIs => other,
            instead => instead,
        })
    }

    fn finish(self: Box<Self>, trailers: Option<&HeaderMap>) -> Result<(), Rejection> {
        self.0.finish(trailers)?;
        self.1.finish(trailers)
    }
}

impl<C: BodyCheck + ?Sized> BodyCheck for Box<C> {
    fn content(&self) -> CheckedContent {
        (**self).content()
    }

    fn unframe(&self, headers: &mut HeaderMap) {
        (**self).unframe(headers);
    }

    fn update(&mut self, wire: &[u8]) -> Result<ReleasedBytes, Rejection> {
        (**self).update(wire)
    }

    fn finish(self: Box<Self>, trailers: Option<&HeaderMap>) -> Result<(), Rejection> {
        (*self).finish(trailers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;
    use http::{HeaderValue, header::HOST};

    /// Says something else than the default to every question.
    struct Odd;

    const ODD: CheckedContent = CheckedContent::Replaced { length: Some(7) };

    impl BodyCheck for Odd {
        fn content(&self) -> CheckedContent {
            ODD
        }

        fn unframe(&self, headers: &mut HeaderMap) {
            headers.clear();
        }

        fn update(&mut self, _: &[u8]) -> Result<ReleasedBytes, Rejection> {
            Ok(ReleasedBytes::Instead(vec![7]))
        }

        fn finish(self: Box<Self>, _: Option<&HeaderMap>) -> Result<(), Rejection> {
            Err(Rejection::forbidden(Reason::new("test_odd", "body is odd")))
        }
    }

    /// Looks on.
    struct Even;

    impl BodyCheck for Even {
        fn content(&self) -> CheckedContent {
            CheckedContent::AsIs
        }

        fn unframe(&self, _: &mut HeaderMap) {
            panic!("a check that replaces nothing has no framing");
        }

        fn update(&mut self, _: &[u8]) -> Result<ReleasedBytes, Rejection> {
            Ok(ReleasedBytes::AsIs)
        }

        fn finish(self: Box<Self>, _: Option<&HeaderMap>) -> Result<(), Rejection> {
            Ok(())
        }
    }

    #[test]
    fn of_two_checks_the_one_that_replaces_takes_its_framing_off() {
        let made = |odd_first: bool| -> [Box<dyn BodyCheck>; 2] {
            if odd_first {
                [Box::new(Odd), Box::new(Even)]
            } else {
                [Box::new(Even), Box::new(Odd)]
            }
        };
        for odd_first in [true, false] {
            let [one, other] = made(odd_first);
            let mut both = both(Some(one), Some(other)).unwrap().unwrap();
            let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("a"))]);
            both.unframe(&mut headers);
            assert_eq!((both.content(), headers.len()), (ODD, 0));
            assert_eq!(both.update(b"").unwrap(), ReleasedBytes::Instead(vec![7]));
            assert!(both.finish(None).is_err());
        }
    }

    #[test]
    fn a_check_in_a_box_is_itself() {
        let mut check: Box<dyn BodyCheck> = Box::new(Box::new(Odd));
        let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("a"))]);
        check.unframe(&mut headers);
        assert_eq!((check.content(), headers.len()), (ODD, 0));
        assert_eq!(check.update(b"").unwrap(), ReleasedBytes::Instead(vec![7]));
        assert!(check.finish(None).is_err());
    }
}
