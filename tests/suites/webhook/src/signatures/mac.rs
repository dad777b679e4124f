//! Forms that are an HMAC over the body, by Python's and Node's own.

use super::{ACCEPTED, JSON, Sent, WRONG, judged, now, signed, standard::both_ways};
use crate::peer::{Peer, said};
use auth_webhook::{MacAlgorithm, SignatureEncoding, SignatureForm};
use conformance::{Compared, NotStarted, Settings, compare};
use serde_json::{Value, json};

pub fn python(settings: &Settings) -> Result<Vec<Compared>, NotStarted> {
    Ok(cases(&Peer::python(settings, "hmac", "python3")?)?)
}

/// Its Ed25519 too.
pub fn node(settings: &Settings) -> Result<Vec<Compared>, NotStarted> {
    let peer = Peer::node(settings, "standardwebhooks")?;
    let mut all = cases(&peer)?;
    for case in both_ways(&peer, "ed25519")? {
        all.push(Compared { id: format!("ed25519-{}", case.id), ..case });
    }
    Ok(all)
}

struct Form {
    id: &'static str,
    form: SignatureForm,
    field: &'static str,
    hash: &'static str,
    encoding: &'static str,
    prefix: &'static str,
}

fn forms() -> [Form; 5] {
    let hub = |algorithm| SignatureForm::HubSignature { algorithm };
    let own = |algorithm, encoding, prefix: &str| SignatureForm::BodyHmac {
        header: "x-own-signature".into(),
        algorithm,
        encoding,
        prefix: prefix.into(),
    };
    let form =
        |id, form, field, hash, encoding, prefix| Form { id, form, field, hash, encoding, prefix };
    let (hub_field, own_field) = ("x-hub-signature", "x-own-signature");
    let base64 = own(MacAlgorithm::Sha512, SignatureEncoding::Base64, "");
    let hex = own(MacAlgorithm::Sha256, SignatureEncoding::Hex, "hmac:");
    let timed = SignatureForm::TimeAndBody { header: own_field.into() };
    [
        form("hub-sha256", hub(MacAlgorithm::Sha256), hub_field, "sha256", "hex", "sha256="),
        form("hub-sha512", hub(MacAlgorithm::Sha512), hub_field, "sha512", "hex", "sha512="),
        form("own-base64", base64, own_field, "sha512", "base64", ""),
        form("own-hex", hex, own_field, "sha256", "hex", "hmac:"),
        form("time-and-body", timed, own_field, "sha256", "hex", ""),
    ]
}

const SECRET: &str = "hub secret, \u{e4}s its bytes";
const FORMER: &str = "the secret before";
const BODY: &str = "{\"event\": \"delivered\", \"to\": \"\u{4f60}\u{597d}\"}\n";

fn cases(peer: &Peer) -> Result<Vec<Compared>, String> {
    let time = now();
    let ask = |what: &str, form: &Form, key: &str, body: &str, signature: &str| {
        let timed = matches!(form.form, SignatureForm::TimeAndBody { .. });
        let text = if timed { format!("{}.{body}", time.unix()) } else { body.to_owned() };
        json!({
            "do": format!("mac {what}"), "key": key, "text": text, "hash": form.hash,
            "encoding": form.encoding, "signature": signature,
        })
    };
    let target = "https://hooks.example/x";
    let forms = forms();
    let mut asked: Vec<Value> = Vec::new();
    for form in &forms {
        let ours = signed(&form.form, &[SECRET], ("4711", time, JSON), target, BODY)?;
        let ours = ours.field(form.field);
        let timed = format!("t={},v1=", time.unix());
        let bare = ours.strip_prefix(form.prefix).unwrap_or_default();
        let bare = bare.strip_prefix(&timed).unwrap_or(bare).to_owned();
        asked.push(ask("sign", form, SECRET, BODY, ""));
        asked.push(ask("sign", form, FORMER, BODY, ""));
        asked.push(ask("verify", form, SECRET, BODY, &bare));
        asked.push(ask("verify", form, FORMER, BODY, &bare));
        asked.push(ask("verify", form, SECRET, BODY.trim_end(), &bare));
    }
    let answers: Vec<String> = peer.answers(&asked)?.iter().map(said).collect();
    let mut cases = Vec::new();
    for (form, answers) in forms.iter().zip(answers.chunks(5)) {
        let [now_signed, former_signed, right, another_key, another_body] = answers else {
            return Err("five answers were expected for each form".into());
        };
        let sent = |signature: &str, body: &str| {
            let timed = matches!(form.form, SignatureForm::TimeAndBody { .. });
            let before =
                if timed { format!("t={},v1=", time.unix()) } else { form.prefix.to_owned() };
            Sent::new(target, body, &[(form.field, &format!("{before}{signature}"))])
        };
        let both = [SECRET, FORMER];
        let upper = now_signed.to_uppercase();
        let of_upper = if form.encoding == "hex" { ACCEPTED } else { WRONG };
        for (id, known, sent, expected) in [
            ("theirs-good", &both[..1], sent(now_signed, BODY)?, ACCEPTED),
            ("theirs-former-of-two", &both[..], sent(former_signed, BODY)?, ACCEPTED),
            ("theirs-former-alone", &both[..1], sent(former_signed, BODY)?, WRONG),
            ("theirs-upper-case", &both[..1], sent(&upper, BODY)?, of_upper),
            ("theirs-another-body", &both[..1], sent(now_signed, BODY.trim_end())?, WRONG),
            ("theirs-shortened", &both[..1], sent(&now_signed[..32], BODY)?, WRONG),
        ] {
            let verdict = judged(&form.form, known, &sent)?;
            cases.push(compare(format!("{}-{id}", form.id), expected, verdict));
        }
        for (id, expected, verdict) in [
            ("ours-good", ACCEPTED, right),
            ("ours-another-key", "refused", another_key),
            ("ours-another-body", "refused", another_body),
        ] {
            cases.push(compare(format!("{}-{id}", form.id), expected, verdict));
        }
    }
    // A signature of the other hash, under its own name.
    let [sha256, sha512, ..] = &forms;
    let other = format!("sha512={}", answers[5]);
    let sent = Sent::new(target, BODY, &[(sha512.field, &other)])?;
    let verdict = judged(&sha256.form, &[SECRET], &sent)?;
    cases.push(compare("hub-another-hash", "webhook_signature_malformed", verdict));
    Ok(cases)
}
