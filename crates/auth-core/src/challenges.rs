//! Challenges as a client reads them (RFC 9110 section 11.6.1).

use crate::{
    ParameterValue, Parameters, SyntaxError,
    parameter::separator,
    scan::is_tchar,
    scanner::{Scanner, is_scheme},
};
use http::{HeaderMap, HeaderName, HeaderValue, header::ValueIter};
use std::{fmt, str};

/// The challenges of an answer, one by one: several in one field, over several fields, or both.
///
/// Linear in the length of the fields, allocates nothing, and takes any bytes. A malformed challenge is an error and ends
/// its field, since where the next one begins would be a guess. The other fields are still read: each of them may come
/// from another program. So after an error go on, or one field that cannot be read hides the challenges of the others.
///
/// ```
/// use auth_core::Challenges;
/// use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
/// let mut headers = HeaderMap::new();
/// headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Digest realm="a, b", nonce=x, basic realm="c""#));
/// let found: Vec<_> = Challenges::of(&headers, &WWW_AUTHENTICATE).collect::<Result<_, _>>()?;
/// assert!(found[0].is("digest") && found[1].is("Basic"));
/// assert_eq!(found[0].parameter("REALM").unwrap().text().unwrap(), "a, b");
/// # Ok::<_, auth_core::SyntaxError>(())
/// ```
#[derive(Debug)]
pub struct Challenges<'a> {
    fields: Option<ValueIter<'a, HeaderValue>>,
    field: Field<'a>,
    budget: usize,
}

impl<'a> Challenges<'a> {
    /// The most bytes that all fields together may have: 64 KiB.
    pub const MOST_BYTES: usize = 64 * 1024;

    /// The challenges of all fields of this name: `WWW-Authenticate` or `Proxy-Authenticate`.
    #[must_use]
    pub fn of(headers: &'a HeaderMap, name: &HeaderName) -> Self {
        Self {
            fields: Some(headers.get_all(name).iter()),
            field: Field::END,
            budget: Self::MOST_BYTES,
        }
    }

    /// The challenges of one field.
    #[must_use]
    pub const fn parse(field: &'a [u8]) -> Self {
        Self { fields: None, field: Field::Untouched(field), budget: Self::MOST_BYTES }
    }

    /// The next challenge, as [`next`](Iterator::next) has it, with each of its parameters given to `each` while it is
    /// read: for a scheme that knows which ones it wants, in one pass instead of two. Of a challenge that turns out
    /// malformed some may have been given.
    ///
    /// ```
    /// use auth_core::Challenges;
    /// let mut realm = None;
    /// let challenge = Challenges::parse(br#"Basic realm="a""#).next_with(|name, value| {
    ///     if name.eq_ignore_ascii_case(b"realm") {
    ///         realm = Some(value.bytes());
    ///     }
    /// });
    /// assert!(challenge.unwrap()?.is("Basic"));
    /// assert_eq!(realm.as_deref(), Some(&b"a"[..]));
    /// # Ok::<_, auth_core::SyntaxError>(())
    /// ```
    #[inline]
    pub fn next_with(
        &mut self,
        each: impl FnMut(&'a [u8], ParameterValue<'a>),
    ) -> Option<Result<ChallengeView<'a>, SyntaxError>> {
        let found = self.step(each).transpose();
        if !matches!(found, Some(Ok(_))) {
            self.field = Field::END;
        }
        found
    }

    #[inline]
    fn step(
        &mut self,
        mut each: impl FnMut(&'a [u8], ParameterValue<'a>),
    ) -> Result<Option<ChallengeView<'a>>, SyntaxError> {
        loop {
            if let Some(found) = self.field.next(&mut self.budget, &mut each)? {
                return Ok(Some(found));
            }
            match self.fields.as_mut().and_then(Iterator::next) {
                Some(value) => self.field = Field::Untouched(value.as_bytes()),
                None => return Ok(None),
            }
        }
    }
}

impl<'a> Iterator for Challenges<'a> {
    type Item = Result<ChallengeView<'a>, SyntaxError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_with(|_, _| {})
    }
}

/// One field: not yet looked at, or read up to a challenge.
enum Field<'a> {
    Untouched(&'a [u8]),
    Read(Scanner<'a>),
}

impl<'a> Field<'a> {
    const END: Self = Self::Read(Scanner::new(&[]));

    #[inline]
    fn next(
        &mut self,
        budget: &mut usize,
        each: impl FnMut(&'a [u8], ParameterValue<'a>),
    ) -> Result<Option<ChallengeView<'a>>, SyntaxError> {
        let mut scanner = match *self {
            Self::Read(scanner) => scanner,
            Self::Untouched(bytes) => {
                let mut scanner = Scanner::new(bytes);
                *budget = budget
                    .checked_sub(bytes.len())
                    .ok_or_else(|| scanner.error("at most 64 KiB of challenges"))?;
                scanner.skip_separators();
                scanner
            }
        };
        let found = if scanner.is_at_end() { None } else { Some(challenge(&mut scanner, each)?) };
        *self = Self::Read(scanner);
        Ok(found)
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Field(..)")
    }
}

/// `challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]`, and the comma behind it.
#[inline]
fn challenge<'a>(
    scanner: &mut Scanner<'a>,
    each: impl FnMut(&'a [u8], ParameterValue<'a>),
) -> Result<ChallengeView<'a>, SyntaxError> {
    let scheme = scanner.token_bytes();
    if scheme.is_empty() {
        return Err(scanner.error("the name of a scheme"));
    }
    let mut view = ChallengeView { scheme, token68: None, parameters: Parameters::NONE };
    let mut ahead = *scanner;
    let is_apart = scanner.eat(b' ');
    scanner.take_while(|byte| byte == b' ');
    if !is_apart || !is_parameter(*scanner) {
        match separator(&mut ahead) {
            Ok(_) => {
                *scanner = ahead;
                return Ok(view);
            }
            Err(error) if !is_apart => return Err(error),
            Err(_) => {}
        }
        ahead = *scanner;
        if let Some(token68) = ahead.token68() {
            // A token68 ends its challenge: anything but a comma behind it makes it the name of a parameter.
            if separator(&mut ahead).is_ok() {
                view.token68 = Some(token68);
                *scanner = ahead;
                return Ok(view);
            }
        }
    }
    view.parameters = Parameters::read(scanner, each)?;
    if view.parameters.is_empty() {
        return Err(scanner.error("a parameter or a token68"));
    }
    Ok(view)
}

/// Does a parameter begin here, as nearly always behind a scheme: `name="` or `name=v`, where neither a token68 nor the
/// next challenge can?
#[inline]
fn is_parameter(mut scanner: Scanner<'_>) -> bool {
    let is_named = !scanner.token_bytes().is_empty();
    is_named
        && scanner.eat(b'=')
        && scanner.rest().first().is_some_and(|byte| *byte == b'"' || is_tchar(*byte))
}

/// One challenge, borrowed from its field.
///
/// Prints as `Scheme token68` or `Scheme name=value, name=value`; what was printed reads the same again.
#[derive(Clone, Copy)]
pub struct ChallengeView<'a> {
    /// A token.
    scheme: &'a [u8],
    token68: Option<&'a str>,
    parameters: Parameters<'a>,
}

impl<'a> ChallengeView<'a> {
    /// The name of the scheme, as it was written.
    #[must_use]
    pub const fn scheme(&self) -> &'a str {
        match str::from_utf8(self.scheme) {
            Ok(scheme) => scheme,
            Err(_) => "",
        }
    }

    /// Is it this scheme, in any case?
    #[must_use]
    pub fn is(&self, scheme: &str) -> bool {
        is_scheme(self.scheme, scheme)
    }

    /// Its token68, if that is what it has.
    #[must_use]
    pub const fn token68(&self) -> Option<&'a str> {
        self.token68
    }

    /// Its parameters, unknown ones included.
    #[must_use]
    pub const fn parameters(&self) -> Parameters<'a> {
        self.parameters
    }

    /// The parameter of this name, in any case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<ParameterValue<'a>> {
        self.parameters.find(name)
    }
}

impl fmt::Debug for ChallengeView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChallengeView")
            .field("scheme", &self.scheme())
            .field("token68", &self.token68)
            .field("parameters", &self.parameters)
            .finish()
    }
}

impl fmt::Display for ChallengeView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme())?;
        if let Some(token68) = self.token68 {
            write!(f, " {token68}")?;
        }
        for (index, parameter) in self.parameters.enumerate() {
            write!(
                f,
                "{}{}={}",
                if index == 0 { " " } else { ", " },
                parameter.name,
                parameter.value
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn print(field: &[u8]) -> Result<Vec<String>, SyntaxError> {
        Challenges::parse(field).map(|found| found.map(|challenge| challenge.to_string())).collect()
    }

    #[track_caller]
    fn check(field: &str, expected: &[&str]) {
        assert_eq!(print(field.as_bytes()).unwrap(), expected);
    }

    #[track_caller]
    fn refused(field: &[u8], at: usize, expected: &'static str) {
        assert_eq!(print(field).unwrap_err(), SyntaxError { at, expected });
    }

    /// RFC 9110 section 11.6.1.
    #[test]
    fn reads_the_example_of_rfc_9110() {
        check(
            r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#,
            &[
                r#"Basic realm="simple""#,
                r#"Newauth realm="apps", type=1, title="Login to \"apps\"""#,
            ],
        );
        let title =
            Challenges::parse(br#"Newauth title="Login to \"apps\"""#).next().unwrap().unwrap();
        assert_eq!(title.parameter("Title").unwrap().text().unwrap(), r#"Login to "apps""#);
    }

    #[test]
    fn a_challenge_says_what_it_is() {
        let read = |field| Challenges::parse(field).next().unwrap().unwrap();
        let negotiate = read(b"nEGOTIATE YII=");
        assert!(negotiate.is("Negotiate") && !negotiate.is("Basic"));
        assert_eq!(negotiate.token68(), Some("YII="));
        let basic = read(br#"Basic realm="a \"b\"", charset=UTF-8"#);
        assert_eq!(basic.token68(), None);
        let (realm, charset) = (basic.parameter("realm"), basic.parameter("charset"));
        let (realm, charset) = (realm.unwrap(), charset.unwrap());
        assert_eq!((realm.raw(), realm.is_quoted()), (&br#"a \"b\""#[..], true));
        assert_eq!((charset.raw(), charset.is_quoted()), (&b"UTF-8"[..], false));
        assert_eq!(format!("{realm:?}"), "..");
    }

    #[test]
    fn tells_schemes_parameters_and_token68_apart() {
        check("Negotiate", &["Negotiate"]);
        check("Negotiate , NTLM", &["Negotiate", "NTLM"]);
        check("Negotiate \t,NTLM\t, Basic \t", &["Negotiate", "NTLM", "Basic"]);
        check("Negotiate YII=, Basic realm=x", &["Negotiate YII=", "Basic realm=x"]);
        check("A b==, C d=e", &["A b==", "C d=e"]);
        check("A b = c , d\t=\t\"e\" ,F", &["A b=c, d=\"e\"", "F"]);
        check("A b=c, , ,D e=f,", &["A b=c", "D e=f"]);
        check(", ,A", &["A"]);
        check("", &[]);
        check(r#"A b="C d=e, F""#, &[r#"A b="C d=e, F""#]);
        check("A a/b+c~", &["A a/b+c~"]);
        check("A b, C", &["A b", "C"]);
    }

    #[test]
    fn says_where_and_what_it_expected() {
        refused(b"=", 0, "the name of a scheme");
        refused(b"A b=\"c", 6, "the rest of a quoted string");
        refused(b"A b=c d=e", 6, "a comma");
        refused(b"A b=c, b=d", 2, "each parameter once");
        refused(b"A b=c, B=d", 2, "each parameter once");
        refused(b"A b=c, d=", 9, "a value behind '='");
        refused(b"A \"b\"", 2, "a parameter or a token68");
        refused(b"A \tb=c", 2, "a parameter or a token68");
        refused(b"A\tb=c", 2, "a comma");
        refused(b"A b=\"\x00\"", 5, "the rest of a quoted string");
        refused(
            &[b"A x".to_vec(), vec![b'x'; 1 << 16]].concat(),
            0,
            "at most 64 KiB of challenges",
        );
        let many: Vec<_> = (0..33).map(|n| format!("p{n}=1")).collect();
        refused(format!("A {}", many.join(",")).as_bytes(), 184, "at most 32 parameters");
    }

    #[test]
    fn reads_several_fields_as_one_list() {
        let mut headers = HeaderMap::new();
        for field in ["A b=c, D", "", "E f"] {
            headers.append(http::header::WWW_AUTHENTICATE, HeaderValue::from_static(field));
        }
        let found = Challenges::of(&headers, &http::header::WWW_AUTHENTICATE);
        assert_eq!(found.map(|c| c.unwrap().scheme()).collect::<Vec<_>>(), ["A", "D", "E"]);
    }

    /// What is read of several fields: each challenge, and each error as `!`.
    #[track_caller]
    fn check_fields(fields: &[&[u8]], expected: &[&str]) {
        let name = http::header::WWW_AUTHENTICATE;
        let fields = fields.iter().map(|field| HeaderValue::from_bytes(field).unwrap());
        let headers: HeaderMap = fields.map(|field| (name.clone(), field)).collect();
        let mut read = Challenges::of(&headers, &name);
        let found: Vec<_> = read
            .by_ref()
            .map(|one| one.map_or_else(|_| "!".to_owned(), |one| one.to_string()))
            .collect();
        assert_eq!(found, expected);
        assert!(read.next().is_none(), "it goes on behind its end");
    }

    #[test]
    fn a_field_that_cannot_be_read_hides_none_of_the_others() {
        check_fields(&[b"A b=\"c", b"D e=f"], &["!", "D e=f"]);
        check_fields(&[b"A b=c, =, G h=i", b"D e=f"], &["A b=c", "!", "D e=f"]);
        check_fields(&[b"=", b"A", b"B \"", b"C"], &["!", "A", "!", "C"]);
        check_fields(&[b"A", b"="], &["A", "!"]);
        let long = vec![b','; Challenges::MOST_BYTES];
        check_fields(&[b"A", &long, b"B", &long[1..]], &["A", "!", "B", "!"]);
    }

    #[test]
    fn keeps_bytes_that_are_not_utf8() {
        let challenge = Challenges::parse(b"A b=\"\xe9\"").next().unwrap().unwrap();
        let value = challenge.parameter("b").unwrap();
        assert_eq!((value.text(), &*value.bytes()), (None, &b"\xe9"[..]));
    }

    proptest! {
        #[test]
        fn takes_any_bytes_and_ends(field in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut found = Challenges::parse(&field);
            prop_assert!(found.by_ref().take(field.len() + 2).count() <= field.len() + 1);
            prop_assert!(found.next().is_none());
        }

        #[test]
        fn what_was_printed_reads_the_same(field in r#"([A-C][a-z]{0,2} ?([a-z]{1,2} ?= ?([a-z]+|"([a-z ,=]|\\[\\"a])*"),? ?){0,3}[A-Za-z/+]{0,3}=?=?,? ?){0,4}"#) {
            if let Ok(once) = print(field.as_bytes()) {
                prop_assert_eq!(print(once.join(", ").as_bytes()), Ok(once));
            }
        }
    }
}
