//! Asking a token endpoint for a token: the request, as a pure function.

use crate::{
    ClientAuthentication, ParameterPlacement, TokenEndpoint,
    endpoint::{SecretsInUrl, config},
    foreign_text::{Secrets, Sent},
    parameters::{Parameters, write_form, write_json},
};
use auth_core::{Context, Exchange, Result};
use http::{HeaderValue, header};
use std::borrow::Cow;

/// What a token is asked for with: a grant type and its parameters (RFC 6749 section 4.5 leaves both open).
///
/// The grants of this crate make theirs. Another grant is this one with its own type:
///
/// ```
/// use auth_oauth2::TokenRequest;
/// let request = TokenRequest::new("urn:ietf:params:oauth:grant-type:token-exchange")
///     .with_parameter("subject_token", "eyJ...")?
///     .with_parameter("subject_token_type", "urn:ietf:params:oauth:token-type:access_token")?
///     .with_resource("https://api.example/")?;
/// # Ok::<_, auth_oauth2::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenRequest(pub(crate) Parameters);

impl TokenRequest {
    /// A request under this grant type.
    #[must_use]
    pub fn new(grant_type: impl Into<String>) -> Self {
        let mut parameters = Parameters::default();
        parameters.add("grant_type", grant_type);
        Self(parameters)
    }

    /// A request to end a token, which is no request for one (RFC 7009 section 2.1).
    pub(crate) fn of_revocation(token: &str, hint: &str) -> Self {
        let mut parameters = Parameters::default();
        parameters.add("token", token);
        parameters.add("token_type_hint", hint);
        Self(parameters)
    }

    /// With the scopes that are asked for, one space between two (RFC 6749 section 3.3); empty text asks for none, and
    /// the parameter is left out.
    ///
    /// # Errors
    ///
    /// `Error::Config` when a character is none that a scope may have, and when scopes are set already.
    pub fn with_scope(mut self, scope: &str) -> Result<Self> {
        self.0.add_scope(scope)?;
        Ok(self)
    }

    /// With a resource that the token is for (RFC 8707); may be called several times.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is no absolute URI, or has a fragment.
    pub fn with_resource(mut self, resource: &str) -> Result<Self> {
        self.0.add_resource(resource)?;
        Ok(self)
    }

    /// With the audience that some servers want to know.
    ///
    /// # Errors
    ///
    /// As for [`with_parameter`](Self::with_parameter).
    pub fn with_audience(self, audience: &str) -> Result<Self> {
        self.with_parameter("audience", audience)
    }

    /// With another parameter.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the request has a parameter of this name, or when the client's authentication sets it.
    pub fn with_parameter(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Result<Self> {
        let name = name.into();
        if name.is_empty() || self.0.has(&name) || OF_THE_CLIENT.contains(&&*name) {
            let text =
                format!("parameter {name:.64} is set twice, or by the client's authentication");
            return Err(config("oauth2_parameter", text));
        }
        self.0.add(name, value);
        Ok(self)
    }

    /// The request as it is sent, with the client's authentication made for it alone.
    ///
    /// # Errors
    ///
    /// `Error::Config` when a secret would stand in the URL of an endpoint that does not
    /// [allow it](TokenEndpoint::allowing_secrets_in_url), when a parameter would stand there twice, and when an assertion
    /// cannot be signed.
    pub fn exchange(
        &self,
        endpoint: &TokenEndpoint,
        client: &ClientAuthentication,
        context: &Context,
    ) -> Result<Exchange> {
        self.prepare(endpoint, client, context).map(|(exchange, _)| exchange)
    }

    /// The exchange, and the secrets that it sends.
    pub(crate) fn prepare<'a>(
        &'a self,
        endpoint: &'a TokenEndpoint,
        client: &'a ClientAuthentication,
        context: &Context,
    ) -> Result<(Exchange, Secrets<'a>)> {
        let proof = client.proof(endpoint.url.as_str(), context)?;
        let has_secret = client.is_proven_by_parameters() || self.0.secrets().next().is_some();
        let in_url = endpoint.placement == ParameterPlacement::Url;
        if in_url && endpoint.secrets_in_url == SecretsInUrl::Refused && has_secret {
            return Err(config(
                SECRET_IN_URL,
                "parameters hold a secret and stand in the URL, which logs write down; send them in the body, or allow \
                 it with allowing_secrets_in_url",
            ));
        }
        let parameters = self.0.iter().chain(proof.parameters());
        let (uri, content_type, body) = match endpoint.placement {
            ParameterPlacement::FormBody => {
                let form = write_form(parameters, String::new());
                (endpoint.uri.clone(), Some(FORM), form.into_bytes())
            }
            ParameterPlacement::JsonBody => {
                (endpoint.uri.clone(), Some(JSON), write_json(parameters))
            }
            ParameterPlacement::Url => {
                let mut url = endpoint.url.clone();
                let is_ours = |typed: &str| parameters.clone().any(|(name, _)| name == typed);
                if let Some((name, _)) = url.query_pairs().find(|(typed, _)| is_ours(typed)) {
                    let text =
                        format!("token URL has {name:.64}, which the request sets; leave it out");
                    return Err(config("oauth2_parameter", text));
                }
                let before = url.query().map(str::to_owned).unwrap_or_default();
                url.set_query(Some(&write_form(parameters, before)));
                (url.as_str().parse().ok(), None, Vec::new())
            }
        };
        let uri = uri.ok_or_else(|| {
            config("oauth2_url", "token URL holds a character that no request line may have")
        })?;
        let mut request = http::Request::new(body);
        *request.uri_mut() = uri;
        request.method_mut().clone_from(&endpoint.method);
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, JSON);
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        if !endpoint.headers.is_empty() {
            headers.extend(endpoint.headers.clone());
        }
        if let Some(field) = proof.authorization() {
            headers.insert(header::AUTHORIZATION, field.clone());
        }
        let sent =
            Sent { parameters: &self.0, proof, url: &endpoint.url, fields: &endpoint.headers };
        Ok((Exchange::new(request), Secrets::from(sent)))
    }
}

/// The code of the error of a secret that would stand in a URL.
pub(crate) const SECRET_IN_URL: &str = "oauth2_secret_in_url";

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

const OF_THE_CLIENT: &[&str] =
    &["client_id", "client_secret", "client_assertion", "client_assertion_type"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AssertionAudience;
    use auth_core::Timestamp;
    use auth_jwt::dangerous;
    use auth_testing::{ScriptedTransport, SeededRandom};

    fn context() -> Context {
        let transport = ScriptedTransport::new(|_| panic!("nothing is fetched"));
        Context::new(transport)
            .with_clock(Timestamp::from_unix(1_700_000_000))
            .with_random(SeededRandom::new(7))
    }

    fn sent(endpoint: TokenEndpoint, client: ClientAuthentication) -> http::Request<Vec<u8>> {
        let request = TokenRequest::new("client_credentials").with_scope("a b").unwrap();
        request.exchange(&endpoint, &client, &context()).unwrap().into_request()
    }

    fn endpoint() -> TokenEndpoint {
        TokenEndpoint::new("https://login.example/token?tenant=acme").unwrap()
    }

    fn post() -> ClientAuthentication {
        ClientAuthentication::client_secret_post("me", "s3cr&t").unwrap()
    }

    #[track_caller]
    fn check(endpoint: TokenEndpoint, client: ClientAuthentication, line: &str, body: &str) {
        let request = sent(endpoint, client);
        assert_eq!(format!("{} {}", request.method(), request.uri()), line);
        assert_eq!(String::from_utf8_lossy(request.body()), body);
    }

    #[test]
    fn every_method_by_every_placement() {
        let url = "https://login.example/token?tenant=acme";
        let all = "grant_type=client_credentials&scope=a+b&client_id=me&client_secret=s3cr%26t";
        let json = r#"{"client_id":"me","client_secret":"s3cr&t","grant_type":"client_credentials","scope":"a b"}"#;
        let in_url =
            || endpoint().with_placement(ParameterPlacement::Url).allowing_secrets_in_url();
        let in_json = || endpoint().with_placement(ParameterPlacement::JsonBody);
        check(endpoint(), post(), &format!("POST {url}"), all);
        check(endpoint().with_get(), post(), &format!("GET {url}"), all);
        check(in_json(), post(), &format!("POST {url}"), json);
        check(in_url(), post(), &format!("POST {url}&{all}"), "");
        check(in_url().with_get(), post(), &format!("GET {url}&{all}"), "");
    }

    #[test]
    fn a_secret_stands_in_no_url_unless_allowed_by_name() {
        let in_url = || endpoint().with_placement(ParameterPlacement::Url);
        let refused = |request: &TokenRequest, client: &ClientAuthentication| {
            let made = request.exchange(&in_url(), client, &context());
            made.err().map(|error| error.code())
        };
        let credentials = TokenRequest::new("client_credentials");
        let basic = ClientAuthentication::client_secret_basic("me", "s3cret").unwrap();
        assert_eq!(refused(&credentials, &post()), Some("oauth2_secret_in_url"));
        assert_eq!(refused(&credentials, &basic), None);
        let refresh =
            TokenRequest::new("refresh_token").with_parameter("refresh_token", "r").unwrap();
        assert_eq!(refused(&refresh, &basic), Some("oauth2_secret_in_url"));
    }

    /// RFC 6749 section 3.2: no parameter more than once. In a body beside the URL it stands once in each.
    #[test]
    fn a_parameter_that_the_url_has_already_is_not_added_to_it() {
        for (typed, is_taken) in [
            ("grant_type=x", false),
            ("scope=a", false),
            ("client%5Fid=x", false),
            ("tenant=a", true),
        ] {
            let endpoint = TokenEndpoint::new(&format!("https://login.example/token?{typed}"));
            let endpoint = endpoint.unwrap().with_placement(ParameterPlacement::Url);
            let request = TokenRequest::new("client_credentials").with_scope("a b").unwrap();
            let client = ClientAuthentication::none("me").unwrap();
            let made = request.exchange(&endpoint, &client, &context());
            let code = made.as_ref().err().map(|error| error.code());
            assert_eq!(code, (!is_taken).then_some("oauth2_parameter"), "{typed}");
            let in_body = endpoint.with_placement(ParameterPlacement::FormBody);
            assert!(request.exchange(&in_body, &client, &context()).is_ok(), "{typed}");
        }
    }

    /// RFC 6749 section 2.3.1: form-encoded first.
    #[test]
    fn basic_encodes_what_basic_itself_could_not_carry() {
        let client = ClientAuthentication::client_secret_basic("a:b c", "p:%\u{e9}").unwrap();
        let request = sent(endpoint(), client);
        let field = &request.headers()[header::AUTHORIZATION];
        assert!(field.is_sensitive());
        // a%3Ab+c:p%3A%25%C3%A9
        assert_eq!(field, "Basic YSUzQWIrYzpwJTNBJTI1JUMzJUE5");
        assert_eq!(
            String::from_utf8_lossy(request.body()),
            "grant_type=client_credentials&scope=a+b"
        );
    }

    #[test]
    fn an_assertion_is_for_one_audience_and_never_comes_twice() {
        let url = "https://login.example/token?tenant=acme";
        for (audience, expected) in [
            (AssertionAudience::issuer("https://login.example"), "https://login.example"),
            (AssertionAudience::Endpoint, url),
        ] {
            let client =
                ClientAuthentication::client_secret_jwt("me", "s".repeat(32), audience).unwrap();
            let (request, context) = (TokenRequest::new("client_credentials"), context());
            let mut ids = Vec::new();
            for _ in 0..2 {
                let sent = request.exchange(&endpoint(), &client, &context).unwrap().into_request();
                let sent: Vec<_> = url::form_urlencoded::parse(sent.body()).into_owned().collect();
                let value = |name: &str| sent.iter().find(|pair| pair.0 == name).unwrap().1.clone();
                assert_eq!(value("client_id"), "me");
                assert_eq!(
                    value("client_assertion_type"),
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                );
                let token = value("client_assertion");
                let decoded = dangerous::decode_unverified(&token).unwrap();
                let claims: serde_json::Value = serde_json::from_slice(decoded.payload()).unwrap();
                assert_eq!((&claims["iss"], &claims["sub"]), (&"me".into(), &"me".into()));
                assert_eq!(claims["aud"], expected, "one string");
                assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 60);
                ids.push(claims["jti"].as_str().unwrap().to_owned());
            }
            assert_ne!(ids[0], ids[1]);
        }
    }

    #[test]
    fn what_is_set_twice_or_is_the_clients_is_refused() {
        for name in ["grant_type", "client_id", "client_secret", "client_assertion", ""] {
            let request = TokenRequest::new("x").with_parameter(name, "y");
            assert_eq!(request.unwrap_err().code(), "oauth2_parameter", "{name}");
        }
    }

    #[track_caller]
    fn check_scope(scope: &str, expected: bool) {
        assert_eq!(TokenRequest::new("x").with_scope(scope).is_ok(), expected, "{scope:?}");
    }

    #[test]
    fn scopes_have_one_space_between_two() {
        for good in ["", "a", "a b", "sms:message:send urn:x"] {
            check_scope(good, true);
        }
        for bad in [" ", "a  b", " a", "a ", "a\"", "a\\", "\u{e9}", "a\tb"] {
            check_scope(bad, false);
        }
    }

    #[test]
    fn an_exchange_shows_nothing_of_what_it_sends() {
        let endpoint = endpoint().with_placement(ParameterPlacement::Url).allowing_secrets_in_url();
        let made = TokenRequest::new("client_credentials").exchange(&endpoint, &post(), &context());
        assert_eq!(format!("{:?}", made.unwrap()), "Exchange(POST login.example)");
        assert!(!format!("{:?} {:?}", post(), TokenRequest::new("x")).contains("s3cr"));
    }
}
