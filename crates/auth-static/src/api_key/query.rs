//! One parameter of a query (RFC 3986 sections 2.1 and 3.4), among others that are not ours.

use super::MALFORMED;
use auth_core::{Reason, Rejection};
use std::borrow::Cow;

/// The value of the one parameter of this name, decoded; what others look like does not matter.
///
/// # Errors
///
/// A 400 when the name comes twice, or the value is not percent-encoded as it should be.
pub(super) fn find<'a>(
    query: Option<&'a str>,
    name: &str,
) -> Result<Option<Cow<'a, [u8]>>, Rejection> {
    let mut values = values(query, name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Rejection::malformed(SEVERAL));
    }
    if !value.contains('%') {
        return Ok(Some(Cow::Borrowed(value.as_bytes())));
    }
    let value: Option<Vec<u8>> = decoded(value).collect();
    value.map(|value| Some(Cow::Owned(value))).ok_or_else(|| Rejection::malformed(MALFORMED))
}

/// Is there a parameter of this name, good or bad?
pub(super) fn has(query: Option<&str>, name: &str) -> bool {
    values(query, name).next().is_some()
}

/// The values of all parameters whose name reads as this one, however it was encoded.
fn values<'q>(query: Option<&'q str>, name: &str) -> impl Iterator<Item = &'q str> {
    query.unwrap_or_default().split('&').filter_map(move |parameter| {
        let (found, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let same = if found.contains('%') {
            decoded(found).eq(name.bytes().map(Some))
        } else {
            found == name
        };
        same.then_some(value)
    })
}

/// The bytes that percent-encoded text stands for; `None` for each `%` without two hex digits behind it.
fn decoded(text: &str) -> impl Iterator<Item = Option<u8>> {
    let mut bytes = text.bytes();
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    std::iter::from_fn(move || match bytes.next()? {
        b'%' => {
            let (high, low) = (digit(bytes.next()), digit(bytes.next()));
            Some(high.zip(low).and_then(|(high, low)| u8::try_from(high << 4 | low).ok()))
        }
        byte => Some(Some(byte)),
    })
}

const SEVERAL: Reason =
    Reason::new("api_key_several", "more than one query parameter with the API key, expected one");

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, expected: Result<Option<&str>, &str>) {
        let found = find(Some(query), "api key");
        let found = found.map(|value| value.map(|value| String::from_utf8(value.into()).unwrap()));
        assert_eq!(
            found.as_ref().map(Option::as_deref).map_err(|rejection| rejection.reason().code),
            expected
        );
        assert_eq!(has(Some(query), "api key"), expected != Ok(None));
    }

    #[test]
    fn takes_the_one_parameter_however_its_name_is_encoded() {
        check("api%20key=abc", Ok(Some("abc")));
        check("a=1&%61%70i%20key=a%2Fb%2fc&b", Ok(Some("a/b/c")));
        check("api%20key=a+b", Ok(Some("a+b")));
        check("api%20key=a=b", Ok(Some("a=b")));
        check("api%20key=", Ok(Some("")));
        check("api%20key", Ok(Some("")));
        check("", Ok(None));
        check("api%20keys=a&API%20KEY=b&api+key=c&%zz=d&api%20=e&api%20ke%7=f", Ok(None));
        check("api%20key=a&api%20key=a", Err("api_key_several"));
        check("api%20key=a&x&api%20%6bey", Err("api_key_several"));
        for value in ["%", "%4", "%zz", "%+1", "%-1", "a%2", "%%41", "%4é"] {
            check(&format!("api%20key={value}"), Err("api_key_malformed"));
        }
    }

    #[test]
    fn a_name_is_compared_as_it_reads() {
        assert!(has(Some("%2541"), "%41") && !has(Some("%41"), "%41"));
    }

    #[test]
    fn no_query_has_no_parameter() {
        assert!(find(None, "k").unwrap().is_none());
    }
}
