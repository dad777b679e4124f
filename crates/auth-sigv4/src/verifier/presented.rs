//! What a request says of its signature, read strictly and not yet believed.

use crate::{
    AmzDate, CredentialScope,
    canonical::{ALGORITHM, Fields, Parameters},
    encode::unhex_32,
    key::is_id,
    reason::{self, Refused},
    scope::{TERMINATOR, is_scope_part},
    signer::{
        PARAMETER_ALGORITHM, PARAMETER_CREDENTIAL, PARAMETER_DATE, PARAMETER_EXPIRES,
        PARAMETER_SECURITY_TOKEN, PARAMETER_SIGNATURE, PARAMETER_SIGNED_HEADERS,
    },
};
use http::{HeaderMap, HeaderName};
use smallvec::SmallVec;

/// The parts of a signature, in `Authorization` or in a query.
pub(crate) struct Presented<'a> {
    pub(crate) id: &'a str,
    pub(crate) scope: CredentialScope<'a>,
    pub(crate) date: AmzDate,
    /// Sorted.
    pub(crate) signed: SmallVec<[&'a str; 16]>,
    pub(crate) signature: [u8; 32],
    pub(crate) token: Option<&'a [u8]>,
    /// For how many seconds a presigned URL is good.
    pub(crate) expires: Option<u64>,
}

impl<'a> Presented<'a> {
    /// Is this field among those that are signed?
    pub(crate) fn is_signed(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// This name, as `SignedHeaders` has it.
    pub(crate) fn place(&self, name: &str) -> Option<&'a str> {
        self.signed.iter().find(|signed| **signed == name).copied()
    }

    /// From what is behind the scheme in `Authorization`.
    pub(crate) fn in_field(credentials: &'a [u8], headers: &'a HeaderMap) -> Result<Self, Refused> {
        let text = std::str::from_utf8(credentials).map_err(|_| reason::PARAMETERS)?;
        let [mut credential, mut signed, mut signature] = [None; 3];
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (part, behind) = cut(text, b',');
            rest = behind;
            let part = part.trim_matches(' ');
            let (slot, value) = if let Some(value) = part.strip_prefix("Credential=") {
                (&mut credential, value)
            } else if let Some(value) = part.strip_prefix("SignedHeaders=") {
                (&mut signed, value)
            } else if let Some(value) = part.strip_prefix("Signature=") {
                (&mut signature, value)
            } else {
                return Err(reason::PARAMETERS);
            };
            if slot.replace(value).is_some() {
                return Err(reason::PARAMETERS);
            }
        }
        let (Some(credential), Some(signed), Some(signature)) = (credential, signed, signature)
        else {
            return Err(reason::PARAMETERS);
        };
        let date = one(headers, &field::DATE, reason::DATE)?.ok_or(reason::DATE)?;
        let date = std::str::from_utf8(date).map_err(|_| reason::DATE)?;
        let token = one(headers, &field::SECURITY_TOKEN, reason::SEVERAL)?;
        Self::made(credential, date, signed, signature, token, None)
    }

    /// From a query; `buffer` takes what has to be decoded.
    pub(crate) fn in_query(
        query: &Parameters<'_>,
        buffer: &'a mut SmallVec<[u8; 1024]>,
    ) -> Result<Self, Refused> {
        const NAMES: [&str; 7] = [
            PARAMETER_ALGORITHM,
            PARAMETER_CREDENTIAL,
            PARAMETER_DATE,
            PARAMETER_EXPIRES,
            PARAMETER_SIGNED_HEADERS,
            PARAMETER_SIGNATURE,
            PARAMETER_SECURITY_TOKEN,
        ];
        let mut ranges = [const { None }; 7];
        for parameter in query.iter() {
            let at = NAMES.iter().position(|name| name.as_bytes() == parameter.name);
            let Some(slot) = at.and_then(|at| ranges.get_mut(at)) else { continue };
            let start = buffer.len();
            decode(parameter.value, buffer).ok_or(reason::QUERY)?;
            if slot.replace(start..buffer.len()).is_some() {
                return Err(reason::QUERY);
            }
        }
        let buffer: &'a [u8] = buffer;
        let values = ranges.map(|range| range.and_then(|range| buffer.get(range)));
        let [
            Some(algorithm),
            Some(credential),
            Some(date),
            Some(expires),
            Some(signed),
            Some(signature),
            token,
        ] = values
        else {
            return Err(reason::QUERY);
        };
        if algorithm != ALGORITHM.as_bytes() {
            return Err(reason::ALGORITHM);
        }
        let text = |value| std::str::from_utf8(value).map_err(|_| reason::QUERY);
        let expires = seconds(expires).ok_or(reason::EXPIRES)?;
        let (credential, date) = (text(credential)?, text(date)?);
        Self::made(credential, date, text(signed)?, text(signature)?, token, Some(expires))
    }

    fn made(
        credential: &'a str,
        date: &str,
        signed: &'a str,
        signature: &str,
        token: Option<&'a [u8]>,
        expires: Option<u64>,
    ) -> Result<Self, Refused> {
        let mut rest = Some(credential);
        let mut part = || {
            let (part, behind) = cut(rest.ok_or(reason::CREDENTIAL)?, b'/');
            rest = behind;
            Ok(part)
        };
        let (id, scope) = (part()?, CredentialScope::new(part()?, part()?, part()?));
        let ended = part()? == TERMINATOR && rest.is_none();
        let plain = is_id(id) && is_scope_part(scope.region) && is_scope_part(scope.service);
        if !ended || !plain {
            return Err(reason::CREDENTIAL);
        }
        let date = AmzDate::parse(date).ok_or(reason::DATE)?;
        let signature = unhex_32(signature.as_bytes()).ok_or(reason::SIGNATURE_FORM)?;
        let signed = names(signed)?;
        Ok(Self { id, scope, date, signed, signature, token, expires })
    }
}

/// What stands before a byte of ASCII, and what stands behind it, if it is there: for texts of a few bytes, which `split`
/// is slow to begin with.
fn cut(text: &str, at: u8) -> (&str, Option<&str>) {
    let end = text.bytes().position(|byte| byte == at);
    let cut = end.and_then(|end| Some((text.get(..end)?, text.get(end + 1..)?)));
    cut.map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// Fields by name, which are looked up in every request.
pub(super) mod field {
    use crate::signer;
    use http::HeaderName;

    pub(crate) const CONTENT_SHA256: HeaderName = HeaderName::from_static(signer::CONTENT_SHA256);
    pub(crate) const DATE: HeaderName = HeaderName::from_static(signer::DATE);
    pub(crate) const SECURITY_TOKEN: HeaderName = HeaderName::from_static(signer::SECURITY_TOKEN);
}

/// The one value of a field, if there is one.
pub(crate) fn one<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    several: Refused,
) -> Result<Option<&'a [u8]>, Refused> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(http::HeaderValue::as_bytes);
    if values.next().is_some() { Err(several) } else { Ok(first) }
}

/// Lower-case names, in order, none twice.
fn names(signed: &str) -> Result<SmallVec<[&str; 16]>, Refused> {
    let plain = |byte: u8| {
        let mark = || {
            matches!(
                byte,
                b'-' | b'_' | b'.' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'^' | b'`' | b'|' | b'~'
            )
        };
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || mark()
    };
    let mut names = SmallVec::new();
    let (mut last, mut rest) = ("", Some(signed));
    while let Some(text) = rest {
        let (name, behind) = cut(text, b';');
        rest = behind;
        if name <= last || names.len() >= Fields::MOST || !name.bytes().all(plain) {
            return Err(reason::SIGNED_HEADERS);
        }
        names.push(name);
        last = name;
    }
    Ok(names)
}

fn decode(raw: &[u8], out: &mut SmallVec<[u8; 1024]>) -> Option<()> {
    let mut rest = raw;
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |digit: &u8| char::from(*digit).to_digit(16);
                let value = digit(high)? * 16 + digit(low)?;
                out.push(u8::try_from(value).ok()?);
                tail
            }
            (b'%', _) => return None,
            (byte, tail) => {
                out.push(*byte);
                tail
            }
        };
    }
    Some(())
}

/// A number of seconds that a URL may be good for.
fn seconds(digits: &[u8]) -> Option<u64> {
    if digits.len() > 6 || digits.first().is_none_or(|first| *first == b'0') {
        return None;
    }
    let value = digits.iter().try_fold(0, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0'))
    })?;
    (value <= 604_800).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const SCOPE: &str = "20150830/us-east-1/iam/aws4_request";

    #[track_caller]
    fn check(credentials: &str, expected: Result<(), Refused>) {
        let date = HeaderValue::from_static("20150830T123600Z");
        let headers = HeaderMap::from_iter([(field::DATE, date)]);
        let read = Presented::in_field(credentials.as_bytes(), &headers);
        assert_eq!(read.map(|_| ()), expected, "{credentials}");
    }

    fn written(credential: &str, signed: &str, signature: &str) -> String {
        format!("Credential={credential}, SignedHeaders={signed}, Signature={signature}")
    }

    #[test]
    fn the_three_parts_come_in_any_order_and_once() {
        let credential = format!("AKID/{SCOPE}");
        check(&written(&credential, "host;x-amz-date", HEX), Ok(()));
        check(&format!("Signature={HEX},SignedHeaders=host,Credential={credential}"), Ok(()));
        for odd in [
            String::new(),
            format!("Credential={credential}, SignedHeaders=host"),
            format!("{}, Signature={HEX}", written(&credential, "host", HEX)),
            format!("{},", written(&credential, "host", HEX)),
            format!("{}, Extra=1", written(&credential, "host", HEX)),
            written(&credential, "host", HEX).replace("Credential", "credential"),
            written(&credential, "host", HEX).replace('=', " "),
        ] {
            check(&odd, Err(reason::PARAMETERS));
        }
    }

    #[test]
    fn a_credential_has_five_parts() {
        for odd in [
            "AKID",
            "AKID/20150830/us-east-1/iam",
            "AKID/20150830/us-east-1/iam/aws4_request/",
            "AKID/20150830/us-east-1/iam/aws4",
            "/20150830/us-east-1/iam/aws4_request",
            "AKID/20150830//iam/aws4_request",
            "A B/20150830/us-east-1/iam/aws4_request",
            "AKID/20150830/us east/iam/aws4_request",
        ] {
            check(&written(odd, "host", HEX), Err(reason::CREDENTIAL));
        }
    }

    #[test]
    fn names_are_sorted_and_different() {
        let credential = format!("AKID/{SCOPE}");
        for odd in ["", "host;", ";host", "Host", "x-a;host", "host;host", "host x", "h\u{f6}st"] {
            check(&written(&credential, odd, HEX), Err(reason::SIGNED_HEADERS));
        }
        let many =
            |most: usize| (0..most).map(|n| format!("x-{n:03}")).collect::<Vec<_>>().join(";");
        check(&written(&credential, &many(64), HEX), Ok(()));
        check(&written(&credential, &many(65), HEX), Err(reason::SIGNED_HEADERS));
    }

    #[test]
    fn a_signature_has_one_spelling() {
        let credential = format!("AKID/{SCOPE}");
        for odd in ["", "00", &HEX.to_uppercase(), &format!("{HEX}0")] {
            check(&written(&credential, "host", odd), Err(reason::SIGNATURE_FORM));
        }
    }

    #[track_caller]
    fn check_query(query: &str, expected: Result<Option<u64>, Refused>) {
        let mut buffer = SmallVec::new();
        let read = Presented::in_query(&Parameters::unsorted(query.as_bytes()), &mut buffer);
        assert_eq!(read.map(|read| read.expires), expected, "{query}");
    }

    #[test]
    fn a_query_has_each_parameter_once() {
        let whole = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F{}&X-Amz-Date=20150830T123600Z&\
             X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={HEX}&a=%zz",
            SCOPE.replace('/', "%2f")
        );
        check_query(&whole, Ok(Some(60)));
        check_query(&format!("{whole}&X-Amz-Date=20150830T123600Z"), Err(reason::QUERY));
        check_query(&format!("{whole}&x-amz-date=1"), Ok(Some(60)));
        check_query(&whole.replace("X-Amz-Expires=60&", ""), Err(reason::QUERY));
        check_query(&whole.replace("HMAC-SHA256", "ECDSA"), Err(reason::ALGORITHM));
        check_query(&whole.replace("%2f", "%2"), Err(reason::QUERY));
        for odd in ["0", "604801", "-1", "+1", "06", "", "6e3", "99999999999999999999"] {
            check_query(&whole.replace("=60&", &format!("={odd}&")), Err(reason::EXPIRES));
        }
        check_query(&whole.replace("=60&", "=604800&"), Ok(Some(604_800)));
    }
}
