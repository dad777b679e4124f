//! The program: what it says, where it listens, and how it ends.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::unreachable)]

mod common;

use common::{Caller, LOG_IN};
use std::{
    io::{BufRead, BufReader, Read},
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

fn program(words: &[&str]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_auth-emulator"));
    program.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
    program
}

/// A program that runs until it is interrupted, and what it said at its start.
struct Running {
    child: Child,
    said: Vec<String>,
}

impl Running {
    fn start(words: &[&str]) -> Self {
        let mut child = program(words).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains("/faults")) {
            said.push(lines.next().unwrap_or_else(|| unreachable!("it ended: {said:?}")));
        }
        Self { child, said }
    }

    /// What stands behind a word at the beginning of a line.
    fn told(&self, word: &str) -> &str {
        let line = self.said.iter().find_map(|line| line.trim().strip_prefix(word));
        line.unwrap_or_else(|| unreachable!("{:?}", self.said)).trim()
    }

    fn interrupt(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn it_says_where_it_listens_and_what_it_made_and_ends_when_it_is_interrupted() {
    let mut it = Running::start(&["infobip", "--user", "acme", "--password", "pa55:word"]);
    assert_eq!((it.told("user"), it.told("password")), ("acme", "pa55:word"));
    let client = Caller::from(it.told("platform").into(), Ipv4Addr::LOCALHOST);
    let session = client.post("/auth/1/session", "", LOG_IN).await.session();
    assert_eq!(client.message(&session).await, 200);
    let key = format!("App {}", it.told("API key"));
    assert_eq!(client.message(&key).await, 200);
    let faults = Caller::from(it.told("faults").into(), Ipv4Addr::LOCALHOST);
    let body = r#"{"fault":"expire_now","endpoint":"messages","requests":1}"#;
    assert_eq!(faults.post("/faults", "", body).await.status, 201);
    assert_eq!(client.message(&session).await, 401);
    let tries: Vec<_> = it.said.iter().filter(|line| line.starts_with("  curl ")).collect();
    assert_eq!(tries.len(), 3, "{:?}", it.said);
    assert!(tries.iter().any(|line| line.contains(&key)));
    assert_eq!(it.interrupt(), Some(0));
}

#[test]
fn it_says_how_long_sessions_live() {
    let of = |words: &[&str]| Running::start(words).told("sessions").to_owned();
    assert_eq!(of(&["infobip"]), "live for 60 minutes from their creation");
    assert_eq!(of(&["infobip", "--sliding"]), "live for 60 minutes from their last use");
}

#[tokio::test]
async fn a_request_under_way_is_answered_when_it_is_interrupted() {
    let mut it = Running::start(&["infobip"]);
    let client = Caller::from(it.told("platform").into(), Ipv4Addr::LOCALHOST);
    let faults = Caller::from(it.told("faults").into(), Ipv4Addr::LOCALHOST);
    let body = r#"{"fault":"slow","endpoint":"messages","seconds":0.5}"#;
    assert_eq!(faults.post("/faults", "", body).await.status, 201);
    let key = format!("App {}", it.told("API key"));
    let slow = tokio::spawn(async move { client.message(&key).await });
    while faults.get("/faults", "").await.body != serde_json::json!([]) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ended = tokio::task::spawn_blocking(move || it.interrupt()).await;
    assert_eq!(slow.await.unwrap(), 200);
    assert_eq!(ended.unwrap(), Some(0));
}

/// The line that it prints is one that a shell takes.
#[test]
fn the_line_to_try_sends_a_message() {
    let it = Running::start(&["infobip"]);
    let line = it.said.iter().find(|line| line.contains("/sms/3/messages")).unwrap();
    let Ok(tried) = Command::new("sh").args(["-c", &format!("{} -s", line.trim())]).output() else {
        eprintln!("skipped: there is no shell");
        return;
    };
    let answered = String::from_utf8_lossy(&tried.stdout).into_owned();
    match tried.status.code() {
        Some(127) => eprintln!("skipped: there is no curl"),
        _ => assert!(answered.contains("messageId"), "{answered}"),
    }
}

/// Each line that it prints is one that a shell takes, and its answer has the code of a call that was taken.
#[test]
fn the_lines_to_try_call_webex_under_each_kind_of_key() {
    let it = Running::start(&["webex", "--service", "my alerts"]);
    let tries: Vec<_> = it.said.iter().filter(|line| line.starts_with("  curl ")).collect();
    for (line, expected) in tries.iter().zip(["1001", "1002", "groups", "custom_event"]) {
        let tried = Command::new("sh").args(["-c", &format!("{} -s", line.trim())]).output();
        let Ok(tried) = tried else { return eprintln!("skipped: there is no shell") };
        if tried.status.code() == Some(127) {
            return eprintln!("skipped: there is no curl");
        }
        let answered = String::from_utf8_lossy(&tried.stdout).into_owned();
        assert!(answered.contains(expected), "{line} {answered}");
    }
    assert_eq!(tries.len(), 4, "{:?}", it.said);
}

#[test]
fn a_port_that_is_in_use_is_named_and_what_to_do() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (flag, what) in [("--port", "the platform"), ("--faults-port", "the faults")] {
        let (code, text) = said(&program(&["infobip", flag, &port]).output().unwrap());
        assert_eq!(code, Some(1), "{text}");
        let expected = format!("port {port} of 127.0.0.1 is in use by another program");
        assert!(text.contains(&expected), "{text}");
        assert!(text.contains(&format!("take another port for {what}, or port 0")), "{text}");
    }
}

#[test]
fn words_that_it_does_not_know_are_named_with_the_help() {
    let check = |words: &[&str], expected: &str| {
        let (code, text) = said(&program(words).output().unwrap());
        assert!(code == Some(2) && text.contains(expected), "{words:?} {code:?} {text}");
        assert!(text.contains("auth-emulator infobip"), "{text}");
    };
    check(&[], "which platform? expected infobip, symphony or webex");
    check(&["slack"], "`slack` is unknown");
    check(&["webex", "--sliding"], "--sliding is for another platform");
    check(&["webex", "--service"], "--service needs a value");
    check(&["infobip", "symphony"], "`symphony` is unknown");
    check(&["infobip", "--bot", "symphony"], "--bot is for another platform");
    check(&["--sliding", "symphony"], "--sliding is for another platform");
    check(&["symphony", "--public-key"], "--public-key needs a value");
    check(&["infobip", "--prot", "1"], "`--prot` is unknown");
    check(&["infobip", "--port"], "--port needs a value");
    check(&["infobip", "--port", "65536"], "`65536` is no port");
    check(&["infobip", "infobip"], "`infobip` is unknown");
    let (code, text) = said(&program(&["infobip", "--user", "a:b"]).output().unwrap());
    assert!(code == Some(1) && text.contains("holds ':'"), "{text}");
    let mut help = program(&["--help"]).spawn().unwrap();
    let mut text = String::new();
    help.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(help.wait().unwrap().success() && text.contains("--faults-port"), "{text}");
}

const PUBLIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/bot.pub.pem");

#[tokio::test]
async fn a_bot_of_the_given_key_logs_in_and_its_session_is_killed_over_the_second_port() {
    use common::symphony::{KEY, send};
    let mut it = Running::start(&["--bot", "robot", "--public-key", PUBLIC, "symphony"]);
    assert!(it.told("bot").starts_with("robot, "));
    let base = it.told("platform").split(' ').next().unwrap().to_owned();
    let transport = auth_reqwest::ReqwestTransport::builder(tokio::runtime::Handle::current());
    let bot = auth_symphony::Bot::new(
        auth_symphony::SymphonyEndpoints::new(&base).unwrap(),
        auth_symphony::SymphonyLogIn::rsa("robot", KEY).unwrap(),
        auth_core::Context::new(transport.allowing_loopback().build().unwrap()),
    );
    let client = auth_reqwest::AuthClient::builder().build().unwrap();
    let (agent, path) = (bot.agent(), common::symphony::MESSAGE);
    let faults = Caller::from(it.told("faults").into(), Ipv4Addr::LOCALHOST);
    for expected in [1, 2] {
        let sent = send(&client, &base, &agent, http::Method::POST, path, "hello").await.unwrap();
        assert_eq!(sent.0, 200);
        let counts = faults.get("/counts", "").await.body;
        assert_eq!(counts["sessions_created"], expected);
        let body = r#"{"fault":"expire_sessions","endpoint":"agent"}"#;
        assert_eq!(faults.post("/faults", "", body).await.status, 201);
    }
    assert_eq!(it.interrupt(), Some(0));
}

#[test]
fn without_a_key_it_makes_none_and_says_how() {
    let (code, text) = said(&program(&["symphony"]).output().unwrap());
    assert!(code == Some(1) && text.contains("expected --public-key FILE"), "{text}");
    assert!(text.contains("openssl genrsa -out private-key.pem 4096\n"), "{text}");
    assert!(text.contains("openssl rsa -in private-key.pem -pubout -out public-key.pem"), "{text}");
    let absent = program(&["symphony", "--public-key", "/nowhere/key.pem"]).output().unwrap();
    let (code, text) = said(&absent);
    assert!(
        code == Some(1) && text.contains("public key /nowhere/key.pem cannot be read"),
        "{text}"
    );
    let private = PUBLIC.replace("bot.pub.pem", "bot.pem");
    let (code, text) = said(&program(&["symphony", "--public-key", &private]).output().unwrap());
    assert!(code == Some(1) && text.contains("public key of \"bot\" is refused"), "{text}");
    assert!(!text.contains("PRIVATE"), "{text}");
}

/// The line that it prints logs in, with the files that it has written.
#[test]
fn a_bot_logs_in_by_the_certificate_that_it_has_written() {
    let folder = std::env::temp_dir().join(format!("auth-emulator-{}", std::process::id()));
    let shown = folder.to_str().unwrap();
    let it = Running::start(&["symphony", "--bot", "my-bot", "--certificates", shown]);
    let line = it.said.iter().find(|line| line.contains("/sessionauth/v1/authenticate")).unwrap();
    let tried = Command::new("sh").args(["-c", &format!("{} -s", line.trim())]).output();
    let without = line.replace(&format!("--cert {shown}/bot.pem"), "");
    let untold = Command::new("sh").args(["-c", &format!("{} -s", without.trim())]).output();
    drop(it);
    std::fs::remove_dir_all(&folder).unwrap();
    let (Ok(tried), Ok(untold)) = (tried, untold) else {
        return eprintln!("skipped: there is no shell");
    };
    let answers = [tried, untold].map(|ran| (ran.status.code(), ran.stdout));
    if answers[0].0 == Some(127) {
        return eprintln!("skipped: there is no curl");
    }
    let answers = answers.map(|(_, said)| String::from_utf8(said).unwrap());
    assert!(answers[0].contains("\"name\":\"sessionToken\""), "{answers:?}");
    assert!(answers[1].contains("connection shows no client certificate"), "{answers:?}");
}

#[test]
fn a_key_and_a_certificate_are_not_both_taken() {
    let words = ["symphony", "--public-key", PUBLIC, "--certificates", "/nowhere"];
    let (code, text) = said(&program(&words).output().unwrap());
    assert!(code == Some(1) && text.contains("one of --public-key and --certificates"), "{text}");
    let words = ["symphony", "--certificates", "/dev/null/folder"];
    let (code, text) = said(&program(&words).output().unwrap());
    assert!(code == Some(1) && text.contains("cannot be written to /dev/null/folder"), "{text}");
}
