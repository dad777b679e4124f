//! What is to be done when the handler has replied.

use crate::{Body, Flow, Need};
use http::{HeaderMap, StatusCode};

/// Something to do when the handler has replied: header fields for the reply (`Authentication-Info`, RFC 7615), or a
/// reservation that becomes final because its effect has happened.
///
/// A server adapter asks it once. Dropped without having been asked, it means that no reply came: the handler failed,
/// panicked or was dropped with its connection, the body was refused, or another condition on the request was not met.
/// A completion that has reserved something releases it in its own `Drop`, through
/// [`Transport::detach`](crate::Transport::detach); an adapter does nothing for it. The flows of a
/// [`MemoryReplayStore`](crate::MemoryReplayStore) are ready at once, so a `Drop` may wait for them.
///
/// What [`complete`](Self::complete) begins ends with its flow, and a flow is dropped when its connection is. Work that
/// must not be given up halfway, such as a confirmation in a store, is handed to
/// [`finish_even_if_dropped`](crate::finish_even_if_dropped).
pub trait Completion: Send {
    /// How much of the reply's body [`complete`](Self::complete) must see. The adapter reads it only if its size is
    /// known and within the limit: an endless reply is never waited for.
    fn needs(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        let (_, _) = (status, headers);
        Need::Nothing
    }

    /// Is a reply without the header fields of this completion worthless to its caller, such as one that has to prove
    /// the server's own knowledge of a password?
    ///
    /// If so, and the fields cannot be made, a 5xx is sent in place of the reply. Otherwise the reply is sent as the
    /// handler made it: what a handler has done is not undone by a 5xx, and a caller that gets one tries again.
    fn is_relied_on(&self) -> bool {
        false
    }

    /// Does what is to be done, and says which header fields the reply gets.
    ///
    /// Completions that need nothing of the body are asked before any body is read. Work that was begun in this call
    /// itself, and handed to [`finish_even_if_dropped`](crate::finish_even_if_dropped), ends even if the flow is never polled.
    ///
    /// # Errors
    ///
    /// When it cannot be done: the observer is told.
    fn complete<'r>(self: Box<Self>, reply: HandlerReply<'r>) -> Flow<'r, HeaderMap>;
}

/// A reply, as a [`Completion`] reads it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HandlerReply<'a> {
    /// The status.
    pub status: StatusCode,
    /// All header fields.
    pub headers: &'a HeaderMap,
    /// As much of the body as was asked for.
    pub body: Body<'a>,
}

impl<'a> HandlerReply<'a> {
    /// A reply.
    #[must_use]
    pub const fn new(status: StatusCode, headers: &'a HeaderMap, body: Body<'a>) -> Self {
        Self { status, headers, body }
    }
}

impl<C: Completion + ?Sized> Completion for Box<C> {
    fn needs(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        (**self).needs(status, headers)
    }

    fn is_relied_on(&self) -> bool {
        (**self).is_relied_on()
    }

    fn complete<'r>(self: Box<Self>, reply: HandlerReply<'r>) -> Flow<'r, HeaderMap> {
        (*self).complete(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderValue, header::HOST};

    /// Says something else than the default to every question.
    struct Odd;

    impl Completion for Odd {
        fn needs(&self, _: StatusCode, _: &HeaderMap) -> Need {
            Need::Bytes { limit: 7 }
        }

        fn is_relied_on(&self) -> bool {
            true
        }

        fn complete<'r>(self: Box<Self>, reply: HandlerReply<'r>) -> Flow<'r, HeaderMap> {
            Flow::ready(reply.headers.clone())
        }
    }

    /// Leaves everything as it is unless said otherwise.
    struct Plain;

    impl Completion for Plain {
        fn complete<'r>(self: Box<Self>, _: HandlerReply<'r>) -> Flow<'r, HeaderMap> {
            Flow::ready(HeaderMap::new())
        }
    }

    /// A reply is not turned into a 5xx, and not read, for a completion that has not asked for it.
    #[test]
    fn no_reply_depends_on_a_completion_that_does_not_say_so() {
        let plain: &dyn Completion = &Plain;
        let boxed: Box<dyn Completion> = Box::new(Box::new(Plain));
        for completion in [plain, &*boxed] {
            assert!(!completion.is_relied_on());
            assert_eq!(completion.needs(StatusCode::OK, &HeaderMap::new()), Need::Nothing);
        }
    }

    #[test]
    fn a_completion_in_a_box_is_itself() {
        let completion: Box<dyn Completion> = Box::new(Box::new(Odd));
        let headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static("a"))]);
        assert_eq!(completion.needs(StatusCode::OK, &headers), Need::Bytes { limit: 7 });
        assert!(completion.is_relied_on());
        let reply = HandlerReply::new(StatusCode::OK, &headers, Body::Unread);
        assert_eq!(completion.complete(reply).wait().unwrap(), headers);
    }
}
