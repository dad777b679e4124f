//! Why two signatures differ, for the owner of the key.

use super::{SigV4Verifier, payload::Signed};
use crate::{canonical::Parameters, encode::Text};
use auth_core::{Rejection, RequestView};
use smallvec::SmallVec;
use std::fmt;

/// Two canonical requests side by side: the one that a client signed, and the one that was made of its request as it
/// arrived. Where they differ first is why the signatures do.
///
/// For the owner of the key, who has the client's own (every SDK logs it); never for a caller, and never for a log by
/// default. Its `Display` is meant to be read by a person.
///
/// # Security
///
/// Values of fields and parameters that hold secrets are masked. No signature and no key is in it.
#[derive(Debug, PartialEq, Eq)]
pub struct SignatureExplanation {
    signed: Vec<String>,
    arrived: Vec<String>,
    difference: Option<SignatureDifference>,
}

/// Where two canonical requests differ first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureDifference {
    /// What is different.
    pub part: CanonicalPart,
    /// The line of the canonical request, from 1 on.
    pub line: usize,
    /// The character of the line, from 1 on.
    pub column: usize,
}

/// A part of a canonical request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CanonicalPart {
    /// The method.
    Method,
    /// The path: mostly encoded once where twice is meant, or the other way round.
    Path,
    /// The query: its order, its encoding, or a proxy that adds to it.
    Query,
    /// A header field, or that it is among those that are signed.
    Field(String),
    /// The list of names.
    SignedHeaders,
    /// The hash of the payload: it was changed on its way, or signed in another form.
    Payload,
}

impl<L> SigV4Verifier<L> {
    /// Compares the canonical request of a request as it arrived with the one that the client signed.
    ///
    /// # Errors
    ///
    /// What is wrong with the request before signatures matter: it is too old, say, or has none.
    pub fn explain(
        &self,
        request: RequestView<'_>,
        signed: &str,
    ) -> Result<SignatureExplanation, Box<Rejection>> {
        let refuse = |refused: crate::reason::Refused| Box::new(refused.rejection());
        let mut buffer = SmallVec::new();
        let query = Parameters::unsorted(request.uri.query().unwrap_or_default().as_bytes());
        let presented = self.read(request, &query, &mut buffer).map_err(refuse)?;
        let payload = Signed::of(request, &presented, &self.policy).map_err(refuse)?;
        let fields = self.fields(request, &presented).map_err(refuse)?;
        let said = payload.said(request.body).map_err(refuse)?;
        let mut text = Text::new();
        self.canonical(request, query, fields, said.as_bytes()).write(&mut text);
        Ok(SignatureExplanation::of(signed, &String::from_utf8_lossy(&text)))
    }
}

impl SignatureExplanation {
    pub(crate) fn of(signed: &str, arrived: &str) -> Self {
        let [signed, arrived] = [signed, arrived].map(|text| -> Vec<&str> {
            text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect()
        });
        let differs = |line: &usize| signed.get(*line) != arrived.get(*line);
        let first = (0..signed.len().max(arrived.len())).find(differs);
        let difference = first.map(|line| {
            let [one, other] = [&signed, &arrived].map(|lines| lines.get(line).copied());
            let [left, right] = [one, other].map(|line| line.unwrap_or_default().chars());
            let same = left.zip(right).take_while(|(one, other)| one == other).count();
            SignatureDifference {
                part: part(line, &arrived, other.or(one)),
                line: line + 1,
                column: same + 1,
            }
        });
        let masked = |lines: Vec<&str>| lines.into_iter().map(mask).collect();
        Self { signed: masked(signed), arrived: masked(arrived), difference }
    }

    /// Where they differ first; `None` when they are the same: then the secret, the date or the scope is another.
    #[must_use]
    pub const fn difference(&self) -> Option<&SignatureDifference> {
        self.difference.as_ref()
    }
}

/// What stands on a line: method, path, query, fields, an empty line, their names, the payload.
fn part(line: usize, arrived: &[&str], text: Option<&str>) -> CanonicalPart {
    let last = arrived.len().saturating_sub(1);
    match line {
        0 => CanonicalPart::Method,
        1 => CanonicalPart::Path,
        2 => CanonicalPart::Query,
        line if line == last => CanonicalPart::Payload,
        line if line + 1 == last => CanonicalPart::SignedHeaders,
        _ => {
            let name = text.and_then(|text| text.split_once(':')).map(|(name, _)| name);
            CanonicalPart::Field(name.unwrap_or_default().to_owned())
        }
    }
}

/// A line with what could be a secret left out, but for its length.
fn mask(line: &str) -> String {
    const FIELDS: [&str; 7] = [
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-amz-copy-source-server-side-encryption-customer-key",
        "x-amz-security-token",
        "x-amz-server-side-encryption-customer-key",
        "x-api-key",
    ];
    const TOKEN: &str = "X-Amz-Security-Token=";
    if let Some((name, value)) = line.split_once(':') {
        if FIELDS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
            return format!("{name}:({} characters)", value.chars().count());
        }
    }
    match line.split_once(TOKEN) {
        Some((before, rest)) => {
            let end = rest.find('&').unwrap_or(rest.len());
            let (value, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            format!("{before}{TOKEN}({} characters){after}", value.chars().count())
        }
        None => line.to_owned(),
    }
}

impl fmt::Display for SignatureExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.difference {
            None => writeln!(
                f,
                "the canonical requests are the same, so the secret access key, the date or the scope differs"
            )?,
            Some(SignatureDifference { part, line, column }) => {
                writeln!(f, "first difference: {part}, line {line}, character {column}")?;
            }
        }
        let width = self.signed.iter().map(|line| line.chars().count()).max().unwrap_or(0).max(6);
        writeln!(f, "  {:width$} | arrived", "signed")?;
        for line in 0..self.signed.len().max(self.arrived.len()) {
            let [signed, arrived] = [&self.signed, &self.arrived]
                .map(|lines| lines.get(line).map_or("", String::as_str));
            let mark = if signed == arrived { ' ' } else { '!' };
            writeln!(f, "{mark} {signed:width$} | {arrived}")?;
        }
        Ok(())
    }
}

impl fmt::Display for CanonicalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method => f.write_str("method"),
            Self::Path => f.write_str("path"),
            Self::Query => f.write_str("query"),
            Self::Field(name) => write!(f, "header field {name}"),
            Self::SignedHeaders => f.write_str("names of the signed header fields"),
            Self::Payload => f.write_str("hash of the payload"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARRIVED: &str = "GET\n/a%2520b\nx=1\nhost:h\nx-amz-date:d\n\nhost;x-amz-date\ne3b0";

    #[track_caller]
    fn check(from: &str, to: &str, part: CanonicalPart, line: usize, column: usize) {
        let signed = ARRIVED.replacen(from, to, 1);
        let explained = SignatureExplanation::of(&signed, ARRIVED);
        assert_eq!(explained.difference(), Some(&SignatureDifference { part, line, column }));
    }

    #[test]
    fn names_the_first_part_that_differs() {
        check("GET", "PUT", CanonicalPart::Method, 1, 1);
        check("%2520", "%20", CanonicalPart::Path, 2, 5);
        check("x=1", "x=2", CanonicalPart::Query, 3, 3);
        check("host:h", "host:H", CanonicalPart::Field("host".into()), 4, 6);
        check("host;x-amz-date", "host", CanonicalPart::SignedHeaders, 7, 5);
        check("e3b0", "UNSIGNED-PAYLOAD", CanonicalPart::Payload, 8, 1);
        check("\ne3b0", "", CanonicalPart::Payload, 8, 1);
        assert_eq!(
            SignatureExplanation::of(&ARRIVED.replace('\n', "\r\n"), ARRIVED).difference(),
            None
        );
    }

    #[test]
    fn is_read_side_by_side_and_shows_no_secret() {
        let fields = "cookie:s3cret\nX-Amz-Security-Token:t0ken\nx-api-key:s3cret\n\
                      x-amz-server-side-encryption-customer-key:s3cret\n\
                      x-amz-copy-source-server-side-encryption-customer-key:s3cret";
        let arrived = ARRIVED.replace("x-amz-date:d", fields);
        let arrived = arrived.replace("x=1", "X-Amz-Security-Token=t0ken&x=1");
        let text = SignatureExplanation::of(&arrived.replace("GET", "PUT"), &arrived).to_string();
        assert!(!text.contains("s3cret") && !text.contains("t0ken"), "{text}");
        assert!(text.starts_with("first difference: method, line 1, character 1\n"), "{text}");
        assert!(text.contains("! PUT ") && text.contains("| GET\n"), "{text}");
        let same = SignatureExplanation::of(&arrived, &arrived).to_string();
        assert!(same.starts_with("the canonical requests are the same"), "{same}");
    }
}
