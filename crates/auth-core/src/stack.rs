//! Two authenticators on one request.

use crate::{Answer, Authenticator, Credentials, Flow, Need, RequestView, Verdict};
use http::{HeaderMap, StatusCode};

/// Adds the credentials of both: a gateway's Bearer beside a session header, a proxy's Digest beside the server's.
///
/// Each part keeps its own stamp, so that each learns from an answer only what is about itself; one of them is renewed
/// without the other. Stacks nest. On a server, what takes both is [`AllOf`](crate::AllOf).
///
/// Where an answer does not say whose credentials it refuses, both are asked. A source then probes the token that
/// [`Renewal::Refused`](crate::Renewal::Refused) hands it, and returns it when it is still good.
///
/// ```
/// # use auth_core::{Authenticator, Credentials, Flow, RequestView, Stack};
/// # struct Gateway; struct Session;
/// # impl Authenticator for Gateway { fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> { Flow::ready(Credentials::none()) } }
/// # impl Authenticator for Session { fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> { Flow::ready(Credentials::none()) } }
/// let both = Stack(Gateway, Session);
/// # let _: &dyn Authenticator = &both;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stack<A, B>(pub A, pub B);

impl<A: Authenticator, B: Authenticator> Authenticator for Stack<A, B> {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.0.credentials(request).and_then(move |first| {
            self.1.credentials(request).and_then(move |second| first.and(second).into())
        })
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.0.assess(sent, answer).and(self.1.assess(sent, answer))
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.0.needs(head).and(self.1.needs(head))
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        self.0.reads(status, headers).and(self.1.reads(status, headers))
    }
}
