//! A condition on the caller and its request.

use super::{Outcome, Presence, Verifier};
use crate::{Flow, Need, Rejection, RequestView};
use std::fmt;

/// A verifier with a condition: see [`Verifier::check`].
#[derive(Clone, Copy)]
pub struct CheckedVerifier<V, F> {
    verifier: V,
    condition: F,
}

impl<V, F> CheckedVerifier<V, F> {
    pub(super) const fn new(verifier: V, condition: F) -> Self {
        Self { verifier, condition }
    }
}

impl<V, F> Verifier for CheckedVerifier<V, F>
where
    V: Verifier,
    F: for<'r> Fn(&V::Principal, RequestView<'r>) -> Flow<'r, Result<(), Rejection>> + Send + Sync,
{
    type Principal = V::Principal;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.verifier.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.verifier.needs(head)
    }

    /// A caller that the condition rejects was never accepted: its completions are dropped unasked.
    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<V::Principal>> {
        self.verifier.verify(request).and_then(move |outcome| match outcome {
            Err(rejection) => Flow::ready(Err(rejection)),
            Ok(accepted) => (self.condition)(&accepted.principal, request)
                .map(move |held| held.map(|()| accepted)),
        })
    }
}

impl<V: fmt::Debug, F> fmt::Debug for CheckedVerifier<V, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckedVerifier").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Accepted, Completion, HandlerReply, Reason, ReleasedBytes, verifier_fn};
    use http::{HeaderMap, HeaderValue, Method, Uri, header::HOST};
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    const CLOSED: Reason = Reason::new("test_closed", "path is closed to this principal");

    struct Counts(Arc<AtomicUsize>);

    impl Completion for Counts {
        fn complete<'r>(self: Box<Self>, _: HandlerReply<'r>) -> Flow<'r, HeaderMap> {
            Flow::ready(HeaderMap::new())
        }
    }

    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    struct Passes;

    impl crate::BodyCheck for Passes {
        fn update(&mut self, _: &[u8]) -> Result<ReleasedBytes, Rejection> {
            Ok(ReleasedBytes::AsIs)
        }

        fn finish(self: Box<Self>, _: Option<&HeaderMap>) -> Result<(), Rejection> {
            Ok(())
        }
    }

    #[test]
    fn a_condition_may_ask_a_store_and_reject_and_keeps_what_was_still_to_be_checked() {
        let dropped = Arc::new(AtomicUsize::new(0));
        let counts = Arc::clone(&dropped);
        let door = verifier_fn(
            |_| Presence::Present,
            move |_| {
                let completion = Counts(Arc::clone(&counts));
                let accepted = Accepted::new("Word", String::from("alice"));
                Flow::ready(Ok(accepted.with_body(Passes).with_completion(completion)))
            },
        );
        let door = door.check(|who: &String, request| {
            let open = request.uri.path() == format!("/{who}");
            let waits = request.uri.query().is_some();
            let held = move || if open { Ok(()) } else { Err(Rejection::forbidden(CLOSED)) };
            if waits { Flow::new(async move { Ok(held()) }) } else { Flow::ready(held()) }
        });
        for (target, held) in [("/alice", true), ("/bob", false), ("/alice?", true), ("/b?", false)]
        {
            dropped.store(0, Ordering::SeqCst);
            let (uri, headers) = (Uri::from_static(target), HeaderMap::new());
            let flow = door.verify(RequestView::new(&Method::GET, &uri, &headers));
            assert_eq!(flow.is_ready(), !target.contains('?'));
            match flow.wait().unwrap() {
                Ok(mut accepted) => {
                    let obligations = accepted.take_obligations();
                    assert!(held && obligations.body.is_some());
                    assert_eq!(
                        (obligations.completions.len(), dropped.load(Ordering::SeqCst)),
                        (1, 0)
                    );
                }
                Err(rejection) => {
                    assert_eq!((held, rejection.reason().code), (false, "test_closed"));
                }
            }
            assert_eq!(dropped.load(Ordering::SeqCst), 1, "{target}");
        }
    }

    #[test]
    fn shows_its_own_name_and_its_verifier() {
        let door = Reads.check(|(), _| Flow::ready(Ok(())));
        assert_eq!(format!("{door:?}"), "CheckedVerifier { verifier: Reads, .. }");
    }

    /// Needs a body whenever there is a host.
    #[derive(Debug)]
    struct Reads;

    impl Verifier for Reads {
        type Principal = ();

        fn presence(&self, head: RequestView<'_>) -> Presence {
            if head.headers.contains_key(HOST) { Presence::Present } else { Presence::Absent }
        }

        fn needs(&self, _: RequestView<'_>) -> Need {
            Need::Bytes { limit: 7 }
        }

        fn verify<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Outcome<()>> {
            Flow::ready(Ok(Accepted::new("Reads", ())))
        }
    }

    #[test]
    fn presence_and_needs_are_those_of_the_verifier() {
        let door = Reads.check(|(), _| Flow::ready(Ok(())));
        let (uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
        let absent = door.presence(RequestView::new(&Method::GET, &uri, &headers));
        headers.insert(HOST, HeaderValue::from_static("a"));
        let head = RequestView::new(&Method::GET, &uri, &headers);
        assert_eq!((absent, door.presence(head)), (Presence::Absent, Presence::Present));
        assert_eq!(door.needs(head), Need::Bytes { limit: 7 });
    }

    #[test]
    fn whom_the_verifier_refuses_the_condition_never_sees() {
        let door = verifier_fn(
            |_| Presence::Present,
            |_| Flow::ready(Err::<Accepted<()>, _>(Rejection::forbidden(CLOSED))),
        );
        let door = door.check(|(), _| panic!("asked"));
        let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
        assert!(
            door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait().unwrap().is_err()
        );
    }
}
