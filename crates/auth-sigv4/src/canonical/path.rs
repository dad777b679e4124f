//! The canonical path.

use crate::{
    PathEncoding, PathNormalization, SigningRules,
    encode::{Slash, Text, encode_again, encode_once},
};
use smallvec::SmallVec;

/// Appends the canonical form of a path; an empty one is `/`.
pub(super) fn write(path: &[u8], rules: SigningRules, out: &mut Text) {
    let encode = |segment: &[u8], out: &mut Text| match rules.encoding {
        PathEncoding::Once => encode_once(segment, Slash::Stands, out),
        PathEncoding::Twice => encode_again(segment, out),
    };
    if rules.normalization == PathNormalization::Off || is_normal(path) {
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

/// Is there nothing to take out?
fn is_normal(path: &[u8]) -> bool {
    let odd = |pair: &[u8]| matches!(pair, [b'/', b'/' | b'.']);
    path.first() == Some(&b'/') && !path.windows(2).any(odd)
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
}
