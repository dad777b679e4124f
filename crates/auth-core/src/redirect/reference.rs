//! What a `Location` means: a reference, resolved against the target of the request (RFC 3986 section 5.2).

use http::Uri;

/// The target that a reference names, without its fragment; `None` when it is not one that a request can have.
///
/// Nothing is repaired or decoded: what is not a URI as it stands is none.
pub(super) fn resolve(base: &Uri, reference: &str) -> Option<Uri> {
    let reference = reference.split_once('#').map_or(reference, |(before, _)| before);
    let (scheme, rest) = match scheme(reference) {
        Some((scheme, rest)) if rest.starts_with("//") => (scheme, rest),
        Some(_) => return None,
        None => (base.scheme_str()?, reference),
    };
    let (hierarchy, query) = match rest.split_once('?') {
        Some((hierarchy, query)) => (hierarchy, Some(query)),
        None if rest.is_empty() => (rest, base.query()),
        None => (rest, None),
    };
    let (authority, path) = match hierarchy.strip_prefix("//") {
        Some(own) => {
            let (authority, path) = own.split_at_checked(own.find('/').unwrap_or(own.len()))?;
            (authority, without_dots(path))
        }
        None => (base.authority()?.as_str(), beside(base.path(), hierarchy)),
    };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{authority}{path}{query}").parse().ok()
}

/// A path, from where another one is.
fn beside(base: &str, path: &str) -> String {
    if path.is_empty() {
        base.to_owned()
    } else if path.starts_with('/') {
        without_dots(path)
    } else {
        let above = base.rsplit_once('/').map_or("", |(above, _)| above);
        without_dots(&format!("{above}/{path}"))
    }
}

/// A scheme and what is behind its colon.
fn scheme(reference: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = reference.split_once(':')?;
    let well_formed = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|next| next.is_ascii_alphanumeric() || "+-.".contains(next));
    well_formed.then_some((scheme, rest))
}

/// An absolute path without its `.` and `..` segments (RFC 3986 section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    let mut ends_in_dots = false;
    for segment in path.split('/').skip(1) {
        ends_in_dots = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    if ends_in_dots {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reference: &str, expected: Option<&str>) {
        let base = Uri::from_static("http://a/b/c/d;p?q");
        let resolved = resolve(&base, reference).map(|uri| uri.to_string());
        assert_eq!(resolved.as_deref(), expected, "{reference}");
    }

    /// The examples of RFC 3986 section 5.4.1, without the fragments.
    #[test]
    fn resolves_the_normal_examples() {
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            ("g?y#s", "http://a/b/c/g?y"),
            (";x", "http://a/b/c/;x"),
            ("g;x", "http://a/b/c/g;x"),
            ("g;x?y#s", "http://a/b/c/g;x?y"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../", "http://a/"),
            ("../../g", "http://a/g"),
        ] {
            check(reference, Some(expected));
        }
    }

    /// The examples of RFC 3986 section 5.4.2.
    #[test]
    fn resolves_the_abnormal_examples() {
        for (reference, expected) in [
            ("../../../g", "http://a/g"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            (".g", "http://a/b/c/.g"),
            ("g..", "http://a/b/c/g.."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/./x", "http://a/b/c/g?y/./x"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
        ] {
            check(reference, Some(expected));
        }
    }

    #[test]
    fn a_reference_with_a_scheme_stands_alone() {
        check("https://b:8443", Some("https://b:8443/"));
        check("https://b/x/../y?z#f", Some("https://b/y?z"));
        check("https://b?z", Some("https://b/?z"));
        check("http:g", None);
        check("g:h", None);
        check("javascript:0", None);
        check("http://", None);
    }

    #[test]
    fn what_is_no_uri_as_it_stands_is_none() {
        check("/a b", None);
        check("//a b/", None);
        check("//[::1/", None);
        check("https://b\\@c/", None);
        check("1:2", Some("http://a/b/c/1:2"));
    }
}
