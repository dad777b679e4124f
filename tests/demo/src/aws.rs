//! Calls that are signed for this very server: presigned URLs, and payloads in chunks.

use super::{
    accounts::{ACCESS_KEY, REGION, SECRET_KEY},
    callers::Callers,
    calls::{Call, Line, With},
    server::Running,
};
use auth_core::{Clock, Error, SystemClock};
use auth_sigv4::{AccessKey, AwsService, Checksum, Payload, RawRequest, SigV4Signer, Trailer};
use std::time::Duration;

/// Behind which path they are.
pub const PATH: &str = "/sigv4/s3";
const CONTENT: &[u8] = b"a payload that is framed, signed and checked as it arrives";

/// The calls, and how each went.
pub async fn run(callers: &Callers, server: &Running) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for call in all(&server.address.to_string()).map_err(|error| error.to_string())? {
        lines.extend(call.run(callers, server).await?);
    }
    Ok(lines)
}

fn all(host: &str) -> Result<Vec<Call>, Error> {
    let day = Duration::from_secs(24 * 60 * 60);
    let now = SystemClock.now();
    let url = |seconds, at| presigned(host, Duration::from_secs(seconds), at);
    let good = url(60, now)?;
    let longer = good.replace("X-Amz-Expires=60", "X-Amz-Expires=604800");
    Ok(vec![
        call("a presigned URL", With::Query(good), (200, "acme")),
        call("one made to last", With::Query(longer), (403, "sigv4_signature")),
        call(
            "one that has expired",
            With::Query(url(60, now.before(day))?),
            (403, "sigv4_url_expired"),
        ),
        call("a payload in chunks", streamed(host, Trailer::None, None)?, (200, "acme")),
        call(
            "chunks with a signed checksum",
            streamed(host, Trailer::Signed(Checksum::Crc32c), None)?,
            (200, "acme"),
        ),
        call(
            "a chunk changed on its way",
            streamed(host, Trailer::None, Some(("arrives", "ARRIVES")))?,
            (403, "sigv4_chunk_signature"),
        ),
        call(
            "a checksum that is wrong",
            streamed(host, Trailer::Signed(Checksum::Crc32c), Some(("crc32c:", "crc32c:A")))?,
            (403, "sigv4_checksum"),
        ),
        call(
            "the last chunk left out, and the length",
            streamed(host, Trailer::None, Some(("0;chunk", "")))?,
            (403, "sigv4_signature"),
        ),
    ])
}

fn call(sent: &'static str, with: With, (status, verdict): (u16, &'static str)) -> Call {
    Call { path: PATH, sent, with, expected: (status, ""), verdict }
}

fn signer() -> Result<SigV4Signer, Error> {
    SigV4Signer::new(AccessKey::new(ACCESS_KEY, SECRET_KEY)?, REGION, AwsService::S3)
}

fn presigned(host: &str, expires: Duration, now: auth_core::Timestamp) -> Result<String, Error> {
    let request = RawRequest {
        method: "GET",
        target: PATH.as_bytes(),
        headers: &[("host", host.as_bytes())],
        payload: Payload::Unsigned,
    };
    let target = signer()?.presign(&request, now, expires)?;
    Ok(target.split_once('?').map_or("", |(_, query)| query).to_owned())
}

/// An upload; perhaps with something changed after it was signed.
fn streamed(
    host: &str,
    trailer: Trailer,
    change: Option<(&'static str, &'static str)>,
) -> Result<With, Error> {
    let request = RawRequest {
        method: "PUT",
        target: PATH.as_bytes(),
        headers: &[("host", host.as_bytes())],
        payload: Payload::Streamed,
    };
    let length = u64::try_from(CONTENT.len()).unwrap_or(u64::MAX);
    let mut stream = signer()?.sign_stream(&request, SystemClock.now(), length, trailer)?;
    let mut wire = stream.chunks.update(CONTENT);
    wire.extend(stream.chunks.finish());
    let mut text = String::from_utf8_lossy(&wire).into_owned();
    if let Some((from, to)) = change {
        let start = text.find(from).unwrap_or_default();
        let end = if to.is_empty() { text.len() } else { start + from.len() };
        text.replace_range(start..end, to);
        // The length is signed, so only what is as long as before gets as far as its signature.
        text.truncate(wire.len());
    }
    let fields = stream.fields.into_iter().filter(|(name, _)| name != "content-length");
    Ok(With::Upload(fields.collect(), text.into_bytes()))
}
