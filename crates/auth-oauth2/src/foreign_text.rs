//! Text that a peer chose, made fit for an error: short, plain, and without the secrets that it may repeat.

use zeroize::Zeroizing;

const MOST: usize = 256;

/// Secrets of a request, which an answer may repeat.
#[derive(Default)]
pub(crate) struct Secrets(Vec<Zeroizing<String>>);

impl Secrets {
    /// Shorter ones are found in everything.
    const LEAST: usize = 4;

    /// Remembers a secret, and how it stands in a form.
    pub(crate) fn add(&mut self, secret: &str) {
        if secret.len() < Self::LEAST {
            return;
        }
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for one in [secret.to_owned(), encoded] {
            if !self.0.iter().any(|known| **known == one) {
                self.0.push(Zeroizing::new(one));
            }
        }
        // The longest first: a part of one that was cut out would stand alone.
        self.0.sort_by_key(|one| std::cmp::Reverse(one.len()));
    }

    /// At most 256 bytes of the text, in the characters that RFC 6749 section 5.2 allows, each secret as `[secret]`.
    pub(crate) fn cut(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), "[secret]");
            }
        }
        let is_allowed = |char: &char| matches!(char, '\u{20}' | '\u{21}' | '\u{23}'..='\u{5b}' | '\u{5d}'..='\u{7e}');
        text.chars().filter(is_allowed).take(MOST).collect()
    }
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
        check("abc is too short to be one", "abc is too short to be one");
    }

    #[test]
    fn what_a_log_could_not_show_is_left_out() {
        check("a\r\nb \"c\" \\ \u{202e}d", "ab c  d");
        check(&"x".repeat(1000), &"x".repeat(256));
    }
}
