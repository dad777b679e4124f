//! User names and passwords, as both ends take them.

use auth_core::{Error, Result, Secret};

/// Can this name be hashed and written so that it is read in one way?
///
/// # Errors
///
/// `Error::Config` when it holds `:`, which ends it where it is hashed, or a control character.
pub(crate) fn check_name(user: &str) -> Result<()> {
    if user.contains(':') {
        let text = "user name holds ':', expected none since one ends it where it is hashed";
        return Err(Error::config("digest_user_name_colon", text));
    }
    check_text("user name", "digest_user_name_control", user.as_bytes())
}

/// Is this a password that somebody chose? One that ends in a line break was read from a file or a form with it, and no
/// server would take it.
///
/// # Errors
///
/// `Error::Config` when it holds a control character, which no password of RFC 7616 section 4 does.
pub(crate) fn check_password(password: &Secret) -> Result<()> {
    check_text("password", "digest_password_control", password.expose())
}

/// Is this text free of what a file or a form leaves behind it?
///
/// # Errors
///
/// `Error::Config` with this code when the text holds a control character.
pub(crate) fn check_text(name: &str, code: &'static str, text: &[u8]) -> Result<()> {
    if text.ends_with(b"\n") || text.ends_with(b"\r") {
        return Err(Error::config(code, format!("{name} ends with a line break; remove it")));
    }
    if text.iter().any(u8::is_ascii_control) {
        return Err(Error::config(code, format!("{name} holds a control character; remove it")));
    }
    Ok(())
}

/// Is there a control character of ASCII, which no name has?
pub(crate) fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(checked: Result<()>, expected: Option<(&str, &str)>) {
        let refused = checked.err().map(|error| (error.code(), error.to_string()));
        let expected = expected.map(|(code, text)| (code, format!("configuration: {text}")));
        assert_eq!(refused, expected);
    }

    #[test]
    fn names_that_could_be_read_in_two_ways_are_refused() {
        check(check_name("J\u{e4}s\u{f8}n \"x\""), None);
        check(
            check_name("a:b"),
            Some((
                "digest_user_name_colon",
                "user name holds ':', expected none since one ends it where it is hashed",
            )),
        );
        let ends =
            Some(("digest_user_name_control", "user name ends with a line break; remove it"));
        check(check_name("a\r\n"), ends);
    }

    #[test]
    fn a_password_with_the_rest_of_a_file_or_a_form_on_it_is_refused() {
        let code = "digest_password_control";
        let told = |password: &str| check_password(&password.into());
        check(told("p\u{e4}ss: \"word\""), None);
        check(told(""), None);
        for end in ["\n", "\r\n", "\r"] {
            let text = "password ends with a line break; remove it";
            check(told(&format!("canary{end}")), Some((code, text)));
        }
        for inside in ["a\tb", "a\nb", "\0", "a\x7f"] {
            let text = "password holds a control character; remove it";
            check(told(inside), Some((code, text)));
        }
    }
}
