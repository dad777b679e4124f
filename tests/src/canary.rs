//! Looks for planted secrets in everything that is shown, in every form they could leak in.

use std::{
    fmt::Debug,
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tracing_subscriber::fmt::MakeWriter;

/// A secret that nothing else looks like, planted in one place.
#[derive(Clone)]
pub struct Canary {
    text: String,
}

impl Canary {
    /// A fresh one; `place` makes it easy to say which leaked.
    pub fn plant(place: &str) -> Self {
        let mut random = [0; 16];
        getrandom(&mut random);
        let digits: String = random.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        Self { text: format!("{place}{digits}") }
    }

    /// The secret itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The forms in which it would still be the secret: text, hex, base64 at each of three alignments, a list of bytes.
    fn forms(&self) -> Vec<String> {
        let bytes = self.text.as_bytes();
        let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let list: Vec<_> = bytes.iter().map(u8::to_string).collect();
        let mut forms =
            vec![self.text.clone(), lower.to_uppercase(), lower, list.join(", "), list.join(",")];
        forms.extend((0..3).flat_map(|skip| aligned(bytes, skip)));
        forms
    }
}

/// The middle of base64 text, standard and URL-safe, when `skip` bytes stand before the secret in a group of three.
fn aligned(bytes: &[u8], skip: usize) -> Vec<String> {
    use base64::{
        Engine,
        engine::general_purpose::{STANDARD, URL_SAFE},
    };
    let rest = &bytes[(3 - skip) % 3..];
    let whole = &rest[..rest.len() - rest.len() % 3];
    vec![STANDARD.encode(whole), URL_SAFE.encode(whole)]
}

fn getrandom(bytes: &mut [u8]) {
    use auth_core::Random;
    auth_core::SystemRandom::new().fill(bytes).expect("the system has randomness");
}

/// Everything that was shown, and the canaries that must not be in it.
#[derive(Clone, Default)]
pub struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    /// Notes what a value shows of itself, plain and pretty.
    pub fn debug(&self, value: &impl Debug) -> &Self {
        self.text(&format!("{value:?}\n{value:#?}"))
    }

    /// Notes an error: what it shows, and its whole chain.
    pub fn error(&self, error: &(impl std::error::Error + ?Sized)) -> &Self {
        self.text(&format!("{error}\n{error:?}\n{error:#?}"));
        let mut source = error.source();
        while let Some(error) = source {
            self.text(&format!("{error}\n{error:?}"));
            source = error.source();
        }
        self
    }

    /// Notes text: a log line, a body, a panic message.
    pub fn text(&self, text: &str) -> &Self {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.extend_from_slice(text.as_bytes());
        shown.push(b'\n');
        self
    }

    /// All of it.
    pub fn all(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Which canaries leaked, and in which form.
    pub fn leaks(&self, canaries: &[&Canary]) -> Vec<String> {
        let shown = self.all();
        let hit = |form: &String| shown.contains(form.as_str());
        canaries.iter().flat_map(|canary| canary.forms().into_iter().filter(hit)).collect()
    }
}

/// Logs end here too: `tracing_subscriber::fmt().with_writer(shown.clone())`.
impl MakeWriter<'_> for Shown {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl io::Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::STANDARD};

    #[track_caller]
    fn check(leak: impl Fn(&str) -> String) {
        let (canary, other) = (Canary::plant("found"), Canary::plant("other"));
        let shown = Shown::default();
        shown.text(&leak(canary.text()));
        assert!(!shown.leaks(&[&canary]).is_empty(), "a leak was overlooked");
        assert!(shown.leaks(&[&other]).is_empty(), "something else was taken for a leak");
    }

    #[test]
    fn finds_a_secret_in_every_form() {
        check(str::to_owned);
        check(|secret| format!("{:?}", secret.as_bytes()));
        check(|secret| secret.bytes().map(|byte| format!("{byte:02x}")).collect());
        check(|secret| secret.bytes().map(|byte| format!("{byte:02X}")).collect());
        for before in ["", "u", "us", "user:"] {
            check(|secret| STANDARD.encode(format!("{before}{secret}")));
        }
    }
}
