//! The client's identifier, and how the client authenticates at the token endpoint.

mod assertion;
mod proof;

pub use assertion::AssertionAudience;
pub(crate) use proof::ClientProof;

use crate::{endpoint::config, token_name::NameParts};
use assertion::Assertion;
use auth_core::{Context, KeyHasher, Result, Secret};
use auth_jwt::SigningKey;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use std::{fmt, sync::Arc};
use url::form_urlencoded;

/// A client's identifier, and how it authenticates at the token endpoint (RFC 6749 section 2.3).
///
/// The methods have the names under which they are registered (RFC 7591 section 2).
///
/// # Security
///
/// A secret or an assertion goes to the token endpoint that it was configured with, or to that of the
/// [issuer](Self::with_issuer) that it was configured for, and nowhere else.
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
    issuer: Option<Box<str>>,
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
        let secret = checked(secret.into())?;
        Self::new(client_id, Method::Post(Arc::new(secret)))
    }

    /// Identifier and secret in the field `Authorization` (`client_secret_basic`): each is form-encoded before both are
    /// encoded as Basic is (RFC 6749 section 2.3.1).
    ///
    /// # Errors
    ///
    /// As for [`client_secret_post`](Self::client_secret_post).
    pub fn client_secret_basic(client_id: &str, secret: impl Into<Secret>) -> Result<Self> {
        let secret = checked(secret.into())?;
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
        let secret = checked(secret.into())?;
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

    /// For the authorization server with this issuer identifier: metadata of that issuer alone says where the client is
    /// authenticated. A client whose token endpoint was typed needs none.
    #[must_use]
    pub fn with_issuer(self, identifier: &str) -> Self {
        Self { issuer: Some(identifier.into()), ..self }
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
        check_client_id("client id", client_id)?;
        Ok(Self { client_id: client_id.into(), method, issuer: None })
    }

    /// The identifier, which is no secret.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(crate) fn add_to_name(&self, name: &mut NameParts, hasher: &KeyHasher) {
        name.add(&*self.client_id);
        match &self.method {
            Method::None => name.add("none"),
            Method::Post(secret) => {
                name.add("client_secret_post");
                name.add(secret.expose());
            }
            Method::Basic(_, secret) => {
                name.add("client_secret_basic");
                name.add(secret.expose());
            }
            Method::Assertion(assertion) => {
                name.add("assertion");
                assertion.add_to_name(name, hasher);
            }
        }
    }

    /// Does a parameter of the request prove the client?
    pub(crate) const fn is_proven_by_parameters(&self) -> bool {
        matches!(self.method, Method::Post(_) | Method::Assertion(_))
    }

    /// Refuses metadata of another issuer than the one that the client's secret or key is for. Identifiers are compared as
    /// they are written.
    pub(crate) fn check_issuer(&self, issuer: &str) -> Result<()> {
        let audience = match &self.method {
            Method::Assertion(assertion) => assertion.issuer(),
            Method::None | Method::Post(_) | Method::Basic(..) => None,
        };
        let named = [self.issuer.as_deref(), audience];
        let mut others = named.iter().flatten().filter(|name| **name != issuer);
        let fault = if others.next().is_some() {
            "client is for another issuer than the metadata is of; take the client that was registered at this one"
        } else if named == [None, None] && !matches!(self.method, Method::None) {
            "client is for no issuer, so nothing says that this one may have its secret; name it with with_issuer"
        } else {
            return Ok(());
        };
        Err(config("oauth2_client_issuer", fault))
    }

    /// What one request to this endpoint has of it.
    pub(crate) fn proof(&self, endpoint: &str, context: &Context) -> Result<ClientProof<'_>> {
        let assertion = match &self.method {
            Method::Assertion(assertion) => Some(assertion.sign(endpoint, context)?),
            Method::None | Method::Post(_) | Method::Basic(..) => None,
        };
        Ok(ClientProof::new(self, assertion))
    }
}

fn checked(secret: Secret) -> Result<Secret> {
    check_secret("client secret", &secret)?;
    Ok(secret)
}

/// Refuses what is no identifier of a client. `field` is what the person who typed it calls it.
pub(crate) fn check_client_id(field: &str, client_id: &str) -> Result<()> {
    check_text("oauth2_client_id", field, client_id)
}

/// Refuses what is no secret of a client. `field` is what the person who typed it calls it.
pub(crate) fn check_secret(field: &str, secret: &Secret) -> Result<()> {
    let Some(text) = secret.expose_text() else {
        return Err(config("oauth2_client_secret", format!("{field} is no UTF-8 text")));
    };
    check_text("oauth2_client_secret", field, text)
}

fn check_text(code: &'static str, field: &str, text: &str) -> Result<()> {
    let fault = match text {
        "" => "is empty; fill in what the authorization server gave the client",
        _ if text.ends_with(['\n', '\r']) => "ends with a line break; remove it",
        _ if text.chars().any(char::is_control) => "holds a control character; remove it",
        _ => return Ok(()),
    };
    Err(config(code, format!("{field} {fault}")))
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
