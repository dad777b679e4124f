//! Refresh tokens that rotate: none is lost, and none that has ended is used again.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use auth_core::{Clock, Error};
use auth_oauth2::{ConsentNeeded, OAuthToken, Session, TokenAnswerFormat};
use auth_session::{MemoryTokenStore, TokenNotSaved};
use auth_testing::{ManualClock, ScriptedTransport};
use common::{
    Reuse, Server, Told, access_token, clock, code, context, is_consent_needed, process,
    registration, token,
};
use http::Response;
use std::{
    future::Future,
    sync::{Arc, Mutex},
    task::{Context as Task, Poll, Waker},
    time::Duration,
};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn each_refresh_uses_the_refresh_token_of_the_one_before() {
    let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
    let store = MemoryTokenStore::new(clock.clone());
    let one = process(&store, &server.transport(), &clock);
    let other = process(&store, &server.transport(), &clock);
    one.put_token(token(1, &clock)).wait().unwrap();
    for number in 2..=20 {
        clock.advance(HOUR);
        let turn = if number % 2 == 0 { [&one, &other] } else { [&other, &one] };
        assert_eq!(
            turn.map(|process| access_token(process).unwrap()),
            [format!("a{number}"), format!("a{number}")]
        );
    }
    let expected: Vec<_> = (1..20).map(|number| format!("r{number}")).collect();
    assert_eq!(server.asked(), expected, "each of them once");
}

/// A server that fails over may not know the newest; one that takes the one before gives the family back.
#[test]
fn the_refresh_token_before_is_tried_once_when_the_newest_is_refused() {
    let (server, clock) = (Server::new(Reuse::PreviousTaken), clock());
    let store = MemoryTokenStore::new(clock.clone());
    let connection = process(&store, &server.transport(), &clock);
    connection.put_token(token(1, &clock)).wait().unwrap();
    clock.advance(HOUR);
    assert_eq!(access_token(&connection).unwrap(), "a2");
    server.state().newest = 1;
    server.asked();
    clock.advance(HOUR);
    // A process that has only what the store kept does as well.
    let other = process(&store, &server.transport(), &clock);
    server.state().instead = vec![(400, r#"{"error":"invalid_grant"}"#.into())];
    assert_eq!(access_token(&other).unwrap(), "a2");
    assert_eq!(server.asked(), ["r2", "r1"]);
    clock.advance(HOUR);
    assert_eq!(access_token(&connection).unwrap(), "a3");
    assert_eq!(server.asked(), ["r2"], "a refresh token of two generations ago is gone");
}

#[test]
fn a_family_that_has_ended_asks_for_consent_once_and_the_server_nothing_more() {
    let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
    let store = MemoryTokenStore::new(clock.clone());
    let told = Told::default();
    let grant = || code(registration("s3cret"));
    let transport = server.transport();
    let alone = Session::new(grant(), context(&transport, &clock).with_observer(told.clone()));
    let stored = [(); 2].map(|()| process(&store, &transport, &clock));
    alone.put(token(1, &clock)).unwrap();
    stored[0].put_token(token(1, &clock)).wait().unwrap();
    assert_eq!(access_token(&stored[1]).unwrap(), "a1");
    server.state().is_revoked = true;
    clock.advance(HOUR);
    for _ in 0..5 {
        assert!(is_consent_needed(&alone.token().wait().map(drop)));
        clock.advance(Duration::from_secs(61));
    }
    assert_eq!(server.asked(), ["r1"]);
    assert_eq!(*told.0.lock().unwrap(), ["oauth2_consent_needed"], "told once");
    for _ in 0..5 {
        for process in &stored {
            let failed = access_token(process);
            assert!(is_consent_needed(&failed));
            assert!(failed.unwrap_err().cause().error().downcast_ref::<ConsentNeeded>().is_some());
        }
        clock.advance(Duration::from_secs(61));
    }
    assert_eq!(server.asked(), ["r1"], "two processes asked once between them");
    // The user has consented, in one process; the other finds it.
    (server.state().is_revoked, server.state().newest) = (false, 7);
    stored[0].put_token(token(7, &clock)).wait().unwrap();
    assert_eq!(stored.each_ref().map(|process| access_token(process).unwrap()), ["a7", "a7"]);
    assert_eq!(server.asked(), [""; 0]);
}

/// The server took the newest, and its answer was lost on the way: then the one before has ended, and is not sent again,
/// neither by the process that knows nor by another one.
#[test]
fn an_answer_that_was_lost_leaves_no_second_use_of_a_refresh_token_of_before() {
    for asking in ["the same", "another", "without a store"] {
        let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
        let store = MemoryTokenStore::new(clock.clone());
        let loses = Arc::new(Mutex::new(false));
        let (losing, answering) = (Arc::clone(&loses), server.clone());
        let transport = ScriptedTransport::new(move |request| {
            let answer = answering.answer(request);
            let lost = std::mem::take(&mut *losing.lock().unwrap());
            if lost { Err(Error::transport("timeout", "no answer")) } else { Ok(answer) }
        });
        let processes = [(); 2].map(|()| process(&store, &transport, &clock));
        let alone = Session::new(code(registration("s3cret")), context(&transport, &clock));
        let first = |number| {
            let next: usize = if asking == "another" { number } else { 0 };
            match asking {
                "without a store" => alone.token().wait().map(drop),
                _ => access_token(&processes[next]).map(drop),
            }
        };
        processes[0].put_token(token(1, &clock)).wait().unwrap();
        alone.put(token(1, &clock)).unwrap();
        clock.advance(HOUR);
        first(0).unwrap();
        clock.advance(HOUR);
        *loses.lock().unwrap() = true;
        assert_eq!(first(0).unwrap_err().code(), "timeout");
        clock.advance(Duration::from_secs(2));
        // Nor is it when the server has said something else meanwhile.
        server.state().instead = vec![(429, String::new())];
        assert_eq!(first(1).unwrap_err().code(), "oauth2_temporarily_unavailable", "{asking}");
        clock.advance(Duration::from_secs(2));
        assert!(is_consent_needed(&first(1)), "{asking}");
        assert_eq!(server.asked(), ["r1", "r2", "r2", "r2"], "{asking}");
    }
}

/// The server gave no refresh token: there is nothing to renew with, and the token is good to its end.
#[test]
fn a_token_without_a_refresh_token_stays_in_the_store_and_is_used_to_its_end() {
    let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
    let store = MemoryTokenStore::new(clock.clone());
    let connections = [(); 2].map(|()| process(&store, &server.transport(), &clock));
    let answer = Response::new(br#"{"access_token":"a1","expires_in":3600}"#.to_vec());
    let answer = TokenAnswerFormat::new().read(&answer, clock.now()).unwrap();
    let token = OAuthToken::new(answer, clock.now()).unwrap();
    connections[0].put_token(token).wait().unwrap();
    for _ in 0..59 {
        clock.advance(Duration::from_secs(60));
        assert_eq!(access_token(&connections[0]).unwrap(), "a1");
    }
    assert_eq!(access_token(&connections[1]).unwrap(), "a1", "a process that starts later");
    clock.advance(Duration::from_secs(60));
    for connection in &connections {
        assert!(is_consent_needed(&access_token(connection)));
    }
    assert_eq!(server.asked(), [""; 0]);
}

/// The process that wrote the note is ahead by a minute, and has died.
#[test]
fn a_note_of_a_process_whose_clock_is_ahead_keeps_no_other_process_from_asking() {
    let (server, clock) = (Server::new(Reuse::PreviousTaken), clock());
    let ahead = ManualClock::at(clock.now().unix() + 3660);
    let store = MemoryTokenStore::new(clock.clone());
    let down = ScriptedTransport::new(|_| Err(Error::transport("timeout", "no answer")));
    let (dies, lives) =
        (process(&store, &down, &ahead), process(&store, &server.transport(), &clock));
    lives.put_token(token(1, &clock)).wait().unwrap();
    clock.advance(HOUR);
    assert_eq!(access_token(&dies).unwrap_err().code(), "timeout");
    assert_eq!(access_token(&lives).unwrap(), "a2");
}

#[test]
fn a_server_that_fails_ends_nothing() {
    for status in [302, 307, 408, 429, 500, 502, 503] {
        let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
        let store = MemoryTokenStore::new(clock.clone());
        let connection = process(&store, &server.transport(), &clock);
        connection.put_token(token(1, &clock)).wait().unwrap();
        clock.advance(HOUR);
        server.state().instead = vec![(status, r#"{"error":"invalid_grant"}"#.into())];
        assert!(!is_consent_needed(&access_token(&connection)), "{status}");
        clock.advance(Duration::from_secs(3600));
        assert_eq!(access_token(&connection).unwrap(), "a2", "{status}");
    }
}

#[test]
fn a_token_that_could_not_be_saved_is_a_typed_error_and_saved_before_it_is_used() {
    let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
    let store = Failing(MemoryTokenStore::new(clock.clone()), Arc::default());
    let connection = over(&store, &server.transport(), &clock);
    connection.put_token(token(1, &clock)).wait().unwrap();
    clock.advance(HOUR);
    *store.1.lock().unwrap() = true;
    let error = connection.session().token().wait().unwrap_err();
    assert_eq!(error.code(), "session_token_not_saved");
    assert!(error.cause().error().downcast_ref::<TokenNotSaved>().is_some());
    *store.1.lock().unwrap() = false;
    clock.advance(Duration::from_secs(2));
    let current = connection.session().token().wait().unwrap();
    assert!(current.token.token().access_token().matches(b"a2"));
    assert_eq!(server.asked(), ["r1"]);
}

/// A code is spent by being redeemed: a store that fails then must not lose what it was redeemed for.
#[test]
fn a_redeemed_token_that_could_not_be_saved_is_saved_by_the_next_request() {
    for has_one_before in [false, true] {
        let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
        let memory = MemoryTokenStore::new(clock.clone());
        let store = Failing(memory.clone(), Arc::default());
        let transport = server.transport();
        let connection = over(&store, &transport, &clock);
        if has_one_before {
            connection.put_token(token(1, &clock)).wait().unwrap();
            clock.advance(HOUR);
        }
        *store.1.lock().unwrap() = true;
        let failed = connection.put_token(token(7, &clock)).wait();
        assert_eq!(failed.unwrap_err().code(), "session_token_not_saved");
        *store.1.lock().unwrap() = false;
        let current = connection.session().token().wait().unwrap();
        assert!(current.token.token().access_token().matches(b"a7"));
        // Another process has it from the store.
        let other = process(&memory, &transport, &clock);
        assert_eq!(access_token(&other).unwrap(), "a7");
        assert_eq!(server.asked(), [""; 0]);
    }
}

/// Another process has saved something since: what was kept in memory is older, and gives way.
#[test]
fn what_could_not_be_saved_gives_way_to_what_another_process_saved_since() {
    let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
    let memory = MemoryTokenStore::new(clock.clone());
    let store = Failing(memory.clone(), Arc::default());
    let transport = server.transport();
    let connection = over(&store, &transport, &clock);
    *store.1.lock().unwrap() = true;
    connection.put_token(token(7, &clock)).wait().unwrap_err();
    *store.1.lock().unwrap() = false;
    process(&memory, &transport, &clock).put_token(token(8, &clock)).wait().unwrap();
    let current = connection.session().token().wait().unwrap();
    assert!(current.token.token().access_token().matches(b"a8"));
}

#[test]
fn a_connection_that_is_forgotten_is_forgotten_by_every_process() {
    let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
    let store = MemoryTokenStore::new(clock.clone());
    let processes = [(); 2].map(|()| process(&store, &server.transport(), &clock));
    processes[0].put_token(token(1, &clock)).wait().unwrap();
    assert_eq!(access_token(&processes[1]).unwrap(), "a1");
    processes[0].forget().wait().unwrap();
    assert!(processes[0].reveal_token().wait().unwrap().is_none());
    assert_eq!(access_token(&processes[0]).unwrap_err().code(), "session_ended");
    clock.advance(HOUR);
    assert!(is_consent_needed(&access_token(&processes[1])));
    assert_eq!(server.asked(), [""; 0], "nobody refreshes what was forgotten");
}

#[test]
fn a_hook_is_told_of_every_rotation_and_takes_nothing_along_when_it_panics() {
    let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let telling = Arc::clone(&seen);
    let hook = move |token: &OAuthToken| {
        let text = token.refresh_token().unwrap().expose_text().unwrap().to_owned();
        telling.lock().unwrap().push(text.clone());
        assert_ne!(text, "r3", "panics on purpose");
    };
    let grant = code(registration("s3cret").with_rotation_hook(hook));
    let session = Session::new(grant, context(&server.transport(), &clock));
    session.put(token(1, &clock)).unwrap();
    for number in 2..=4 {
        clock.advance(HOUR);
        let current = session.token().wait().unwrap();
        assert!(current.token.access_token().matches(format!("a{number}").as_bytes()));
    }
    server.state().instead = vec![(200, r#"{"access_token":"same","expires_in":3600}"#.into())];
    clock.advance(HOUR);
    session.token().wait().unwrap();
    assert_eq!(*seen.lock().unwrap(), ["r2", "r3", "r4"], "none for one that did not rotate");
}

/// The caller that refreshes is dropped at each of its awaits in turn; the next one goes on.
#[test]
fn a_caller_that_is_dropped_anywhere_loses_nothing() {
    for polls in 0..40 {
        let (server, clock) = (Server::new(Reuse::FamilyRevoked), clock());
        let store = Slow(MemoryTokenStore::new(clock.clone()));
        let transport = server.transport();
        let connection = over(&store, &transport, &clock);
        connection.put_token(token(1, &clock)).wait().unwrap();
        for number in 2..=3 {
            clock.advance(HOUR);
            let mut refreshing = Box::pin(connection.session().token());
            let mut task = Task::from_waker(Waker::noop());
            for _ in 0..polls {
                if refreshing.as_mut().poll(&mut task).is_ready() {
                    break;
                }
            }
            drop(refreshing);
            let current = connection.session().token().wait().unwrap();
            let expected = format!("a{number}");
            assert!(current.token.token().access_token().matches(expected.as_bytes()), "{polls}");
        }
        assert_eq!(server.asked(), ["r1", "r2"], "dropped after {polls} polls");
    }
}

/// A connection of a user over this store.
fn over<K: auth_session::TokenStore + Clone + 'static>(
    store: &K,
    transport: &ScriptedTransport,
    clock: &ManualClock,
) -> auth_oauth2::OAuthConnection<auth_oauth2::AuthorizationCode, K> {
    let (grant, id) = (code(registration("s3cret")), common::id("acme"));
    let context = context(transport, clock);
    auth_oauth2::OAuthConnection::new(grant, store.clone(), &common::hasher(), &id, context)
}

/// Fails to save while it is told to.
#[derive(Clone)]
struct Failing(MemoryTokenStore, Arc<Mutex<bool>>);

/// Every step takes one more poll than it has to.
#[derive(Clone)]
struct Slow(MemoryTokenStore);

macro_rules! store {
    ($name:ident, $before:expr) => {
        impl auth_session::TokenStore for $name {
            fn load(&self, name: &str) -> auth_core::Flow<'_, Option<auth_session::StoredEntry>> {
                step(self.0.load(name))
            }

            fn lease(
                &self,
                name: &str,
                hold: Duration,
            ) -> auth_core::Flow<'_, Option<auth_session::Lease>> {
                step(self.0.lease(name, hold))
            }

            fn save(
                &self,
                name: &str,
                lease: auth_session::Lease,
                token: Option<&auth_core::Secret>,
            ) -> auth_core::Flow<'_, auth_session::SaveOutcome> {
                let before: fn(&Self) -> auth_core::Result<()> = $before;
                match before(self) {
                    Ok(()) => step(self.0.save(name, lease, token)),
                    Err(error) => auth_core::Flow::failed(error),
                }
            }

            fn intend(
                &self,
                name: &str,
                lease: auth_session::Lease,
                intent: Option<auth_session::Intent>,
            ) -> auth_core::Flow<'_, auth_session::SaveOutcome> {
                self.0.intend(name, lease, intent)
            }

            fn release(&self, name: &str, lease: auth_session::Lease) -> auth_core::Flow<'_, ()> {
                step(self.0.release(name, lease))
            }
        }
    };
}

store!(Failing, |store| {
    let fails = *store.1.lock().unwrap();
    if fails { Err(Error::transport("full", "no space is left")) } else { Ok(()) }
});
store!(Slow, |_| Ok(()));

fn step<'a, T: Send + 'a>(then: auth_core::Flow<'a, T>) -> auth_core::Flow<'a, T> {
    let mut yielded = false;
    auth_core::Flow::new(async move {
        std::future::poll_fn(move |task: &mut Task<'_>| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            task.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        then.await
    })
}
