//! Planted secrets, and what was shown.

use auth_core::{Random, Result};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use std::{
    error::Error,
    fmt::{self, Debug},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A secret that nothing else looks like, planted where a real one would be.
///
/// ```
/// use auth_testing::{Canary, SeededRandom, CapturedOutput};
///
/// let password = Canary::plant("password", &SeededRandom::new(1))?;
/// let shown = CapturedOutput::default();
/// shown.debug(&("alice", "..")).text("a line of a log");
/// assert!(shown.leaks(&[&password]).is_empty());
/// shown.text(&format!("alice:{}", password.text()));
/// assert_eq!(shown.leaks(&[&password]), ["password as text"]);
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Canary {
    place: String,
    text: String,
}

impl Canary {
    /// A fresh one of 16 letters behind the name of its place, by which a leak is told.
    ///
    /// # Errors
    ///
    /// Those of `random`.
    pub fn plant(place: &str, random: &dyn Random) -> Result<Self> {
        let mut drawn = [0; 16];
        random.fill(&mut drawn)?;
        let letters: String = drawn.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
        Ok(Self { place: place.to_owned(), text: format!("{place}{letters}") })
    }

    /// The secret itself.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The forms in which it would still be the secret.
    fn forms(&self) -> Vec<(&'static str, String)> {
        let bytes = self.text.as_bytes();
        let lower: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let list: Vec<_> = bytes.iter().map(u8::to_string).collect();
        let mut forms = vec![
            ("text", self.text.clone()),
            ("hex", lower.to_uppercase()),
            ("hex", lower),
            ("a list of bytes", list.join(", ")),
            ("a list of bytes", list.join(",")),
        ];
        // Base64 has three ways to write what is in the middle of something.
        for skip in 0..3 {
            let whole = middle(bytes, skip);
            forms.push(("base64", STANDARD.encode(whole)));
            forms.push(("base64", URL_SAFE.encode(whole)));
        }
        forms
    }
}

/// Its `Debug` is the name of its place alone.
impl Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canary({})", self.place)
    }
}

/// The whole groups of three, when `skip` bytes of the first belong to something else.
fn middle(bytes: &[u8], skip: usize) -> &[u8] {
    let rest = bytes.get(skip..).unwrap_or_default();
    rest.get(..rest.len() / 3 * 3).unwrap_or_default()
}

/// Everything that was shown: what values and errors say of themselves, log lines, bodies, panic messages. A clone is
/// the same.
///
/// It is a writer too, so that logs can end in it.
#[derive(Clone, Default)]
pub struct CapturedOutput(Arc<Mutex<Vec<u8>>>);

impl CapturedOutput {
    /// Notes what a value shows of itself, plain and pretty.
    pub fn debug(&self, value: &impl Debug) -> &Self {
        self.text(&format!("{value:?}\n{value:#?}"))
    }

    /// Notes an error: what it shows, and its whole chain.
    pub fn error(&self, error: &(impl Error + ?Sized)) -> &Self {
        self.text(&format!("{error}\n{error:?}\n{error:#?}"));
        let mut source = error.source();
        while let Some(error) = source {
            self.text(&format!("{error}\n{error:?}"));
            source = error.source();
        }
        self
    }

    /// Notes text.
    pub fn text(&self, text: &str) -> &Self {
        let mut shown = self.shown();
        shown.extend_from_slice(text.as_bytes());
        shown.push(b'\n');
        drop(shown);
        self
    }

    /// All of it.
    #[must_use]
    pub fn all(&self) -> String {
        String::from_utf8_lossy(&self.shown()).into_owned()
    }

    /// Which canaries are in it, and in which form: as text, hex, base64 or a list of bytes.
    #[must_use]
    pub fn leaks(&self, canaries: &[&Canary]) -> Vec<String> {
        let shown = self.all();
        let told = |canary: &Canary, form: &str| format!("{} as {form}", canary.place);
        let mut leaks = Vec::new();
        for canary in canaries {
            let forms = canary.forms().into_iter().filter(|(_, text)| shown.contains(text));
            leaks.extend(forms.map(|(form, _)| told(canary, form)));
        }
        leaks
    }

    fn shown(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for CapturedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.shown().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Debug for CapturedOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CapturedOutput({} bytes)", self.shown().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    fn plant(place: &str) -> Canary {
        Canary::plant(place, &SeededRandom::new(u64::from(place.as_bytes()[0]))).unwrap()
    }

    #[track_caller]
    fn check(leak: impl Fn(&str) -> String) {
        let (canary, other) = (plant("found"), plant("other"));
        let shown = CapturedOutput::default();
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
