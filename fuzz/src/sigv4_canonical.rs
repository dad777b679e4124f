//! The canonical request of anything: what the official suite shows in examples, for all.

use auth_sigv4::{
    AwsService, PathEncoding, PathNormalization, Payload, RawRequest, SigningRules,
    canonical_request,
};

/// Lines are where they belong, parameters and names are sorted, and everything is encoded in one way; a canonical query
/// is its own canonical form.
pub fn sigv4_canonical(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let (target, name, value) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let name = std::str::from_utf8(name).ok().filter(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    let headers: [(&str, &[u8]); 2] = [("Host", b"a"), (name.unwrap_or("x-any"), value)];
    for (encoding, normalization) in
        [(PathEncoding::Once, PathNormalization::Off), (PathEncoding::Twice, PathNormalization::On)]
    {
        let rules = SigningRules { encoding, normalization, ..AwsService::S3.rules() };
        let of = |target: &[u8]| {
            let request =
                RawRequest { method: "GET", target, headers: &headers, payload: Payload::Unsigned };
            canonical_request(&request, rules)
        };
        let text = of(target);
        let mut lines = text.split(|byte| *byte == b'\n');
        assert_eq!(lines.next(), Some(&b"GET"[..]));
        let (path, query) = (lines.next().expect("a path"), lines.next().expect("a query"));
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%/".contains(byte);
        assert!(path.iter().all(plain), "path is not encoded");
        assert!(query.iter().all(|byte| *byte != b'/' && (plain(byte) || b"=&".contains(byte))));
        let pairs: Vec<(&[u8], &[u8])> = query
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_at(pair.iter().position(|byte| *byte == b'=').expect("a value")))
            .collect();
        assert!(pairs.is_sorted(), "parameters are not sorted");
        assert!(text.ends_with(b"\nUNSIGNED-PAYLOAD"), "payload is not last");
        // What is canonical stays so.
        let mut again = b"/?".to_vec();
        again.extend_from_slice(query);
        let again = of(&again);
        assert_eq!(again.split(|byte| *byte == b'\n').nth(2), Some(query), "query changes again");
    }
}
