//! A token on behalf of a user who agreed to it (RFC 6749 section 4.1), with PKCE (RFC 7636).

mod callback;
mod pending;
mod redirection;
mod sealed;
mod source;
mod store;
mod urls;

pub use callback::AuthorizationCallback;
pub use pending::PendingAuthorization;
use pending::Server;
pub use redirection::RedirectionEndpoint;
pub use store::{MemoryPendingAuthorizations, PendingAuthorizations};
pub(crate) use urls::{check_redirect_uri, read_authorization_url};

use crate::{
    ClientRegistration, OAuthToken, TokenRequest, endpoint::config, parameters::Parameters,
};
use auth_core::{ConnectionId, Context, Error, Flow, Result, Secret};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{borrow::Cow, fmt};
use url::Url;
use urls::OF_THE_GRANT;

/// Obtains tokens in a user's context: the user is sent to [`begin`](Self::begin)'s URL, comes back with a code, and the
/// code is [redeemed](Self::redeem). The token goes into a [`Session`](auth_session::Session) by
/// [`put`](auth_session::Session::put), which refreshes it from then on.
///
/// # Security
///
/// PKCE with S256 is always used. Give every connection a redirect URI of its own, so that no authorization server of
/// one tenant can hand its code to another's (draft-ietf-oauth-security-topics-update section 2); the connection is kept
/// with the `state` and compared as well.
///
/// ```
/// use auth_core::{ConnectionId, TenantId};
/// use auth_oauth2::{
///     AuthorizationCallback, AuthorizationCode, ClientAuthentication, ClientRegistration, Context, TokenEndpoint,
/// };
/// # use auth_testing::ScriptedTransport;
/// # let transport = ScriptedTransport::new(|_| Ok(http::Response::new(br#"{"access_token":"t"}"#.to_vec())));
/// # let context = Context::new(transport);
/// let client = ClientAuthentication::client_secret_post("acme", "s3cret")?;
/// let registration = ClientRegistration::new(TokenEndpoint::new("https://login.example/token")?, client);
/// let redirect_uri = "https://platform.example/callback/acme-crm";
/// let grant = AuthorizationCode::new(registration, "https://login.example/authorize", redirect_uri)?;
///
/// let connection = ConnectionId::new(TenantId::new("acme"), "crm").on_behalf_of("alice");
/// let (url, pending) = grant.begin(&connection, &context)?;
/// // Send the user's browser to `url`, keep `pending` for this user; then read the query that they come back with.
/// # let state = url.split("state=").nth(1).unwrap().split('&').next().unwrap();
/// # let query = format!("code=SplxlOBeZQQYbYS6WxSbIA&state={state}");
/// let callback = AuthorizationCallback::parse(&query)?;
/// let token = grant.redeem(pending, callback, &connection, &context).wait()?;
/// # Ok::<_, auth_oauth2::Error>(())
/// ```
#[derive(Clone)]
pub struct AuthorizationCode {
    registration: ClientRegistration,
    authorization_url: Url,
    redirect_uri: String,
    parameters: Parameters,
    issuer: Option<ExpectedIssuer>,
}

/// The authorization server that a callback has to come from (RFC 9207).
#[derive(Clone, Debug)]
struct ExpectedIssuer {
    identifier: Box<str>,
    parameter: IssuerParameter,
}

/// Does the authorization server say in its callbacks who it is (RFC 9207)? Its metadata tells:
/// `authorization_response_iss_parameter_supported`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssuerParameter {
    /// It does: a callback without `iss` is refused.
    Promised,
    /// It may: a callback that has `iss` has to have the right one.
    Optional,
}

impl AuthorizationCode {
    /// Tokens for users of this client, who agree at this authorization URL and come back to this redirect URI, which
    /// other forms call the callback URL.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the authorization URL is none that a token URL could be, or has a parameter that the grant
    /// sets; and when the redirect URI is no absolute URL without a fragment (RFC 6749 section 3.1.2), or has spaces.
    pub fn new(
        registration: ClientRegistration,
        authorization_url: &str,
        redirect_uri: &str,
    ) -> Result<Self> {
        check_redirect_uri("redirect URI", redirect_uri)?;
        let authorization_url = read_authorization_url("authorization URL", authorization_url)?;
        Ok(Self {
            registration,
            authorization_url,
            redirect_uri: redirect_uri.to_owned(),
            parameters: Parameters::default(),
            issuer: None,
        })
    }

    /// With the scopes that the user is asked for, one space between two; without, or empty, the server decides.
    ///
    /// # Errors
    ///
    /// As for [`TokenRequest::with_scope`]; and when the authorization URL has a scope already.
    pub fn with_scope(mut self, scope: &str) -> Result<Self> {
        if !scope.is_empty() && self.is_in_url("scope") {
            let text =
                "scope is set, and the authorization URL has one too; put all scopes into one text";
            return Err(config("oauth2_scope", text));
        }
        self.parameters.add_scope(scope)?;
        Ok(self)
    }

    /// With a resource that tokens are for (RFC 8707); may be called several times.
    ///
    /// # Errors
    ///
    /// As for [`TokenRequest::with_resource`].
    pub fn with_resource(mut self, resource: &str) -> Result<Self> {
        self.parameters.add_resource(resource)?;
        Ok(self)
    }

    /// With another parameter of the authorization URL: `prompt`, `login_hint`, a vendor's own.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is set already, here or in the authorization URL, or is one that the grant sets.
    pub fn with_parameter(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Result<Self> {
        let name = name.into();
        let is_taken = self.parameters.has(&name) || self.is_in_url(&name);
        if name.is_empty() || is_taken || OF_THE_GRANT.contains(&&*name) {
            let text = format!(
                "parameter {name:.64} of the authorization URL is set twice, or by the grant"
            );
            return Err(config("oauth2_parameter", text));
        }
        self.parameters.add(name, value);
        Ok(self)
    }

    fn is_in_url(&self, name: &str) -> bool {
        self.authorization_url.query_pairs().any(|(known, _)| known == name)
    }

    /// With the issuer identifier of the authorization server: a callback that names another one is refused. It is
    /// compared as it is written (RFC 9207 section 2.4).
    #[must_use]
    pub fn with_issuer(self, identifier: &str, parameter: IssuerParameter) -> Self {
        let issuer = ExpectedIssuer { identifier: identifier.into(), parameter };
        Self { issuer: Some(issuer), ..self }
    }

    /// Begins an authorization: the URL to send the user's browser to, and what has to be kept until they come back.
    ///
    /// # Errors
    ///
    /// When there is no randomness.
    pub fn begin(
        &self,
        connection: &ConnectionId,
        context: &Context,
    ) -> Result<(String, PendingAuthorization)> {
        let pending = PendingAuthorization::new(connection.clone(), self.server(), context)?;
        let mut parameters = Parameters::default();
        parameters.add("response_type", "code");
        parameters.add("client_id", self.registration.client_id());
        parameters.add("redirect_uri", self.redirect_uri.as_str());
        parameters.add("state", text(&pending.state));
        parameters.add("code_challenge", pending.code_challenge());
        parameters.add("code_challenge_method", "S256");
        if self.parameters.iter().any(|(name, value)| name == "scope" && is_openid(value)) {
            parameters.add("nonce", text(&pending.nonce));
        }
        self.parameters.iter().for_each(|(name, value)| parameters.add(name.to_owned(), value));
        let mut url = self.authorization_url.clone();
        let before = url.query().map(str::to_owned).unwrap_or_default();
        url.set_query(Some(&parameters.write_form(before)));
        Ok((url.into(), pending))
    }

    /// Redeems the code that a user came back with. `connection` names what this callback is for: the redirect URI that
    /// the browser called, and the user in whose session it did.
    ///
    /// # Errors
    ///
    /// | the callback | error |
    /// |---|---|
    /// | another `state`, another connection, more than ten minutes late, or begun at another token endpoint or issuer than the grant's | `Error::Refused`, `oauth2_state` |
    /// | another issuer, or none though one was promised | `Error::Refused`, `oauth2_issuer` |
    /// | says that the user or the server refused | `Error::Refused`, `oauth2_authorization_refused` |
    ///
    /// and those of [`ClientRegistration::obtain`].
    pub fn redeem<'a>(
        &'a self,
        pending: PendingAuthorization,
        callback: AuthorizationCallback,
        connection: &ConnectionId,
        context: &'a Context,
    ) -> Flow<'a, OAuthToken> {
        let request = self.redeem_request(&pending, callback, connection, context);
        Flow::new(async move { self.registration.obtain(&request?, context).await })
    }

    fn redeem_request(
        &self,
        pending: &PendingAuthorization,
        callback: AuthorizationCallback,
        connection: &ConnectionId,
        context: &Context,
    ) -> Result<TokenRequest> {
        pending.check(&callback.state, connection, &self.server(), context.clock.now())?;
        self.check_issuer(callback.iss.as_deref())?;
        let code = callback.outcome?;
        let mut request = TokenRequest::new("authorization_code")
            .with_parameter("code", text(&code))?
            .with_parameter("redirect_uri", self.redirect_uri.as_str())?
            .with_parameter("code_verifier", text(&pending.code_verifier))?;
        for (_, resource) in self.parameters.iter().filter(|(name, _)| *name == "resource") {
            request = request.with_resource(resource)?;
        }
        Ok(request)
    }

    fn server(&self) -> Server {
        Server {
            token_endpoint: self.registration.token_endpoint().into(),
            issuer: self.issuer.as_ref().map(|expected| expected.identifier.clone()),
        }
    }

    /// Error callbacks are held to it too: an attacker's server could end an authorization at another one.
    fn check_issuer(&self, iss: Option<&str>) -> Result<()> {
        let Some(expected) = &self.issuer else { return Ok(()) };
        let refused = |text: &str| Err(Error::refused("oauth2_issuer", text.to_owned()));
        match iss {
            Some(iss) if iss == &*expected.identifier => Ok(()),
            Some(_) => refused("callback comes from another issuer than the one that was asked"),
            None if expected.parameter == IssuerParameter::Promised => {
                refused("callback does not say its issuer, which the metadata promised")
            }
            None => Ok(()),
        }
    }
}

/// Is an ID token asked for (OpenID Connect Core 1.0 section 3.1.2.1)?
fn is_openid(scope: &str) -> bool {
    scope.split(' ').any(|scope| scope == "openid")
}

/// Random text is ASCII; a code is checked to be when the callback is read.
fn text(secret: &Secret) -> String {
    String::from_utf8_lossy(secret.expose()).into_owned()
}

/// 256 random bits, as text for URLs.
fn random_text(context: &Context) -> Result<Secret> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    context.random.fill(&mut *bytes)?;
    Ok(Secret::from(URL_SAFE_NO_PAD.encode(*bytes)))
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorizationCode({:?}, {:?})", self.registration, self.redirect_uri)
    }
}
