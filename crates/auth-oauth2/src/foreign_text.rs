//! Text that a peer chose, made fit for an error: short, plain, and without the secrets that it may repeat.

use crate::{client_authentication::ClientProof, parameters::Parameters};
use http::HeaderMap;
use std::{borrow::Cow, cmp::Reverse, sync::OnceLock};
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

    /// At most 256 bytes of what [`hide`](Self::hide) leaves of the text.
    pub(crate) fn cut(&self, text: &str) -> String {
        let mut text = self.hide(text).into_owned();
        text.truncate(MOST);
        text
    }

    /// The text in the characters that RFC 6749 section 5.2 allows, each secret as `[secret]`. A text that is so already
    /// costs next to nothing, since every good answer has one.
    pub(crate) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.bytes().all(|byte| is_allowed(&char::from(byte))) && !self.are_perhaps_in(text) {
            return Cow::Borrowed(text);
        }
        let mut text: String = text.chars().filter(is_allowed).collect();
        for form in self.forms() {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), "[secret]");
            }
        }
        Cow::Owned(text)
    }

    /// Every form of a secret has the letters and digits of the secret itself that stand in a row.
    fn are_perhaps_in(&self, text: &str) -> bool {
        self.iter().filter(|secret| secret.len() >= Self::LEAST).any(|secret| {
            let rows = secret.split(|char: char| !char.is_ascii_alphanumeric());
            let longest = rows.max_by_key(|row| row.len()).unwrap_or_default();
            longest.len() < Self::LEAST || text.contains(longest)
        })
    }

    /// Every form that has to be cut out, the longest first: a part of one that was cut out would stand alone.
    fn forms(&self) -> &[Zeroizing<String>] {
        self.forms.get_or_init(|| {
            let mut forms = Vec::new();
            self.iter().for_each(|secret| add_forms(&mut forms, secret));
            forms.sort_by_key(|one| Reverse(one.len()));
            forms
        })
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let sent = self.sent.iter().flat_map(|Sent { parameters, proof, fields }| {
            let fields = fields.values().filter_map(|value| value.to_str().ok());
            parameters.secrets().chain(proof.secrets()).chain(fields)
        });
        self.others.iter().map(|secret| secret.as_str()).chain(sent)
    }
}

/// What libraries write for a quotation mark and an apostrophe in a page.
const PAGE_QUOTES: [[&str; 2]; 4] =
    [["&quot;", "&#39;"], ["&#34;", "&#39;"], ["&quot;", "&#x27;"], ["&quot;", "&#039;"]];

/// As it stands in a page.
fn page(secret: &str, [quotation, apostrophe]: [&str; 2]) -> String {
    let text = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', quotation).replace('\'', apostrophe)
}

/// A secret as it is, as it stands in a form, in a URL and in a page, and as it comes out of a form in which it was not
/// escaped.
fn add_forms(forms: &mut Vec<Zeroizing<String>>, secret: &str) {
    if secret.len() < Secrets::LEAST {
        return;
    }
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let url = form.replace('+', "%20");
    let small = [lower_escapes(&form), lower_escapes(&url)];
    let pages = PAGE_QUOTES.map(|quotes| page(secret, quotes));
    let unescaped = secret.replace('+', " ");
    let plain = [form, url, secret.to_owned(), unescaped];
    for one in small.into_iter().chain(plain).chain(pages) {
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
    fn a_secret_is_found_in_a_page() {
        let mut secrets = Secrets::default();
        secrets.add("a&b<c>d\"e'");
        for (quotation, apostrophe) in
            [("&quot;", "&#39;"), ("&#34;", "&#39;"), ("&quot;", "&#x27;"), ("&quot;", "&#039;")]
        {
            let text = format!("a&amp;b&lt;c&gt;d{quotation}e{apostrophe}");
            assert_eq!(secrets.cut(&text), "[secret]", "{text}");
        }
    }

    #[test]
    fn a_long_text_is_hidden_whole_and_not_cut() {
        let mut secrets = Secrets::default();
        secrets.add("s3cret");
        let long = "scope ".repeat(100);
        assert_eq!(secrets.hide(&format!("{long}s3cret")), format!("{long}[secret]"));
    }

    #[test]
    fn what_a_log_could_not_show_is_left_out() {
        check("a\r\nb \"c\" \\ \u{202e}d", "ab c  d");
        check(&"x".repeat(1000), &"x".repeat(256));
    }
}
