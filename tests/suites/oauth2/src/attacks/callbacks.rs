//! Callbacks that an attacker has a victim's browser open.

use super::{Done, Stage};
use crate::{
    double::REDIRECT_URI,
    ours::{case, connection, refusal, text},
};
use auth_core::{ConnectionId, Flow, Secret, SystemClock, SystemRandom, TenantId};
use auth_oauth2::{
    AuthorizationCode, MemoryPendingAuthorizations, PendingAuthorization, PendingAuthorizations,
    RedirectionEndpoint, Sealer,
};
use conformance::Compared;
use std::sync::Arc;

/// Where the attacker's own connection is called back: another place than the victim's, as each connection has its own.
const EVIL_REDIRECT_URI: &str = "http://127.0.0.1:9/callback/evil";

pub async fn cases(stage: &Stage) -> Vec<Compared> {
    let mut cases = takeovers(stage).await;
    cases.extend(forged(stage).await);
    cases.extend(mixed_up(stage).await);
    cases
}

/// What comes of it, and what arrived where.
async fn called_back(
    stage: &Stage,
    store: &Store,
    query: &str,
    here: (&AuthorizationCode, &str, &str),
) -> Done<String> {
    let said = answered(stage, store, query, here).await?;
    Ok(format!("{said}, {}", stage.arrived()))
}

/// What the platform's redirection endpoint does: the path says for which connection, the session for whom.
async fn answered(
    stage: &Stage,
    store: &Store,
    query: &str,
    (grant, authorization, user): (&AuthorizationCode, &str, &str),
) -> Done<String> {
    let endpoint = RedirectionEndpoint::new(
        grant.clone(),
        ConnectionId::new(TenantId::new("acme"), authorization),
        Arc::clone(store),
        stage.context.clone(),
    );
    let outcome = endpoint.redeem(query, user, |_| Flow::ready(())).await;
    let page = RedirectionEndpoint::page(&outcome);
    let said = refusal(outcome, &[]);
    // The page repeats nothing of what came.
    let repeats = query.split(['&', '=']).any(|part| part.len() > 5 && page.body().contains(part));
    let repeats = if repeats { " and repeats it" } else { "" };
    Ok(format!("{said} {}{repeats}", page.status().as_u16()))
}

/// What waits for its users.
type Store = Arc<MemoryPendingAuthorizations<SystemClock>>;

async fn kept(pending: PendingAuthorization) -> Done<Store> {
    let store = Arc::new(MemoryPendingAuthorizations::new(SystemClock));
    store.keep(pending).await.map_err(text)?;
    Ok(store)
}

/// The attacker is a tenant too, with a connection whose authorization URL is the victim's server and whose token URL is
/// his own: a code that the victim's server gives out would be redeemed at his.
async fn takeovers(stage: &Stage) -> Vec<Compared> {
    let mut cases = Vec::new();
    let evil = |redirect_uri: &str| {
        stage.grant(&stage.attacker.base, &stage.honest.at("/authorize"), redirect_uri)
    };
    // The control: without an attack the code is redeemed.
    let run = async {
        let good = stage.good()?;
        let (pending, query) = stage.begun(&good, "crm", "alice").await?;
        called_back(stage, &kept(pending).await?, &query, (&good, "crm", "alice")).await
    };
    cases.push(case("no-attack", "granted 200, 1 redeemed, 0 secrets", run).await);
    // The victim's server does not know the redirect URI of the attacker's connection.
    let run = async {
        let begun = stage.begun(&evil(EVIL_REDIRECT_URI)?, "evil", "alice").await;
        let said = begun.err().unwrap_or_else(|| "a code".into());
        Ok(format!("{said}, {}", stage.arrived()))
    };
    let expected = "no redirect: 400 Bad Request, 0 redeemed, 0 secrets";
    cases.push(case("takeover-own-redirect-uri", expected, run).await);
    // With the victim's redirect URI the code comes back to the victim's connection, which did not begin it.
    let run = async {
        let (pending, query) = stage.begun(&evil(REDIRECT_URI)?, "evil", "alice").await?;
        let good = stage.good()?;
        called_back(stage, &kept(pending).await?, &query, (&good, "crm", "alice")).await
    };
    let refused = "oauth2_state 400, 0 redeemed, 0 secrets";
    cases.push(case("takeover-victims-redirect-uri", refused, run).await);
    // The victim's code and state, brought to the callback of the attacker's connection.
    let run = async {
        let (pending, query) = stage.begun(&stage.good()?, "crm", "alice").await?;
        let evil = evil(EVIL_REDIRECT_URI)?;
        called_back(stage, &kept(pending).await?, &query, (&evil, "evil", "alice")).await
    };
    cases.push(case("takeover-at-the-attackers-callback", refused, run).await);
    // The same, with a state that the victim has begun at the attacker's connection.
    let run = async {
        let (_, query) = stage.begun(&stage.good()?, "crm", "alice").await?;
        let evil = evil(EVIL_REDIRECT_URI)?;
        let (_, pending) =
            evil.begin(&connection("evil", "alice"), &stage.context).map_err(text)?;
        let query = with_state(&query, pending.state());
        called_back(stage, &kept(pending).await?, &query, (&evil, "evil", "alice")).await
    };
    let expected = "oauth2_issuer 400, 0 redeemed, 0 secrets";
    cases.push(case("takeover-with-the-attackers-state", expected, run).await);
    cases
}

/// The attacker's own code, brought to a victim's session, or a victim's agreement, brought to the attacker's.
async fn forged(stage: &Stage) -> Vec<Compared> {
    let mut cases = Vec::new();
    type Change<'c> = &'c dyn Fn(&str) -> String;
    let as_it_is: Change<'_> = &str::to_owned;
    let without_state: Change<'_> = &|query| {
        let parts = query.split('&').filter(|part| !part.starts_with("state="));
        parts.collect::<Vec<_>>().join("&")
    };
    let empty_state: Change<'_> = &|query| with_state(query, &Secret::from(""));
    let guessed: Change<'_> = &|query| with_state(query, &Secret::from("A".repeat(43)));
    let nothing: Change<'_> = &|_| String::new();
    for (id, began, browser, change, expected) in [
        ("forged-own-code", "mallory", "alice", as_it_is, "oauth2_state"),
        ("forged-without-state", "mallory", "alice", without_state, "oauth2_callback"),
        ("forged-empty-state", "mallory", "alice", empty_state, "oauth2_callback"),
        ("forged-guessed-state", "mallory", "alice", guessed, "oauth2_state"),
        // The victim follows the attacker's link and agrees; the attacker fetches the result.
        ("fixed-session", "alice", "mallory", as_it_is, "oauth2_state"),
        ("opened-by-hand", "alice", "alice", nothing, "oauth2_callback"),
    ] {
        let run = async {
            let good = stage.good()?;
            let (pending, query) = stage.begun(&good, "crm", began).await?;
            let (store, query) = (kept(pending).await?, change(&query));
            called_back(stage, &store, &query, (&good, "crm", browser)).await
        };
        let expected = format!("{expected} 400, 0 redeemed, 0 secrets");
        cases.push(case(id, &expected, run).await);
    }
    // The same where the browser keeps what was begun: the attacker plants his own cookie.
    for (id, here, key, expected) in [
        ("planted-own-cookie", connection("crm", "mallory"), 7, "opens, 0 redeemed, 0 secrets"),
        (
            "planted-cookie-user",
            connection("crm", "alice"),
            7,
            "oauth2_state, 0 redeemed, 0 secrets",
        ),
        (
            "planted-cookie-connection",
            connection("erp", "mallory"),
            7,
            "oauth2_state, 0 redeemed, 0 secrets",
        ),
        (
            "planted-cookie-key",
            connection("crm", "mallory"),
            8,
            "oauth2_state, 0 redeemed, 0 secrets",
        ),
    ] {
        let run = async {
            let (pending, _) = stage.begun(&stage.good()?, "crm", "mallory").await?;
            let sealed = pending.seal(&sealer(7)?).map_err(text)?;
            let sealed = sealed.expose_text().unwrap_or_default().to_owned();
            let opened = PendingAuthorization::unseal(&sealer(key)?, &here, &sealed);
            let said = opened.map_or_else(|error| error.code(), |_| "opens");
            Ok(format!("{said}, {}", stage.arrived()))
        };
        cases.push(case(id, expected, run).await);
    }
    // Two nodes are called back at once with one state: one redeems.
    let run = async {
        let good = stage.good()?;
        let (pending, query) = stage.begun(&good, "crm", "alice").await?;
        let (store, here) = (kept(pending).await?, (&good, "crm", "alice"));
        let one = called_back(stage, &store, &query, here).await?;
        let two = called_back(stage, &store, &query, here).await?;
        Ok(format!("{one}; {two}"))
    };
    let expected = "granted 200, 1 redeemed, 0 secrets; oauth2_state 400, 0 redeemed, 0 secrets";
    cases.push(case("called-back-twice", expected, run).await);
    cases
}

/// Two connections that share one redirect URI, as they should not: the issuer in the callback tells them apart (RFC 9207).
async fn mixed_up(stage: &Stage) -> Vec<Compared> {
    let mut cases = Vec::new();
    for (id, cancelled) in [("mix-up", false), ("mix-up-error", true)] {
        let run = async {
            // The user chose the attacker's server, which sends the browser on to the victim's.
            let evil =
                stage.grant(&stage.attacker.base, &stage.honest.at("/authorize"), REDIRECT_URI)?;
            let (pending, mut query) = stage.begun(&evil, "evil", "alice").await?;
            if cancelled {
                query = query.replace("code=", "error=");
            }
            called_back(stage, &kept(pending).await?, &query, (&evil, "evil", "alice")).await
        };
        cases.push(case(id, "oauth2_issuer 400, 0 redeemed, 0 secrets", run).await);
    }
    cases
}

fn with_state(query: &str, state: &Secret) -> String {
    let state = state.expose_text().unwrap_or_default().to_owned();
    let parts = query.split('&').map(|part| match part.starts_with("state=") {
        true => format!("state={state}"),
        false => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("&")
}

fn sealer(key: u8) -> Done<Sealer> {
    Sealer::new(&Secret::new([key; 32]), SystemRandom::new()).map_err(text)
}
