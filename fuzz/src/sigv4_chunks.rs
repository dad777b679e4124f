//! Any bytes as a payload in chunks: nothing unsigned comes to its end.

use auth_core::{ReleasedBytes, RequestView, Timestamp, Verifier as _};
use auth_sigv4::{
    AccessKey, AccessKeys, AwsService, Checksum, Payload, RawRequest, SigV4Policy, SigV4Signer,
    SigV4Verifier, Trailer,
};
use http::{HeaderMap, HeaderValue, Method, Uri, header::HOST};

const NOW: Timestamp = Timestamp::from_unix(1_440_938_160);
const CONTENT: &[u8] = b"content";

/// The good wire, changed as the input says: the first bytes choose the form and a place, the rest is put there.
pub fn sigv4_chunks(data: &[u8]) {
    let (form, at, pieces, instead) = match data {
        [form, at, pieces, instead @ ..] => (*form, usize::from(*at), *pieces, instead),
        _ => return,
    };
    let trailer = match form % 4 {
        0 => Trailer::None,
        1 => Trailer::Signed(Checksum::Crc32),
        2 => Trailer::Signed(Checksum::Sha256),
        _ => Trailer::Unsigned(Checksum::Crc32c),
    };
    let key = || AccessKey::new("AKID", "secret").expect("a key");
    let signer = SigV4Signer::new(key(), "eu-west-1", AwsService::S3).expect("a signer");
    let request = RawRequest {
        method: "PUT",
        target: b"/k",
        headers: &[("host", b"a.example")],
        payload: Payload::Streamed,
    };
    let mut stream = signer.sign_stream(&request, NOW, 7, trailer).expect("signed");
    let mut good = stream.chunks.update(CONTENT);
    good.extend(stream.chunks.finish());
    let mut headers = HeaderMap::from_iter(stream.fields);
    headers.insert(HOST, HeaderValue::from_static("a.example"));
    let mut wire = good.clone();
    let start = at.min(wire.len());
    let end = (start + instead.len()).min(wire.len());
    wire.splice(start..end, instead.iter().copied());
    let policy = SigV4Policy::new(AwsService::S3, "eu-west-1").expect("a policy");
    let policy = policy.allowing_unsigned_payload();
    let keys = AccessKeys::new([(key(), ())]);
    let verifier = SigV4Verifier::new(policy, keys, NOW);
    let uri = Uri::from_static("https://a.example/k");
    let view = RequestView::new(&Method::PUT, &uri, &headers);
    let mut accepted = verifier.verify(view).wait().expect("told").expect("the head is good");
    let mut check = accepted.take_obligations().body.expect("a check");
    let mut content = Vec::new();
    for piece in wire.chunks(usize::from(pieces).max(1)) {
        match check.update(piece) {
            Ok(ReleasedBytes::AsIs) => content.extend_from_slice(piece),
            Ok(ReleasedBytes::Instead(passed)) => content.extend(passed),
            Err(_) => {
                assert_ne!(wire, good, "the good wire was refused");
                return;
            }
        }
    }
    let whole = check.finish(None).is_ok();
    assert_eq!(whole, content == CONTENT && whole, "other content came to its end");
    assert!(whole || wire != good, "the good wire has no end");
}
