//! What the law of client adapters costs where nothing has to be asked.

#![allow(clippy::unwrap_used)]

use auth_core::{
    Authenticator, Body, Credentials, Flow, OriginBound, PlainHttp, RequestView, authenticate,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

struct Key(Credentials);

impl Authenticator for Key {
    fn credentials<'a>(&'a self, _: RequestView<'a>) -> Flow<'a, Credentials> {
        Flow::ready(self.0.clone())
    }
}

#[test]
fn credentials_that_are_kept_are_committed_without_an_allocation() {
    let made = Credentials::header(HeaderName::from_static("key"), HeaderValue::from_static("k"));
    let key = Key(made.unwrap().kept());
    let bound = OriginBound::new(["https://a.example".parse().unwrap()], key);
    let bound: Box<dyn Authenticator> = Box::new(bound);
    let mut first = true;
    for url in ["https://a.example/", "https://A.example/p?q", "https://a.example:443/"] {
        let (before, none) = (url.parse::<Uri>().unwrap(), HeaderMap::new());
        let view = RequestView::new(&Method::POST, &before, &none).with_body(Body::Bytes(b"body"));
        let (mut uri, mut headers) = (before.clone(), HeaderMap::with_capacity(8));
        let counted = allocation_counter::measure(|| {
            let sent = authenticate(&*bound, PlainHttp::ToLoopback, view, &mut uri, &mut headers);
            assert!(!sent.wait().unwrap().is_empty());
        });
        // A value that is cloned for the first time begins to count its references, in an allocation.
        let expected = u64::from(std::mem::take(&mut first));
        assert_eq!((counted.count_total, headers.len()), (expected, 1), "{url}");
    }
}
