//! Tokens in a user's context at oidc-provider: the whole flow, what ends it, and refreshing.

use super::{
    METHODS, OTHER_REDIRECT_URI, Provider, REDIRECT_URI, refresh::refreshed, service::subject,
};
use crate::{
    browser::{Browser, Person},
    ours::{case, claims_of, connection, refusal, registration, shown, text},
};
use auth_core::{Context, Secret};
use auth_oauth2::{
    AuthorizationCallback, AuthorizationCode, IssuerParameter, OAuthToken, PendingAuthorization,
    RemoteAuthorizationServerMetadata, Result as OAuthResult, Sealer, Session,
};
use conformance::Compared;

type Done<T> = Result<T, String>;

/// Everything that needs a user.
pub async fn cases(provider: &Provider, context: &Context) -> Vec<Compared> {
    let flow = Flow { provider, context };
    let mut cases = flow.whole().await;
    cases.extend(flow.callbacks().await);
    cases.extend(flow.codes().await);
    cases.extend(flow.refreshed().await);
    cases.extend(flow.killed().await);
    cases
}

pub(super) struct Flow<'a> {
    pub(super) provider: &'a Provider,
    pub(super) context: &'a Context,
}

/// What a browser came back with, and what was kept meanwhile.
struct Back {
    pending: PendingAuthorization,
    query: String,
}

impl Flow<'_> {
    pub(super) fn grant(&self, method: &str) -> Done<AuthorizationCode> {
        self.grant_at(method, REDIRECT_URI)
    }

    fn grant_at(&self, method: &str, redirect_uri: &str) -> Done<AuthorizationCode> {
        let client = self.provider.client("web", method);
        let registration = registration(&self.provider.token_endpoint(), client)?;
        let url = format!("{}/auth", self.provider.issuer);
        let grant = AuthorizationCode::new(registration, &url, redirect_uri).map_err(text)?;
        let grant = grant.with_scope("sms:read sms:send").map_err(text)?;
        Ok(grant.with_issuer(&self.provider.issuer, IssuerParameter::Promised))
    }

    /// A browser of this user's goes the whole way and comes back.
    async fn back(&self, grant: &AuthorizationCode, person: Person<'_>) -> Done<Back> {
        let (url, pending) =
            grant.begin(&connection("crm", "alice"), self.context).map_err(text)?;
        let mut browser = Browser::default();
        let query = browser.authorize(&url, REDIRECT_URI, person, self.context).await?;
        Ok(Back { pending, query })
    }

    async fn redeem(&self, grant: &AuthorizationCode, back: Back) -> Done<OAuthResult<OAuthToken>> {
        let callback = AuthorizationCallback::parse(&back.query).map_err(text)?;
        let here = connection("crm", "alice");
        Ok(grant.redeem(back.pending, callback, &here, self.context).await)
    }

    pub(super) async fn token(&self, grant: &AuthorizationCode) -> Done<OAuthToken> {
        let back = self.back(grant, Person::Agrees("alice")).await?;
        self.redeem(grant, back).await?.map_err(text)
    }

    /// The flow from its beginning to a token, by every way to authenticate.
    async fn whole(&self) -> Vec<Compared> {
        let mut cases = Vec::new();
        for method in METHODS {
            let run = async {
                let token = self.token(&self.grant(method)?).await?;
                let subject = subject(self.provider, &token, self.context).await?;
                Ok(format!("{}, {subject}", shown(&token, self.context.clock.now())))
            };
            cases.push(
                case(
                    &format!("code-{method}"),
                    "1 min, refresh token, sms:read sms:send, of alice",
                    run,
                )
                .await,
            );
        }
        let run = async {
            let server =
                RemoteAuthorizationServerMetadata::new(&self.provider.issuer, self.context.clone());
            let metadata = server.map_err(text)?.metadata().await.map_err(text)?;
            let client = self.provider.client("web", "client_secret_basic").map_err(text)?;
            let client = client.with_issuer(&self.provider.issuer);
            let grant = metadata.authorization_code(client, REDIRECT_URI).map_err(text)?;
            let token = self.token(&grant.with_scope("sms:read").map_err(text)?).await?;
            subject(self.provider, &token, self.context).await
        };
        cases.push(case("code-discovered", "of alice", run).await);
        let run = async {
            let resource = "https://api.example/sms";
            let grant = self.grant("client_secret_post")?;
            let grant = grant.with_resource(resource).map_err(text)?;
            let first = self.token(&grant).await?;
            let session = Session::new(grant, self.context.clone());
            let second = refreshed(&session, &first).await?.map_err(text)?;
            let claims = |token: &OAuthToken| {
                let claims = claims_of(token.access_token().expose_text().unwrap_or_default())?;
                Ok::<_, String>(format!("{} {} {}", claims["aud"], claims["sub"], claims["scope"]))
            };
            Ok(format!("{}, refreshed {}", claims(&first)?, claims(&second)?))
        };
        let claims = r#""https://api.example/sms" "alice" "sms:read sms:send""#;
        let expected = format!("{claims}, refreshed {claims}");
        cases.push(case("code-resource", &expected, run).await);
        cases
    }

    /// Callbacks that are not what was begun: nothing is asked, so the code still serves afterwards.
    async fn callbacks(&self) -> Vec<Compared> {
        let mut cases = Vec::new();
        let serves = ", then of alice";
        type Change<'c> = &'c dyn Fn(&str) -> String;
        let another_issuer = |query: &str| {
            let (before, _) = query.split_once("&iss=").unwrap_or((query, ""));
            format!("{before}&iss=https%3A%2F%2Fattacker.example")
        };
        // The identifier is compared as it is written: it is the last parameter.
        let slash = |query: &str| format!("{query}%2F");
        let no_issuer = |query: &str| query.split("&iss=").next().unwrap_or_default().to_owned();
        let another_state = |query: &str| query.replace("&state=", "&state=x");
        for (id, user, authorization, change, expected) in [
            ("state", "alice", "crm", &another_state as Change<'_>, "oauth2_state"),
            ("issuer", "alice", "crm", &another_issuer, "oauth2_issuer"),
            ("issuer-slash", "alice", "crm", &slash, "oauth2_issuer"),
            ("no-issuer", "alice", "crm", &no_issuer, "oauth2_issuer"),
            ("other-connection", "alice", "erp", &str::to_owned, "oauth2_state"),
            ("other-user", "mallory", "crm", &str::to_owned, "oauth2_state"),
        ] {
            let run = async {
                let grant = self.grant("client_secret_basic")?;
                let back = self.back(&grant, Person::Agrees("alice")).await?;
                let copies = Copies::of(&back.pending)?;
                let changed = change(&back.query);
                let callback = AuthorizationCallback::parse(&changed).map_err(text)?;
                let here = connection(authorization, user);
                let outcome = grant.redeem(copies.copy()?, callback, &here, self.context).await;
                let refused = refusal(outcome, &[&self.provider.secret]);
                let token = self.redeem(&grant, back).await?.map_err(text)?;
                let subject = subject(self.provider, &token, self.context).await?;
                Ok(format!("{refused}, then {subject}"))
            };
            cases.push(case(&format!("callback-{id}"), &format!("{expected}{serves}"), run).await);
        }
        let run = async {
            let grant = self.grant("client_secret_basic")?;
            let back = self.back(&grant, Person::Cancels).await?;
            Ok(refusal(self.redeem(&grant, back).await?, &[]))
        };
        cases.push(case("callback-cancelled", "oauth2_authorization_refused", run).await);
        let run = async {
            let grant = self.grant("client_secret_basic")?;
            let mut back = self.back(&grant, Person::Cancels).await?;
            back.query = another_issuer(&back.query);
            Ok(refusal(self.redeem(&grant, back).await?, &[]))
        };
        cases.push(case("callback-cancelled-elsewhere", "oauth2_issuer", run).await);
        cases
    }

    /// Codes that are used otherwise than they were given.
    async fn codes(&self) -> Vec<Compared> {
        let mut cases = Vec::new();
        let ended = "oauth2_invalid_grant, 400 Consent";
        // The code of one authorization with the state of another: its verifier is another too.
        let run = async {
            let grant = self.grant("client_secret_basic")?;
            let victim = self.back(&grant, Person::Agrees("alice")).await?;
            let (_, pending) =
                grant.begin(&connection("crm", "alice"), self.context).map_err(text)?;
            let code = victim.query.split('&').next().unwrap_or_default();
            let state = pending.state().expose_text().unwrap_or_default().to_owned();
            let issuer = self.provider.issuer.replace(':', "%3A").replace('/', "%2F");
            let query = format!("{code}&state={state}&iss={issuer}");
            let outcome = self.redeem(&grant, Back { pending, query }).await?;
            let refused = refusal(outcome, &[&self.provider.secret]);
            let token = self.redeem(&grant, victim).await?.map_err(text)?;
            Ok(format!("{refused}, then {}", subject(self.provider, &token, self.context).await?))
        };
        cases.push(case("code-wrong-verifier", &format!("{ended}, then of alice"), run).await);
        let run = async {
            let grant = self.grant("client_secret_basic")?;
            let back = self.back(&grant, Person::Agrees("alice")).await?;
            let copy = Copies::of(&back.pending)?.copy()?;
            let again = Back { pending: copy, query: back.query.clone() };
            let token = self.redeem(&grant, back).await?.map_err(text)?;
            let before = subject(self.provider, &token, self.context).await?;
            let refused = refusal(self.redeem(&grant, again).await?, &[&self.provider.secret]);
            let after = subject(self.provider, &token, self.context).await?;
            Ok(format!("{before}, {refused}, {after}"))
        };
        cases.push(case("code-replayed", &format!("of alice, {ended}, ended"), run).await);
        // The redirect URI is that of the authorization, and each connection has its own.
        let run = async {
            let (grant, other) = (
                self.grant("client_secret_basic")?,
                self.grant_at("client_secret_basic", OTHER_REDIRECT_URI)?,
            );
            let back = self.back(&grant, Person::Agrees("alice")).await?;
            Ok(refusal(self.redeem(&other, back).await?, &[&self.provider.secret]))
        };
        cases.push(case("code-other-redirect-uri", ended, run).await);
        let run = async {
            let (grant, other) =
                (self.grant("client_secret_basic")?, self.grant("client_secret_post")?);
            let back = self.back(&grant, Person::Agrees("alice")).await?;
            Ok(refusal(self.redeem(&other, back).await?, &[&self.provider.secret]))
        };
        cases.push(case("code-other-client", ended, run).await);
        cases
    }
}

/// A pending authorization as the user's browser keeps it: one that somebody can bring twice.
struct Copies {
    sealer: Sealer,
    sealed: String,
}

impl Copies {
    fn of(pending: &PendingAuthorization) -> Done<Self> {
        let sealer = Sealer::new(&Secret::new([7; 32]), auth_core::SystemRandom::new());
        let sealer = sealer.map_err(text)?;
        let sealed = pending.seal(&sealer).map_err(text)?;
        Ok(Self { sealer, sealed: sealed.expose_text().unwrap_or_default().to_owned() })
    }

    fn copy(&self) -> Done<PendingAuthorization> {
        let here = connection("crm", "alice");
        PendingAuthorization::unseal(&self.sealer, &here, &self.sealed).map_err(text)
    }
}
