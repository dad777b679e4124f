//! Twilio's own helper library: SHA-1, which we verify and never sign, and SHA-256, both ways.

use super::{ACCEPTED, FORM, JSON, Sent, WRONG, judged, now, signed};
use crate::peer::{Peer, said};
use auth_webhook::{MacAlgorithm, SignatureForm};
use conformance::{Compared, NotStarted, Settings, compare};
use serde_json::{Value, json};

const TOKEN: &str = "12345";
const PUBLIC: &str = "https://hooks.example";
const PATH: &str = "/receipts?tenant=7&of=a%20b";

type Parameters = &'static [(&'static str, &'static str)];

const FORMS: [(&str, Parameters); 5] = [
    ("usual", &[("Digits", "1234"), ("To", "+18005551212"), ("CallSid", "CA1234567890ABCDE")]),
    ("several-values", &[("b", "2"), ("a", "z"), ("a", "1"), ("a", "1"), ("A", "0")]),
    (
        "unicode",
        &[("Body", "Gr\u{fc}\u{df}e \u{260e} \u{4f60}\u{597d} \u{1f600}"), ("\u{e9}", "\u{ffff}")],
    ),
    ("empty-values", &[("a", ""), ("", "b"), ("c", " &=+%")]),
    ("no-parameters", &[]),
];

pub fn twilio(settings: &Settings) -> Result<Vec<Compared>, NotStarted> {
    let peer = Peer::python(settings, "twilio", "twilio")?;
    let bodies = FORMS.iter().map(
        |(_, parameters)| json!({ "do": "twilio body", "key": TOKEN, "parameters": parameters }),
    );
    let hash = json!({ "do": "twilio hash", "key": TOKEN, "body": BODY });
    let asked: Vec<Value> = bodies.chain([hash]).collect();
    let mut made: Vec<String> = peer.answers(&asked)?.iter().map(said).collect();
    let hash = made.pop().unwrap_or_default();
    let mut all: Vec<Delivery> = FORMS
        .iter()
        .zip(made)
        .map(|((id, _), body)| Delivery { id, target: PATH.into(), body, form: true })
        .collect();
    let target = format!("{PATH}&bodySHA256={hash}");
    all.push(Delivery { id: "json", target, body: BODY.into(), form: false });
    let mut cases = Vec::new();
    for (name, theirs, algorithm) in [
        ("sha1", "HMAC_SHA1", MacAlgorithm::LegacySha1),
        ("sha256", "HMAC_SHA256", MacAlgorithm::Sha256),
    ] {
        let form = SignatureForm::UrlAndParameters { public_url: PUBLIC.into(), algorithm };
        for case in of_theirs(&peer, &form, theirs, &all)? {
            cases.push(Compared { id: format!("{name}-theirs-{}", case.id), ..case });
        }
        if algorithm == MacAlgorithm::Sha256 {
            for case in of_ours(&peer, &form, theirs, &all)? {
                cases.push(Compared { id: format!("{name}-ours-{}", case.id), ..case });
            }
        }
    }
    Ok(cases)
}

const BODY: &str = "{\"status\": \"delivered \u{260e}\"}";

struct Delivery {
    id: &'static str,
    target: String,
    body: String,
    form: bool,
}

impl Delivery {
    fn ask(&self, what: &str, token: &str, algorithm: &str, signature: &str) -> Value {
        json!({
            "do": format!("twilio {what}"), "key": token, "url": format!("{PUBLIC}{}", self.target),
            "body": self.body, "form": self.form, "algorithm": algorithm, "signature": signature,
        })
    }

    fn arriving(&self, target: &str, body: &str, signature: &str) -> Result<Sent, String> {
        let fields = [("x-twilio-signature", signature), ("content-type", self.kind())];
        Sent::new(target, body, &fields)
    }

    fn kind(&self) -> &'static str {
        if self.form { FORM } else { JSON }
    }
}

fn of_theirs(
    peer: &Peer,
    form: &SignatureForm,
    algorithm: &str,
    all: &[Delivery],
) -> Result<Vec<Compared>, String> {
    let asked: Vec<Value> =
        all.iter().map(|delivery| delivery.ask("sign", TOKEN, algorithm, "")).collect();
    let mut cases = Vec::new();
    for (delivery, signature) in all.iter().zip(peer.answers(&asked)?) {
        let (target, body, signature) = (&*delivery.target, &*delivery.body, said(&signature));
        let more = if delivery.form { format!("{body}&x=y") } else { format!("{body} ") };
        let of_body = if delivery.form { WRONG } else { "webhook_body_hash" };
        let elsewhere = format!("/other{target}");
        let other_query = target.replace("tenant=7", "tenant=8");
        for (id, known, sent, expected) in [
            ("good", [TOKEN], (target, body), ACCEPTED),
            ("another-token", ["12346"], (target, body), WRONG),
            ("another-path", [TOKEN], (&elsewhere, body), WRONG),
            ("another-query", [TOKEN], (&other_query, body), WRONG),
            ("another-body", [TOKEN], (target, &more), of_body),
        ] {
            let sent = delivery.arriving(sent.0, sent.1, &signature)?;
            let verdict = judged(form, &known, &sent)?;
            cases.push(compare(format!("{}-{id}", delivery.id), expected, verdict));
        }
        let both = judged(form, &["12346", TOKEN], &delivery.arriving(target, body, &signature)?)?;
        cases.push(compare(format!("{}-two-tokens-known", delivery.id), ACCEPTED, both));
    }
    // A body that nothing signs: the URL was signed without its hash.
    let unsigned =
        Delivery { id: "json-without-hash", target: PATH.into(), body: BODY.into(), form: false };
    let signature = peer.answers(&[unsigned.ask("sign", TOKEN, algorithm, "")])?.first().map(said);
    let sent = unsigned.arriving(PATH, BODY, &signature.unwrap_or_default())?;
    cases.push(compare(unsigned.id, "webhook_body_hash", judged(form, &[TOKEN], &sent)?));
    Ok(cases)
}

fn of_ours(
    peer: &Peer,
    form: &SignatureForm,
    algorithm: &str,
    all: &[Delivery],
) -> Result<Vec<Compared>, String> {
    let mut asked = Vec::new();
    for delivery in all {
        let url = format!("{PUBLIC}{}", delivery.target);
        let known = ("4711", now(), delivery.kind());
        let sent = signed(form, &[TOKEN], known, &url, &delivery.body)?;
        let signature = sent.field("x-twilio-signature");
        asked.push(delivery.ask("verify", TOKEN, algorithm, signature));
        asked.push(delivery.ask("verify", "12346", algorithm, signature));
        let body = if delivery.form { "x=y".into() } else { format!("{} ", delivery.body) };
        let forged =
            Delivery { id: "", target: delivery.target.clone(), body, form: delivery.form };
        asked.push(forged.ask("verify", TOKEN, algorithm, signature));
    }
    let answers = peer.answers(&asked)?;
    let mut answers = answers.iter().map(said);
    let mut cases = Vec::new();
    for delivery in all {
        for (id, expected) in
            [("good", ACCEPTED), ("another-token", "refused"), ("another-body", "refused")]
        {
            let verdict = answers.next().unwrap_or_default();
            cases.push(compare(format!("{}-{id}", delivery.id), expected, verdict));
        }
    }
    Ok(cases)
}
