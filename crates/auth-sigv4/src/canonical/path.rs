//! The canonical path.

use crate::{
    PathEncoding, PathNormalization, SigningRules,
    encode::{Slash, Text, encode_again, encode_once, is_plain_path},
};
use auth_core::scan::all;
use smallvec::SmallVec;

/// Appends the canonical form of a path; an empty one is `/`.
pub(super) fn write(path: &[u8], rules: SigningRules, out: &mut Text) {
    let encode = |segment: &[u8], out: &mut Text| match rules.encoding {
        PathEncoding::Once => encode_once(segment, Slash::Stands, out),
        PathEncoding::Twice => encode_again(segment, out),
    };
    if !is_folded(path, rules) {
        let path = if path.is_empty() { b"/" } else { path };
        return encode(path, out);
    }
    let mut segments: SmallVec<[&[u8]; 32]> = SmallVec::new();
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    for segment in &segments {
        out.push(b'/');
        encode(segment, out);
    }
    // What ends in a slash, or in dots that stand for a folder, ends in one.
    if segments.is_empty()
        || path.ends_with(b"/")
        || path.ends_with(b"/.")
        || path.ends_with(b"/..")
    {
        out.push(b'/');
    }
}

/// Do these rules take something out of the path, so that other paths have the same signature?
pub(crate) fn is_folded(path: &[u8], rules: SigningRules) -> bool {
    if rules.normalization == PathNormalization::Off || path.is_empty() {
        return false;
    }
    let Some(path) = path.strip_prefix(b"/") else { return true };
    // Most paths have neither two slashes nor a slash and a dot, so segments are seldom looked at one by one.
    let (mut odd, mut behind_slash) = (false, true);
    for byte in path {
        odd |= behind_slash & ((*byte == b'/') | (*byte == b'.'));
        behind_slash = *byte == b'/';
    }
    if !odd {
        return false;
    }
    let mut segments = path.split(|byte| *byte == b'/').rev();
    // A slash at the end stays.
    let last = segments.next().unwrap_or_default();
    is_dots(last) || segments.any(|segment| segment.is_empty() || is_dots(segment))
}

/// Is there a backslash? Servers that read URLs as browsers do take it for a slash; no URI has one (RFC 3986).
pub(crate) fn has_backslash(path: &[u8]) -> bool {
    !all(path, |byte| byte != b'\\')
}

fn is_dots(segment: &[u8]) -> bool {
    matches!(segment, b"." | b"..")
}

/// The path as it is signed, where the request has it in another encoding and the receiver may take it as it stands; `None`
/// where it is to be sent as it is.
///
/// A segment that would become one of dots stays as it is: clients and proxies walk dots.
pub(crate) fn encoded_path(path: &[u8], rules: SigningRules) -> Option<String> {
    if rules.encoding == PathEncoding::Twice || is_plain_path(path) {
        return None;
    }
    let mut encoded = Text::new();
    encode_once(path, Slash::Stands, &mut encoded);
    let pairs = || path.split(|byte| *byte == b'/').zip(encoded.split(|byte| *byte == b'/'));
    let differs = *encoded != *path && !pairs().any(|(own, new)| is_dots(new) && own != new);
    if differs { String::from_utf8(encoded.into_vec()).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AwsService;

    #[track_caller]
    fn check(path: &str, s3: &str, other: &str) {
        for (service, expected) in [("s3", s3), ("iam", other)] {
            let mut out = Text::new();
            write(path.as_bytes(), AwsService::named(service).rules(), &mut out);
            assert_eq!(std::str::from_utf8(&out).unwrap(), expected, "{service}");
        }
    }

    #[test]
    fn s3_takes_names_as_they_are_and_others_walk_folders() {
        check("", "/", "/");
        check("/", "/", "/");
        check("//", "//", "/");
        check("/a/./b", "/a/./b", "/a/b");
        check("/a/../../b", "/a/../../b", "/b");
        check("/a/..", "/a/..", "/");
        check("/a/b/..", "/a/b/..", "/a/");
        check("/a/.", "/a/.", "/a/");
        check("/a//b/", "/a//b/", "/a/b/");
        check("/.hidden", "/.hidden", "/.hidden");
        check("/a%2Fb", "/a%2Fb", "/a%252Fb");
        check("/a%2fb c(d)", "/a%2Fb%20c%28d%29", "/a%252fb%20c%28d%29");
        check("/%41", "/A", "/%2541");
        check("a/b", "a/b", "/a/b");
    }

    #[track_caller]
    fn check_folded(path: &str, expected: bool) {
        assert_eq!(is_folded(path.as_bytes(), AwsService::Sns.rules()), expected, "{path}");
        assert!(!is_folded(path.as_bytes(), AwsService::S3.rules()), "{path}");
    }

    #[test]
    fn what_is_folded_has_an_empty_segment_or_one_of_dots() {
        for plain in ["", "/", "/a", "/a/", "/.a", "/a/.b/..c/...", "/a.", "/a../b", "/%2e%2e/a"] {
            check_folded(plain, false);
        }
        for odd in
            ["//", "//a", "/a//", "/a//b", "/.", "/..", "/./a", "/a/.", "/a/..", "/a/../b", "*"]
        {
            check_folded(odd, true);
        }
    }

    #[track_caller]
    fn check_encoded(path: &str, expected: Option<&str>) {
        let encoded = encoded_path(path.as_bytes(), AwsService::S3.rules());
        assert_eq!(encoded.as_deref(), expected, "{path}");
        assert_eq!(encoded_path(path.as_bytes(), AwsService::Sns.rules()), None, "{path}");
    }

    #[test]
    fn a_path_is_sent_as_s3_has_it_signed() {
        check_encoded("/a(1)!*:@=+&'$,;", Some("/a%281%29%21%2A%3A%40%3D%2B%26%27%24%2C%3B"));
        check_encoded("/%7ea%2fb", Some("/~a%2Fb"));
        check_encoded("/100%", Some("/100%25"));
        for same in ["", "/", "/a-b._~/c", "/a%2Fb", "//a/../b", "/a/%2E%2E/b", "/%2e/(", "/a/.%2e"]
        {
            check_encoded(same, None);
        }
    }
}
