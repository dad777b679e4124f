//! The client's identifier, and how the client authenticates at the token endpoint.

mod assertion;

pub use assertion::AssertionAudience;

use crate::endpoint::config;
use assertion::Assertion;
use auth_core::{Context, Result, Secret};
use auth_jwt::{SignedJwt, SigningKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use std::{fmt, sync::Arc};
use url::form_urlencoded;

/// A client's identifier, and how it authenticates at the token endpoint (RFC 6749 section 2.3).
///
/// The methods have the names under which they are registered (RFC 7591 section 2). A secret or an assertion goes to the
/// token endpoint that it was configured with, and nowhere else.
///
/// ```
/// use auth_oauth2::ClientAuthentication;
/// let in_body = ClientAuthentication::client_secret_post("acme", "s3cret")?;
/// let basic = ClientAuthentication::client_secret_basic("acme", "s3cret")?;
/// let public = ClientAuthentication::none("acme")?;
/// # Ok::<_, auth_oauth2::Error>(())
/// ```
#[derive(Clone)]
pub struct ClientAuthentication {
    client_id: Arc<str>,
    method: Method,
}

#[derive(Clone)]
enum Method {
    None,
    Post(Arc<Secret>),
    Basic(HeaderValue, Arc<Secret>),
    Assertion(Arc<Assertion>),
}

impl ClientAuthentication {
    /// A public client, which has no secret (`none`): its identifier alone is sent.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the identifier is empty or has control characters.
    pub fn none(client_id: &str) -> Result<Self> {
        Self::new(client_id, Method::None)
    }

    /// The secret as a parameter beside the identifier (`client_secret_post`), which most servers take.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the identifier or the secret is empty or has control characters, as one that was copied
    /// with its line break has.
    pub fn client_secret_post(client_id: &str, secret: impl Into<Secret>) -> Result<Self> {
        let secret = checked_secret(secret.into())?;
        Self::new(client_id, Method::Post(Arc::new(secret)))
    }

    /// Identifier and secret in the field `Authorization` (`client_secret_basic`): each is form-encoded before both are
    /// encoded as Basic is (RFC 6749 section 2.3.1).
    ///
    /// # Errors
    ///
    /// As for [`client_secret_post`](Self::client_secret_post).
    pub fn client_secret_basic(client_id: &str, secret: impl Into<Secret>) -> Result<Self> {
        let secret = checked_secret(secret.into())?;
        let encoded = |bytes: &[u8]| form_urlencoded::byte_serialize(bytes).collect::<String>();
        let pair =
            Secret::new(format!("{}:{}", encoded(client_id.as_bytes()), encoded(secret.expose())));
        let field = format!("Basic {}", STANDARD.encode(pair.expose()));
        let mut field = HeaderValue::try_from(field).map_err(|_| {
            config("oauth2_client_secret", "client secret cannot stand in a header field")
        })?;
        field.set_sensitive(true);
        Self::new(client_id, Method::Basic(field, Arc::new(secret)))
    }

    /// A JWT that is signed with the secret (`client_secret_jwt`, RFC 7523 section 2.2): HS256 over its bytes.
    ///
    /// # Errors
    ///
    /// As for [`client_secret_post`](Self::client_secret_post); and when the secret is shorter than 32 bytes, the
    /// length of the hash (RFC 7518 section 3.2).
    pub fn client_secret_jwt(
        client_id: &str,
        secret: impl Into<Secret>,
        audience: AssertionAudience,
    ) -> Result<Self> {
        let secret = checked_secret(secret.into())?;
        let key = SigningKey::from_secret(auth_jwt::JwsAlgorithm::HS256, secret.expose())?;
        Self::private_key_jwt(client_id, key, audience)
    }

    /// A JWT that is signed with a key of the client's (`private_key_jwt`, RFC 7523 section 2.2).
    ///
    /// Each request has an assertion of its own: it is for one audience (RFC 10070), lasts a minute and has an
    /// identifier that never comes again.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the identifier is empty or has control characters.
    pub fn private_key_jwt(
        client_id: &str,
        key: SigningKey,
        audience: AssertionAudience,
    ) -> Result<Self> {
        let assertion = Assertion::new(client_id, key, audience)?;
        Self::new(client_id, Method::Assertion(Arc::new(assertion)))
    }

    /// Assertions that name their key (`kid`), for servers that know several of the client's.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the client has no assertions, or when the name is empty or too long for a header.
    pub fn with_key_id(self, kid: &str) -> Result<Self> {
        self.with_assertion(|assertion| assertion.with_key_id(kid))
    }

    /// Assertions without the token type `client-authentication+jwt` in their header (RFC 10070), for servers that refuse
    /// it.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the client has no assertions.
    pub fn without_token_type(self) -> Result<Self> {
        self.with_assertion(|assertion| Ok(assertion.without_token_type()))
    }

    fn with_assertion(self, change: impl FnOnce(Assertion) -> Result<Assertion>) -> Result<Self> {
        let Method::Assertion(assertion) = self.method else {
            return Err(config(
                "oauth2_no_assertion",
                "client authenticates without an assertion, so nothing about one can be set",
            ));
        };
        let assertion = change(Arc::unwrap_or_clone(assertion))?;
        Ok(Self { method: Method::Assertion(Arc::new(assertion)), ..self })
    }

    fn new(client_id: &str, method: Method) -> Result<Self> {
        if client_id.is_empty() || client_id.chars().any(char::is_control) {
            return Err(config(
                "oauth2_client_id",
                "client id is empty or holds a line break or another control character",
            ));
        }
        Ok(Self { client_id: client_id.into(), method })
    }

    /// The identifier, which is no secret.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What one request to this endpoint has of it.
    pub(crate) fn proof(&self, endpoint: &str, context: &Context) -> Result<ClientProof<'_>> {
        let assertion = match &self.method {
            Method::Assertion(assertion) => Some(assertion.sign(endpoint, context)?),
            Method::None | Method::Post(_) | Method::Basic(..) => None,
        };
        Ok(ClientProof { client: self, assertion })
    }
}

/// How a client authenticates in one request.
pub(crate) struct ClientProof<'a> {
    client: &'a ClientAuthentication,
    /// One assertion more: its time and its identifier are its own.
    assertion: Option<SignedJwt>,
}

impl ClientProof<'_> {
    /// The field `Authorization`, if it stands there.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        match &self.client.method {
            Method::Basic(field, _) => Some(field),
            Method::None | Method::Post(_) | Method::Assertion(_) => None,
        }
    }

    /// The parameters of the request.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        let id = match &self.client.method {
            Method::Basic(..) => None,
            Method::None | Method::Post(_) | Method::Assertion(_) => Some(&*self.client.client_id),
        };
        let secret = match &self.client.method {
            Method::Post(secret) => Some(text(secret)),
            Method::None | Method::Basic(..) | Method::Assertion(_) => None,
        };
        let assertion = self.assertion.as_ref().map(SignedJwt::expose);
        let kind = assertion.map(|_| assertion::TYPE);
        let all = [
            ("client_id", id),
            ("client_secret", secret),
            ("client_assertion_type", kind),
            ("client_assertion", assertion),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// Does a parameter of the request hold a secret?
    pub(crate) const fn has_secret_parameter(&self) -> bool {
        matches!(self.client.method, Method::Post(_) | Method::Assertion(_))
    }

    /// What a server that repeats its request would show.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let (secret, field) = match &self.client.method {
            Method::Post(secret) => (Some(text(secret)), None),
            Method::Basic(field, secret) => (Some(text(secret)), field.to_str().ok()),
            Method::None | Method::Assertion(_) => (None, None),
        };
        let field = field.and_then(|field| field.strip_prefix("Basic "));
        [secret, field, self.assertion.as_ref().map(SignedJwt::expose)].into_iter().flatten()
    }
}

/// Secrets were checked to be text.
fn text(secret: &Secret) -> &str {
    std::str::from_utf8(secret.expose()).unwrap_or_default()
}

fn checked_secret(secret: Secret) -> Result<Secret> {
    let fault = |text: &str| Err(config("oauth2_client_secret", text));
    match std::str::from_utf8(secret.expose()) {
        Err(_) => fault("client secret is no UTF-8 text"),
        Ok("") => fault("client secret is empty"),
        Ok(text) if text.ends_with(['\n', '\r']) => {
            fault("client secret ends with a line break; remove it")
        }
        Ok(text) if text.chars().any(char::is_control) => {
            fault("client secret holds a control character; remove it")
        }
        Ok(_) => Ok(secret),
    }
}

/// Shows how, and for whom, and no secret.
impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match &self.method {
            Method::None => "none",
            Method::Post(_) => "client_secret_post",
            Method::Basic(..) => "client_secret_basic",
            Method::Assertion(_) => "assertion",
        };
        write!(f, "ClientAuthentication({:?}, {method})", self.client_id)
    }
}
