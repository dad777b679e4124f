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
    let Some(query) = query.map(str::as_bytes) else { return Ok(None) };
    // The usual query is the key alone, as it is. Without an early exit this compiles to a few instructions for many
    // bytes.
    if !query.iter().fold(false, |any, byte| any | matches!(byte, b'&' | b'%')) {
        return Ok(value_of(query, name).map(Cow::Borrowed));
    }
    let mut values = values(Some(query), name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Rejection::malformed(SEVERAL));
    }
    if !value.iter().fold(false, |any, byte| any | (*byte == b'%')) {
        return Ok(Some(Cow::Borrowed(value)));
    }
    let value: Option<Vec<u8>> = decoded(value).collect();
    value.map(|value| Some(Cow::Owned(value))).ok_or_else(|| Rejection::malformed(MALFORMED))
}

/// Is there a parameter of this name, good or bad?
pub(super) fn has(query: Option<&str>, name: &str) -> bool {
    values(query.map(str::as_bytes), name).next().is_some()
}

/// The values of all parameters whose name reads as this one, however it was encoded.
fn values<'q>(mut rest: Option<&'q [u8]>, name: &str) -> impl Iterator<Item = &'q [u8]> {
    let parameters = std::iter::from_fn(move || {
        let (parameter, others) = first(rest?);
        rest = others;
        Some(parameter)
    });
    parameters.filter_map(move |parameter| value_of(parameter, name))
}

/// The value, when this is the name.
fn value_of<'q>(parameter: &'q [u8], name: &str) -> Option<&'q [u8]> {
    match parameter.strip_prefix(name.as_bytes()) {
        Some([]) => Some(&[]),
        Some([b'=', value @ ..]) => Some(value),
        _ => value_of_encoded(parameter, name),
    }
}

/// The first parameter and what follows it.
fn first(query: &[u8]) -> (&[u8], Option<&[u8]>) {
    // Without an early exit this compiles to a few instructions for many bytes, and the key is often the last one.
    if !query.iter().fold(false, |any, byte| any | (*byte == b'&')) {
        return (query, None);
    }
    let mut parts = query.splitn(2, |byte| *byte == b'&');
    (parts.next().unwrap_or_default(), parts.next())
}

/// The value, when the name is encoded and reads as this one.
fn value_of_encoded<'q>(parameter: &'q [u8], name: &str) -> Option<&'q [u8]> {
    let mut parts = parameter.splitn(2, |byte| *byte == b'=');
    let (found, value) = (parts.next()?, parts.next().unwrap_or_default());
    (found.contains(&b'%') && decoded(found).eq(name.bytes().map(Some))).then_some(value)
}

/// The bytes that percent-encoded text stands for; `None` for each `%` without two hex digits behind it.
fn decoded(text: &[u8]) -> impl Iterator<Item = Option<u8>> {
    let mut bytes = text.iter().copied();
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
        let found = find(Some(query), "api[key]");
        let found = found.map(|value| value.map(|value| String::from_utf8(value.into()).unwrap()));
        assert_eq!(
            found.as_ref().map(Option::as_deref).map_err(|rejection| rejection.reason().code),
            expected
        );
        assert_eq!(has(Some(query), "api[key]"), expected != Ok(None));
    }

    #[test]
    fn takes_the_one_parameter_however_its_name_is_encoded() {
        check("api[key]=abc", Ok(Some("abc")));
        check("a=1&api[key]=abc&b", Ok(Some("abc")));
        check("api[key]", Ok(Some("")));
        check("api%5Bkey%5D=abc", Ok(Some("abc")));
        check("a=1&%61%70i[key%5d=a%2Fb%2fc&b", Ok(Some("a/b/c")));
        check("api%5Bkey%5D=a+b", Ok(Some("a+b")));
        check("api%5Bkey%5D=a=b", Ok(Some("a=b")));
        check("api%5Bkey%5D=", Ok(Some("")));
        check("api%5Bkey%5D", Ok(Some("")));
        check("", Ok(None));
        check("api[key]s=a&API[KEY]=b&api%5Bkey%5Ds=c&%zz=d&api[key=e&api[key%5=f", Ok(None));
        check("%2561pi[key]=a&api%255Bkey]=b&x=api[key]=c", Ok(None));
        check("api%5Bkey%5D=a&api%5Bkey%5D=a", Err("api_key_several"));
        check("api%5Bkey%5D=a&x&api%5b%6bey]", Err("api_key_several"));
        check("api[key]=a&api[key]", Err("api_key_several"));
        for value in ["%", "%4", "%zz", "%+1", "%-1", "a%2", "%%41", "%4é"] {
            check(&format!("api%5Bkey%5D={value}"), Err("api_key_malformed"));
        }
    }

    #[test]
    fn no_query_has_no_parameter() {
        assert!(find(None, "k").unwrap().is_none());
    }
}
