//! The credentials of a request, as a server reads them (RFC 9110 section 11.6.2).

use crate::{
    Parameters, Presence, Reason, Rejection, RequestView,
    scan::all,
    scanner::{Scanner, is_scheme},
};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use std::{fmt, str};

/// The one `Authorization` field of a request: a scheme, and credentials that are still to be read.
///
/// # Security
///
/// More than one field, or two values joined with a comma under a scheme that takes one, is a 400: never the first,
/// never the last, since a proxy in front of the server may have read the other one. `Debug` shows the scheme alone.
///
/// ```
/// use auth_core::Authorization;
/// use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
/// let mut headers = HeaderMap::new();
/// headers.insert(AUTHORIZATION, HeaderValue::from_static("bearer abc"));
/// let authorization = Authorization::of(&headers).unwrap().unwrap();
/// assert!(authorization.is("Bearer"));
/// assert_eq!(authorization.token68().unwrap(), b"abc");
/// ```
#[derive(Clone, Copy)]
pub struct Authorization<'a> {
    /// A token.
    scheme: &'a [u8],
    credentials: &'a [u8],
}

impl<'a> Authorization<'a> {
    /// The most bytes that the field may have: 8 KiB.
    pub const MOST_BYTES: usize = 8 * 1024;

    /// The field, `None` when the request has none.
    ///
    /// # Errors
    ///
    /// A 400 when there is more than one field, it is longer than [`MOST_BYTES`](Self::MOST_BYTES), or it does not
    /// begin with the name of a scheme.
    #[inline]
    pub fn of(headers: &'a HeaderMap) -> Result<Option<Self>, Rejection> {
        match only(headers, &AUTHORIZATION) {
            Ok(None) => Ok(None),
            Ok(Some(field)) => Self::parse(field.as_bytes()).map(Some),
            Err(Several) => Err(malformed(&SEVERAL)),
        }
    }

    /// The field if it names this scheme, `None` when the request has no field or the field names another scheme: what
    /// the verifier of a scheme reads.
    ///
    /// The length of a field is for the scheme that it names to judge, since schemes have different limits.
    ///
    /// # Errors
    ///
    /// A 400 when there is more than one field, the field does not begin with the name of a scheme, or it is of this
    /// scheme and longer than [`MOST_BYTES`](Self::MOST_BYTES).
    #[inline]
    pub fn of_scheme(headers: &'a HeaderMap, scheme: &str) -> Result<Option<Self>, Rejection> {
        Self::find(headers, scheme, Self::MOST_BYTES).map_err(malformed)
    }

    /// [`of_scheme`](Self::of_scheme) with another limit, and with the reason alone.
    #[inline]
    pub(crate) fn find(
        headers: &'a HeaderMap,
        scheme: &str,
        most_bytes: usize,
    ) -> Result<Option<Self>, &'static Reason> {
        let field = match only(headers, &AUTHORIZATION) {
            Ok(None) => return Ok(None),
            Ok(Some(field)) => field.as_bytes(),
            Err(Several) => return Err(&SEVERAL),
        };
        let found = match Self::spelt(field, scheme) {
            Some(found) => found,
            None => match Self::split(field)? {
                found if found.is(scheme) => found,
                _ => return Ok(None),
            },
        };
        if field.len() > most_bytes { Err(&TOO_LONG) } else { Ok(Some(found)) }
    }

    /// As [`split`](Self::split), without a look at each letter, where the scheme is spelt as its specification does and
    /// one space follows: nearly always.
    #[inline]
    fn spelt(field: &'a [u8], scheme: &str) -> Option<Self> {
        let (name, rest) = field.split_at_checked(scheme.len())?;
        match rest {
            [b' ', credentials @ ..]
                if name == scheme.as_bytes() && credentials.first() != Some(&b' ') =>
            {
                Some(Self { scheme: name, credentials })
            }
            _ => None,
        }
    }

    /// Did the caller bring something for `scheme`? A field that does not begin with a scheme, and more than one field,
    /// count for every scheme, so that they are refused rather than overlooked.
    #[must_use]
    pub fn presence(head: RequestView<'_>, scheme: &str) -> Presence {
        match Authorization::find(head.headers, scheme, usize::MAX) {
            Ok(None) => Presence::Absent,
            Ok(Some(_)) | Err(_) => Presence::Present,
        }
    }

    /// Reads one field.
    ///
    /// # Errors
    ///
    /// See [`of`](Self::of).
    #[inline]
    pub fn parse(field: &'a [u8]) -> Result<Self, Rejection> {
        if field.len() > Self::MOST_BYTES {
            return Err(malformed(&TOO_LONG));
        }
        Self::split(field).map_err(malformed)
    }

    /// The scheme, and what is behind it.
    #[inline]
    fn split(field: &'a [u8]) -> Result<Self, &'static Reason> {
        let mut scanner = Scanner::new(field);
        let scheme = scanner.token_bytes();
        let apart = scanner.eat(b' ') || scanner.is_at_end();
        if scheme.is_empty() || !apart {
            return Err(&SCHEME);
        }
        while scanner.eat(b' ') {}
        Ok(Self { scheme, credentials: scanner.rest() })
    }

    /// The name of the scheme, as it was written.
    #[must_use]
    pub fn scheme(&self) -> &'a str {
        str::from_utf8(self.scheme).unwrap_or_default()
    }

    /// Is it this scheme, in any case?
    #[must_use]
    pub fn is(&self, scheme: &str) -> bool {
        is_scheme(self.scheme, scheme)
    }

    /// What is behind the scheme, not looked at yet: for schemes that judge every byte themselves.
    #[must_use]
    pub const fn credentials(&self) -> &'a [u8] {
        self.credentials
    }

    /// Exactly one token68 (`b64token` of RFC 6750 section 2.1), and nothing behind it.
    ///
    /// # Errors
    ///
    /// A 400 otherwise.
    #[inline]
    pub fn token68(&self) -> Result<&'a [u8], Rejection> {
        self.one_token68().map_err(malformed)
    }

    /// [`token68`](Self::token68), with the reason alone.
    #[inline]
    pub(crate) fn one_token68(&self) -> Result<&'a [u8], &'static Reason> {
        if is_token68(self.credentials) { Ok(self.credentials) } else { Err(self.fault()) }
    }

    /// Exactly one run of visible ASCII, and nothing behind it: for schemes whose keys are more than a token68.
    ///
    /// # Errors
    ///
    /// A 400 otherwise; a comma, a quote or a space is never part of it.
    #[inline]
    pub fn opaque(&self) -> Result<&'a [u8], Rejection> {
        let visible = |byte: u8| byte.is_ascii_graphic() & (byte != b',') & (byte != b'"');
        let whole = !self.credentials.is_empty() && all(self.credentials, visible);
        if whole { Ok(self.credentials) } else { Err(malformed(self.fault())) }
    }

    /// A list of parameters, and nothing else.
    ///
    /// # Errors
    ///
    /// A 400 otherwise, also when a name comes twice.
    pub fn parameters(&self) -> Result<Parameters<'a>, Rejection> {
        let mut scanner = Scanner::new(self.credentials);
        match Parameters::read(&mut scanner, |_, _| {}) {
            Ok(parameters) if scanner.is_at_end() && !parameters.is_empty() => Ok(parameters),
            _ => Err(Rejection::malformed(PARAMETERS)),
        }
    }

    fn fault(&self) -> &'static Reason {
        if self.credentials.contains(&b',') { &JOINED } else { &CREDENTIALS }
    }
}

#[cold]
fn malformed(reason: &Reason) -> Rejection {
    Rejection::malformed(*reason)
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorization({} ..)", self.scheme())
    }
}

/// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`, all of it.
fn is_token68(text: &[u8]) -> bool {
    let mut body = text;
    while let [before @ .., b'='] = body {
        body = before;
    }
    // By comparisons alone, which compilers turn into wide ones: "-./" stand before the digits.
    let part = |byte: u8| {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let digit_or_mark = byte.wrapping_sub(b'-') < 13;
        letter | digit_or_mark | (byte == b'_') | (byte == b'~') | (byte == b'+')
    };
    !body.is_empty() && all(body, part)
}

/// The one field of this name, `None` when there is none: for keys that travel in fields of their own.
///
/// # Errors
///
/// A 400 when there is more than one.
#[inline]
pub fn one_field<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, Rejection> {
    only(headers, name).map_err(|Several| Rejection::malformed(SEVERAL_KEYS))
}

/// A field came more than once.
struct Several;

#[inline]
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Several> {
    // As many values as names: no field comes twice, and one look-up tells.
    if headers.len() == headers.keys_len() {
        return Ok(headers.get(name));
    }
    let mut fields = headers.get_all(name).iter();
    match (fields.next(), fields.next()) {
        (field, None) => Ok(field),
        _ => Err(Several),
    }
}

const SEVERAL: Reason =
    Reason::new("authorization_several", "more than one Authorization field, expected one");
const SEVERAL_KEYS: Reason =
    Reason::new("field_several", "more than one field with the key, expected one");
const TOO_LONG: Reason = Reason::new(
    "authorization_too_long",
    "Authorization field is longer than its limit, 8 KiB unless the verifier sets another",
);
const SCHEME: Reason =
    Reason::new("authorization_no_scheme", "Authorization field does not begin with a scheme");
const JOINED: Reason = Reason::new(
    "authorization_joined",
    "Authorization field has more than one value, expected one",
);
const CREDENTIALS: Reason = Reason::new(
    "authorization_credentials",
    "credentials are empty or hold a character they may not",
);
const PARAMETERS: Reason =
    Reason::new("authorization_parameters", "credentials are not a list of parameters, each once");

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Method, Uri};

    fn headers(fields: &[&'static str]) -> HeaderMap {
        fields.iter().map(|field| (AUTHORIZATION, HeaderValue::from_static(field))).collect()
    }

    #[track_caller]
    fn check(fields: &[&'static str], expected: Result<Option<&str>, &str>) {
        let headers = headers(fields);
        let read = Authorization::of(&headers)
            .and_then(|found| found.map(|one| one.token68()).transpose());
        let expected = expected.map(|found| found.map(str::as_bytes));
        assert_eq!(read.map_err(|rejection| rejection.reason().code), expected);
    }

    #[test]
    fn takes_exactly_one_credential() {
        check(&[], Ok(None));
        check(&["Bearer abc"], Ok(Some("abc")));
        check(&["Bearer  abc=="], Ok(Some("abc==")));
        check(&["Bearer abc", "Bearer abc"], Err("authorization_several"));
        check(&["Bearer abc", "Basic x"], Err("authorization_several"));
        check(&["Bearer abc, Bearer def"], Err("authorization_joined"));
        check(&["Bearer abc,def"], Err("authorization_joined"));
        check(&["Bearer abc def"], Err("authorization_credentials"));
        check(&["Bearer abc "], Err("authorization_credentials"));
        check(&["Bearer"], Err("authorization_credentials"));
        check(&["Bearer "], Err("authorization_credentials"));
        check(&["Bearer\tabc"], Err("authorization_no_scheme"));
        check(&[""], Err("authorization_no_scheme"));
        check(&[",Bearer abc"], Err("authorization_no_scheme"));
        check(&["Bearer a=b"], Err("authorization_credentials"));
    }

    #[test]
    fn a_token68_has_these_characters_and_no_others() {
        for byte in 0..=u8::MAX {
            let part = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_token68(&[byte]), part, "{byte}");
            assert_eq!(is_token68(&[b'a', byte, b'a']), part, "{byte}");
            assert_eq!(is_token68(&[b'a', byte]), part || byte == b'=', "{byte}");
        }
    }

    #[test]
    fn refuses_an_endless_field() {
        let long = format!("Bearer {}", "a".repeat(Authorization::MOST_BYTES));
        assert_eq!(
            Authorization::parse(long.as_bytes()).unwrap_err().reason().code,
            "authorization_too_long"
        );
    }

    #[test]
    fn a_scheme_is_found_however_it_is_spelt_and_however_many_spaces_follow() {
        for field in ["Bearer a", "Bearer  a", "bearer a", "BEARER   a"] {
            let headers = headers(&[field]);
            let found = Authorization::of_scheme(&headers, "Bearer").unwrap().unwrap();
            assert_eq!(
                (found.scheme(), found.credentials()),
                (field.split(' ').next().unwrap(), &b"a"[..]),
                "{field}"
            );
        }
        for field in ["Bearer", "Bearer "] {
            let headers = headers(&[field]);
            let found = Authorization::of_scheme(&headers, "Bearer").unwrap().unwrap();
            assert_eq!((found.scheme(), found.credentials()), ("Bearer", &b""[..]));
        }
        for field in ["Bearers a", "Beare a", "Bearer2", "Basic a"] {
            assert!(Authorization::of_scheme(&headers(&[field]), "Bearer").unwrap().is_none());
        }
    }

    /// A scheme with a higher limit stands beside others at one door: what is its own is nothing to the others.
    #[test]
    fn a_field_that_is_too_long_is_for_the_scheme_that_it_names() {
        let mut headers = HeaderMap::new();
        let long = format!("Bearer {}", "a".repeat(Authorization::MOST_BYTES));
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&long).unwrap());
        let uri = Uri::from_static("/");
        let head = RequestView::new(&Method::GET, &uri, &headers);
        let read = |scheme| {
            let found = Authorization::of_scheme(&headers, scheme);
            let found = found.map(|found| found.is_some()).map_err(|refused| refused.reason().code);
            (found, Authorization::presence(head, scheme))
        };
        assert_eq!(read("bearer"), (Err("authorization_too_long"), Presence::Present));
        assert_eq!(read("Basic"), (Ok(false), Presence::Absent));
    }

    #[test]
    fn a_field_of_exactly_8_kib_is_read() {
        let field = format!("Bearer {}", "a".repeat(8192 - "Bearer ".len()));
        let read = Authorization::parse(field.as_bytes()).unwrap();
        assert_eq!((read.scheme(), read.credentials().len()), ("Bearer", 8185));
        assert_eq!(format!("{read:?}"), "Authorization(Bearer ..)");
    }

    #[test]
    fn opaque_credentials_are_visible_and_one() {
        let read = |field: &'static str| Authorization::parse(field.as_bytes()).unwrap().opaque();
        assert_eq!(read("App k:{}=!").unwrap(), b"k:{}=!");
        for field in ["App a b", "App a\"b", "App a\u{e9}", "App a\u{7f}", "App"] {
            assert_eq!(
                read(field).unwrap_err().reason().code,
                "authorization_credentials",
                "{field:?}"
            );
        }
        assert_eq!(read("App a,b").unwrap_err().reason().code, "authorization_joined");
    }

    #[test]
    fn one_field_is_one_among_others_that_repeat() {
        let key = HeaderName::from_static("key");
        let mut fields = HeaderMap::new();
        assert!(one_field(&fields, &key).unwrap().is_none());
        fields.append("key", HeaderValue::from_static("a"));
        assert_eq!(one_field(&fields, &key).unwrap().unwrap(), "a");
        fields.append("accept", HeaderValue::from_static("x"));
        fields.append("accept", HeaderValue::from_static("y"));
        assert_eq!(one_field(&fields, &key).unwrap().unwrap(), "a");
        fields.append("key", HeaderValue::from_static("a"));
        assert_eq!(one_field(&fields, &key).unwrap_err().reason().code, "field_several");
    }

    #[track_caller]
    fn present(fields: &[&'static str], expected: Presence) {
        let (uri, headers) = (Uri::from_static("/"), headers(fields));
        let head = RequestView::new(&Method::GET, &uri, &headers);
        assert_eq!(Authorization::presence(head, "Bearer"), expected);
    }

    #[test]
    fn an_unreadable_field_is_not_overlooked() {
        present(&["BEARER x"], Presence::Present);
        present(&["Bearer"], Presence::Present);
        present(&["Basic x", "Bearer y"], Presence::Present);
        present(&[""], Presence::Present);
        present(&["\"Bearer\" x"], Presence::Present);
        present(&["Basic x", "Basic y"], Presence::Present);
        present(&["Basic\tx"], Presence::Present);
        present(&["Basic x"], Presence::Absent);
        present(&[], Presence::Absent);
    }

    #[test]
    fn reads_parameters_once_each() {
        let parsed = Authorization::parse(br#"Digest username="a\"b", nc=00000001"#).unwrap();
        assert_eq!(parsed.parameters().unwrap().find("USERNAME").unwrap().text().unwrap(), "a\"b");
        for field in
            ["Digest a=b, A=c", "Digest a=b, Basic", "Digest a", "Digest ", "Digest a=b; c=d"]
        {
            let parsed = Authorization::parse(field.as_bytes()).unwrap();
            assert_eq!(
                parsed.parameters().unwrap_err().reason().code,
                "authorization_parameters",
                "{field}"
            );
        }
    }
}
