//! Signing what is sent.

use super::{
    SignatureEncoding, SignatureForm, encoding, jws,
    key::{BodySigningKey, Signing},
    message::Message,
    presented::{DeliveryId, ID_FIELD, TIME_FIELD},
    twilio,
};
use auth_core::{Error, Result, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header::InvalidHeaderValue};
use std::fmt;

/// Signs the bodies of webhooks in one form, under one key or, while it is being changed, under two.
///
/// ```
/// use auth_webhook::{BodySigner, BodySigningKey, Secret, SignableDelivery, SignatureForm, Timestamp};
/// let form = SignatureForm::HubSignature { algorithm: Default::default() };
/// let key = BodySigningKey::read(&form, &Secret::from("hub secret"))?;
/// let signer = BodySigner::new(form, key)?;
/// let uri = http::Uri::from_static("https://hooks.example/receipts");
/// let fields = signer.sign(SignableDelivery::new("4711", Timestamp::from_unix(1_700_000_000), &uri, b"{}"))?;
/// assert!(fields["x-hub-signature"].to_str().unwrap().starts_with("sha256="));
/// # Ok::<_, auth_webhook::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BodySigner {
    form: SignatureForm,
    header: HeaderName,
    key: BodySigningKey,
    next: Option<BodySigningKey>,
}

/// What is signed of one attempt at a delivery.
#[derive(Clone, Copy)]
pub struct SignableDelivery<'a> {
    id: &'a str,
    time: Timestamp,
    uri: &'a Uri,
    body: &'a [u8],
    is_form: bool,
}

impl<'a> SignableDelivery<'a> {
    /// The delivery of this id, sent at this moment to this URL. A repeated attempt has the same id and its own moment.
    #[must_use]
    pub const fn new(id: &'a str, time: Timestamp, uri: &'a Uri, body: &'a [u8]) -> Self {
        Self { id, time, uri, body, is_form: false }
    }

    /// Its body is a form (`application/x-www-form-urlencoded`), whose parameters Twilio's form signs.
    #[must_use]
    pub const fn of_form(self) -> Self {
        Self { is_form: true, ..self }
    }
}

impl BodySigner {
    /// A signer of this form.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the form is configured wrongly.
    pub fn new(form: SignatureForm, key: BodySigningKey) -> Result<Self> {
        form.check()?;
        Ok(Self { header: form.header()?, form, key, next: None })
    }

    /// Signs under this key too, where the form has room for several signatures: receivers that know either key accept the
    /// delivery while the key is being changed.
    ///
    /// # Errors
    ///
    /// `Error::Config` with `webhook_signature_single` when the form has room for one. Change that key at one moment then,
    /// and have the receiver take both meanwhile.
    pub fn with_next_key(self, next: BodySigningKey) -> Result<Self> {
        match self.form {
            SignatureForm::StandardWebhooks {} | SignatureForm::TimeAndBody { .. } => {
                Ok(Self { next: Some(next), ..self })
            }
            _ => {
                let text = "this form has room for one signature; have the receiver take both keys, and change the sender's \
                            at one moment";
                Err(Error::config("webhook_signature_single", text))
            }
        }
    }

    /// The field that the signature stands in.
    pub(crate) const fn header(&self) -> &HeaderName {
        &self.header
    }

    /// The header fields of the signature.
    ///
    /// # Errors
    ///
    /// `Error::Config` when this delivery cannot be signed in this form: an id with a dot or a blank, a body that is not
    /// UTF-8 where text is signed, a URL without the hash of the body where that is signed.
    pub fn sign(&self, delivery: SignableDelivery<'_>) -> Result<HeaderMap> {
        let SignableDelivery { id, time, uri, body, is_form } = delivery;
        let time = time.unix().to_string();
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let message = Message { id: id.as_bytes(), time: time.as_bytes(), target, is_form, body };
        self.check(message, uri)?;
        let mut fields = HeaderMap::with_capacity(3);
        let mut value = String::new();
        if let SignatureForm::TimeAndBody { .. } = self.form {
            value.extend(["t=", &time, ","]);
        }
        self.append_signature(&self.key, message, &mut value)?;
        if let Some(next) = &self.next {
            let between =
                if matches!(self.form, SignatureForm::StandardWebhooks {}) { ' ' } else { ',' };
            value.push(between);
            self.append_signature(next, message, &mut value)?;
        }
        match &self.form {
            SignatureForm::StandardWebhooks {} => {
                fields.insert(ID_FIELD, text(id)?);
                fields.insert(TIME_FIELD, text(time)?);
            }
            SignatureForm::HubSignature { .. } => {
                fields.insert(GTRID_FIELD, text(id)?);
            }
            _ => {}
        }
        fields.insert(self.header.clone(), text(value)?);
        Ok(fields)
    }

    fn check(&self, message: Message<'_>, uri: &Uri) -> Result<()> {
        let wrong = |text: &str| Err(Error::config("webhook_signature_delivery", text));
        match &self.form {
            SignatureForm::StandardWebhooks {} if !DeliveryId::is_id(message.id) => wrong(
                "id of the delivery is empty, longer than 128 bytes, or has a dot or a blank; choose another",
            ),
            SignatureForm::UrlAndParameters { .. } if !message.is_form => {
                let query = uri.query().unwrap_or_default();
                if twilio::has_hash_of(query, message.body) {
                    return Ok(());
                }
                wrong("query of the URL has no bodySHA256 of this body; add it, or send a form")
            }
            _ => Ok(()),
        }
    }

    /// Writes the signature of one key behind what is there.
    fn append_signature(
        &self,
        key: &BodySigningKey,
        message: Message<'_>,
        to: &mut String,
    ) -> Result<()> {
        let unsignable =
            || Error::config("webhook_signature_delivery", "body is none that this form can sign");
        let (prefix, encoding) = match &self.form {
            SignatureForm::HubSignature { algorithm } => {
                (algorithm.hub_prefix(), SignatureEncoding::Hex)
            }
            SignatureForm::StandardWebhooks {} => ("v1,", SignatureEncoding::Base64),
            SignatureForm::TimeAndBody { .. } => ("v1=", SignatureEncoding::Hex),
            SignatureForm::BodyHmac { encoding, prefix, .. } => (&**prefix, *encoding),
            SignatureForm::UrlAndParameters { .. } => ("", SignatureEncoding::Base64),
            SignatureForm::SymphonyUniversalWebhook { .. } | SignatureForm::DetachedJws { .. } => {
                ("", SignatureEncoding::Hex)
            }
        };
        match (&self.form, &key.0) {
            (SignatureForm::DetachedJws { .. }, Signing::Jws { key, kid }) => {
                to.push_str(&jws::sign(key, kid.as_deref(), message.body)?);
            }
            (SignatureForm::StandardWebhooks {}, Signing::Ed25519(pair)) => {
                let whole = self.form.whole(message).ok_or_else(unsignable)?;
                to.push_str("v1a,");
                encoding::append(encoding, pair.sign(&whole).as_ref(), to);
            }
            (form, Signing::Mac(key)) if form.mac().is_some() => {
                let tag = form.mac_of(key, message).ok_or_else(unsignable)?;
                // A text that fills its allocation becomes the value of a field as it is.
                to.reserve_exact(prefix.len().saturating_add(encoding.length(tag.as_ref())));
                to.push_str(prefix);
                encoding::append(encoding, tag.as_ref(), to);
            }
            _ => {
                let text = "signature key was read for another form; read it for this one";
                return Err(Error::config("webhook_signature_key", text));
            }
        }
        Ok(())
    }
}

const GTRID_FIELD: HeaderName = HeaderName::from_static("x-wx-gtrid");

fn text(value: impl TryInto<HeaderValue, Error = InvalidHeaderValue>) -> Result<HeaderValue> {
    value.try_into().map_err(|error| Error::config("webhook_signature_delivery", error))
}

/// Shows the id, and nothing of the body.
impl fmt::Debug for SignableDelivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignableDelivery({:?})", self.id)
    }
}
