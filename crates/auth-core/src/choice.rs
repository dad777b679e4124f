//! Several schemes at one door.

use crate::{Flow, Need, Outcome, Presence, Reason, Rejection, RequestView, Verifier};
use std::fmt;

/// Accepts any of several schemes, one at a time: the one whose credentials are present judges.
///
/// Two present are a 400, since two readers could decide differently. None present gets the challenges of all, in
/// order. No second verifier is ever asked after a first has judged: there is no fallback.
///
/// Where two verifiers must both accept, the choice stands inside [`AllOf`](crate::AllOf), never the other way round.
///
/// ```
/// # use auth_core::{AnyOf, Verifier};
/// # fn door(basic: impl Verifier<Principal = String> + 'static, key: impl Verifier<Principal = String> + 'static) {
/// let door = AnyOf::new(basic).or(key);
/// # let _: &dyn Verifier<Principal = String> = &door;
/// # }
/// ```
pub struct AnyOf<P>(Several<P>);

/// Accepts several schemes in an order: the first whose credentials are present judges alone, whatever else is there.
///
/// So a JWT beside a service key decides, good or bad, and the key is ignored; a bad JWT is never rescued by a good
/// key. None present gets the challenges of all, in order.
pub struct Precedence<P>(Several<P>);

type Several<P> = Vec<Box<dyn Verifier<Principal = P>>>;

impl<P: Send> AnyOf<P> {
    /// One scheme, to begin with.
    pub fn new(verifier: impl Verifier<Principal = P> + 'static) -> Self {
        Self(vec![Box::new(verifier)])
    }

    /// Or this one.
    #[must_use]
    pub fn or(mut self, verifier: impl Verifier<Principal = P> + 'static) -> Self {
        self.0.push(Box::new(verifier));
        self
    }

    fn judge(
        &self,
        head: RequestView<'_>,
    ) -> Result<Option<&dyn Verifier<Principal = P>>, Rejection> {
        let mut present = present(&self.0, head);
        match (present.next(), present.next()) {
            (judge, None) => Ok(judge),
            _ => Err(Rejection::malformed(SEVERAL)),
        }
    }
}

impl<P: Send> Precedence<P> {
    /// The scheme that decides whenever it is present.
    pub fn new(verifier: impl Verifier<Principal = P> + 'static) -> Self {
        Self(vec![Box::new(verifier)])
    }

    /// And when none of those before is present, this one.
    #[must_use]
    pub fn then(mut self, verifier: impl Verifier<Principal = P> + 'static) -> Self {
        self.0.push(Box::new(verifier));
        self
    }

    fn judge(
        &self,
        head: RequestView<'_>,
    ) -> Result<Option<&dyn Verifier<Principal = P>>, Rejection> {
        Ok(present(&self.0, head).next())
    }
}

fn present<'v, P: Send>(
    verifiers: &'v Several<P>,
    head: RequestView<'_>,
) -> impl Iterator<Item = &'v dyn Verifier<Principal = P>> {
    verifiers
        .iter()
        .map(|verifier| &**verifier)
        .filter(move |verifier| verifier.presence(head) == Presence::Present)
}

/// Nobody is present: each says what it would want, or accepts the absence itself.
fn absent<'a, P: Send>(
    verifiers: &'a [Box<dyn Verifier<Principal = P>>],
    request: RequestView<'a>,
    so_far: Option<Rejection>,
) -> Flow<'a, Outcome<P>> {
    let Some((verifier, rest)) = verifiers.split_first() else {
        return Flow::ready(Err(so_far.unwrap_or_else(|| Rejection::forbidden(NOBODY))));
    };
    verifier.verify(request).and_then(move |outcome| match outcome {
        Ok(accepted) => Flow::ready(Ok(accepted)),
        Err(rejection) => absent(rest, request, Some(join(so_far, rejection))),
    })
}

fn join(so_far: Option<Rejection>, next: Rejection) -> Rejection {
    match so_far {
        None => next,
        Some(first) => next.challenges().iter().cloned().fold(first, Rejection::with_challenge),
    }
}

macro_rules! choice {
    ($($choice:ident),*) => {$(
        impl<P: Send> Verifier for $choice<P> {
            type Principal = P;

            fn presence(&self, head: RequestView<'_>) -> Presence {
                match present(&self.0, head).next() {
                    Some(_) => Presence::Present,
                    None => Presence::Absent,
                }
            }

            fn needs(&self, head: RequestView<'_>) -> Need {
                match self.judge(head) {
                    Ok(Some(verifier)) => verifier.needs(head),
                    _ => Need::Nothing,
                }
            }

            fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<P>> {
                match self.judge(request) {
                    Ok(Some(verifier)) => verifier.verify(request),
                    Ok(None) => absent(&self.0, request, None),
                    Err(rejection) => Flow::ready(Err(rejection)),
                }
            }
        }

        impl<P> fmt::Debug for $choice<P> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($choice), "({} verifiers)"), self.0.len())
            }
        }
    )*};
}

choice!(AnyOf, Precedence);

const SEVERAL: Reason =
    Reason::new("choice_several_schemes", "credentials of more than one scheme, expected one");
const NOBODY: Reason = Reason::new("choice_nobody", "no verifier would take any credentials");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Accepted, Challenge};
    use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

    /// Accepts `good` in a field of its own, and keeps nothing else.
    struct Field(&'static str);

    impl Verifier for Field {
        type Principal = &'static str;

        fn presence(&self, head: RequestView<'_>) -> Presence {
            if head.headers.contains_key(self.0) { Presence::Present } else { Presence::Absent }
        }

        fn needs(&self, _: RequestView<'_>) -> Need {
            Need::Bytes { limit: self.0.len() }
        }

        fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<&'static str>> {
            let good = request.headers.get(self.0).is_some_and(|value| value == "good");
            let challenge = Challenge::build(self.0).finish().unwrap();
            let refused = Rejection::unauthenticated(Reason::new("wrong", "wrong"), challenge);
            Flow::new(async move {
                Ok(if good { Ok(Accepted::new("Field", self.0)) } else { Err(refused) })
            })
        }
    }

    /// The principal, or the reason and all challenges; with what the body is needed for.
    fn judge(
        verifier: &dyn Verifier<Principal = &'static str>,
        fields: &[(&'static str, &'static str)],
    ) -> String {
        let fields =
            fields.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)));
        let (uri, headers) = (Uri::from_static("/"), HeaderMap::from_iter(fields));
        let request = RequestView::new(&Method::GET, &uri, &headers);
        let told = match verifier.verify(request).wait().unwrap() {
            Ok(accepted) => accepted.principal.to_owned(),
            Err(rejection) => {
                let challenges: Vec<_> =
                    rejection.challenges().iter().map(ToString::to_string).collect();
                format!(
                    "{} {} {}",
                    rejection.status().as_u16(),
                    rejection.reason().code,
                    challenges.join("+")
                )
            }
        };
        match verifier.needs(request) {
            Need::Bytes { limit } => format!("{told}, reads {limit}"),
            _ => told,
        }
    }

    #[test]
    fn exactly_one_present_judges() {
        let check = |fields: &[_], expected| {
            assert_eq!(judge(&AnyOf::new(Field("a")).or(Field("bb")), fields), expected);
        };
        check(&[("a", "good")], "a, reads 1");
        check(&[("bb", "good")], "bb, reads 2");
        check(&[("bb", "bad")], "401 wrong bb, reads 2");
        check(&[], "401 wrong a+bb");
        check(&[("a", "good"), ("bb", "good")], "400 choice_several_schemes ");
        check(&[("a", "bad"), ("bb", "good")], "400 choice_several_schemes ");
    }

    #[test]
    fn the_first_present_judges_alone() {
        let check = |fields: &[_], expected| {
            assert_eq!(judge(&Precedence::new(Field("a")).then(Field("bb")), fields), expected);
        };
        check(&[("a", "good"), ("bb", "bad")], "a, reads 1");
        check(&[("bb", "good"), ("a", "bad")], "401 wrong a, reads 1");
        check(&[("bb", "good")], "bb, reads 2");
        check(&[], "401 wrong a+bb");
    }

    #[test]
    fn choices_nest() {
        let door = AnyOf::new(Precedence::new(Field("a")).then(Field("bb"))).or(Field("c"));
        assert_eq!(judge(&door, &[("a", "bad"), ("bb", "good")]), "401 wrong a, reads 1");
        assert_eq!(judge(&door, &[("a", "good"), ("c", "good")]), "400 choice_several_schemes ");
        assert_eq!(judge(&door, &[]), "401 wrong a+bb+c");
    }
}
