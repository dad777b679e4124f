//! Every scheme through every adapter, over loopback: the lines of the demo, held to what they promise.

use demo::{
    accounts::PATHS, aws, callers, digest, documents, oauth2, rotation, sender, server::Running,
    storms, symphony, table, webhooks,
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
