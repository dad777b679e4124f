//! Body signatures: what others sign before our verifier, and what we sign before theirs.

mod jws;
mod mac;
mod standard;
mod symphony;
mod twilio;

pub use jws::{joserfc, jwcrypto};
pub use mac::{node, python};
pub use standard::{cryptography, standardwebhooks, standardwebhooks_for_node};
pub use symphony::vendor;
pub use twilio::twilio;

use auth_core::{Body, Candidates, RequestView, Secret, Timestamp, Verifier};
use auth_webhook::{
    BodySignatureVerifier, BodySigner, BodySigningKey, BodyVerifyingKey, Clock, SignableDelivery,
    SignatureForm, SystemClock,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

pub const ACCEPTED: &str = "accepted";
pub const WRONG: &str = "webhook_signature_wrong";

/// A delivery on its way.
#[derive(Clone)]
struct Sent {
    fields: HeaderMap,
    target: String,
    body: String,
}

impl Sent {
    fn new(target: &str, body: &str, fields: &[(&'static str, &str)]) -> Result<Self, String> {
        let mut read = HeaderMap::new();
        for (name, value) in fields {
            let value = HeaderValue::from_str(value).map_err(text)?;
            read.insert(HeaderName::from_static(name), value);
        }
        Ok(Self { fields: read, target: target.into(), body: body.into() })
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What our verifier says to it, with these keys: `accepted`, or why not.
fn judged(form: &SignatureForm, keys: &[&str], sent: &Sent) -> Result<String, String> {
    let read = |key: &&str| BodyVerifyingKey::read(form, &Secret::from(*key)).map_err(text);
    judged_with(form, keys.iter().map(read).collect::<Result<_, _>>()?, sent)
}

fn judged_with(
    form: &SignatureForm,
    keys: Vec<BodyVerifyingKey>,
    sent: &Sent,
) -> Result<String, String> {
    let candidates: Candidates<_, _> = keys.into_iter().map(|key| (key, "acme")).collect();
    let verifier = BodySignatureVerifier::new(form.clone(), candidates).map_err(text)?;
    let uri: Uri = sent.target.parse().map_err(text)?;
    let request = RequestView::new(&Method::POST, &uri, &sent.fields);
    let judged = verifier.verify(request.with_body(Body::Bytes(sent.body.as_bytes()))).wait();
    Ok(match judged.map_err(text)? {
        Ok(_) => ACCEPTED.into(),
        Err(refused) => refused.reason().code.into(),
    })
}

/// Signed by us, under one key or two.
fn signed(
    form: &SignatureForm,
    keys: &[&str],
    (id, time, kind): (&str, Timestamp, &str),
    target: &str,
    body: &str,
) -> Result<Sent, String> {
    let read = |key: &str| BodySigningKey::read(form, &Secret::from(key)).map_err(text);
    let [first, rest @ ..] = keys else { return Err("no key".into()) };
    let mut signer = BodySigner::new(form.clone(), read(first)?).map_err(text)?;
    if let [next] = rest {
        signer = signer.with_next_key(read(next)?).map_err(text)?;
    }
    let uri: Uri = target.parse().map_err(text)?;
    let signable = SignableDelivery::new(id, time, &uri, body.as_bytes());
    let is_form = kind == FORM;
    let mut fields =
        signer.sign(if is_form { signable.of_form() } else { signable }).map_err(text)?;
    fields.insert(http::header::CONTENT_TYPE, HeaderValue::from_str(kind).map_err(text)?);
    Ok(Sent { fields, target: target.into(), body: body.into() })
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn now() -> Timestamp {
    SystemClock.now()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
