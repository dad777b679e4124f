//! Signatures over the body of a webhook.

mod encoding;
mod jws;
mod key;
mod message;
mod presented;
mod reason;
mod sign;
mod symphony;
mod twilio;
mod verify;

pub use key::{BodySigningKey, BodyVerifyingKey};
pub use presented::DeliveryId;
pub use sign::{BodySigner, SignableDelivery};
pub use symphony::symphony_signed_text;
pub(crate) use verify::is_form_type;
pub use verify::{BodySignatureVerifier, SignedDelivery};

use crate::WebhookUrl;
use auth_core::{Credentials, Error, Result};
use auth_jwt::JwsAlgorithm;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// What is signed, and how the signature is presented: one of a closed set, checked when a signer or a verifier is made.
///
/// | `form` | signed | promises | does not |
/// |---|---|---|---|
/// | `hub_signature` | the body | who sent it | when, or that it is sent once |
/// | `standard_webhooks` | id, time, body | who, when, and that a repetition is known | |
/// | `time_and_body` | time, body | who and when | that two deliveries of the same body are two |
/// | `url_and_parameters` | the public URL, the parameters of a form | who, and for which URL | when |
/// | `detached_jws` | the header of the JWS, the body | who, to third parties too | when |
/// | `symphony_universal_webhook` | the text of the message | who wrote the text | anything of the markup around it |
/// | `body_hmac` | the body | who sent it | when |
///
/// A time is fresh for five minutes. An id that the signature does not cover says nothing, and is not read.
///
/// ```
/// use auth_webhook::SignatureForm;
/// let form: SignatureForm = serde_json::from_str(r#"{ "form": "hub_signature", "algorithm": "sha256" }"#).unwrap();
/// assert_eq!(form, SignatureForm::HubSignature { algorithm: Default::default() });
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "form", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum SignatureForm {
    /// `x-hub-signature: sha256=HEX` over the body, as Webex Connect has it. The secret is taken as its bytes.
    HubSignature {
        /// The hash.
        #[serde(default)]
        algorithm: MacAlgorithm,
    },
    /// Standard Webhooks 1: `webhook-id`, `webhook-timestamp`, `webhook-signature`; symmetric (`whsec_`) or Ed25519
    /// (`whsk_`, `whpk_`).
    StandardWebhooks {},
    /// `t=SECONDS,v1=HEX` in a field of this name: HMAC-SHA256 over time, a dot and the body.
    TimeAndBody {
        /// The name of the field.
        header: String,
    },
    /// `x-twilio-signature: BASE64` over the public URL and the sorted parameters of a form; over the URL alone, which then
    /// has the hash of the body in `bodySHA256`, for any other body.
    UrlAndParameters {
        /// The URL that the receiver is known by, up to where the target of a request begins, such as
        /// `https://hooks.example`. It is never taken from `Host`.
        public_url: String,
        /// The hash.
        #[serde(default)]
        algorithm: MacAlgorithm,
    },
    /// A JWS without its payload, `HEADER..SIGNATURE` (RFC 7515 appendix F), in a field of this name.
    DetachedJws {
        /// The name of the field.
        header: String,
        /// The algorithm.
        algorithm: SignatureAlgorithm,
    },
    /// Lower-case hexadecimal HMAC-SHA256 in a field of this name, over the text of the message without its markup.
    SymphonyUniversalWebhook {
        /// The name of the field, in lower case.
        header: String,
    },
    /// An HMAC over the body, for receivers with a form of their own.
    BodyHmac {
        /// The name of the field.
        header: String,
        /// The hash.
        #[serde(default)]
        algorithm: MacAlgorithm,
        /// How the bytes are written.
        #[serde(default)]
        encoding: SignatureEncoding,
        /// What stands before them.
        #[serde(default)]
        prefix: String,
    },
}

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MacAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-1, for senders that know no other: it is verified, and never signed with.
    LegacySha1,
}

/// How the bytes of a signature are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureEncoding {
    /// Hexadecimal; it is written in lower case, and read in any.
    #[default]
    Hex,
    /// Base64 with its padding (RFC 4648 section 4).
    Base64,
}

/// The algorithms of a detached JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

impl SignatureForm {
    /// The field that the signature stands in.
    pub(crate) fn header(&self) -> Result<HeaderName> {
        let name = match self {
            Self::HubSignature { .. } => return Ok(HeaderName::from_static("x-hub-signature")),
            Self::StandardWebhooks {} => return Ok(HeaderName::from_static("webhook-signature")),
            Self::UrlAndParameters { .. } => {
                return Ok(HeaderName::from_static("x-twilio-signature"));
            }
            Self::TimeAndBody { header }
            | Self::DetachedJws { header, .. }
            | Self::SymphonyUniversalWebhook { header }
            | Self::BodyHmac { header, .. } => header,
        };
        let wrong = |what| {
            let text = format!("signature: header {name:?} {what}");
            Error::config("webhook_signature_header", text)
        };
        let read = HeaderName::from_bytes(name.as_bytes());
        let read = read.map_err(|_| wrong("is no name of a field (RFC 9110 section 5.1)"))?;
        if Credentials::header(read.clone(), HeaderValue::from_static("")).is_err() {
            return Err(wrong("routes or frames messages; choose another"));
        }
        if read == http::header::AUTHORIZATION {
            return Err(wrong("is that of the authorization; choose another"));
        }
        if read == http::header::CONTENT_TYPE {
            return Err(wrong("says what the body is; choose another"));
        }
        Ok(read)
    }

    /// Checks what is configured.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong =
            |text: &str| Err(Error::config("webhook_signature_form", format!("signature: {text}")));
        match self {
            Self::UrlAndParameters { public_url, .. } => {
                let url = WebhookUrl::parse(public_url)?;
                if url.has_query() {
                    return wrong("public_url has a query; leave it to the requests");
                }
            }
            Self::BodyHmac { prefix, .. } => {
                let is_visible = |byte: u8| byte.is_ascii_graphic();
                if prefix.len() > 32 || !prefix.bytes().all(is_visible) {
                    return wrong(
                        "prefix is longer than 32 bytes or not visible ASCII; shorten it",
                    );
                }
            }
            _ => {}
        }
        self.header().map(drop)
    }

    /// The hash of its HMAC; `None` where it has another signature.
    pub(crate) const fn mac(&self) -> Option<MacAlgorithm> {
        match self {
            Self::HubSignature { algorithm }
            | Self::UrlAndParameters { algorithm, .. }
            | Self::BodyHmac { algorithm, .. } => Some(*algorithm),
            Self::TimeAndBody { .. }
            | Self::SymphonyUniversalWebhook { .. }
            | Self::StandardWebhooks {} => Some(MacAlgorithm::Sha256),
            Self::DetachedJws { .. } => None,
        }
    }
}

impl MacAlgorithm {
    pub(crate) const fn ring(self) -> ring::hmac::Algorithm {
        match self {
            Self::Sha256 => ring::hmac::HMAC_SHA256,
            Self::Sha512 => ring::hmac::HMAC_SHA512,
            Self::LegacySha1 => ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        }
    }

    /// What `x-hub-signature` calls it, with the equals sign.
    pub(crate) const fn hub_prefix(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256=",
            Self::Sha512 => "sha512=",
            Self::LegacySha1 => "sha1=",
        }
    }
}

impl SignatureAlgorithm {
    pub(crate) const fn jws(self) -> JwsAlgorithm {
        match self {
            Self::RS256 => JwsAlgorithm::RS256,
            Self::RS512 => JwsAlgorithm::RS512,
            Self::PS256 => JwsAlgorithm::PS256,
            Self::PS512 => JwsAlgorithm::PS512,
            Self::ES256 => JwsAlgorithm::ES256,
            Self::EdDSA => JwsAlgorithm::EdDSA,
        }
    }
}

#[cfg(test)]
mod tests;
