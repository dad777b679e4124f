//! The target of a request, as both ends write it.

use http::Uri;
use std::borrow::Cow;

/// Path and query, as they go over the wire: a path is at least `/`.
pub(crate) fn target(uri: &Uri) -> Cow<'_, str> {
    let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    if target.starts_with('?') { Cow::Owned(["/", target].concat()) } else { Cow::Borrowed(target) }
}
