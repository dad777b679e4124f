//! Every scheme through every adapter, over loopback: the lines of the demo, held to what they promise.

use demo::{
    accounts::PATHS, aws, callers, digest, documents, oauth2, ready, rotation, sender,
    server::Running, storms, symphony, table, webhooks,
};
use std::collections::BTreeSet;

#[tokio::test]
async fn every_scheme_through_every_adapter_ends_as_it_should() {
    let server = Running::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let callers = callers::Callers::new().unwrap();
    let mut seen = BTreeSet::new();
    let mut lines = storms::run(&callers, &server).await.unwrap();
    lines.extend(aws::run(&callers, &server).await.unwrap());
    lines.extend(sender::run(&callers).await.unwrap());
    lines.extend(symphony::run(&callers).await.unwrap());
    lines.extend(webhooks::run().await.unwrap());
    lines.extend(oauth2::run(&callers, &server).await.unwrap());
    for (path, _) in digest::PATHS {
        lines.extend(digest::run(path, &callers, &server).await.unwrap());
    }
    for call in table::all().unwrap() {
        lines.extend(call.run(&callers, &server).await.unwrap());
    }
    for line in lines {
        let expected = line.instead_of.unwrap_or_default();
        let what = format!("{} {} by {}: {}", line.path, line.sent, line.caller, line.verdict);
        assert_eq!(expected, "", "{what} {} {}", line.status, line.challenge);
        seen.insert((line.path, line.caller, line.status));
    }
    for adapter in ["auth-reqwest", "auth-tower", "auth-ureq"] {
        for path in [sender::PATH, symphony::PATH, symphony::SESSION] {
            assert!(seen.contains(&(path, adapter, 200)), "{path}: nothing through {adapter}");
        }
    }
    for adapter in ["auth-reqwest", "auth-ureq"] {
        for status in [200, 401] {
            assert!(
                seen.contains(&(webhooks::PATH, adapter, status)),
                "webhooks: no {status} through {adapter}"
            );
        }
    }
    for path in PATHS.iter().map(|path| path.path) {
        for adapter in ["auth-reqwest", "auth-tower", "auth-ureq"] {
            assert!(
                seen.contains(&(path, adapter, 200)),
                "{path} was never accepted through {adapter}"
            );
            assert!(
                path == "/none" || seen.contains(&(path, adapter, 401)),
                "{path} never refused through {adapter}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documents_are_walked_and_every_step_is_as_it_should_be() {
    for document in &documents::DOCUMENTS {
        let lines = document.run().await.unwrap();
        assert!(lines.len() >= 8, "{}: {} steps", document.name, lines.len());
        for line in &lines {
            assert_eq!(line.instead_of, None, "{}: {}: {}", document.name, line.sent, line.verdict);
        }
    }
}

/// What `--serve` shows is what works: with ready tokens, and with a reason where this curl cannot do it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_that_are_shown_are_let_in_and_an_unknown_path_lists_the_others() {
    let server = Running::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let calls = ready::calls(&server.base()).await.unwrap();
    if calls.iter().any(|call| call.curl.as_ref().is_err_and(|why| why.contains("not installed"))) {
        return eprintln!("skipped: curl is not installed");
    }
    let shown: Vec<_> = calls.iter().filter_map(|call| call.curl.as_ref().ok()).collect();
    assert!(shown.len() >= 15, "{shown:?}");
    assert!(shown.iter().all(|call| !call.contains("TOKEN")), "{shown:?}");
    let document = demo::accounts::document(&server.base(), &calls);
    let paths = document["paths"].as_array().unwrap();
    assert_eq!(paths.len(), PATHS.len());
    assert!(
        paths.iter().all(|path| path["curl"].is_string() != path["no_curl_because"].is_string())
    );
    let client = auth_reqwest::AuthClient::new().unwrap();
    let nowhere = client.http().get(format!("{}/nowhere", server.base())).send().await.unwrap();
    let (status, text) = (nowhere.status().as_u16(), nowhere.text().await.unwrap());
    assert!(status == 404 && PATHS.iter().all(|path| text.contains(path.path)), "{status} {text}");
}

#[tokio::test]
async fn a_rotation_under_load_refuses_no_good_call() {
    for rotation in rotation::run().await.unwrap() {
        assert_eq!(rotation.refused, 0, "{}", rotation.of);
        for step in &rotation.steps {
            assert!(step.is_right, "{}: {}", rotation.of, step.what);
        }
        let first = rotation.steps.first().unwrap().calls;
        let last = rotation.steps.last().unwrap().calls;
        assert!(first[0] > 0 && first[1] == 0 && last[0] == 0 && last[1] > 0, "{}", rotation.of);
    }
}
