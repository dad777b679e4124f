//! What the combinators cost the allocator: nothing, while the flow is ready.
#![allow(clippy::unwrap_used, missing_docs)]

use auth_core::*;
use http::{HeaderMap, Method, Uri};

#[test]
fn map_check_and_all_of_allocate_nothing_through_dyn() {
    let word = || {
        verifier_fn(
            |head| match head.headers.is_empty() {
                true => Presence::Absent,
                false => Presence::Present,
            },
            |_| Flow::ready(Ok(Accepted::new("Word", 7_u32))),
        )
    };
    let door = AllOf(word(), word().check(|_, _| Flow::ready(Ok(()))));
    let door = door.map(|(one, other)| u64::from(one + other)).check(|sum, request| {
        let held = *sum == 14 && request.uri.path() == "/";
        let wrong = Reason::new("test_wrong", "sum is wrong");
        Flow::ready(if held { Ok(()) } else { Err(Rejection::forbidden(wrong)) })
    });
    let door: Box<dyn Verifier<Principal = u64>> = Box::new(door);
    let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
    let request = RequestView::new(&Method::GET, &uri, &headers);
    let mut accepted = None;
    let counted = allocation_counter::measure(|| {
        accepted = door.verify(request).wait().unwrap().ok();
    });
    assert_eq!((accepted.unwrap().principal, counted.count_total), (14, 0));
}
