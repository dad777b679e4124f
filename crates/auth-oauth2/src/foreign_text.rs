//! Text that a peer chose, made fit for an error: short, plain, and without the secrets that it may repeat.

use crate::{client_authentication::ClientProof, parameters::Parameters};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use http::HeaderMap;
use std::{borrow::Cow, cmp::Reverse, sync::OnceLock};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

const MOST: usize = 256;

/// Secrets of a request, which an answer may repeat. What they look like is worked out when the first text is cut, since
/// most requests are not refused.
#[derive(Default)]
pub(crate) struct Secrets<'a> {
    sent: Option<Sent<'a>>,
    others: Vec<Zeroizing<String>>,
    forms: OnceLock<Vec<Zeroizing<String>>>,
    /// The same, and what may be a secret.
    all_forms: OnceLock<Vec<Zeroizing<String>>>,
}

/// What was sent.
pub(crate) struct Sent<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) proof: ClientProof<'a>,
    /// A parameter that an operator typed into it may be a key.
    pub(crate) url: &'a Url,
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
        (self.forms, self.all_forms) = (OnceLock::new(), OnceLock::new());
    }

    /// Every form that has to be cut out of what a screen shows.
    fn forms(&self) -> &[Zeroizing<String>] {
        self.forms.get_or_init(|| {
            let mut forms = Vec::new();
            self.iter().for_each(|secret| add_forms(&mut forms, secret));
            sorted(forms)
        })
    }

    /// Every form that has to be cut out of an error: whatever is not known to be public may be a vendor's key.
    fn all_forms(&self) -> &[Zeroizing<String>] {
        self.all_forms.get_or_init(|| {
            let mut forms = self.forms().to_vec();
            if let Some(Sent { parameters, url, .. }) = &self.sent {
                parameters.unknown().for_each(|value| add_forms(&mut forms, value));
                url.query_pairs().for_each(|(_, value)| add_forms(&mut forms, &value));
            }
            sorted(forms)
        })
    }

    /// At most 256 bytes of a text for an error, each secret as `[secret]`, and so each value that may be one.
    pub(crate) fn cut(&self, text: &str) -> String {
        let mut text = without(text, self.all_forms());
        let kept = text.len().saturating_sub(part_at_end(&text, self.all_forms()));
        if kept < text.len() {
            text.truncate(kept);
            text.push_str("[secret]");
        }
        text.truncate(MOST);
        text
    }

    /// The text in the characters that RFC 6749 section 5.2 allows, each secret as `[secret]`. A text that is so already
    /// costs next to nothing, since every good answer has one.
    pub(crate) fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.bytes().all(|byte| is_allowed(&char::from(byte))) && !self.are_perhaps_in(text) {
            return Cow::Borrowed(text);
        }
        Cow::Owned(without(text, self.forms()))
    }

    /// Every form of a secret has the letters and digits of the secret itself that stand in a row, or it is Base64, and
    /// then a long word.
    fn are_perhaps_in(&self, text: &str) -> bool {
        let is_of_word =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        let words = || text.as_bytes().split(|byte| !is_of_word(byte));
        self.iter().filter(|secret| secret.len() >= Self::LEAST).any(|secret| {
            let rows = secret.split(|char: char| !char.is_ascii_alphanumeric());
            let row = rows.max_by_key(|row| row.len()).unwrap_or_default();
            let base64 = secret.len().saturating_mul(4).div_ceil(3);
            row.len() < Self::LEAST
                || text.contains(row)
                || words().any(|word| word.len() >= base64)
        })
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let sent = self.sent.iter().flat_map(|Sent { parameters, proof, fields, .. }| {
            let fields = fields.values().filter_map(|value| value.to_str().ok());
            parameters.secrets().chain(proof.secrets()).chain(fields)
        });
        self.others.iter().map(|secret| secret.as_str()).chain(sent)
    }
}

/// The longest first: a part of one that was cut out would stand alone.
fn sorted(mut forms: Vec<Zeroizing<String>>) -> Vec<Zeroizing<String>> {
    forms.sort_by_key(|one| Reverse(one.len()));
    forms
}

fn without(text: &str, forms: &[Zeroizing<String>]) -> String {
    let mut text: String = text.chars().filter(is_allowed).collect();
    for form in forms {
        if text.contains(form.as_str()) {
            text = text.replace(form.as_str(), "[secret]");
        }
    }
    text
}

/// How long the end of a text is that is the beginning of a secret, as where a server cuts what it repeats.
fn part_at_end(text: &str, forms: &[Zeroizing<String>]) -> usize {
    /// Fewer are found in other words.
    const LEAST: usize = 6;
    let end = text.trim_end_matches('.');
    let part = |form: &Zeroizing<String>| {
        let most = form.len().min(end.len());
        let is_part = |length: &usize| form.get(..*length).is_some_and(|part| end.ends_with(part));
        (LEAST..=most).rev().find(is_part)
    };
    let longest = forms.iter().filter_map(part).max();
    longest.map_or(0, |longest| longest.saturating_add(text.len().saturating_sub(end.len())))
}

/// What libraries write for a quotation mark and an apostrophe in a page.
const PAGE_QUOTES: [[&str; 2]; 4] =
    [["&quot;", "&#39;"], ["&#34;", "&#39;"], ["&quot;", "&#x27;"], ["&quot;", "&#039;"]];

/// As it stands in a page.
fn page(secret: &str, [quotation, apostrophe]: [&str; 2]) -> String {
    let text = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', quotation).replace('\'', apostrophe)
}

/// As it stands in JSON where these characters are escaped; the reverse solidus is no character of an error.
fn json(secret: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut text = String::new();
    for char in secret.chars() {
        if is_escaped(char) {
            let mut units = [0; 2];
            let units = char.encode_utf16(&mut units);
            units.iter().for_each(|unit| text.push_str(&format!("u{unit:04x}")));
        } else {
            text.push(char);
        }
    }
    text
}

/// As it stands in a form and in a URL, where libraries differ in what they escape, and in a form inside of another one.
fn urls(secret: &str) -> [String; 6] {
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let url = form.replace('+', "%20");
    let unreserved = url.replace("%7E", "~").replace('*', "%2A");
    let path = unreserved.replace("%2F", "/");
    let marks = [("%7E", "~"), ("%21", "!"), ("%27", "'"), ("%28", "("), ("%29", ")")];
    let script = marks.iter().fold(url.clone(), |url, (escape, mark)| url.replace(escape, mark));
    let twice = form_urlencoded::byte_serialize(form.as_bytes()).collect();
    [form, url, unreserved, path, script, twice]
}

/// A secret as it is, as it stands in a form, in a URL, in a page, in JSON and in Base64, and as it comes out of a form in
/// which it was not escaped.
fn add_forms(forms: &mut Vec<Zeroizing<String>>, secret: &str) {
    if secret.len() < Secrets::LEAST {
        return;
    }
    let urls = urls(secret);
    let small = urls.each_ref().map(|url| lower_escapes(url));
    let pages = PAGE_QUOTES.map(|quotes| page(secret, quotes));
    let jsons = [
        json(secret, |char| !char.is_ascii()),
        json(secret, |char| "&<>".contains(char)),
        json(secret, |char| "&<>".contains(char) || !char.is_ascii()),
        json(secret, |char| "&<>='".contains(char)),
    ];
    let base64 = [URL_SAFE_NO_PAD.encode(secret), STANDARD_NO_PAD.encode(secret)];
    let escaped = urls.into_iter().chain(small).chain(pages).chain(jsons).chain(base64);
    for one in escaped.chain([secret.to_owned(), secret.replace('+', " ")]) {
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

    /// As Python, JavaScript, Go and PHP write it, and as a server does that escapes what was escaped.
    #[test]
    fn a_secret_is_found_in_the_escapes_of_other_languages() {
        let mut secrets = Secrets::default();
        secrets.add("S3cr&t/with<a>~(\u{e9})");
        for text in [
            "S3cr%26t/with%3Ca%3E~%28%C3%A9%29",
            "S3cr%26t%2fwith%3ca%3e~%28%c3%a9%29",
            "S3cr%26t%2Fwith%3Ca%3E~(%C3%A9)",
            "S3cr%2526t%252Fwith%253Ca%253E%257E%2528%25C3%25A9%2529",
            "S3cr\\u0026t/with\\u003ca\\u003e~(\u{e9})",
            "S3cr&t\\/with<a>~(\\u00e9)",
            "UzNjciZ0L3dpdGg8YT5-KMOpKQ",
            "UzNjciZ0L3dpdGg8YT5+KMOpKQ==",
        ] {
            let left = secrets.cut(text);
            assert_eq!(left.trim_end_matches('='), "[secret]", "{text}");
        }
    }

    #[test]
    fn a_secret_that_the_server_cut_is_found_at_the_end() {
        let mut secrets = Secrets::default();
        secrets.add("correct&horse");
        for (text, expected) in [
            ("client_secret=correct%26ho", "client_secret=[secret]"),
            ("client_secret=correct&hors...", "client_secret=[secret]"),
            ("correc", "[secret]"),
            ("what is corre", "what is corre"),
            ("correct & horse", "correct & horse"),
        ] {
            assert_eq!(secrets.cut(text), expected);
        }
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

    /// What costs nothing to look at is not passed over for that.
    #[test]
    fn every_form_is_found_among_scopes_and_a_usual_scope_is_left_as_it_is() {
        for secret in
            ["s3cret", "gX1fBat3bV-7Fjfp%JErLb5n1Kt9zVo8", "a+b/c=d&e<f>g'h", "\u{e9}\u{e8}12"]
        {
            let (mut secrets, mut forms) = (Secrets::default(), Vec::new());
            secrets.add(secret);
            add_forms(&mut forms, secret);
            assert!(forms.len() > 1, "{secret}");
            for form in forms {
                let hidden = secrets.hide(&format!("read {} write", *form)).into_owned();
                assert_eq!(hidden, "read [secret] write", "{secret} as {}", *form);
            }
            assert_eq!(secrets.hide("read write"), "read write");
        }
        let mut secrets = Secrets::default();
        secrets.add("gX1fBat3bV-7Fjfp%JErLb5n1Kt9zVo8");
        let usual = "openid https://api.example/messages.read";
        assert!(matches!(secrets.hide(usual), Cow::Borrowed(_)));
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
