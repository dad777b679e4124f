//! What a kept token costs: nothing that is allocated, unless its successor ends it.

#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Authenticator, RequestView};
use common::{Background, stage};
use http::{HeaderMap, Method, Uri};

#[test]
fn a_kept_token_that_overlaps_with_the_next_allocates_nothing() {
    let stage = stage(Background::None);
    let (uri, headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
    let view = RequestView::new(&Method::GET, &uri, &headers);
    stage.session.credentials(view).wait().unwrap();
    let measured = allocation_counter::measure(|| {
        let made = stage.session.credentials(view).wait().unwrap();
        assert_eq!(made.guards().count(), 0);
    });
    assert_eq!(measured.count_total, 0);
}
