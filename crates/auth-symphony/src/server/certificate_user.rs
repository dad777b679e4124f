//! Whose a client certificate is.

use auth_core::Reason;
use rustls_pki_types::CertificateDer;
use webpki::EndEntityCert;

/// The user that a client certificate is of: its common name, in the case in which it stands there.
///
/// Take it of a certificate that the TLS server has verified against the authorities that the pod trusts for this.
///
/// # Errors
///
/// A reason, for a 401, when it is no certificate in DER, its subject has no common name or more than one, or the name is
/// empty, longer than 200 bytes, or holds a control character.
///
/// # Security
///
/// A name is compared whole. One with a zero byte, which some programs take for its end, is none; and of two names nobody
/// knows which one an authority has looked at.
pub fn certificate_user(der: &[u8]) -> Result<Box<str>, Reason> {
    let der = CertificateDer::from(der);
    let certificate = EndEntityCert::try_from(&der).map_err(|_| NO_CERTIFICATE)?;
    let mut names = CommonNames(Reader(certificate.subject()));
    let name = names.next().ok_or(NO_NAME)?.ok_or(NO_CERTIFICATE)?;
    if names.next().is_some() {
        return Err(SEVERAL);
    }
    let is_good =
        (1..=MOST_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control);
    if is_good { Ok(name.into()) } else { Err(BAD_NAME) }
}

const MOST_NAME_BYTES: usize = 200;

/// The attribute `commonName` (2.5.4.3).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

const OBJECT: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// The common names of a subject (RFC 5280 section 4.1.2.4), wherever they stand; `None` in place of what cannot be read.
struct CommonNames<'a>(Reader<'a>);

impl<'a> Iterator for CommonNames<'a> {
    type Item = Option<&'a str>;

    fn next(&mut self) -> Option<Option<&'a str>> {
        while !self.0.0.is_empty() {
            match self.0.relative_name() {
                Some(Some(name)) => return Some(Some(name)),
                Some(None) => {}
                None => {
                    // What follows cannot be read either.
                    self.0 = Reader(&[]);
                    return Some(None);
                }
            }
        }
        None
    }
}

/// As much DER (X.690) as a subject needs.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next relative name, if it is a common name. One of several attributes is not read: nobody makes them.
    fn relative_name(&mut self) -> Option<Option<&'a str>> {
        let mut set = Reader(self.take(SET)?);
        let mut attribute = Reader(set.take(SEQUENCE)?);
        let kind = attribute.take(OBJECT)?;
        let (tag, value) = attribute.any()?;
        if !set.0.is_empty() || !attribute.0.is_empty() {
            return None;
        }
        if kind != COMMON_NAME {
            return Some(None);
        }
        match tag {
            UTF8_STRING => Some(Some(std::str::from_utf8(value).ok()?)),
            PRINTABLE_STRING if value.is_ascii() => Some(Some(std::str::from_utf8(value).ok()?)),
            _ => None,
        }
    }

    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.any()?;
        (found == tag).then_some(content)
    }

    /// The next value: its tag and its content, of fewer than 65,536 bytes.
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81 => {
                let (length, rest) = rest.split_first()?;
                (usize::from(*length), rest)
            }
            0x82 => {
                let (length, rest) = rest.split_first_chunk()?;
                (usize::from(u16::from_be_bytes(*length)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

const NO_CERTIFICATE: Reason = Reason::new(
    "symphony_certificate",
    "client certificate or its subject cannot be read, expected X.509 with names in UTF-8",
);
const NO_NAME: Reason = Reason::new(
    "symphony_certificate_no_name",
    "client certificate has no common name, expected the user name of the bot",
);
const SEVERAL: Reason = Reason::new(
    "symphony_certificate_names",
    "client certificate has more than one common name, expected one",
);
const BAD_NAME: Reason = Reason::new(
    "symphony_certificate_name",
    "common name of the client certificate is not of 1 to 200 bytes without control characters",
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair};

    fn certificate(names: &[(DnType, DnValue)]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in names {
            params.distinguished_name.push(kind.clone(), value.clone());
        }
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn of(name: &str) -> Vec<u8> {
        certificate(&[(DnType::CommonName, DnValue::Utf8String(name.into()))])
    }

    #[track_caller]
    fn check(der: &[u8], expected: Result<&str, Reason>) {
        assert_eq!(certificate_user(der).as_deref().map_err(|reason| *reason), expected);
    }

    #[test]
    fn the_user_is_the_one_common_name_in_its_case() {
        check(&of("My.Bot"), Ok("My.Bot"));
        check(&of("bücher"), Ok("bücher"));
        check(&of(&"x".repeat(200)), Ok(&"x".repeat(200)));
        let printable = DnValue::PrintableString("bot".try_into().unwrap());
        let unit = (DnType::OrganizationalUnitName, DnValue::Utf8String("CN=other".into()));
        check(&certificate(&[unit.clone(), (DnType::CommonName, printable)]), Ok("bot"));
        check(&certificate(&[unit]), Err(NO_NAME));
        check(&certificate(&[]), Err(NO_NAME));
        check(&of(""), Err(BAD_NAME));
        check(&of("bot\0.admin"), Err(BAD_NAME));
        check(&of("bot\n"), Err(BAD_NAME));
        check(&of(&"x".repeat(201)), Err(BAD_NAME));
        let wide = DnValue::BmpString("bot".try_into().unwrap());
        check(&certificate(&[(DnType::CommonName, wide)]), Err(NO_CERTIFICATE));
        check(b"", Err(NO_CERTIFICATE));
        check(b"no certificate", Err(NO_CERTIFICATE));
    }

    /// A subject with these relative names, in a certificate that is otherwise good.
    fn names(subject: &[u8]) -> Vec<Option<&str>> {
        CommonNames(Reader(subject)).take(9).collect()
    }

    fn relative(name: &str) -> Vec<u8> {
        let length = u8::try_from(name.len()).unwrap();
        let head = [SET, length + 9, SEQUENCE, length + 7, OBJECT, 3, 0x55, 4, 3, UTF8_STRING];
        [&head[..], &[length], name.as_bytes()].concat()
    }

    #[test]
    fn two_names_are_found_and_what_cannot_be_read_is_no_absence() {
        let two = [relative("a"), relative("b")].concat();
        assert_eq!(names(&two), [Some("a"), Some("b")]);
        let cut = two.get(..two.len() - 1).unwrap();
        assert_eq!(names(cut), [Some("a"), None]);
        let mut wrong = two.clone();
        wrong[10] += 1;
        assert_eq!(names(&wrong), [None]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = certificate_user(&bytes);
            let _ = names(&bytes);
        }
    }
}
