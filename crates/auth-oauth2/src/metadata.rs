//! What an authorization server says about itself (RFC 8414, OpenID Connect Discovery).

mod remote;

pub use remote::RemoteAuthorizationServerMetadata;

use crate::{
    AuthorizationCode, ClientAuthentication, ClientRegistration, IssuerParameter, TokenEndpoint,
    endpoint::{config, is_of_this_machine, read_url, read_url_like},
    foreign_text::Secrets,
    members::{Member, Members},
};
use auth_core::{Error, Exchange, Result};
use http::{HeaderValue, Response, header};
use url::{Host, Url};

/// The metadata of an authorization server, as far as a client needs it.
///
/// [`exchange`](Self::exchange) asks for it, [`read`](Self::read) reads the answer;
/// [`RemoteAuthorizationServerMetadata`] does both, and keeps it.
///
/// # Security
///
/// Metadata comes over https from the origin of its issuer, so it speaks for that issuer and nobody else. The endpoints
/// that it names may be on other origins: large providers have them there, and the issuer says so itself. What keeps a
/// secret from strangers is therefore not the origin of an endpoint but the issuer: [`registration`](Self::registration)
/// gives the endpoint only to a client that is configured
/// [for this issuer](ClientAuthentication::with_issuer). An issuer that somebody else named, as the metadata of a
/// resource or a challenge does, finds no client that is for it.
///
/// An endpoint on this machine is taken from an issuer on this machine alone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuthorizationServerMetadata {
    /// `issuer`: the one that was asked for, letter by letter.
    pub issuer: Box<str>,
    /// `token_endpoint`.
    pub token_endpoint: TokenEndpoint,
    /// `authorization_endpoint`; servers without a grant in a user's context have none.
    pub authorization_endpoint: Option<Box<str>>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207 section 3).
    pub issuer_parameter: IssuerParameter,
}

/// Where the metadata of an issuer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataLocation {
    /// `/.well-known/oauth-authorization-server` between host and path (RFC 8414 section 3).
    OAuth,
    /// `/.well-known/openid-configuration` behind the path (OpenID Connect Discovery 1.0 section 4).
    OpenId,
}

impl AuthorizationServerMetadata {
    /// Keycloak has some seventy.
    const MOST_MEMBERS: usize = 256;

    /// Asks an issuer for its metadata.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the issuer identifier is no `https` URL (`http` for this machine alone) without a query.
    pub fn exchange(issuer: &str, location: MetadataLocation) -> Result<Exchange> {
        let mut url = issuer_url(issuer)?;
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&match location {
            MetadataLocation::OAuth => format!("/.well-known/oauth-authorization-server{path}"),
            MetadataLocation::OpenId => format!("{path}/.well-known/openid-configuration"),
        });
        let request = http::Request::get(url.as_str()).body(Vec::new());
        let mut request = request.map_err(|_| {
            config("oauth2_issuer_url", "issuer holds a character that no request line may have")
        })?;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        Ok(Exchange::new(request).with_answer_limit(256 * 1024))
    }

    /// The client at this issuer's token endpoint.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the client's secret or key is for another issuer, or for none.
    pub fn registration(&self, client: ClientAuthentication) -> Result<ClientRegistration> {
        client.check_issuer(&self.issuer)?;
        Ok(ClientRegistration::new(self.token_endpoint.clone(), client))
    }

    /// Tokens for users of this client, who agree at this issuer and come back to this redirect URI. The callback is held
    /// to the issuer (RFC 9207), as the metadata promises it.
    ///
    /// # Errors
    ///
    /// Those of [`registration`](Self::registration) and of [`AuthorizationCode::new`]; `Error::Protocol` when the issuer
    /// has no authorization endpoint.
    pub fn authorization_code(
        &self,
        client: ClientAuthentication,
        redirect_uri: &str,
    ) -> Result<AuthorizationCode> {
        let registration = self.registration(client)?;
        let Some(url) = &self.authorization_endpoint else {
            let text = "metadata has no authorization_endpoint: the issuer has no grant for users";
            return Err(Error::protocol("oauth2_metadata", text));
        };
        let grant = AuthorizationCode::new(registration, url, redirect_uri)?;
        Ok(grant.with_issuer(&self.issuer, self.issuer_parameter))
    }

    /// Reads the metadata of this issuer.
    ///
    /// # Errors
    ///
    /// `Error::Transport` when the answer is no 200. `Error::Protocol` when it is no JSON object, when it is of another
    /// issuer (RFC 8414 section 3.3), or when an endpoint is missing, no URL that a client may use, or on this machine
    /// though the issuer is not.
    pub fn read(answer: &Response<Vec<u8>>, issuer: &str) -> Result<Self> {
        if answer.status() != http::StatusCode::OK {
            let text = format!(
                "metadata of the issuer: status {}, expected 200",
                answer.status().as_u16()
            );
            return Err(Error::transport("oauth2_metadata_status", text));
        }
        let members = Members::read_json_of(answer, Self::MOST_MEMBERS)?;
        let fault = |text: String| Error::protocol("oauth2_metadata", text);
        let named = members.text("issuer");
        if named != Some(issuer) {
            return Err(fault(of_another(named, issuer)));
        }
        let is_local = Url::parse(issuer).is_ok_and(|issuer| is_of_this_machine(&issuer));
        let url = |name: &str| match members.text(name).map(|text| read_url(name, text)) {
            None => Ok(None),
            Some(Err(error)) => Err(fault(error.cause().to_string())),
            Some(Ok(url)) if leads_to_this_machine(&url) && !is_local => {
                Err(fault(format!("{name} is on this machine, and the issuer is not")))
            }
            Some(Ok(url)) => Ok(Some(url)),
        };
        let token_endpoint =
            url("token_endpoint")?.ok_or_else(|| fault("metadata has no token_endpoint".into()))?;
        let name = "authorization_response_iss_parameter_supported";
        Ok(Self {
            issuer: issuer.into(),
            token_endpoint: TokenEndpoint::at(token_endpoint),
            authorization_endpoint: url("authorization_endpoint")?
                .map(|url| String::from(url).into()),
            issuer_parameter: match members.find(name) {
                Some(Member::Truth(true)) => IssuerParameter::Promised,
                _ => IssuerParameter::Optional,
            },
        })
    }
}

/// Wherever a system may take it for itself: more than what may be asked over plain http.
fn leads_to_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) if address.is_unspecified() => true,
        Some(Host::Ipv6(address)) if address.to_canonical().is_unspecified() => true,
        // RFC 6761 section 6.3.
        Some(Host::Domain(name)) if name.trim_end_matches('.').ends_with(".localhost") => true,
        _ => is_of_this_machine(url),
    }
}

/// Metadata that names another issuer than the one that was asked, or none.
fn of_another(named: Option<&str>, asked: &str) -> String {
    let (asked, Some(named)) = (shown(asked), named) else {
        return format!("metadata names no issuer, expected {}", shown(asked));
    };
    format!(
        "metadata is of the issuer {}, and {asked} was asked; if both are the same server, configure the issuer letter \
         by letter as the metadata has it",
        shown(named)
    )
}

/// An issuer identifier as an error may show it. What is no URL of a server, has a user in it, or stands in a query or
/// fragment is in no issuer, so that it may be anything.
fn shown(issuer: &str) -> String {
    let is_of_server = Url::parse(issuer).is_ok_and(|url| {
        matches!(url.scheme(), "https" | "http")
            && url.username().is_empty()
            && url.password().is_none()
    });
    if !is_of_server {
        return "[no issuer's URL]".into();
    }
    let at = issuer.find(['?', '#']).unwrap_or(issuer.len());
    let (identifier, rest) = issuer.split_at_checked(at).unwrap_or_default();
    let rest = if rest.is_empty() { "" } else { "[a query or fragment]" };
    format!("{}{rest}", Secrets::default().cut(identifier))
}

fn issuer_url(issuer: &str) -> Result<Url> {
    let url = read_url_like("https://login.example", "issuer", issuer)?;
    if url.query().is_some() {
        return Err(config(
            "oauth2_issuer_url",
            "issuer has a query, which no issuer has (RFC 8414 section 2)",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_url(issuer: &str, oauth: &str, openid: &str) {
        let url = |location| {
            let made = AuthorizationServerMetadata::exchange(issuer, location).unwrap();
            made.request().uri().to_string()
        };
        let got = (url(MetadataLocation::OAuth), url(MetadataLocation::OpenId));
        assert_eq!((got.0.as_str(), got.1.as_str()), (oauth, openid));
    }

    #[test]
    fn each_specification_has_a_place_of_its_own() {
        check_url(
            "https://login.example",
            "https://login.example/.well-known/oauth-authorization-server",
            "https://login.example/.well-known/openid-configuration",
        );
        for issuer in ["https://login.example/realms/a", "https://login.example/realms/a/"] {
            check_url(
                issuer,
                "https://login.example/.well-known/oauth-authorization-server/realms/a",
                "https://login.example/realms/a/.well-known/openid-configuration",
            );
        }
        let query =
            AuthorizationServerMetadata::exchange("https://a.example/?x", MetadataLocation::OAuth);
        assert_eq!(query.unwrap_err().code(), "oauth2_issuer_url");
    }

    #[track_caller]
    fn check(status: u16, body: &str, expected: Result<&str, &str>) {
        let answer = Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap();
        let read = AuthorizationServerMetadata::read(&answer, "https://login.example");
        let read = read.map(|read| {
            let authorize = read.authorization_endpoint.as_deref().unwrap_or_default();
            format!("{} {authorize} {:?}", read.token_endpoint.url(), read.issuer_parameter)
        });
        let read = read.map_err(|error| error.to_string());
        assert_eq!(read, expected.map(str::to_owned).map_err(str::to_owned), "{body}");
    }

    #[test]
    fn the_issuer_is_the_one_that_was_asked_letter_by_letter() {
        let token = r#""token_endpoint":"https://login.example/token""#;
        check(
            200,
            &format!(
                r#"{{"issuer":"https://login.example",{token},"authorization_endpoint":"https://login.example/a","x":[1],"authorization_response_iss_parameter_supported":true}}"#
            ),
            Ok("https://login.example/token https://login.example/a Promised"),
        );
        check(
            200,
            &format!(r#"{{"issuer":"https://login.example",{token}}}"#),
            Ok("https://login.example/token  Optional"),
        );
        let other = |issuer: &str| {
            format!(
                "protocol: metadata is of the issuer {issuer}, and https://login.example was asked; if both are the same \
                 server, configure the issuer letter by letter as the metadata has it"
            )
        };
        for issuer in ["https://login.example/", "https://evil.example", "HTTPS://login.example"] {
            check(200, &format!(r#"{{"issuer":"{issuer}",{token}}}"#), Err(&other(issuer)));
        }
        // What the server chose is cut.
        for (issuer, shown) in [
            ("https://a.example?key=canary", "https://a.example[a query or fragment]"),
            ("https://a.example/#canary", "https://a.example/[a query or fragment]"),
            (r"https://a.example/\n\u001b[31m\u202eb", "https://a.example/[31mb"),
            ("https://me:canary@a.example", "[no issuer's URL]"),
            ("canary", "[no issuer's URL]"),
            ("", "[no issuer's URL]"),
            (&format!("https://{}", "x".repeat(300)), &format!("https://{}", "x".repeat(248))),
        ] {
            check(200, &format!(r#"{{"issuer":"{issuer}",{token}}}"#), Err(&other(shown)));
        }
        let none = "protocol: metadata names no issuer, expected https://login.example";
        for body in [format!("{{{token}}}"), format!(r#"{{"issuer":1,{token}}}"#)] {
            check(200, &body, Err(none));
        }
        check(404, "", Err("transport: metadata of the issuer: status 404, expected 200"));
        let no_token = r#"{"issuer":"https://login.example"}"#;
        check(200, no_token, Err("protocol: metadata has no token_endpoint"));
        check(
            200,
            r#"{"issuer":"https://login.example","token_endpoint":"http://login.example/token"}"#,
            Err(
                "protocol: token_endpoint is http, which shows secrets to everybody on the way; use https",
            ),
        );
        for here in [
            "http://127.0.0.1/token",
            "https://localhost/token",
            "http://[::1]/",
            "https://0.0.0.0/token",
            "https://0/token",
            "https://[::]/token",
            "https://[::ffff:0.0.0.0]/token",
            "https://a.localhost./token",
        ] {
            check(
                200,
                &format!(r#"{{"issuer":"https://login.example","token_endpoint":"{here}"}}"#),
                Err("protocol: token_endpoint is on this machine, and the issuer is not"),
            );
        }
        let elsewhere =
            r#"{"issuer":"https://login.example","token_endpoint":"https://tokens.example/"}"#;
        check(200, elsewhere, Ok("https://tokens.example/  Optional"));
    }
}
