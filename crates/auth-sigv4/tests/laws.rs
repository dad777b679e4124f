//! Laws for any request: what was signed verifies, and a flipped bit anywhere in the signature does not.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::unreachable)]

use auth_core::{Authenticator, Body, RequestView, Timestamp, Verifier as _};
use auth_sigv4::{
    AccessKey, AccessKeys, AwsService, Payload, RawRequest, SigV4, SigV4Policy, SigV4Signer,
    SigV4Verifier,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use proptest::{collection::vec, prelude::*};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_unix(1_440_938_160);

fn service() -> impl Strategy<Value = AwsService> {
    prop::sample::select(vec![AwsService::S3, AwsService::ExecuteApi, AwsService::named("hooks")])
}

/// Targets as `http` takes them: any visible ASCII that it does not refuse, dots, slashes and escapes galore.
fn target() -> impl Strategy<Value = String> {
    let part = "([a-zA-Z0-9._~!$&'()*+,;=:@/-]|%[0-9a-fA-F]{2}|/\\./|//|/\\.\\./){0,24}";
    (part, prop::option::of("([a-zA-Z0-9._~!$'()*+,;:@/?&=-]|%[0-9a-fA-F]{2}){0,32}")).prop_map(
        |(path, query)| match query {
            Some(query) => format!("/{path}?{query}"),
            None => format!("/{path}"),
        },
    )
}

fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    vec(("x-[a-z0-9-]{1,12}", "[ -~]{0,24}"), 0..6)
}

/// Targets of few parts that are spelt in many ways, so that two of them often have one signature.
fn spelling() -> impl Strategy<Value = String> {
    let path = "([ab/.+%]|%61|%2[efEF]|%2B|%25|/\\.\\./|//){0,5}";
    let query = "([ab=&+%]|%61|%2B|%20|%26|%3D|%25){0,6}";
    (path, query).prop_map(|(path, query)| format!("/{path}?{query}"))
}

/// A name and its value.
type Parameter = (Vec<u8>, Vec<u8>);

/// What a handler makes of a target: the names in its path, decoded, and the parameters of its form in any order.
fn reading(target: &str) -> (Vec<Vec<u8>>, Vec<Parameter>) {
    fn decoded(text: &str, plus: u8) -> Vec<u8> {
        let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
        while let Some((byte, tail)) = rest.split_first() {
            let escape = tail.get(..2).filter(|_| *byte == b'%');
            let escape = escape.and_then(|digits| std::str::from_utf8(digits).ok());
            match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                Some(value) if tail[0] != b'+' => {
                    bytes.push(value);
                    rest = &tail[2..];
                }
                _ => {
                    bytes.push(if *byte == b'+' { plus } else { *byte });
                    rest = tail;
                }
            }
        }
        bytes
    }
    let (path, query) = target.split_once('?').unwrap();
    let path = path.split('/').map(|name| decoded(name, b'+')).collect();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut pairs: Vec<_> =
        pairs.map(|(name, value)| (decoded(name, b' '), decoded(value, b' '))).collect();
    pairs.sort();
    (path, pairs)
}

proptest! {
    /// Two targets that have one signature, and are both taken by default, are read as the same by any handler.
    #[test]
    fn one_signature_has_one_reading(
        service in service(),
        one in spelling(),
        others in vec(spelling(), 20),
    ) {
        let signer = SigV4Signer::new(AccessKey::new("AKID", "secret").unwrap(), "eu-west-1", service);
        let signer = signer.unwrap();
        let signature = |target: &str| {
            let (target, headers) = (target.as_bytes(), &[("host", &b"a.example"[..])][..]);
            let payload = Payload::Bytes(b"");
            let request = RawRequest { method: "GET", target, headers, payload };
            signer.sign(&request, NOW).ok().map(|signed| signed.authorization)
        };
        // Beside unrelated ones, those that are the same but for one spelling.
        let respelt = [("a", "%61"), ("%2B", "+"), ("%20", "+"), ("%25", "%"), ("&", "&&"), ("/", "//")];
        let respelt = respelt.map(|(from, to)| one.replacen(from, to, 1));
        if let Some(signed) = signature(&one) {
            for other in others.iter().chain(&respelt) {
                if signature(other).as_ref() == Some(&signed) {
                    prop_assert_eq!(reading(&one), reading(other), "{} and {}", one, other);
                }
            }
        }
    }

    /// Whatever our signer signs by default, in a field or in a URL, our verifier accepts by default.
    #[test]
    fn what_is_signed_is_never_ambiguous(
        service in service(),
        method in prop::sample::select(vec![Method::GET, Method::PUT, Method::DELETE]),
        target in target(),
        plus in any::<bool>(),
    ) {
        let target = if plus { format!("{target}?a+b=c+d") } else { target };
        let Ok(uri) = format!("https://a.example{target}").parse::<Uri>() else { return Ok(()) };
        let key = || AccessKey::new("AKID", "secret").unwrap();
        let signer = SigV4::new(key(), "eu-west-1", service.clone(), NOW).unwrap();
        let policy = SigV4Policy::new(service, "eu-west-1").unwrap();
        let policy = policy.allowing_presigned().allowing_unsigned_payload();
        let verifier = SigV4Verifier::new(policy, AccessKeys::new([(key(), ())]), NOW);
        let headers = HeaderMap::new();
        let view = RequestView::new(&method, &uri, &headers).with_body(Body::Bytes(b""));
        let code = |uri: &Uri, headers: &HeaderMap| {
            let view = RequestView::new(&method, uri, headers).with_body(Body::Bytes(b""));
            verifier.verify(view).wait().unwrap().err().map(|refused| refused.reason().code)
        };
        let made = signer.credentials(view).wait();
        let url = signer.presign(view, Duration::from_secs(60)).wait();
        prop_assert_eq!(made.is_ok(), url.is_ok());
        let (Ok(made), Ok(url)) = (made, url) else {
            // What is refused here is what the verifier would refuse.
            let signer = signer.allowing_ambiguous_targets();
            let (mut sent, mut fields) = (uri.clone(), headers.clone());
            signer.credentials(view).wait().unwrap().commit(&mut sent, &mut fields).unwrap();
            prop_assert_eq!(code(&sent, &fields), Some("sigv4_ambiguous_target"));
            return Ok(());
        };
        let (mut sent, mut fields) = (uri.clone(), headers.clone());
        made.commit(&mut sent, &mut fields).unwrap();
        prop_assert_eq!(code(&sent, &fields), None);
        let url: Uri = format!("https://a.example{url}").parse().unwrap();
        prop_assert_eq!(code(&url, &headers), None);
    }

    #[test]
    fn what_is_signed_verifies(
        service in service(),
        method in prop::sample::select(vec![Method::GET, Method::PUT, Method::POST, Method::DELETE]),
        target in target(),
        fields in fields(),
        body in vec(any::<u8>(), 0..64),
        bit in 0..256_usize,
    ) {
        let Ok(uri) = format!("https://a.example{target}").parse::<Uri>() else { return Ok(()) };
        let mut headers = HeaderMap::new();
        for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with("x-amz")) {
            let name = HeaderName::try_from(name).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let key = || AccessKey::new("AKID", "secret").unwrap();
        let signer = SigV4::new(key(), "eu-west-1", service.clone(), NOW).unwrap();
        let signer = signer.allowing_ambiguous_targets();
        let keys = AccessKeys::new([(key(), ())]);
        let policy = SigV4Policy::new(service, "eu-west-1").unwrap().allowing_ambiguous_targets();
        let verifier = SigV4Verifier::new(policy, keys, NOW);
        let mut sent = uri.clone();
        let view = RequestView::new(&method, &uri, &headers).with_body(Body::Bytes(&body));
        let credentials = signer.credentials(view).wait().unwrap();
        let mut headers = headers.clone();
        credentials.commit(&mut sent, &mut headers).unwrap();
        let code = |headers: &HeaderMap| {
            let view = RequestView::new(&method, &sent, headers).with_body(Body::Bytes(&body));
            verifier.verify(view).wait().unwrap().err().map(|refused| refused.reason().code)
        };
        prop_assert_eq!(code(&headers), None);
        let mut authorization = headers["authorization"].as_bytes().to_vec();
        let digit = authorization.len() - 64 + bit / 4;
        let value = char::from(authorization[digit]).to_digit(16).unwrap() ^ (1 << (bit % 4));
        authorization[digit] = u8::try_from(char::from_digit(value, 16).unwrap()).unwrap();
        headers.insert("authorization", HeaderValue::from_bytes(&authorization).unwrap());
        prop_assert_eq!(code(&headers), Some("sigv4_signature"));
    }

    /// Whatever is in the field, it is refused with a reason.
    #[test]
    fn no_authorization_panics(field in "AWS4-HMAC-SHA256 [ -~]{0,200}", query in "[ -~]{0,100}") {
        let key = AccessKey::new("AKID", "secret").unwrap();
        let keys = AccessKeys::new([(key, ())]);
        let policy = SigV4Policy::new(AwsService::S3, "eu-west-1").unwrap().allowing_presigned();
        let verifier = SigV4Verifier::new(policy, keys, NOW);
        let uri = format!("https://a.example/?{query}").parse::<Uri>().unwrap_or_default();
        let headers = HeaderMap::from_iter([
            (http::header::AUTHORIZATION, HeaderValue::from_str(&field).unwrap()),
            (HeaderName::from_static("x-amz-date"), HeaderValue::from_static("20150830T123600Z")),
        ]);
        let view = RequestView::new(&Method::GET, &uri, &headers);
        prop_assert!(verifier.verify(view).wait().unwrap().is_err());
    }
}
