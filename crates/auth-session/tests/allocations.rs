//! What a kept token costs: nothing that is allocated, whether its successor ends it or not.

#![allow(clippy::unwrap_used)]

use auth_core::{
    Answer, Authenticator, Context, Credentials, Error, Flow, Lifespan, PresentableToken, Refusal,
    Renewal, RequestView, Result, Succession, Token, TokenSource,
};
use auth_session::Session;
use auth_testing::ScriptedTransport;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use std::time::Duration;

#[derive(Clone)]
struct Badge(Succession);

impl Token for Badge {
    fn lifespan(&self) -> Lifespan {
        Lifespan::Unknown
    }

    fn succession(&self) -> Succession {
        self.0
    }
}

impl PresentableToken for Badge {
    fn credentials(&self) -> Result<Credentials> {
        Credentials::header(HeaderName::from_static("badge"), HeaderValue::from_static("1"))
    }

    fn refusal(_: Answer<'_>) -> Option<Refusal> {
        None
    }
}

impl TokenSource for Badge {
    type Token = Self;

    fn token<'a>(&'a self, _: &'a Context, _: Renewal<Self>) -> Flow<'a, Self> {
        Flow::ready(self.clone())
    }
}

#[track_caller]
fn check(succession: Succession) {
    let context =
        Context::new(ScriptedTransport::new(|_| Err(Error::config("asked", "nobody asks"))));
    let session = Session::new(Badge(succession), context);
    let (uri, headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers);
    let request = || {
        let made = session.credentials(view).wait().unwrap();
        drop(session.assess(&made, Answer::new(view, StatusCode::OK, &headers)));
    };
    request();
    assert_eq!(allocation_counter::measure(request).count_total, 0, "{succession:?}");
}

#[test]
fn a_kept_token_allocates_nothing() {
    check(Succession::Overlapping);
    check(Succession::Exclusive { settle: Duration::from_secs(10) });
}
