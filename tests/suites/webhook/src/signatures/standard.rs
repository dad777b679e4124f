//! Standard Webhooks: both libraries of its authors, which know `v1` alone, and Ed25519 of others for `v1a`.

use super::{ACCEPTED, JSON, Sent, WRONG, judged, now, signed, text};
use crate::peer::{Peer, said};
use auth_webhook::{SignatureForm, Timestamp};
use base64::{Engine, engine::general_purpose::STANDARD};
use conformance::{Compared, NotStarted, Settings, compare};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};
use std::time::Duration;

pub fn standardwebhooks(settings: &Settings) -> Result<Vec<Compared>, NotStarted> {
    let peer = Peer::python(settings, "standardwebhooks", "standardwebhooks")?;
    let mut cases = both_ways(&peer, "standard")?;
    cases.extend(more_than_we_take(&peer)?);
    Ok(cases)
}

pub fn standardwebhooks_for_node(settings: &Settings) -> Result<Vec<Compared>, NotStarted> {
    let peer = Peer::node(settings, "standardwebhooks")?;
    let mut cases = both_ways(&peer, "standard")?;
    cases.extend(more_than_we_take(&peer)?);
    Ok(cases)
}

pub fn cryptography(settings: &Settings) -> Result<Vec<Compared>, NotStarted> {
    Ok(both_ways(&Peer::python(settings, "cryptography", "cryptography")?, "ed25519")?)
}

/// Two keys, each as its signer and as its verifier has it.
struct Keys([(String, String); 2]);

impl Keys {
    fn new(kind: &str) -> Result<Self, String> {
        let key = || {
            let mut bytes = [0; 32];
            SystemRandom::new().fill(&mut bytes).map_err(text)?;
            if kind == "standard" {
                let secret = format!("whsec_{}", STANDARD.encode(bytes));
                return Ok::<_, String>((secret.clone(), secret));
            }
            let pair = Ed25519KeyPair::from_seed_unchecked(&bytes).map_err(text)?;
            let public = STANDARD.encode(pair.public_key());
            Ok((format!("whsk_{}", STANDARD.encode(bytes)), format!("whpk_{public}")))
        };
        Ok(Self([key()?, key()?]))
    }
}

/// What becomes of a delivery on its way.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Nothing,
    Id,
    Time,
    Body,
    /// A version that nobody knows stands before the others.
    UnknownVersion,
}

struct Case {
    id: &'static str,
    signers: &'static [usize],
    known: &'static [usize],
    change: Change,
    /// How long ago it was signed.
    age: i64,
    body: &'static str,
    expected: &'static str,
}

const GOOD: Case = Case {
    id: "good",
    signers: &[0],
    known: &[0],
    change: Change::Nothing,
    age: 0,
    body: r#"{"event":"delivered"}"#,
    expected: ACCEPTED,
};

const STALE: &str = "webhook_signature_stale";

const CASES: [Case; 15] = [
    GOOD,
    Case { id: "text", body: "Gr\u{fc}\u{df}e, \u{4f60}\u{597d} \u{260e}\r\n\t.", ..GOOD },
    Case { id: "empty-body", body: "", ..GOOD },
    Case { id: "body-with-dots", body: ".1.2.", ..GOOD },
    Case { id: "two-signatures-first-known", signers: &[0, 1], ..GOOD },
    Case { id: "two-signatures-second-known", signers: &[0, 1], known: &[1], ..GOOD },
    Case { id: "two-keys-known", signers: &[1], known: &[0, 1], ..GOOD },
    Case { id: "unknown-version-beside", change: Change::UnknownVersion, ..GOOD },
    Case { id: "four-minutes-old", age: 240, ..GOOD },
    Case { id: "six-minutes-old", age: 360, expected: STALE, ..GOOD },
    Case { id: "six-minutes-early", age: -360, expected: STALE, ..GOOD },
    Case { id: "another-key", known: &[1], expected: WRONG, ..GOOD },
    Case { id: "another-id", change: Change::Id, expected: WRONG, ..GOOD },
    Case { id: "another-time", change: Change::Time, expected: WRONG, ..GOOD },
    Case { id: "another-body", change: Change::Body, expected: WRONG, ..GOOD },
];

const ID: &str = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";

impl Case {
    fn time(&self) -> Timestamp {
        let span = Duration::from_secs(self.age.unsigned_abs());
        if self.age < 0 { now().after(span) } else { now().before(span) }
    }

    /// As it arrives.
    fn sent(&self, time: Timestamp, signature: &str) -> Result<Sent, String> {
        let (mut id, mut time, mut body, mut signature) =
            (ID.to_owned(), time.unix(), self.body.to_owned(), signature.to_owned());
        match self.change {
            Change::Nothing => {}
            Change::Id => id.push('x'),
            Change::Time => time += 1,
            Change::Body => body.push(' '),
            Change::UnknownVersion => signature = format!("v9,AAAA {signature}"),
        }
        let time = time.to_string();
        let fields = [
            ("webhook-id", id.as_str()),
            ("webhook-timestamp", &time),
            ("webhook-signature", &signature),
        ];
        Sent::new("https://hooks.example/", &body, &fields)
    }
}

/// A signature that is asked for.
fn sign(kind: &str, key: &str, id: &str, time: &str, body: &str) -> Value {
    json!({ "do": format!("{kind} sign"), "key": key, "id": id, "time": time, "body": body })
}

fn verify(kind: &str, key: &str, sent: &Sent) -> Value {
    json!({
        "do": format!("{kind} verify"), "key": key, "body": sent.body, "id": sent.field("webhook-id"),
        "time": sent.field("webhook-timestamp"), "signature": sent.field("webhook-signature"),
    })
}

/// Each case, signed by the other and by us.
pub(super) fn both_ways(peer: &Peer, kind: &str) -> Result<Vec<Compared>, String> {
    let Keys(keys) = Keys::new(kind)?;
    let times: Vec<Timestamp> = CASES.iter().map(Case::time).collect();
    let mut asked = Vec::new();
    let mut ours = Vec::new();
    for (case, time) in CASES.iter().zip(&times) {
        let seconds = time.unix().to_string();
        for signer in case.signers {
            asked.push(sign(kind, &keys[*signer].0, ID, &seconds, case.body));
        }
        let signers: Vec<&str> = case.signers.iter().map(|key| keys[*key].0.as_str()).collect();
        let form = SignatureForm::StandardWebhooks {};
        let made = signed(&form, &signers, (ID, *time, JSON), "https://hooks.example/", case.body)?;
        let sent = case.sent(*time, made.field("webhook-signature"))?;
        asked.extend(case.known.iter().map(|key| verify(kind, &keys[*key].1, &sent)));
        ours.push((made, sent));
    }
    let answers = peer.answers(&asked)?;
    let mut answers = answers.iter().map(said);
    let mut cases = Vec::new();
    for (case, time) in CASES.iter().zip(times) {
        let theirs: Vec<String> = answers.by_ref().take(case.signers.len()).collect();
        let verdicts: Vec<String> = answers.by_ref().take(case.known.len()).collect();
        let sent = case.sent(time, &theirs.join(" "))?;
        let known: Vec<&str> = case.known.iter().map(|key| keys[*key].1.as_str()).collect();
        let verdict = judged(&SignatureForm::StandardWebhooks {}, &known, &sent)?;
        cases.push(compare(format!("theirs-{}", case.id), case.expected, verdict));
        if kind == "ed25519" && case.expected == STALE {
            // What signs and verifies there is a primitive that knows no time.
            continue;
        }
        let expected = if case.expected == ACCEPTED { ACCEPTED } else { "refused" };
        let accepted = verdicts.iter().find(|verdict| *verdict == ACCEPTED);
        let verdict = accepted.or(verdicts.first()).cloned().unwrap_or_default();
        cases.push(compare(format!("ours-{}", case.id), expected, verdict));
    }
    Ok(cases)
}

/// What the libraries take, and we do not: each is an exception with its reason.
fn more_than_we_take(peer: &Peer) -> Result<Vec<Compared>, String> {
    let Keys([(key, _), _]) = Keys::new("standard")?;
    let seconds = now().unix().to_string();
    let fraction = format!("{seconds}.5");
    let differing = [
        ("id-with-a-dot", "msg.1", seconds.as_str()),
        ("id-with-a-blank", "msg 1", &seconds),
        ("time-with-a-fraction", ID, &fraction),
    ];
    let asked: Vec<Value> =
        differing.iter().map(|(_, id, time)| sign("standard", &key, id, time, GOOD.body)).collect();
    let mut sent = Vec::new();
    for ((_, id, time), signature) in differing.iter().zip(peer.answers(&asked)?) {
        let signature = said(&signature);
        let fields =
            [("webhook-id", *id), ("webhook-timestamp", time), ("webhook-signature", &signature)];
        sent.push(Sent::new("https://hooks.example/", GOOD.body, &fields)?);
    }
    let asked: Vec<Value> = sent.iter().map(|sent| verify("standard", &key, sent)).collect();
    let mut cases = Vec::new();
    for (((id, ..), sent), verdict) in differing.iter().zip(&sent).zip(peer.answers(&asked)?) {
        let ours = judged(&SignatureForm::StandardWebhooks {}, &[&key], sent)?;
        cases.push(compare(format!("theirs-{id}"), said(&verdict), ours));
    }
    Ok(cases)
}
