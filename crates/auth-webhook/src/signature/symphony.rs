//! The text that the universal webhook of Symphony signs.

/// What is signed for a message of the universal webhook: `{"payload":{"message":"TEXT"}}`, where the text is that of the
/// message without its markup: without all that stands from a `<` to the next `>`. A `<` that no `>` follows is text.
///
/// ```
/// use auth_webhook::symphony_signed_text;
/// let signed = symphony_signed_text("<messageML>Hello <b>world</b>!</messageML>");
/// assert_eq!(signed, r#"{"payload":{"message":"Hello world!"}}"#);
/// ```
#[must_use]
pub fn symphony_signed_text(message: &str) -> String {
    let mut signed = String::with_capacity(message.len().saturating_add(32));
    signed.push_str(r#"{"payload":{"message":""#);
    let mut rest = message;
    // What begins like a tag and never ends is text: else everything behind it would be free for anybody to write.
    while let Some((before, tag)) = rest.split_once('<') {
        let Some((_, after)) = tag.split_once('>') else { break };
        push_escaped(&mut signed, before);
        rest = after;
    }
    push_escaped(&mut signed, rest);
    signed.push_str(r#""}}"#);
    signed
}

/// As a string of JSON has it.
fn push_escaped(signed: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '"' => signed.push_str("\\\""),
            '\\' => signed.push_str("\\\\"),
            '\n' => signed.push_str("\\n"),
            '\r' => signed.push_str("\\r"),
            '\t' => signed.push_str("\\t"),
            control if control < ' ' => {
                signed.push_str("\\u00");
                let code = u32::from(control);
                signed.extend(
                    [code >> 4, code & 15].map(|digit| char::from_digit(digit, 16).unwrap_or('0')),
                );
            }
            other => signed.push(other),
        }
    }
}
