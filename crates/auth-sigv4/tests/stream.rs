//! Payloads in chunks: the example of the AWS documentation, and whatever else is sent, there and back.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::unreachable)]

use auth_core::{CheckedContent, ReleasedBytes, RequestView, Verifier as _};
use auth_sigv4::{
    AccessKey, AccessKeys, AmzDate, AwsService, Checksum, ChunkSigner, Payload, RawRequest, SigV4,
    SigV4Policy, SigV4Signer, SigV4Verifier, SignedStream, Trailer,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::HOST};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const DATE: &str = "20130524T000000Z";
const TARGET: &str = "/examplebucket/chunkObject.txt";

fn key() -> AccessKey {
    AccessKey::new("AKIAIOSFODNN7EXAMPLE", SECRET).unwrap()
}

/// An upload of so many bytes with these fields of its own, beside `host`.
fn begin(own: &[(&str, &[u8])], length: u64, trailer: Trailer) -> auth_core::Result<SignedStream> {
    let signer = SigV4Signer::new(key(), "us-east-1", AwsService::S3).unwrap();
    let headers = [&[("host", &b"s3.amazonaws.com"[..])], own].concat();
    let request = RawRequest {
        method: "PUT",
        target: TARGET.as_bytes(),
        headers: &headers,
        payload: Payload::Streamed,
    };
    signer.sign_stream(&request, AmzDate::parse(DATE).unwrap().timestamp(), length, trailer)
}

const CLASS: (&str, &[u8]) = ("x-amz-storage-class", b"REDUCED_REDUNDANCY");

/// The head that is sent, and the payload as it is framed.
fn send(content: &[u8], trailer: Trailer, piece: usize) -> (HeaderMap, Vec<u8>) {
    let length = u64::try_from(content.len()).unwrap();
    let mut stream = begin(&[CLASS], length, trailer).unwrap();
    let mut headers = HeaderMap::from_iter(stream.fields);
    headers.insert(HOST, HeaderValue::from_static("s3.amazonaws.com"));
    let class = HeaderName::from_static("x-amz-storage-class");
    headers.insert(class, HeaderValue::from_static("REDUCED_REDUNDANCY"));
    let mut wire = Vec::new();
    content.chunks(piece).for_each(|piece| wire.extend(stream.chunks.update(piece)));
    wire.extend(stream.chunks.finish());
    assert_eq!(headers["content-length"], wire.len().to_string().as_str());
    assert_eq!(ChunkSigner::framed_length(length, trailer), u64::try_from(wire.len()).unwrap());
    (headers, wire)
}

fn announced(headers: &HeaderMap) -> u64 {
    headers["x-amz-decoded-content-length"].to_str().unwrap().parse().unwrap()
}

/// The content that a handler gets, and the code when it does not get the end.
fn receive(headers: &HeaderMap, wire: &[u8], piece: usize) -> (Vec<u8>, Option<&'static str>) {
    let keys = AccessKeys::new([(key(), "acme")]);
    let policy = SigV4Policy::new(AwsService::S3, "us-east-1").unwrap().allowing_unsigned_payload();
    let now = AmzDate::parse(DATE).unwrap().timestamp();
    let verifier = SigV4Verifier::new(policy, keys, now);
    let uri = Uri::from_static(TARGET);
    let view = RequestView::new(&Method::PUT, &uri, headers);
    let mut accepted = match verifier.verify(view).wait().unwrap() {
        Ok(accepted) => accepted,
        Err(rejection) => return (Vec::new(), Some(rejection.reason().code)),
    };
    let (mut check, mut content) = (accepted.take_obligations().body.unwrap(), Vec::new());
    let mut seen = headers.clone();
    check.unframe(&mut seen);
    assert_eq!(check.content(), CheckedContent::Replaced { length: Some(announced(headers)) });
    assert!(!seen.contains_key("x-amz-decoded-content-length"), "{seen:?}");
    assert!(!seen.contains_key("content-encoding"), "{seen:?}");
    for piece in wire.chunks(piece) {
        match check.update(piece) {
            Ok(ReleasedBytes::AsIs) => content.extend_from_slice(piece),
            Ok(ReleasedBytes::Instead(passed)) => content.extend(passed),
            Err(rejection) => return (content, Some(rejection.reason().code)),
        }
    }
    let code = check.finish(None).err().map(|rejection| rejection.reason().code);
    (content, code)
}

/// What a stream sets under two names, for a request that has these fields of its own.
#[track_caller]
fn check_own(own: &[(&str, &[u8])], expected: Result<[&str; 2], &str>) {
    let set = begin(own, 5, Trailer::Signed(Checksum::Crc32)).map(|stream| {
        let (names, fields) = (stream.fields.len(), HeaderMap::from_iter(stream.fields));
        assert_eq!(fields.len(), names, "each name is set once");
        ["content-encoding", "content-length"].map(|name| fields[name].to_str().unwrap().to_owned())
    });
    match expected {
        Ok(expected) => assert_eq!(set.unwrap(), expected),
        Err(code) => assert_eq!(set.unwrap_err().code(), code),
    }
}

#[test]
fn what_a_request_was_encoded_with_stays_behind_the_chunks() {
    let framed = "298";
    check_own(&[], Ok(["aws-chunked", framed]));
    check_own(&[("Content-Encoding", b"gzip")], Ok(["aws-chunked,gzip", framed]));
    let two: [(&str, &[u8]); 2] = [("content-encoding", b"br"), ("content-encoding", b"gzip")];
    check_own(&two, Ok(["aws-chunked,br,gzip", framed]));
    check_own(&[("Content-Length", b"5")], Ok(["aws-chunked", framed]));
    check_own(&[("X-Amz-Decoded-Content-Length", b"5")], Err("sigv4_field_taken"));
    check_own(&[("x-amz-trailer", b"x-amz-checksum-crc32")], Err("sigv4_field_taken"));
    check_own(&[("content-encoding", b"a\nb")], Err("sigv4_field"));
}

/// "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks".
#[test]
fn signs_the_example_of_the_documentation() {
    let content = vec![b'a'; 65 * 1024];
    let (headers, wire) = send(&content, Trailer::None, 1000);
    let authorization = headers["authorization"].to_str().unwrap();
    let seed = "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    assert!(authorization.ends_with(seed), "{authorization}");
    assert_eq!(headers["content-length"], "66824");
    let text = String::from_utf8(wire.clone()).unwrap();
    for head in [
        "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n",
        "400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n",
        "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
    ] {
        assert!(text.contains(head), "{head}");
    }
    assert_eq!(receive(&headers, &wire, 4096), (content, None));
}

const TRAILERS: [Trailer; 5] = [
    Trailer::None,
    Trailer::Signed(Checksum::Crc32c),
    Trailer::Signed(Checksum::Sha256),
    Trailer::Unsigned(Checksum::Crc32),
    Trailer::Unsigned(Checksum::Crc64Nvme),
];

#[test]
fn what_is_framed_arrives_in_pieces_of_any_size() {
    for trailer in TRAILERS {
        for length in [0, 1, 65_535, 65_536, 65_537, 200_000] {
            let content: Vec<u8> = (0..length).map(|n: u32| n.to_le_bytes()[0]).collect();
            for piece in [1, 7, 1000, 100_000] {
                let (headers, wire) = send(&content, trailer, piece.max(7));
                let (got, code) = receive(&headers, &wire, piece);
                assert_eq!(code, None, "{trailer:?} {length} {piece}");
                assert!(got == content);
            }
        }
    }
}

/// Each byte of the wire changed, taken out, or the rest cut off: the handler never sees the end.
#[test]
fn whatever_is_changed_on_its_way_has_no_end() {
    for trailer in TRAILERS {
        let (headers, wire) = send(b"some content", trailer, 5);
        assert_eq!(receive(&headers, &wire, 3).1, None);
        for at in 0..wire.len() {
            let mut changed = wire.clone();
            changed[at] ^= 1;
            assert_ne!(receive(&headers, &changed, 64).1, None, "{trailer:?} {at} changed");
            let mut shorter = wire.clone();
            shorter.remove(at);
            assert_ne!(receive(&headers, &shorter, 64).1, None, "{trailer:?} {at} taken out");
            assert_ne!(receive(&headers, &wire[..at], 64).1, None, "{trailer:?} cut at {at}");
        }
        let mut longer = wire.clone();
        longer.push(b'x');
        assert_ne!(receive(&headers, &longer, 64).1, None, "{trailer:?} goes on");
    }
}

#[test]
fn says_what_was_wrong_with_a_chunk() {
    let (headers, wire) = send(b"some content", Trailer::Signed(Checksum::Crc32), 5);
    let text = String::from_utf8(wire).unwrap();
    let code = |from: &str, to: &str| {
        assert!(text.contains(from));
        receive(&headers, text.replace(from, to).as_bytes(), 7).1
    };
    assert_eq!(code("some content", "some CONTENT"), Some("sigv4_chunk_signature"));
    assert_eq!(code("c;chunk", "d;chunk"), Some("sigv4_chunk_length"));
    assert_eq!(code("c;chunk", "+c;chunk"), Some("sigv4_chunk"));
    assert_eq!(code("x-amz-checksum-crc32:", "x-amz-checksum-sha1:"), Some("sigv4_trailer"));
    assert_eq!(code("x-amz-checksum-crc32:", "x-amz-checksum-crc32:A"), Some("sigv4_checksum"));
    assert_eq!(code("x-amz-trailer-signature", "x-amz-trailer-signed"), Some("sigv4_trailer"));
    assert_eq!(code("trailer-signature:", "trailer-signature:0"), Some("sigv4_trailer_signature"));
    let long = format!("0;{}", "a".repeat(200));
    assert_eq!(receive(&headers, long.as_bytes(), 7).1, Some("sigv4_chunk"));
}

#[test]
fn a_trailer_that_was_announced_has_to_come() {
    for (trailer, lines) in [
        (Trailer::Signed(Checksum::Crc32), 2),
        (Trailer::Signed(Checksum::Crc32), 1),
        (Trailer::Unsigned(Checksum::Crc32), 1),
    ] {
        let (headers, wire) = send(b"some content", trailer, 5);
        let text = String::from_utf8(wire).unwrap();
        let mut kept: Vec<&str> = text.split("\r\n").collect();
        // Behind the last line there is the empty one that ends it all.
        let end = kept.len() - 2;
        kept.drain(end - lines..end);
        let got = receive(&headers, kept.join("\r\n").as_bytes(), 64);
        assert_eq!(got.1, Some("sigv4_trailer"), "{trailer:?} without {lines}");
    }
}

/// All that came is signed, and yet it is not all that was announced.
#[test]
fn a_stream_that_ends_before_its_length_is_refused() {
    for trailer in TRAILERS {
        let (headers, _) = send(b"some content and more", trailer, 5);
        let mut stream = begin(&[CLASS], 21, trailer).unwrap();
        let mut wire = stream.chunks.update(b"some content");
        wire.extend(stream.chunks.finish());
        assert_eq!(receive(&headers, &wire, 64).1, Some("sigv4_chunk_length"), "{trailer:?}");
    }
}

/// A line behind the last chunk is kept until it ends, so its length is bounded.
#[test]
fn a_trailer_that_does_not_end_is_refused_at_its_bound() {
    for trailer in [Trailer::Signed(Checksum::Crc32), Trailer::Unsigned(Checksum::Crc32)] {
        let (headers, wire) = send(b"some content", trailer, 5);
        let text = String::from_utf8(wire).unwrap();
        let (head, rest) = text.split_at(text.find("x-amz-checksum-crc32:").unwrap());
        for (length, code) in [(1024, "sigv4_checksum"), (1025, "sigv4_chunk")] {
            // With its line end.
            let name = "x-amz-checksum-crc32:";
            let line = format!("{name}{}\r\n", "A".repeat(length - name.len() - 2));
            let wire = format!("{head}{line}{rest}");
            for piece in [1, 64, 4096] {
                assert_eq!(receive(&headers, wire.as_bytes(), piece).1, Some(code), "{length}");
            }
        }
        let endless = format!("{head}{}", "A".repeat(1025));
        assert_eq!(receive(&headers, endless.as_bytes(), 1).1, Some("sigv4_chunk"));
    }
}

/// The handler is shown another content coding than the one that came, so it must be the one that was signed.
#[test]
fn a_content_coding_beside_chunks_is_signed() {
    let (mut headers, wire) = send(b"some content", Trailer::None, 5);
    assert_eq!(receive(&headers, &wire, 64).1, None);
    let authorization = headers["authorization"].to_str().unwrap().replace("content-encoding;", "");
    headers.insert("authorization", HeaderValue::from_str(&authorization).unwrap());
    assert_eq!(receive(&headers, &wire, 64).1, Some("sigv4_not_signed"));
    headers.remove("content-encoding");
    assert_eq!(receive(&headers, &wire, 64).1, Some("sigv4_signature"));
}

#[test]
fn each_day_has_its_own_chain_and_each_path_its_encoding() {
    let signer = || SigV4Signer::new(key(), "us-east-1", AwsService::S3).unwrap();
    let framed = |signer: &SigV4Signer, day: u64| {
        let request = RawRequest {
            method: "PUT",
            target: b"/k(1)",
            headers: &[("host", b"s3.amazonaws.com")],
            payload: Payload::Streamed,
        };
        let now = AmzDate::parse(DATE).unwrap().timestamp();
        let now = now.after(std::time::Duration::from_secs(day * 24 * 3600));
        let stream = signer.sign_stream(&request, now, 0, Trailer::None).unwrap();
        assert_eq!(stream.path.as_deref(), Some("/k%281%29"));
        stream.chunks.finish()
    };
    let kept = signer();
    for day in [0, 1, 1, 0, 400] {
        assert_eq!(framed(&kept, day), framed(&signer(), day), "{day}");
    }
    assert_ne!(framed(&kept, 0), framed(&kept, 1));
}

/// The authenticator begins the same stream as its signer, and signs what arrives as it was sent.
#[test]
fn an_authenticator_begins_the_stream_of_its_signer() {
    let now = AmzDate::parse(DATE).unwrap().timestamp();
    let sigv4 = SigV4::new(key(), "us-east-1", AwsService::S3, now).unwrap();
    let uri: Uri = format!("https://s3.amazonaws.com{TARGET}").parse().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-storage-class", HeaderValue::from_static("REDUCED_REDUNDANCY"));
    headers.insert("user-agent", HeaderValue::from_static("not signed"));
    let view = RequestView::new(&Method::PUT, &uri, &headers);
    for trailer in TRAILERS {
        let begun = sigv4.sign_stream(view, 12, trailer).wait().unwrap();
        let expected = begin(&[CLASS], 12, trailer).unwrap();
        assert_eq!(begun.fields, expected.fields, "{trailer:?}");
        let (mut begun, mut expected) = (begun.chunks, expected.chunks);
        assert_eq!(begun.update(b"some content"), expected.update(b"some content"));
        assert_eq!(begun.finish(), expected.finish());
    }
}
