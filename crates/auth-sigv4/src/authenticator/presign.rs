//! Presigned URLs, with the key that lasts as long.

use super::{SigV4, fields, host::host, target};
use crate::{Payload, PresignedPayload, RawRequest, signer::Urls};
use auth_core::{Flow, RequestView};
use smallvec::SmallVec;
use std::time::Duration;

impl SigV4 {
    /// The target of a presigned URL, path and query: anybody who is given the URL can use it for the time `expires`.
    ///
    /// All fields of the request are signed, and have to be sent with the URL as they are: for one that a browser or a
    /// plain client opens, give none. A temporary key that would end before is renewed first, unless URLs may outlive it.
    /// For S3, and by rules that say the same, the URL leaves the body unsigned; for others it has to be there,
    /// [`Body::Bytes`](auth_core::Body::Bytes) of nothing for a GET.
    ///
    /// # Errors
    ///
    /// Those of [`SigV4Signer::presign`](crate::SigV4Signer::presign), those of the session, and `Error::Config` when the
    /// request has a field that does not arrive as it is sent, such as `connection`.
    pub fn presign<'a>(&'a self, request: RequestView<'a>, expires: Duration) -> Flow<'a, String> {
        let (now, _) = self.now();
        let held = match self.settings.urls {
            Urls::WithinTheKey => self.keys.until(now.after(expires)),
            Urls::AsAsked => self.keys.current(),
        };
        held.and_then(move |held| {
            let presigned = self.with_signer(held, |signer| {
                let host = host(request)?;
                let mut headers: SmallVec<[(&str, &[u8]); 16]> = SmallVec::new();
                headers.push(("host", host.as_bytes()));
                headers.extend(fields::presigned(request)?);
                let payload = match self.settings.rules.presigned {
                    PresignedPayload::Unsigned => Payload::Unsigned,
                    PresignedPayload::Signed => self.payload(request.body)?,
                };
                let request = RawRequest {
                    method: request.method.as_str(),
                    target: target(request),
                    headers: &headers,
                    payload,
                };
                signer.presign(&request, now, expires)
            });
            Flow::from(presigned)
        })
    }
}
