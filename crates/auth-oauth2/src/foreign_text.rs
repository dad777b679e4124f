//! Text that a peer chose, made fit for an error: short, plain, and without the secrets that it may repeat.

use crate::{client_authentication::ClientProof, parameters::Parameters};
use http::HeaderMap;
use std::sync::OnceLock;
use zeroize::Zeroizing;

const MOST: usize = 256;

/// Secrets of a request, which an answer may repeat. What they look like is worked out when the first text is cut, since
/// most requests are not refused.
#[derive(Default)]
pub(crate) struct Secrets<'a> {
    sent: Option<Sent<'a>>,
    others: Vec<Zeroizing<String>>,
    forms: OnceLock<Vec<Zeroizing<String>>>,
}

/// What was sent.
pub(crate) struct Sent<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) proof: ClientProof<'a>,
    /// A field that an operator typed may be a key.
    pub(crate) fields: &'a HeaderMap,
}

impl<'a> From<Sent<'a>> for Secrets<'a> {
    fn from(sent: Sent<'a>) -> Self {
        Self { sent: Some(sent), ..Self::default() }
    }
}

impl Secrets<'_> {
    /// Shorter ones are found in everything.
    const LEAST: usize = 4;

    /// Remembers one more.
    pub(crate) fn add(&mut self, secret: &str) {
        self.others.push(Zeroizing::new(secret.to_owned()));
        self.forms = OnceLock::new();
    }

    /// Every form that has to be cut out, the longest first: a part of one that was cut out would stand alone.
    fn forms(&self) -> &[Zeroizing<String>] {
        self.forms.get_or_init(|| {
            let mut forms = Vec::new();
            self.others.iter().for_each(|secret| add_forms(&mut forms, secret));
            if let Some(Sent { parameters, proof, fields }) = &self.sent {
                parameters.secrets().for_each(|secret| add_forms(&mut forms, secret));
                proof.secrets().for_each(|secret| add_forms(&mut forms, secret));
                let fields = fields.values().filter_map(|value| value.to_str().ok());
                fields.for_each(|value| add_forms(&mut forms, value));
            }
            forms.sort_by_key(|one| std::cmp::Reverse(one.len()));
            forms
        })
    }

    /// At most 256 bytes of the text, in the characters that RFC 6749 section 5.2 allows, each secret as `[secret]`.
    pub(crate) fn cut(&self, text: &str) -> String {
        let mut text: String = text.chars().filter(is_allowed).collect();
        for secret in self.forms() {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "[secret]");
            }
        }
        text.truncate(MOST);
        text
    }
}

/// A secret, and how it stands in a form or a URL, or comes out of a form in which it was not escaped.
fn add_forms(forms: &mut Vec<Zeroizing<String>>, secret: &str) {
    if secret.len() < Secrets::LEAST {
        return;
    }
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let url = form.replace('+', "%20");
    let small = |encoded: &str| lower_escapes(encoded);
    // What becomes of one that stands unescaped in a form.
    let unescaped = secret.replace('+', " ");
    for one in [small(&form), small(&url), form, url, secret.to_owned(), unescaped] {
        // Texts are looked through when what a log could not show is gone from them.
        let one = one.chars().filter(is_allowed).collect::<String>();
        // Padding may be lost, and tells nothing.
        let one = one.trim_end_matches('=').to_owned();
        if one.len() >= Secrets::LEAST && !forms.iter().any(|known| **known == one) {
            forms.push(Zeroizing::new(one));
        }
    }
}

fn is_allowed(char: &char) -> bool {
    matches!(char, '\u{20}' | '\u{21}' | '\u{23}'..='\u{5b}' | '\u{5d}'..='\u{7e}')
}

/// With the digits of each escape as small letters, as some servers write them.
fn lower_escapes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut lowered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        lowered.push('%');
        lowered.push_str(&digits.to_ascii_lowercase());
        lowered.push_str(rest);
    }
    lowered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut secrets = Secrets::default();
        ["s3cr&t", "s3cr&t-and-more", "abc"].into_iter().for_each(|one| secrets.add(one));
        assert_eq!(secrets.cut(text), expected);
    }

    #[test]
    fn secrets_are_cut_out_whole_and_in_every_form() {
        check("no s3cr&t here", "no [secret] here");
        check("body: client_secret=s3cr%26t&x", "body: client_secret=[secret]&x");
        check("s3cr&t-and-more", "[secret]");
        check("client_secret=s3cr%26t and s3cr%26T", "client_secret=[secret] and s3cr%26T");
        check("s3c\r\nr&t, s3c\"r&t", "[secret], [secret]");
        check("abc is too short to be one", "abc is too short to be one");
    }

    #[test]
    fn a_secret_is_found_however_it_was_escaped() {
        let mut secrets = Secrets::default();
        secrets.add("p \"a\u{e9}/+");
        for text in [
            "p \"a\u{e9}/+",
            "p \"a\u{e9}/ ",
            "p+%22a%C3%A9%2F%2B",
            "p%20%22a%c3%a9%2f%2b",
            "p%20%22a%C3%A9%2F%2B",
        ] {
            assert_eq!(secrets.cut(text), "[secret]", "{text}");
        }
        let mut padded = Secrets::default();
        padded.add("bWU6czNjcmV0LQ==");
        assert_eq!(padded.cut("a bWU6czNjcmV0LQ b bWU6czNjcmV0LQ=="), "a [secret] b [secret]==");
        let long = format!("{}p \"a\u{e9}/+", "x".repeat(254));
        assert!(!secrets.cut(&long).contains("xp"), "a secret at the end is not cut in two");
    }

    #[test]
    fn what_a_log_could_not_show_is_left_out() {
        check("a\r\nb \"c\" \\ \u{202e}d", "ab c  d");
        check(&"x".repeat(1000), &"x".repeat(256));
    }
}
