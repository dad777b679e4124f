//! The example that the vendor of the universal webhook publishes.

use super::{ACCEPTED, JSON, Sent, WRONG, judged, now, signed};
use auth_webhook::SignatureForm;
use conformance::{Compared, compare};

const SECRET: &str = "this is my secret";
const SIGNATURE: &str = "8de567399a49f3ed91ed55435c0887c7c935413e01cbd7a2ac06dab1b04cc1c6";
const TEXT: &str = "Hello world!";

/// Its text is signed, with markup around it or without.
pub fn vendor() -> Result<Vec<Compared>, String> {
    let form = SignatureForm::SymphonyUniversalWebhook { header: "x-signature".into() };
    let marked = "<messageML>Hello <b>world</b>!</messageML>";
    let target = "https://hooks.example/";
    let mut cases = Vec::new();
    for (id, body) in [("text", TEXT), ("markup", marked)] {
        let sent = signed(&form, &[SECRET], ("1", now(), JSON), target, body)?;
        cases.push(compare(format!("ours-{id}"), SIGNATURE, sent.field("x-signature")));
        let sent = Sent::new(target, body, &[("x-signature", SIGNATURE)])?;
        cases.push(compare(format!("theirs-{id}"), ACCEPTED, judged(&form, &[SECRET], &sent)?));
    }
    let sent = Sent::new(target, "Hello world?", &[("x-signature", SIGNATURE)])?;
    cases.push(compare("theirs-another-text", WRONG, judged(&form, &[SECRET], &sent)?));
    Ok(cases)
}
