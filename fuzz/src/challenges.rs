//! The input is a field of challenges. Whatever it holds, reading ends, and the field behind it is read; what was read
//! prints as what reads the same, in one field or in several; and a second reader, where it accepts, has read the same.

use auth_core::{ChallengeView, Challenges, Parameters, SyntaxError};
use http::{HeaderMap, HeaderValue, header::WWW_AUTHENTICATE};
use http_auth::{ChallengeRef, parser::ChallengeParser};
use std::{str, sync::LazyLock};

/// Holds for any bytes as a field of challenges.
pub fn challenges(data: &[u8]) {
    let read = ends(data);
    reads_as_fields(data, &read);
    if let Ok(text) = str::from_utf8(data) {
        agrees_with_http_auth(text, &read);
    }
    if let Ok(found) = read {
        found.iter().for_each(one);
        reads_the_same_again(&found);
    }
}

type Read<'a> = Result<Vec<ChallengeView<'a>>, SyntaxError>;

/// What is read comes to an end, an error is the last of it, and nothing comes behind the end.
fn ends(data: &[u8]) -> Read<'_> {
    let mut challenges = Challenges::parse(data);
    let mut found = Vec::new();
    while let Some(next) = challenges.next() {
        if let Err(error) = next {
            assert!(error.at <= data.len());
            assert!(challenges.next().is_none(), "went on behind an error");
            return Err(error);
        }
        found.extend(next);
        assert!(found.len() <= data.len(), "more challenges than bytes");
    }
    assert!(challenges.next().is_none(), "went on behind the end");
    Ok(found)
}

/// One challenge: its parts agree with each other.
fn one(challenge: &ChallengeView<'_>) {
    let parameters: Vec<_> = challenge.parameters().collect();
    assert!(challenge.is(&challenge.scheme().to_ascii_uppercase()));
    assert!(parameters.len() <= Parameters::MOST);
    assert!(challenge.token68().is_none() || parameters.is_empty());
    for (at, parameter) in parameters.iter().enumerate() {
        let (name, value) = (parameter.name, parameter.value);
        assert!(challenge.parameter(name) == Some(value));
        assert!(challenge.parameter(&name.to_ascii_uppercase()) == Some(value));
        assert!(parameters[..at].iter().all(|other| !other.name.eq_ignore_ascii_case(name)));
        let meant =
            if value.is_quoted() { unescaped(value.raw()) } else { Some(value.raw().to_vec()) };
        assert_eq!(Some(value.bytes().into_owned()), meant);
        assert_eq!(
            value.text().map(|text| text.into_owned()),
            String::from_utf8(meant.unwrap()).ok()
        );
    }
}

/// `None` when a quote has no backslash before it, or a backslash nothing behind it.
fn unescaped(raw: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut escaped = false;
    for &byte in raw {
        match byte {
            b'\\' if !escaped => escaped = true,
            b'"' if !escaped => return None,
            _ => {
                plain.push(byte);
                escaped = false;
            }
        }
    }
    (!escaped).then_some(plain)
}

/// A challenge as bytes, put together from its parts.
fn written(challenge: &ChallengeView<'_>) -> Vec<u8> {
    let mut out = challenge.scheme().as_bytes().to_vec();
    if let Some(token68) = challenge.token68() {
        out.push(b' ');
        out.extend(token68.bytes());
    }
    for (at, parameter) in challenge.parameters().enumerate() {
        out.extend(if at == 0 { " " } else { ", " }.bytes());
        out.extend(parameter.name.bytes());
        out.push(b'=');
        let quote: &[u8] = if parameter.value.is_quoted() { b"\"" } else { b"" };
        out.extend([quote, parameter.value.raw(), quote].concat());
    }
    out
}

/// Joined into one field, or over several: the same list.
fn reads_the_same_again(found: &[ChallengeView<'_>]) {
    let parts: Vec<Vec<u8>> = found.iter().map(written).collect();
    let joined = parts.join(&b", "[..]);
    if joined.len() > Challenges::MOST_BYTES {
        return;
    }
    for (challenge, part) in found.iter().zip(&parts) {
        assert_eq!(challenge.to_string(), String::from_utf8_lossy(part));
    }
    let again: Vec<_> = Challenges::parse(&joined).map(|one| written(&one.unwrap())).collect();
    assert_eq!(again, parts);

    let (front, back) = parts.split_at(parts.len() / 2);
    let halves = [front.join(&b","[..]), Vec::new(), back.join(&b" ,\t, "[..])];
    for fields in [&parts[..], &halves] {
        if fields.iter().map(Vec::len).sum::<usize>() > Challenges::MOST_BYTES {
            continue;
        }
        let headers: HeaderMap = fields
            .iter()
            .map(|field| (WWW_AUTHENTICATE, HeaderValue::from_bytes(field).unwrap()))
            .collect();
        let again: Vec<_> =
            Challenges::of(&headers, &WWW_AUTHENTICATE).map(|one| written(&one.unwrap())).collect();
        assert_eq!(again, parts);
    }
}

static COMMAS: LazyLock<Vec<u8>> = LazyLock::new(|| vec![b','; Challenges::MOST_BYTES + 1]);

/// As the last of fields that have the most bytes together it reads the same; with one more it does not read at all.
fn reads_as_fields(data: &[u8], read: &Read<'_>) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        assert!(read.is_err(), "read what no field can hold");
        return;
    };
    // Scanning 64 KiB costs more than all the rest.
    if data.len() % 8 != 0 || data.len() > Challenges::MOST_BYTES {
        return;
    }
    let check = |before: usize, expected: Result<Vec<Vec<u8>>, SyntaxError>| {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(&COMMAS[..before]).unwrap());
        headers.append(WWW_AUTHENTICATE, value.clone());
        let found = Challenges::of(&headers, &WWW_AUTHENTICATE);
        assert_eq!(
            found.map(|one| one.map(|one| written(&one))).collect::<Result<Vec<_>, _>>(),
            expected
        );
    };
    let most = Challenges::MOST_BYTES - data.len();
    check(
        most,
        read.as_ref().map(|found| found.iter().map(written).collect()).map_err(|error| *error),
    );
    hides_no_other(&value);
    check(most + 1, Err(SyntaxError { at: 0, expected: "at most 64 KiB of challenges" }));
}

/// Whatever a field holds, the challenges of the one behind it are read.
fn hides_no_other(value: &HeaderValue) {
    let mut headers = HeaderMap::new();
    headers.append(WWW_AUTHENTICATE, value.clone());
    headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Last a=b"));
    if value.len() + "Last a=b".len() <= Challenges::MOST_BYTES {
        let last = Challenges::of(&headers, &WWW_AUTHENTICATE).last();
        assert_eq!(last.unwrap().unwrap().to_string(), "Last a=b");
    }
}

/// Where the crate `http-auth` accepts a field, we accept it, with the same schemes and parameters.
///
/// It takes no token68 and nothing but ASCII, and one space alone behind a scheme: there it does not accept, and there is
/// nothing to compare. The differences that are meant are those of [`beyond_our_limits`].
fn agrees_with_http_auth(text: &str, ours: &Read<'_>) {
    if !text.is_ascii() {
        return;
    }
    let Ok(theirs) = ChallengeParser::new(text).collect::<Result<Vec<_>, _>>() else { return };
    if text.len() > Challenges::MOST_BYTES || theirs.iter().any(beyond_our_limits) {
        assert!(ours.is_err());
        return;
    }
    let ours = ours.as_ref().expect("a field that http-auth accepts");
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.scheme(), theirs.scheme);
        assert_eq!(ours.token68(), None);
        let ours: Vec<_> = ours
            .parameters()
            .map(|one| (one.name, one.value.text().unwrap().into_owned()))
            .collect();
        let theirs: Vec<_> =
            theirs.params.iter().map(|(name, value)| (*name, value.to_unescaped())).collect();
        assert_eq!(ours, theirs);
    }
}

/// A name that comes twice (RFC 9110 section 11.2 forbids it; which one holds would be a guess), or more than 32
/// parameters.
fn beyond_our_limits(theirs: &ChallengeRef<'_>) -> bool {
    let names: Vec<&str> = theirs.params.iter().map(|(name, _)| *name).collect();
    let twice = |(at, name): (usize, &&str)| {
        names[..at].iter().any(|other| other.eq_ignore_ascii_case(name))
    };
    names.len() > Parameters::MOST || names.iter().enumerate().any(twice)
}
