//! One connection: its token fetched on request, shown masked, kept over a restart, under a name of its own.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use auth_core::Error;
use auth_jwt::{JwsAlgorithm, SigningKey};
use auth_oauth2::{
    AssertionAudience, AuthorizationCode, ClientAuthentication, ClientCredentials,
    ClientRegistration, Grant, OAuthConnection, Session, TokenEndpoint,
};
use auth_session::MemoryTokenStore;
use auth_testing::ScriptedTransport;
use common::{
    Reuse, Server, clock, code, context, credentials, hasher, id, process, registration, token,
};
use http::Response;
use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

/// Answers with tokens `token-000000000001`, `token-000000000002` and so on, without a refresh token.
fn numbering() -> (ScriptedTransport, Arc<AtomicU32>) {
    let given = Arc::new(AtomicU32::new(0));
    let giving = Arc::clone(&given);
    let transport = ScriptedTransport::new(move |_| {
        let number = giving.fetch_add(1, Ordering::Relaxed) + 1;
        let body = format!(
            r#"{{"access_token":"token-{number:012}","expires_in":3600,"scope":"sms:send"}}"#
        );
        Ok(Response::new(body.into_bytes()))
    });
    (transport, given)
}

#[test]
fn a_token_is_fetched_on_request_shown_masked_and_kept_over_a_restart() {
    let (clock, (transport, given)) = (clock(), numbering());
    let store = MemoryTokenStore::new(clock.clone());
    let connection = |context| {
        OAuthConnection::new(credentials("s3cret"), store.clone(), &hasher(), &id("acme"), context)
    };
    let first = connection(context(&transport, &clock));
    assert!(first.masked_token().wait().unwrap().is_none());
    assert!(first.reveal_token().wait().unwrap().is_none());
    for number in 1..=2 {
        let shown = first.fetch_token().wait().unwrap();
        assert_eq!((shown.token_type, shown.scope.as_deref()), ("Bearer", Some("sms:send")));
        assert_eq!(shown.access_token, format!("000{number}"));
        assert!(shown.ends.is_some() && shown.refresh_token.is_none());
        let used = first.session().token().wait().unwrap();
        let expected = format!("token-{number:012}");
        assert!(used.token.token().access_token().matches(expected.as_bytes()), "used at once");
    }
    // The same program, started again.
    let again = connection(context(&transport, &clock));
    assert_eq!(again.masked_token().wait().unwrap().unwrap().access_token, "0002");
    let revealed = again.reveal_token().wait().unwrap().unwrap();
    assert!(revealed.access_token().matches(b"token-000000000002"));
    let used = again.session().token().wait().unwrap();
    assert!(used.token.token().access_token().matches(b"token-000000000002"));
    assert_eq!(given.load(Ordering::Relaxed), 2, "neither showing nor starting fetches");
}

#[test]
fn fetching_refreshes_where_there_is_a_refresh_token_and_keeps_what_there_was_when_it_fails() {
    let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
    let store = MemoryTokenStore::new(clock.clone());
    let connection = process(&store, &server.transport(), &clock);
    let none = connection.fetch_token().wait().map(drop);
    assert!(common::is_consent_needed(&none), "there is nothing to refresh");
    connection.put_token(token(1, &clock)).wait().unwrap();
    connection.fetch_token().wait().unwrap();
    assert_eq!(server.asked(), ["r1"]);
    server.state().instead = vec![(500, String::new())];
    assert_eq!(connection.fetch_token().wait().unwrap_err().code(), "oauth2_server_error");
    let kept = connection.reveal_token().wait().unwrap().unwrap();
    assert!(kept.access_token().matches(b"a2"));
}

/// Forty callers who press the button at once get tokens in turn, and none uses a refresh token twice.
#[test]
fn many_who_fetch_at_once_use_no_refresh_token_twice() {
    let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
    let store = MemoryTokenStore::new(clock.clone());
    let transport = server.transport();
    let connections = [(); 4].map(|()| process(&store, &transport, &clock));
    connections[0].put_token(token(1, &clock)).wait().unwrap();
    thread::scope(|scope| {
        for number in 0..40 {
            let connection = &connections[number % 4];
            scope.spawn(move || connection.fetch_token().wait().unwrap());
        }
    });
    let asked = server.asked();
    let different: HashSet<_> = asked.iter().collect();
    assert_eq!(asked.len(), different.len(), "{asked:?}");
}

/// An edited secret, scope or anything else that is sent finds no token of before.
#[test]
fn whatever_is_sent_is_part_of_the_name() {
    let endpoint = || TokenEndpoint::new("https://login.example/token").unwrap();
    let with = |client| ClientCredentials::new(ClientRegistration::new(endpoint(), client));
    let at = |endpoint| {
        let client = ClientAuthentication::client_secret_post("me", "s3cret").unwrap();
        ClientCredentials::new(ClientRegistration::new(endpoint, client))
    };
    let jwt = |secret: &str, audience| {
        with(ClientAuthentication::client_secret_jwt("me", secret.repeat(32), audience).unwrap())
    };
    let hs512 = SigningKey::from_secret(JwsAlgorithm::HS512, &[9; 64]).unwrap();
    let audience = AssertionAudience::Endpoint;
    let hs512 = with(ClientAuthentication::private_key_jwt("me", hs512, audience).unwrap());
    let plain = || credentials("s3cret");
    let grants = [
        plain(),
        credentials("s3cret2"),
        with(ClientAuthentication::client_secret_basic("me", "s3cret").unwrap()),
        with(ClientAuthentication::client_secret_post("you", "s3cret").unwrap()),
        with(ClientAuthentication::none("me").unwrap()),
        jwt("a", AssertionAudience::Endpoint),
        jwt("b", AssertionAudience::Endpoint),
        jwt("a", AssertionAudience::issuer("https://login.example")),
        hs512,
        at(TokenEndpoint::new("https://login.example/token2").unwrap()),
        at(endpoint().with_get()),
        at(endpoint().with_placement(auth_oauth2::ParameterPlacement::JsonBody)),
        at(endpoint().with_header("x-tenant", "a").unwrap()),
        at(endpoint().with_header("x-tenant", "b").unwrap()),
        ClientCredentials::new(registration("s3cret").with_refresh_endpoint(endpoint())),
        plain().with_scope("a").unwrap(),
        plain().with_scope("a b").unwrap(),
        plain().with_resource("https://a.example/").unwrap(),
        plain().with_audience("https://a.example/").unwrap(),
        plain().with_parameter("x", "yz").unwrap(),
        plain().with_parameter("xy", "z").unwrap(),
    ];
    let mut names: Vec<_> =
        grants.iter().map(|grant| grant.token_name(&hasher(), &id("acme"))).collect();
    for connection in [id("other"), id("acme").on_behalf_of("alice"), id("acme").on_behalf_of("")] {
        names.push(plain().token_name(&hasher(), &connection));
    }
    let users = |url, redirect_uri| {
        AuthorizationCode::new(registration("s3cret"), url, redirect_uri).unwrap()
    };
    for grant in [
        code(registration("s3cret")),
        code(registration("s3cret")).with_parameter("grant_type", "client_credentials").unwrap(),
        users("https://login.example/other", "https://me.example/callback/crm"),
        users("https://login.example/authorize", "https://me.example/callback/other"),
    ] {
        names.push(grant.token_name(&hasher(), &id("acme")));
    }
    for (n, one) in names.iter().enumerate() {
        assert_eq!(names.iter().position(|other| other == one), Some(n), "number {n}");
        assert!(one.len() < 64 && !one.contains("s3cret"), "{one}");
    }
    assert_eq!(names[0], plain().token_name(&hasher(), &id("acme")), "the same, each time");
    let other_key = auth_oauth2::KeyHasher::new(&auth_oauth2::Secret::new([8; 32])).unwrap();
    assert_ne!(names[0], plain().token_name(&other_key, &id("acme")));
}

#[test]
fn an_edited_secret_never_serves_the_old_token() {
    let (clock, (transport, given)) = (clock(), numbering());
    let store = MemoryTokenStore::new(clock.clone());
    for (secret, expected) in [("old", 1), ("old", 1), ("new", 2), ("old", 2)] {
        let context = context(&transport, &clock);
        let connection = OAuthConnection::new(
            credentials(secret),
            store.clone(),
            &hasher(),
            &id("acme"),
            context,
        );
        connection.session().token().wait().unwrap();
        assert_eq!(given.load(Ordering::Relaxed), expected, "{secret}");
    }
}

/// A hundred users of one client that the server no longer knows.
#[test]
fn a_client_that_is_unknown_is_asked_about_once_and_again_after_five_minutes() {
    let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
    let refused = (401, String::from(r#"{"error":"invalid_client"}"#));
    server.state().instead = vec![refused; 2];
    let registration = registration("s3cret");
    let transport = server.transport();
    let sessions: Vec<_> = (0..100)
        .map(|_| {
            let session = Session::new(code(registration.clone()), context(&transport, &clock));
            session.put(token(1, &clock)).unwrap();
            session
        })
        .collect();
    clock.advance(Duration::from_secs(3600));
    for (asked, pause) in [(1, 200), (0, 100), (1, 500), (0, 100)] {
        for session in &sessions {
            let failed = session.token().wait().map_err(|error: Error| error.code());
            assert_eq!(failed.map(drop), Err("oauth2_invalid_client"));
        }
        assert_eq!(server.asked().len(), asked);
        clock.advance(Duration::from_secs(pause));
    }
    // It knows the client again; the first session that asks gets its token.
    assert!(sessions[0].token().wait().is_ok());
    // Whoever edits the configuration waits for nothing.
    let unknown = ClientCredentials::new(registration);
    server.state().instead = vec![(401, String::from(r#"{"error":"invalid_client"}"#))];
    let code = |grant| {
        Session::new(grant, context(&transport, &clock))
            .token()
            .wait()
            .map_err(|error| error.code())
            .map(drop)
    };
    assert_eq!(code(unknown), Err("oauth2_invalid_client"));
    assert_eq!(code(credentials("s3cret")), Ok(()));
}

/// RFC 7009 section 2: the refresh token, then the access token, by the client's own authentication.
#[track_caller]
fn check_revocation(status: u16, body: &'static str, expected: Result<usize, &str>) {
    let (clock, asked) = (clock(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&asked);
    let transport = ScriptedTransport::new(move |request: &http::Request<Vec<u8>>| {
        if request.uri().path() == "/revoke" {
            seen.lock().unwrap().push(String::from_utf8(request.body().clone()).unwrap());
            return Ok(Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap());
        }
        let body = r#"{"access_token":"access-1","refresh_token":"refresh-1","expires_in":3600}"#;
        Ok(Response::new(body.as_bytes().to_vec()))
    });
    let client = ClientAuthentication::client_secret_post("me", "s3cret").unwrap();
    let registration =
        ClientRegistration::new(TokenEndpoint::new("https://login.example/token").unwrap(), client)
            .with_revocation_endpoint(TokenEndpoint::new("https://login.example/revoke").unwrap());
    let grant = ClientCredentials::new(registration);
    let store = MemoryTokenStore::new(clock.clone());
    let connection =
        OAuthConnection::new(grant, store, &hasher(), &id("acme"), context(&transport, &clock));
    connection.fetch_token().wait().unwrap();
    let revoked = connection.revoke().wait();
    assert_eq!(
        revoked.map(|()| asked.lock().unwrap().len()).map_err(|error| error.code()),
        expected
    );
    assert!(
        connection.masked_token().wait().unwrap().is_none(),
        "it is forgotten whatever the server says"
    );
    assert_eq!(connection.session().token().wait().unwrap_err().code(), "session_ended");
    let first = asked.lock().unwrap().first().cloned().unwrap();
    assert_eq!(
        first,
        "token=refresh-1&token_type_hint=refresh_token&client_id=me&client_secret=s3cret"
    );
    assert!(
        asked
            .lock()
            .unwrap()
            .get(1)
            .is_none_or(|second| second.starts_with("token=access-1&token_type_hint=access_token"))
    );
}

#[test]
fn a_token_is_revoked_where_it_was_given() {
    check_revocation(200, "", Ok(2));
    check_revocation(400, r#"{"error":"unsupported_token_type"}"#, Ok(2));
    check_revocation(401, r#"{"error":"invalid_client"}"#, Err("oauth2_invalid_client"));
    check_revocation(503, "", Err("oauth2_temporarily_unavailable"));
}
