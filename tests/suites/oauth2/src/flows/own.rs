//! The flows as our client makes them.

use super::{Doubles, FLOWS, OWN_FLOWS};
use crate::{
    double::{ASSERTING, CONFIDENTIAL, Double, PUBLIC, REDIRECT_URI, SECRET, query_of},
    ours::{ClientKey, connection, context, fetched, text},
};
use auth_core::{Authenticator, Context, Renewal, RequestView, TokenSource};
use auth_oauth2::{
    AssertionAudience, AuthorizationCallback, AuthorizationCode, ClientAuthentication,
    ClientCredentials, ClientRegistration, OAuthToken, ParameterPlacement, PendingAuthorization,
    Session, StorableToken, TokenEndpoint, TokenError,
};
use http::{HeaderMap, Method, Uri};
use std::collections::HashMap;

type Done<T> = Result<T, String>;

/// What came of each flow.
pub async fn said(doubles: &Doubles) -> Done<HashMap<String, String>> {
    let context = context()?;
    let client = Client { doubles, context: &context };
    let mut said = HashMap::new();
    for (id, _) in FLOWS.iter().chain(OWN_FLOWS) {
        said.insert((*id).to_owned(), client.flow(id).await.unwrap_or_else(|why| why));
    }
    Ok(said)
}

/// The token that alice agreed to at this double.
pub async fn agreed_at(double: &Double, context: &Context) -> Done<OAuthToken> {
    let registration = registered(double, "basic", SECRET)?;
    let grant = AuthorizationCode::new(registration, &double.at("/authorize"), REDIRECT_URI);
    let (grant, here) = (grant.map_err(text)?, connection("crm", "alice"));
    let (url, pending) = grant.begin(&here, context).map_err(text)?;
    let request = http::Request::get(url).body(Vec::new()).map_err(text)?;
    let query = query_of(&fetched(context, request).await?)?;
    let callback = AuthorizationCallback::parse(&query).map_err(text)?;
    grant.redeem(pending, callback, &here, context).await.map_err(text)
}

struct Client<'a> {
    doubles: &'a Doubles,
    context: &'a Context,
}

impl Client<'_> {
    async fn flow(&self, id: &str) -> Done<String> {
        let (strict, lenient) = (&self.doubles.strict, &self.doubles.lenient);
        match id.split_once('-') {
            Some(("own", way)) => self.own(way, SECRET).await,
            Some(("wrong", way @ ("basic" | "post"))) => self.own(way, "guess").await,
            Some(("code", way @ ("basic" | "post" | "none" | "json" | "get"))) => {
                self.code(way).await
            }
            Some(("refresh", way @ ("basic" | "post" | "none" | "json" | "get"))) => {
                self.refresh(way).await
            }
            _ => match id {
                "wrong-verifier" => self.wrong_verifier().await,
                "code-replayed" => self.code_replayed().await,
                "wrong-state" => self.wrong_state().await,
                "refresh-replayed" => self.family(strict).await,
                "refresh-once-more" => self.family(lenient).await,
                _ => self.after_its_successor().await,
            },
        }
    }

    async fn own(&self, way: &str, secret: &str) -> Done<String> {
        let grant = ClientCredentials::new(registered(&self.doubles.strict, way, secret)?);
        match Session::new(grant, self.context.clone()).token().await {
            Ok(current) => self.owner(&current.token).await,
            Err(error) => Ok(named(&error)),
        }
    }

    async fn code(&self, way: &str) -> Done<String> {
        let (token, _) = self.agreed(&self.doubles.strict, way).await?;
        let owner = self.owner(&token).await?;
        let ends = token.ends().ok_or("no end")?.since(self.context.clock.now());
        // What the exchange took does not count.
        let lasts = (ends.as_secs() + 5) / 10 * 10;
        Ok(format!("{owner}, {lasts}, {}", token.scope().unwrap_or_default()))
    }

    async fn refresh(&self, way: &str) -> Done<String> {
        let (first, grant) = self.agreed(&self.doubles.strict, way).await?;
        let second = self.refreshed(&grant, &first).await.map_err(text)?;
        let rotated = revealed(&first) != revealed(&second);
        Ok(format!("{}, rotated: {rotated}", self.owner(&second).await?))
    }

    /// The code of one authorization, with what was kept of another.
    async fn wrong_verifier(&self) -> Done<String> {
        let grant = self.grant(&self.doubles.strict, "basic")?;
        let (_, query) = self.begun(&grant).await?;
        let (pending, other) = self.begun(&grant).await?;
        let part = |query: &str, name: &str| {
            query.split('&').find(|part| part.starts_with(name)).unwrap_or_default().to_owned()
        };
        let mixed = format!("{}&{}", part(&query, "code="), part(&other, "state="));
        Ok(outcome(&self.redeemed(&grant, pending, &mixed).await?))
    }

    async fn code_replayed(&self) -> Done<String> {
        let grant = self.grant(&self.doubles.strict, "basic")?;
        let (pending, query) = self.begun(&grant).await?;
        let token = self.redeemed(&grant, pending, &query).await?.map_err(text)?;
        // What is kept is gone with the first use: somebody else has to send the code again.
        let arrived = self.doubles.strict.server.arrived();
        let asked = arrived.iter().rev().find(|request| request.uri.path() == "/token");
        let asked = asked.ok_or("nothing arrived")?;
        let mut request = http::Request::post(self.doubles.strict.at("/token"));
        for name in ["authorization", "content-type"] {
            request = request.header(name, asked.header(name).unwrap_or_default());
        }
        let request = request.body(asked.body.clone()).map_err(text)?;
        let answer = crate::ours::json_of(&fetched(self.context, request).await?)?;
        let again = answer["error"].as_str().unwrap_or("granted").to_owned();
        Ok(format!("{again}, {}", self.owner(&token).await?))
    }

    async fn wrong_state(&self) -> Done<String> {
        let grant = self.grant(&self.doubles.strict, "basic")?;
        let (pending, query) = self.begun(&grant).await?;
        let changed = query.replace("state=", "state=x");
        let refused = self.redeemed(&grant, pending, &changed).await?.is_err();
        Ok(if refused { "refused" } else { "granted" }.into())
    }

    async fn family(&self, server: &Double) -> Done<String> {
        let (first, grant) = self.agreed(server, "basic").await?;
        self.refreshed(&grant, &first).await.map_err(text)?;
        let again = outcome(&self.refreshed(&grant, &first).await);
        Ok(format!("{again}, {}", outcome(&self.refreshed(&grant, &first).await)))
    }

    async fn after_its_successor(&self) -> Done<String> {
        let (first, grant) = self.agreed(&self.doubles.lenient, "basic").await?;
        let second = self.refreshed(&grant, &first).await.map_err(text)?;
        self.refreshed(&grant, &second).await.map_err(text)?;
        Ok(outcome(&self.refreshed(&grant, &first).await))
    }

    fn grant(&self, server: &Double, way: &str) -> Done<AuthorizationCode> {
        let registration = registered(server, way, SECRET)?;
        let grant = AuthorizationCode::new(registration, &server.at("/authorize"), REDIRECT_URI);
        grant.and_then(|grant| grant.with_scope("sms:read")).map_err(text)
    }

    async fn agreed(&self, server: &Double, way: &str) -> Done<(OAuthToken, AuthorizationCode)> {
        let grant = self.grant(server, way)?;
        let (pending, query) = self.begun(&grant).await?;
        let token = self.redeemed(&grant, pending, &query).await?.map_err(text)?;
        Ok((token, grant))
    }

    /// What is kept of an authorization, and the query that a browser came back with.
    async fn begun(&self, grant: &AuthorizationCode) -> Done<(PendingAuthorization, String)> {
        let (url, pending) =
            grant.begin(&connection("crm", "alice"), self.context).map_err(text)?;
        let request = http::Request::get(url).body(Vec::new()).map_err(text)?;
        Ok((pending, query_of(&fetched(self.context, request).await?)?))
    }

    async fn redeemed(
        &self,
        grant: &AuthorizationCode,
        pending: PendingAuthorization,
        query: &str,
    ) -> Done<auth_core::Result<OAuthToken>> {
        let callback = AuthorizationCallback::parse(query).map_err(text)?;
        let here = connection("crm", "alice");
        Ok(grant.redeem(pending, callback, &here, self.context).await)
    }

    /// As a process does that has the token from a store, and does not know what another one has done with it.
    async fn refreshed(
        &self,
        grant: &AuthorizationCode,
        token: &OAuthToken,
    ) -> auth_core::Result<OAuthToken> {
        let copy = OAuthToken::from_rest(token.to_rest().expose())?;
        grant.token(self.context, Renewal::Due(copy)).await
    }

    /// Whom the API takes the token for, which a session presents.
    async fn owner(&self, token: &OAuthToken) -> Done<String> {
        let grant = self.grant(&self.doubles.strict, "none")?;
        let session = Session::new(grant, self.context.clone());
        session.put(token.clone()).map_err(text)?;
        let (mut uri, mut headers) = (Uri::default(), HeaderMap::new());
        let url: Uri = self.doubles.strict.at("/api").parse().map_err(text)?;
        uri.clone_from(&url);
        let asked = RequestView::new(&Method::GET, &url, &headers);
        let credentials = session.credentials(asked).await.map_err(text)?;
        credentials.commit(&mut uri, &mut headers).map_err(text)?;
        let mut request = http::Request::get(uri).body(Vec::new()).map_err(text)?;
        request.headers_mut().extend(headers);
        let answer = fetched(self.context, request).await?;
        if !answer.status().is_success() {
            return Ok(answer.status().as_u16().to_string());
        }
        let said = crate::ours::json_of(&answer)?;
        Ok(said["owner"].as_str().unwrap_or_default().to_owned())
    }
}

/// A client that authenticates in this way, or says in this way what it asks for.
fn registered(server: &Double, way: &str, secret: &str) -> Done<ClientRegistration> {
    let client = match way {
        "basic" => ClientAuthentication::client_secret_basic(CONFIDENTIAL, secret),
        "none" => ClientAuthentication::none(PUBLIC),
        "assertion" => {
            let (key, audience) = (ClientKey::new("one")?.signing, AssertionAudience::Endpoint);
            ClientAuthentication::private_key_jwt(ASSERTING, key, audience)
        }
        _ => ClientAuthentication::client_secret_post(CONFIDENTIAL, secret),
    };
    let endpoint = TokenEndpoint::new(&server.at("/token")).map_err(text)?;
    let in_url =
        |at: TokenEndpoint| at.with_placement(ParameterPlacement::Url).allowing_secrets_in_url();
    let endpoint = match way {
        "json" => endpoint.with_placement(ParameterPlacement::JsonBody),
        "url" => in_url(endpoint),
        "get" => in_url(endpoint.with_get()),
        _ => endpoint,
    };
    Ok(ClientRegistration::new(endpoint, client.map_err(text)?))
}

fn outcome(outcome: &auth_core::Result<OAuthToken>) -> String {
    outcome.as_ref().map_or_else(named, |_| "granted".into())
}

/// `error` of the answer, as the typed error has it.
fn named(error: &auth_core::Error) -> String {
    let precise = TokenError::of(error);
    precise.map_or_else(|| error.to_string(), |precise| precise.error.to_string())
}

fn revealed(token: &OAuthToken) -> Option<&[u8]> {
    token.refresh_token().map(auth_core::Secret::expose)
}
