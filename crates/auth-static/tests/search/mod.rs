//! Looks for a secret in everything that was shown, in every form it could leak in.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use std::fmt::Debug;

/// All that was shown.
#[derive(Default)]
pub(crate) struct CapturedOutput(String);

impl CapturedOutput {
    /// What a value shows of itself, plain and pretty.
    pub(crate) fn value(&mut self, value: &dyn Debug) -> &mut Self {
        self.text(&format!("{value:?}\n{value:#?}"))
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.0.push_str(text);
        self.0.push('\n');
        self
    }

    /// The forms in which the secret is there: none, if all is well.
    pub(crate) fn forms_of(&self, secret: &str) -> Vec<String> {
        // Lists of bytes over several lines, as pretty Debug has them, are lists all the same.
        let joined: String = self.0.split_whitespace().collect();
        forms(secret)
            .into_iter()
            .filter(|form| self.0.contains(form) || joined.contains(form))
            .collect()
    }
}

/// Text, hex in either case, lists of bytes in decimal and hex, base64 wherever it starts in a longer text.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let list = |between: &str, form: &dyn Fn(&u8) -> String| {
        bytes.iter().map(form).collect::<Vec<_>>().join(between)
    };
    let mut forms = vec![
        secret.to_owned(),
        list("", &|byte| format!("{byte:02x}")),
        list("", &|byte| format!("{byte:02X}")),
        list(",", &|byte| byte.to_string()),
        list(",", &|byte| format!("0x{byte:02x}")),
    ];
    for skipped in 0..3 {
        let whole = &bytes[skipped..];
        let whole = &whole[..whole.len() / 3 * 3];
        forms.extend([STANDARD_NO_PAD.encode(whole), URL_SAFE_NO_PAD.encode(whole)]);
    }
    forms
}

#[track_caller]
fn check(leak: impl Fn(&str) -> String) {
    let mut shown = CapturedOutput::default();
    shown.text(&leak("planted-secret-1"));
    assert!(!shown.forms_of("planted-secret-1").is_empty(), "a leak was overlooked");
    assert!(shown.forms_of("something-else-42").is_empty(), "something else was taken for one");
}

#[test]
fn finds_a_secret_in_every_form() {
    check(str::to_owned);
    check(|secret| format!("{:?} {:#?}", secret.as_bytes(), ()));
    check(|secret| format!("{:#?}", secret.as_bytes()));
    check(|secret| secret.bytes().map(|byte| format!("{byte:02x}")).collect());
    check(|secret| secret.bytes().map(|byte| format!("{byte:02X}")).collect());
    check(|secret| format!("{:#04x?}", secret.as_bytes()));
    for before in ["", "u", "us", "user:"] {
        check(|secret| STANDARD_NO_PAD.encode(format!("{before}{secret}")));
        check(|secret| URL_SAFE_NO_PAD.encode(format!("{before}{secret}")));
    }
}
