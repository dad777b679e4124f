//! Payloads in chunks, with the key that is current.

use super::{SigV4, fields, host::host, target};
use crate::{Payload, RawRequest, SignedStream, Trailer};
use auth_core::{Flow, RequestView};
use smallvec::SmallVec;

impl SigV4 {
    /// Begins a request whose payload, of `length` bytes, is framed and signed as it is sent: S3 takes such uploads.
    ///
    /// The fields of the request are signed as by [`credentials`](auth_core::Authenticator::credentials), and the rest is
    /// as [`SigV4Signer::sign_stream`](crate::SigV4Signer::sign_stream) has it: set the fields that come back, send the
    /// path that comes back, and what the chunks give in place of the payload. No retry is made for it.
    ///
    /// # Errors
    ///
    /// Those of `SigV4Signer::sign_stream`, and those of the session.
    pub fn sign_stream<'a>(
        &'a self,
        request: RequestView<'a>,
        length: u64,
        trailer: Trailer,
    ) -> Flow<'a, SignedStream> {
        let (now, _) = self.now();
        self.keys.current().and_then(move |held| {
            let begun = self.with_signer(held, |signer| {
                let host = host(request)?;
                let mut headers: SmallVec<[(&str, &[u8]); 16]> = SmallVec::new();
                headers.push(("host", host.as_bytes()));
                headers.extend(fields::signed(request));
                let request = RawRequest {
                    method: request.method.as_str(),
                    target: target(request),
                    headers: &headers,
                    payload: Payload::Streamed,
                };
                signer.sign_stream(&request, now, length, trailer)
            });
            Flow::from(begun)
        })
    }
}
