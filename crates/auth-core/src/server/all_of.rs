//! Two verifiers that both have to accept.

use super::{Outcome, Presence, Verifier};
use crate::{Flow, Need, RequestView};

/// Accepts a request that both verifiers accept: an API key and the signature of the body, a client's certificate and
/// its token.
///
/// The second is asked only when the first has accepted, so the one that is cheap stands first and the one that
/// reserves something stands last. The rejection of either is the answer. The body has to pass the checks of both, and
/// the completions of both are asked when the handler has replied. The principal is the pair of both.
///
/// # Security
///
/// Put a choice inside this, never this inside a choice: `AllOf(AnyOf::new(key).or(basic), signature)`, and not
/// `AnyOf::new(AllOf(key, signature)).or(basic)`. A choice goes by whose credentials are present, and of these some are
/// present as soon as those of either verifier are: a caller could then choose which of two doors it is judged at by
/// what it leaves out.
///
/// ```
/// use auth_core::{AllOf, Verifier};
///
/// fn receiver(
///     key: impl Verifier<Principal = &'static str>,
///     signature: impl Verifier<Principal = ()>,
/// ) -> impl Verifier<Principal = &'static str> {
///     AllOf(key, signature).map(|(sender, ())| sender)
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AllOf<A, B>(
    /// The one that is asked first.
    pub A,
    /// The one that is asked when the first has accepted.
    pub B,
);

impl<A: Verifier, B: Verifier> Verifier for AllOf<A, B> {
    type Principal = (A::Principal, B::Principal);

    /// Present as soon as something of either is.
    fn presence(&self, head: RequestView<'_>) -> Presence {
        match (self.0.presence(head), self.1.presence(head)) {
            (Presence::Absent, Presence::Absent) => Presence::Absent,
            _ => Presence::Present,
        }
    }

    /// What serves both; a verifier whose credentials are absent sees no body.
    fn needs(&self, head: RequestView<'_>) -> Need {
        need(&self.0, head).and(need(&self.1, head))
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Self::Principal>> {
        self.0.verify(request).and_then(move |one| match one {
            Err(rejection) => Flow::ready(Err(rejection)),
            Ok(one) => self.1.verify(request).and_then(move |other| match other {
                // What the first had reserved is released as it is dropped.
                Err(rejection) => Flow::ready(Err(rejection)),
                Ok(other) => one.and(other).map(Ok).into(),
            }),
        })
    }
}

fn need(verifier: &impl Verifier, head: RequestView<'_>) -> Need {
    match verifier.presence(head) {
        Presence::Absent => Need::Nothing,
        Presence::Present => verifier.needs(head),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Accepted, BodyCheck, CheckedContent, Completion, HandlerReply, Reason, Rejection,
        ReleasedBytes, verifier_fn,
    };
    use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
    use std::sync::{Arc, Mutex};

    type Log = Arc<Mutex<Vec<String>>>;

    /// Accepts the field of its name with the value `good`, and writes down what becomes of its completion.
    struct Word {
        name: &'static str,
        content: CheckedContent,
        log: Log,
    }

    struct Told(&'static str, Log, Option<()>);

    impl Completion for Told {
        fn complete<'r>(mut self: Box<Self>, _: HandlerReply<'r>) -> Flow<'r, HeaderMap> {
            self.2 = Some(());
            self.1.lock().unwrap().push(format!("{} asked", self.0));
            Flow::ready(HeaderMap::new())
        }
    }

    impl Drop for Told {
        fn drop(&mut self) {
            if self.2.is_none() {
                self.1.lock().unwrap().push(format!("{} dropped", self.0));
            }
        }
    }

    /// Takes `-` out when it replaces, and refuses its own name's first letter.
    struct Letters(&'static str, CheckedContent, Vec<u8>);

    const LETTER: Reason = Reason::new("test_letter", "a letter is forbidden");

    impl BodyCheck for Letters {
        fn content(&self) -> CheckedContent {
            self.1
        }

        fn unframe(&self, headers: &mut HeaderMap) {
            headers.remove(self.0);
        }

        fn update(&mut self, wire: &[u8]) -> Result<ReleasedBytes, Rejection> {
            self.2.extend_from_slice(wire);
            Ok(match self.1 {
                CheckedContent::AsIs => ReleasedBytes::AsIs,
                CheckedContent::Replaced { .. } => ReleasedBytes::Instead(
                    wire.iter().copied().filter(|byte| *byte != b'-').collect(),
                ),
            })
        }

        fn finish(self: Box<Self>, _: Option<&HeaderMap>) -> Result<(), Rejection> {
            let refused = self.2.contains(&self.0.as_bytes()[0]);
            if refused { Err(Rejection::forbidden(LETTER)) } else { Ok(()) }
        }
    }

    const WRONG: Reason = Reason::new("test_wrong", "word is wrong");

    impl Verifier for Word {
        type Principal = &'static str;

        fn presence(&self, head: RequestView<'_>) -> Presence {
            if head.headers.contains_key(self.name) { Presence::Present } else { Presence::Absent }
        }

        fn needs(&self, _: RequestView<'_>) -> Need {
            Need::Bytes { limit: self.name.len() }
        }

        fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<&'static str>> {
            let good = request.headers.get(self.name).is_some_and(|value| value == "good");
            self.log.lock().unwrap().push(format!("{} verified", self.name));
            Flow::new(async move {
                Ok(if good {
                    Ok(Accepted::new("Word", self.name)
                        .with_body(Letters(self.name, self.content, Vec::new()))
                        .with_completion(Told(self.name, Arc::clone(&self.log), None)))
                } else {
                    Err(Rejection::forbidden(WRONG))
                })
            })
        }
    }

    const LENGTH: CheckedContent = CheckedContent::Replaced { length: None };

    fn pair(first: CheckedContent, second: CheckedContent) -> (Log, AllOf<Word, Word>) {
        let log = Log::default();
        let word = |name, content| Word { name, content, log: Arc::clone(&log) };
        let pair = AllOf(word("key", first), word("sig", second));
        (log, pair)
    }

    fn head(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let field = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        fields.iter().map(field).collect()
    }

    #[track_caller]
    fn check(fields: &[(&'static str, &'static str)], accepted: bool, log: &[&str]) {
        let (written, door) = pair(CheckedContent::AsIs, CheckedContent::AsIs);
        let (uri, headers) = (Uri::from_static("/"), head(fields));
        let outcome = door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait().unwrap();
        assert_eq!(outcome.is_ok(), accepted);
        drop(outcome);
        assert_eq!(*written.lock().unwrap(), log);
    }

    #[test]
    fn both_must_accept_and_what_the_first_began_is_dropped_with_a_refusal_of_the_second() {
        check(&[("key", "bad"), ("sig", "good")], false, &["key verified"]);
        check(
            &[("key", "good"), ("sig", "bad")],
            false,
            &["key verified", "sig verified", "key dropped"],
        );
        let all = ["key verified", "sig verified", "key dropped", "sig dropped"];
        check(&[("key", "good"), ("sig", "good")], true, &all);
    }

    #[test]
    fn presence_is_of_either_and_what_is_absent_sees_no_body() {
        let (_, door) = pair(CheckedContent::AsIs, CheckedContent::AsIs);
        let uri = Uri::from_static("/");
        for (fields, presence, need) in [
            (&[][..], Presence::Absent, Need::Nothing),
            (&[("sig", "s")][..], Presence::Present, Need::Bytes { limit: 3 }),
        ] {
            let headers = head(fields);
            let view = RequestView::new(&Method::GET, &uri, &headers);
            assert_eq!((door.presence(view), door.needs(view)), (presence, need));
        }
    }

    fn accepted(first: CheckedContent, second: CheckedContent) -> crate::Result<Accepted<String>> {
        let (_, door) = pair(first, second);
        let door = door.map(|(key, sig)| format!("{key} {sig}"));
        let (uri, headers) = (Uri::from_static("/"), head(&[("key", "good"), ("sig", "good")]));
        let outcome = door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait()?;
        Ok(outcome.unwrap())
    }

    /// What the handler would read, and whether the end would come.
    fn read(mut check: Box<dyn BodyCheck>, wire: &[u8]) -> (Vec<u8>, bool) {
        let passed = match check.update(wire).unwrap() {
            ReleasedBytes::AsIs => wire.to_vec(),
            ReleasedBytes::Instead(content) => content,
        };
        (passed, check.finish(None).is_ok())
    }

    #[test]
    fn both_checks_see_the_wire_and_either_may_refuse_it() {
        for (first, second) in [(CheckedContent::AsIs, LENGTH), (LENGTH, CheckedContent::AsIs)] {
            let body = |wire| {
                let mut accepted = accepted(first, second).unwrap();
                let obligations = accepted.take_obligations();
                assert_eq!(
                    (accepted.principal.as_str(), obligations.completions.len()),
                    ("key sig", 2)
                );
                let check = obligations.body.unwrap();
                let mut headers = head(&[("key", "good"), ("sig", "good")]);
                check.unframe(&mut headers);
                assert_eq!((check.content(), headers.len()), (LENGTH, 1));
                read(check, wire)
            };
            assert_eq!(body(b"a-b"), (b"ab".to_vec(), true));
            assert_eq!(body(b"a-k"), (b"ak".to_vec(), false), "key refuses k");
            assert_eq!(body(b"a-s"), (b"as".to_vec(), false), "sig refuses s");
        }
    }

    #[test]
    fn two_framings_of_one_body_are_an_error_of_the_configuration() {
        let error = accepted(LENGTH, LENGTH).unwrap_err();
        assert_eq!(error.code(), "all_of_two_framings");
    }

    #[test]
    fn a_pair_is_a_verifier_as_dyn_and_of_functions() {
        let any =
            || verifier_fn(|_| Presence::Present, |_| Flow::ready(Ok(Accepted::new("Any", 1))));
        let door: Box<dyn Verifier<Principal = (i32, i32)>> = Box::new(AllOf(any(), any()));
        let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
        let told = door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait().unwrap();
        assert_eq!(told.unwrap().principal, (1, 1));
    }
}
