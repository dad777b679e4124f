//! What a peer says, as a log can show it.

/// At most so many bytes of a text that a peer sent, without control characters: it can neither begin a line nor fill a log.
///
/// # Security
///
/// A peer may repeat what it was sent, secrets included, and this function knows none of them.
///
/// ```
/// assert_eq!(&*auth_core::text_for_log("wrong\r\nkey", 7), "wrongke");
/// ```
#[must_use]
pub fn text_for_log(text: &str, most_bytes: usize) -> Box<str> {
    let mut kept = String::with_capacity(text.len().min(most_bytes));
    for character in text.chars().filter(|character| !character.is_control()) {
        if kept.len().saturating_add(character.len_utf8()) > most_bytes {
            break;
        }
        kept.push(character);
    }
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_has_no_controls() {
        for (text, most, expected) in [
            ("", 4, ""),
            ("abcd", 4, "abcd"),
            ("abcde", 4, "abcd"),
            ("a\u{0}b\nc\u{85}", 4, "abc"),
            ("abcé", 4, "abc"),
            ("é", 2, "é"),
            ("a", 0, ""),
        ] {
            assert_eq!(&*text_for_log(text, most), expected, "{text:?}");
        }
    }
}
