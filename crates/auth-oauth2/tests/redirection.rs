//! Where users come back to a server: who redeems what, how often, and what the browser is told.
#![allow(clippy::unwrap_used, missing_docs)]

use auth_core::SystemRandom;
use auth_oauth2::{
    AuthorizationCodeForm, ConnectionId, Context, Error, Flow, MemoryPendingAuthorizations,
    OAuthToken, PendingAuthorization, PendingAuthorizations, RedirectionEndpoint, Result, Secret,
    TenantId,
};
use auth_testing::{Gate, ManualClock, ScriptedTransport};
use http::Response;
use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

/// Nodes that share one store, and what was done for their users.
struct Nodes {
    clock: ManualClock,
    waiting: Arc<MemoryPendingAuthorizations<ManualClock>>,
    transport: ScriptedTransport,
    kept: Arc<Mutex<Vec<String>>>,
}

impl Nodes {
    fn new(transport: ScriptedTransport) -> Self {
        let clock = ManualClock::at(1_700_000_000);
        let waiting = Arc::new(MemoryPendingAuthorizations::new(clock.clone()));
        Self { clock, waiting, transport, kept: Arc::default() }
    }

    fn answering(status: u16, body: &'static str) -> Self {
        Self::new(ScriptedTransport::new(move |_| {
            Ok(Response::builder().status(status).body(body.into()).unwrap())
        }))
    }

    fn good() -> Self {
        Self::answering(200, r#"{"access_token":"t"}"#)
    }

    /// One more node, for this connection.
    fn node(&self, connection: &str) -> RedirectionEndpoint {
        self.node_over(connection, Arc::clone(&self.waiting))
    }

    fn node_over(
        &self,
        connection: &str,
        waiting: impl PendingAuthorizations + 'static,
    ) -> RedirectionEndpoint {
        let grant = AuthorizationCodeForm::new()
            .with_consumer_id("me")
            .with_consumer_secret("s3cret")
            .with_callback_url(&format!("https://platform.example/callback/{connection}"))
            .with_authorization_url("https://login.example/authorize")
            .with_access_token_url("https://login.example/token")
            .build();
        let context = Context::new(self.transport.clone())
            .with_clock(self.clock.clone())
            .with_random(SystemRandom::new());
        let connection = ConnectionId::new(TenantId::new("acme"), connection);
        RedirectionEndpoint::new(grant.unwrap(), connection, waiting, context)
    }

    fn keep(&self) -> impl FnOnce(OAuthToken) -> Flow<'static, ()> + Send + 'static {
        let kept = Arc::clone(&self.kept);
        move |token| {
            let token = token.access_token().expose_text().unwrap_or_default().to_owned();
            kept.lock().unwrap().push(token);
            Flow::ready(())
        }
    }

    fn redeem(&self, node: &RedirectionEndpoint, query: &str, user: &str) -> Result<()> {
        node.redeem(query, user, self.keep()).wait()
    }

    fn kept(&self) -> usize {
        self.kept.lock().unwrap().len()
    }
}

/// What the server sends this user back with.
fn state(url: &str) -> String {
    url.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

fn begun(node: &RedirectionEndpoint, user: &str) -> String {
    state(&node.begin(user).wait().unwrap())
}

fn code(outcome: &Result<()>) -> &'static str {
    outcome.as_ref().err().map_or("redeemed", Error::code)
}

#[test]
fn a_person_who_opens_the_callback_url_is_refused_and_nobody_is_asked() {
    struct Untouched;
    impl PendingAuthorizations for Untouched {
        fn keep(&self, _: PendingAuthorization) -> Flow<'_, ()> {
            panic!("nothing was begun")
        }

        fn take(&self, _: &Secret) -> Flow<'_, Option<PendingAuthorization>> {
            panic!("the store was asked")
        }
    }
    let nodes = Nodes::new(ScriptedTransport::new(|_| panic!("the server was asked")));
    let node = nodes.node_over("crm", Untouched);
    for query in
        ["", "code=c", "state=s", "code=&state=s", "code=c&state=", "x=1", "code=c&code=d&state=s"]
    {
        let outcome = nodes.redeem(&node, query, "alice");
        assert_eq!(code(&outcome), "oauth2_callback", "{query}");
        assert_eq!(RedirectionEndpoint::page(&outcome).status(), 400);
    }
}

#[test]
fn of_two_nodes_with_one_callback_one_redeems() {
    for _ in 0..50 {
        let nodes = Nodes::good();
        let all: Vec<_> = (0..4).map(|_| nodes.node("crm")).collect();
        let query = format!("code=c&state={}", begun(&all[0], "alice"));
        let outcomes: Vec<_> = thread::scope(|scope| {
            let redeeming: Vec<_> = all
                .iter()
                .map(|node| scope.spawn(|| nodes.redeem(node, &query, "alice")))
                .collect();
            redeeming.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let mut codes: Vec<_> = outcomes.iter().map(code).collect();
        codes.sort_unstable();
        assert_eq!(codes, ["oauth2_state", "oauth2_state", "oauth2_state", "redeemed"]);
        assert_eq!((nodes.transport.exchanges(), nodes.kept()), (1, 1));
    }
}

/// What comes of a callback for what alice has begun at `crm`, and how often the server was asked.
#[track_caller]
fn check(query: &str, at: &str, user: &str, after: u64, expected: (&str, u16, u64)) {
    let nodes = Nodes::good();
    let state = begun(&nodes.node("crm"), "alice");
    nodes.clock.advance(Duration::from_secs(after));
    let outcome = nodes.redeem(&nodes.node(at), &query.replace("STATE", &state), user);
    let status = RedirectionEndpoint::page(&outcome).status().as_u16();
    assert_eq!((code(&outcome), status, nodes.transport.exchanges()), expected, "{query} {user}");
    assert_eq!(nodes.kept(), usize::from(outcome.is_ok()));
    // A callback that has the state spends what was begun, good or bad; another one leaves it alone.
    let again = nodes.redeem(&nodes.node("crm"), &format!("code=c&state={state}"), "alice");
    assert_eq!(again.is_err(), query.contains("STATE"), "{query} {user}");
}

#[test]
fn a_callback_counts_for_the_user_the_connection_and_the_time_in_which_it_was_begun() {
    let good = "code=c&state=STATE";
    check(good, "crm", "alice", 0, ("redeemed", 200, 1));
    check(good, "crm", "alice", 599, ("redeemed", 200, 1));
    check(good, "crm", "alice", 600, ("oauth2_state", 400, 0));
    check(good, "crm", "mallory", 0, ("oauth2_state", 400, 0));
    check(good, "other", "alice", 0, ("oauth2_state", 400, 0));
    check("code=c&state=another", "crm", "alice", 0, ("oauth2_state", 400, 0));
    let denied = "error=access_denied&error_description=no&state=STATE";
    check(denied, "crm", "alice", 0, ("oauth2_authorization_refused", 400, 0));
    check(denied, "crm", "mallory", 0, ("oauth2_state", 400, 0));
    check("error=access_denied", "crm", "alice", 0, ("oauth2_callback", 400, 0));
}

#[test]
fn the_browser_is_told_whose_turn_it_is_and_nothing_of_what_came() {
    for (status, body, expected) in [
        (400, r#"{"error":"invalid_grant","error_description":"<b>"}"#, 400),
        (401, r#"{"error":"invalid_client"}"#, 502),
        (200, "<script>", 502),
        (500, "", 503),
        (503, "", 503),
        (429, "", 503),
    ] {
        let nodes = Nodes::answering(status, body);
        let node = nodes.node("crm");
        let query = format!("code=c&state={}", begun(&node, "alice"));
        let page = RedirectionEndpoint::page(&nodes.redeem(&node, &query, "alice"));
        assert_eq!(page.status(), expected, "{status} {body}");
        assert!(!page.body().contains(['<', '=']), "{}", page.body());
        for (name, value) in [
            ("content-type", "text/plain; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(page.headers()[name], value);
        }
    }
    let nodes = Nodes::good();
    let node = nodes.node("crm");
    let query = "error=%3Cscript%3E&error_description=%3Cscript%3E&state=";
    let query = format!("{query}{}", begun(&node, "alice"));
    let page = RedirectionEndpoint::page(&nodes.redeem(&node, &query, "alice"));
    assert!(!page.body().contains("script"), "{}", page.body());
}

#[test]
fn a_code_is_redeemed_though_the_browser_goes_away() {
    let gate = Gate::closed();
    let answer =
        |_: &http::Request<Vec<u8>>| Ok(Response::new(br#"{"access_token":"t"}"#.to_vec()));
    let transport = ScriptedTransport::new(answer).with_gate(gate.clone()).with_background();
    let nodes = Nodes::new(transport);
    let node = nodes.node("crm");
    let query = format!("code=c&state={}", begun(&node, "alice"));
    drop(node.redeem(&query, "alice", nodes.keep()));
    gate.open();
    nodes.transport.run();
    assert_eq!((nodes.transport.exchanges(), nodes.kept()), (1, 1));
    let again = node.redeem(&query, "alice", nodes.keep());
    nodes.transport.run();
    assert_eq!(code(&again.wait()), "oauth2_state");
}

#[test]
fn a_token_that_could_not_be_kept_is_an_error() {
    let nodes = Nodes::good();
    let node = nodes.node("crm");
    let query = format!("code=c&state={}", begun(&node, "alice"));
    let keep = |_| Flow::failed(Error::transport("store_down", "the store is down"));
    let outcome = node.redeem(&query, "alice", keep).wait();
    assert_eq!(code(&outcome), "store_down");
    assert_eq!(RedirectionEndpoint::page(&outcome).status(), 503);
}

#[test]
fn a_store_that_is_down_is_nobodys_refusal() {
    struct Down;
    impl PendingAuthorizations for Down {
        fn keep(&self, _: PendingAuthorization) -> Flow<'_, ()> {
            Flow::failed(Error::transport("store_down", "the store is down"))
        }

        fn take(&self, _: &Secret) -> Flow<'_, Option<PendingAuthorization>> {
            Flow::failed(Error::transport("store_down", "the store is down"))
        }
    }
    let nodes = Nodes::good();
    let node = nodes.node_over("crm", Down);
    assert_eq!(node.begin("alice").wait().unwrap_err().code(), "store_down");
    let outcome = nodes.redeem(&node, "code=c&state=s", "alice");
    assert_eq!((code(&outcome), nodes.transport.exchanges()), ("store_down", 0));
    assert_eq!(RedirectionEndpoint::page(&outcome).status(), 503);
}
