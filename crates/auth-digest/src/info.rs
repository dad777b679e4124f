//! Authentication-Info: what a server tells a caller that it has authenticated (RFC 7616 section 3.5, RFC 7615).

use crate::{
    NonceCount, Qop,
    parameters::{self, DigestParameter, Fault, write_quoted},
};
use auth_core::{Error, Result};
use http::HeaderValue;
use std::{borrow::Cow, fmt};

/// What an `Authentication-Info` or `Proxy-Authentication-Info` field says; what is not known is passed over.
///
/// ```
/// use auth_digest::AuthenticationInfo;
/// let info = AuthenticationInfo::parse(br#"rspauth="01ab", cnonce="c", nc=00000001, qop=auth, nextnonce="n""#)?;
/// assert_eq!(info.rspauth.as_deref(), Some(&b"01ab"[..]));
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AuthenticationInfo<'a> {
    /// The nonce to use from now on.
    pub nextnonce: Option<Cow<'a, [u8]>>,
    /// What `rspauth` protects; that of the request when it is missing.
    pub qop: Option<Qop>,
    /// The proof that the server knows the password too.
    pub rspauth: Option<Cow<'a, [u8]>>,
    /// That of the request.
    pub cnonce: Option<Cow<'a, [u8]>>,
    /// That of the request.
    pub nc: Option<NonceCount>,
}

impl<'a> AuthenticationInfo<'a> {
    /// Reads the value of the field.
    ///
    /// # Errors
    ///
    /// `Error::Protocol` when it is not a list of parameters, or a known one cannot be what it says.
    pub fn parse(field: &'a [u8]) -> Result<Self> {
        let mut info = Self::default();
        let read = parameters::read(field, |name, value| {
            match name {
                DigestParameter::NextNonce => info.nextnonce = Some(value.bytes()),
                DigestParameter::Qop => {
                    info.qop = Some(Qop::named(value.raw()).ok_or(Fault::Syntax)?)
                }
                DigestParameter::RspAuth => info.rspauth = Some(value.bytes()),
                DigestParameter::Cnonce => info.cnonce = Some(value.bytes()),
                DigestParameter::Nc => {
                    info.nc = Some(NonceCount::read(value.raw()).ok_or(Fault::Syntax)?)
                }
                _ => {}
            }
            Ok::<_, Fault>(())
        });
        match read {
            Ok(()) => Ok(info),
            Err(_) => {
                let text = "authentication-info cannot be read (RFC 7616 section 3.5)";
                Err(Error::protocol("digest_info", text))
            }
        }
    }

    /// The value of the field; what is written reads the same again.
    ///
    /// # Errors
    ///
    /// `Error::Config` when a value is one that no field can hold.
    pub fn write(&self) -> Result<HeaderValue> {
        // Exactly as long as it gets, unless something is escaped: the field then keeps it as it is.
        let mut out = Vec::with_capacity(self.length());
        let mut next = |name: &str, value: &dyn Fn(&mut Vec<u8>)| {
            if !out.is_empty() {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(name.as_bytes());
            value(&mut out);
        };
        if let Some(rspauth) = &self.rspauth {
            next("rspauth=", &|out| write_quoted(rspauth, out));
        }
        if let Some(cnonce) = &self.cnonce {
            next("cnonce=", &|out| write_quoted(cnonce, out));
        }
        if let Some(nc) = self.nc {
            next("nc=", &|out| out.extend_from_slice(&nc.digits()));
        }
        if let Some(qop) = self.qop {
            next("qop=", &|out| out.extend_from_slice(qop.name().as_bytes()));
        }
        if let Some(nextnonce) = &self.nextnonce {
            next("nextnonce=", &|out| write_quoted(nextnonce, out));
        }
        HeaderValue::try_from(out).map_err(|error| Error::config("digest_info_unprintable", error))
    }
}

impl AuthenticationInfo<'_> {
    /// How many bytes [`write`](Self::write) writes, where nothing has to be escaped.
    fn length(&self) -> usize {
        let quoted = |value: &Option<Cow<'_, [u8]>>, around: &str| {
            value.as_ref().map_or(0, |value| value.len().saturating_add(around.len()))
        };
        let lengths = [
            quoted(&self.rspauth, r#"rspauth="", "#),
            quoted(&self.cnonce, r#"cnonce="", "#),
            self.nc.map_or(0, |_| "nc=00000000, ".len()),
            self.qop.map_or(0, |qop| qop.name().len().saturating_add("qop=, ".len())),
            quoted(&self.nextnonce, r#"nextnonce="", "#),
        ];
        let all = lengths.iter().fold(0_usize, |sum, length| sum.saturating_add(*length));
        all.saturating_sub(", ".len())
    }
}

/// Shows nothing: from an `rspauth` passwords can be guessed.
impl fmt::Debug for AuthenticationInfo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthenticationInfo(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn refused(field: &str) {
        assert_eq!(AuthenticationInfo::parse(field.as_bytes()).unwrap_err().code(), "digest_info");
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for field in
            ["rspauth", "nc=1", "qop=x", "qop=\"auth,auth-int\"", "rspauth=\"a\", rspauth=\"b\""]
        {
            refused(field);
        }
        assert_eq!(AuthenticationInfo::parse(b"").unwrap(), AuthenticationInfo::default());
        assert_eq!(AuthenticationInfo::parse(b"x=y").unwrap(), AuthenticationInfo::default());
    }

    /// As Apache and lighttpd write it.
    #[test]
    fn reads_what_servers_write() {
        let read =
            AuthenticationInfo::parse(b"rspauth=\"ab\", cnonce=\"c\", nc=0000000a, qop=auth");
        let expected = AuthenticationInfo {
            rspauth: Some(b"ab".into()),
            cnonce: Some(b"c".into()),
            nc: NonceCount::new(10),
            qop: Some(Qop::Auth),
            nextnonce: None,
        };
        assert_eq!(read.unwrap(), expected);
        let next = AuthenticationInfo::parse(b"nextnonce=\"n\"").unwrap();
        assert_eq!(next.nextnonce.as_deref(), Some(&b"n"[..]));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            rspauth in proptest::option::of("[0-9a-f]{0,64}"),
            cnonce in proptest::option::of("[ -~\u{e9}]{0,20}"),
            nextnonce in proptest::option::of("[ -~]{0,40}"),
            nc in 1_u32.., qop in proptest::sample::select(&[None, Some(Qop::Auth), Some(Qop::AuthInt)][..]),
        ) {
            let bytes = |text: String| Cow::Owned(text.into_bytes());
            let info = AuthenticationInfo {
                rspauth: rspauth.map(bytes),
                cnonce: cnonce.map(bytes),
                nextnonce: nextnonce.map(bytes),
                nc: NonceCount::new(nc),
                qop,
            };
            let written = info.write().unwrap();
            prop_assert_eq!(AuthenticationInfo::parse(written.as_bytes()).unwrap(), info);
        }
    }
}
