//! Random secrets through every path of the crate; then all that anything shows is searched for them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod search;

use auth_core::{
    AttemptLimit, Authenticator, Candidates, MemoryAttemptLimits, Random, RequestView, Secret,
    SystemClock, SystemRandom, Verifier,
};
use auth_static::{
    ApiKey, ApiKeyVerifier, Basic, BasicAccounts, BasicVerifier, Bearer, BearerVerifier, FixedKeys,
    KeyHasher, NoAuth, Placement, UserPass, UserPassBuffer,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::AUTHORIZATION};
use search::CapturedOutput;
use std::error::Error;

/// Letters and digits, 24 of them, that nothing else looks like.
fn canary() -> String {
    let mut random = [0; 24];
    SystemRandom::new().fill(&mut random).unwrap();
    random
        .iter()
        .map(|byte| char::from(b"abcdefghijkmnpqrstuvwxyz23456789"[usize::from(byte % 32)]))
        .collect()
}

/// An error, and its whole chain.
fn error(shown: &mut CapturedOutput, error: &auth_core::Error) {
    shown.value(error).text(&error.to_string());
    let mut source = error.source();
    while let Some(inner) = source {
        shown.value(&inner).text(&inner.to_string());
        source = inner.source();
    }
}

/// What a verifier tells about a request, outside and inside.
fn judged<P: Send + 'static>(
    shown: &mut CapturedOutput,
    door: &dyn Verifier<Principal = P>,
    target: &Uri,
    headers: &HeaderMap,
) -> bool {
    let request = RequestView::new(&Method::GET, target, headers);
    shown.value(&request).value(&door.presence(request));
    match door.verify(request).wait() {
        Ok(outcome) => {
            shown.value(&outcome);
            if let Err(rejection) = &outcome {
                shown.text(&rejection.reason().to_string());
            }
            outcome.is_ok()
        }
        Err(failed) => {
            error(shown, &failed);
            false
        }
    }
}

#[test]
fn nothing_shows_a_secret() {
    let (user, password, key) = (canary(), canary(), canary());
    let mut shown = CapturedOutput::default();
    let hasher = KeyHasher::new(&Secret::from(canary() + &canary())).unwrap();
    let keys = || FixedKeys::new(&hasher, [(&key, "acme")]);
    let accounts = BasicAccounts::new(&hasher, [(user.as_str(), &password, "user")]);
    shown.value(&hasher).value(&hasher.hash(key.as_bytes())).value(&keys()).value(&accounts);
    shown.value(&NoAuth).value(&UserPass::new(&user, &password)).value(&UserPassBuffer::new());
    let limit = AttemptLimit::new(MemoryAttemptLimits::new(SystemClock));
    let limited = BasicVerifier::new("r", accounts.clone()).unwrap().with_limit(limit);
    shown.value(&limited);

    let placements = || {
        [Placement::header("key"), Placement::scheme("App"), Placement::query("apikey")]
            .map(Result::unwrap)
    };
    let mut clients: Vec<Box<dyn Authenticator>> = Vec::new();
    let mut doors: Vec<Box<dyn Verifier<Principal = &'static str>>> = vec![
        Box::new(limited),
        Box::new(BearerVerifier::new("r", hasher.clone(), keys()).unwrap()),
    ];
    let (made, bearer) = (Basic::new(&user, &password).unwrap(), Bearer::new(&key).unwrap());
    shown.value(&made).value(&made.present()).value(&bearer).value(&bearer.present());
    clients.push(Box::new(made));
    clients.push(Box::new(bearer));
    for placement in placements() {
        let made = ApiKey::new(placement.clone(), &key).unwrap();
        shown.value(&made).value(&made.present()).value(&placement);
        clients.push(Box::new(made));
        let door = ApiKeyVerifier::new("r", placement, hasher.clone(), keys()).unwrap();
        shown.value(&door);
        doors.push(Box::new(door));
    }

    for (client, door) in clients.iter().zip(&doors) {
        let (mut uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
        let flow = client.credentials(RequestView::new(&Method::GET, &uri, &headers));
        shown.value(&flow);
        flow.wait().unwrap().commit(&mut uri, &mut headers).unwrap();
        shown.value(&headers);
        assert!(judged(&mut shown, &**door, &uri, &headers), "the secret was not even used");
    }

    // Good secrets in the wrong place, nearly good ones, doubled ones: at every door.
    for secret in [&user, &password, &key] {
        let nearly = format!("{secret}x");
        let uri: Uri = format!("/?apikey={nearly}&%zz{secret}&apikey%={secret}").parse().unwrap();
        let long = secret.repeat(400);
        for value in [
            &nearly,
            &format!("Basic {nearly}"),
            &format!("Basic {secret}"),
            &format!("App {nearly}"),
            &format!("Bearer {nearly} {secret}"),
            &format!("App {secret}, App {secret}"),
            &long,
        ] {
            let mut headers = HeaderMap::new();
            for name in [AUTHORIZATION, HeaderName::from_static("key")] {
                headers.append(name, HeaderValue::from_str(value).unwrap());
            }
            for door in &doors {
                assert!(!judged(&mut shown, &**door, &uri, &headers));
            }
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            for door in &doors {
                judged(&mut shown, &**door, &uri, &headers);
            }
        }
    }

    // Every way in which a constructor refuses.
    for broken in
        [&user, &password, &key].map(|secret| format!("{secret}:\r\n\"é {}", secret.repeat(400)))
    {
        let short = Secret::from(broken.get(..20).unwrap());
        let errors = [
            Basic::new(&broken, "p").err(),
            Basic::new("u", &broken).err(),
            Basic::new(&broken.replace(':', ""), "p").err(),
            Basic::new("u", &key.repeat(400)).err(),
            Bearer::new(&broken).err(),
            Placement::header(&broken).err(),
            Placement::scheme(&broken).err(),
            Placement::query(&broken).err(),
            ApiKey::new(Placement::header("key").unwrap(), &broken).err(),
            KeyHasher::new(&short).err(),
            auth_core::BearerRealm::new("r").unwrap().insufficient_scope(&broken).err(),
            BearerVerifier::new(&broken, hasher.clone(), keys()).err(),
            ApiKeyVerifier::new(&broken, Placement::scheme("App").unwrap(), hasher.clone(), keys())
                .err(),
            BasicVerifier::new(&broken, accounts.clone()).err(),
        ];
        for made in &errors {
            error(&mut shown, made.as_ref().expect("refused"));
        }
    }
    for secret in [&user, &password, &key] {
        assert_eq!(shown.forms_of(secret), [""; 0]);
    }
}

#[cfg(feature = "argon2")]
#[test]
fn no_password_hash_shows_a_secret() {
    use auth_static::{Argon2Concurrency, Argon2Cost, Argon2Passwords, PasswordHash};
    use std::collections::HashMap;
    let (password, mut shown) = (canary(), CapturedOutput::default());
    let cost = Argon2Cost::new(7168, 5, 1).unwrap();
    let hash = PasswordHash::of(&password, cost, &SystemRandom::new()).unwrap();
    let phc = hash.to_phc();
    let (salt, output) = phc
        .rsplit_once('$')
        .map(|(front, output)| (front.rsplit_once('$').unwrap().1, output))
        .unwrap();
    shown.value(&cost).value(&hash);
    for broken in [
        phc.replace("argon2id", "argon2i"),
        phc.replace("m=7168", "m=1"),
        format!("{phc}!"),
        password.clone(),
    ] {
        error(&mut shown, &PasswordHash::parse(&broken).unwrap_err());
    }
    let users = HashMap::from([(String::from("alice"), Candidates::one(hash, "alice"))]);
    let concurrency = Argon2Concurrency { running: 1, waiting: 0 };
    let passwords = Argon2Passwords::new(
        users,
        cost,
        concurrency,
        auth_core::InlineWorkers,
        &SystemRandom::new(),
    )
    .unwrap();
    shown.value(&passwords).value(&concurrency);
    let door = BasicVerifier::new("r", passwords).unwrap();
    shown.value(&door);
    for (sent, accepted) in [(password.clone(), true), (format!("{password}x"), false)] {
        let (mut uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
        Basic::new("alice", &sent).unwrap().present().commit(&mut uri, &mut headers).unwrap();
        assert_eq!(judged(&mut shown, &door, &uri, &headers), accepted);
    }
    for secret in [password.as_str(), salt, output] {
        assert_eq!(shown.forms_of(secret), [""; 0]);
    }
}
