//! lighttpd as the receiver, with Basic and Digest.

use super::{Stage, case, receipt, text};
use auth_webhook::{Clock, SystemClock};
use conformance::{Compared, NotStarted, Place, Settings, Started};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

const REALM: &str = "realm1";

/// A server that runs until it is dropped.
pub struct Lighttpd {
    base: String,
    log: PathBuf,
    _started: Started,
}

impl Lighttpd {
    pub fn start(settings: &Settings) -> Result<Self, NotStarted> {
        let (program, tee) = (settings.peer("lighttpd")?, settings.peer("tee")?);
        let place = Place::prepare(settings, "webhook-lighttpd")?;
        let (folder, port) = (place.folder.display().to_string(), place.port);
        place.write("plain", "alice:s3cret\n")?;
        let mut paths = String::new();
        for (path, backend, algorithm) in
            [("basic", "plain", ""), ("md5", "plain", "MD5"), ("sha-256", "plain", "SHA-256")]
        {
            std::fs::create_dir_all(place.folder.join(path)).map_err(text)?;
            place.write(&format!("{path}/page"), "taken\n")?;
            let method = if algorithm.is_empty() { "basic" } else { "digest" };
            let algorithm = match algorithm {
                "" => String::new(),
                name => format!("\"algorithm\" => \"{name}\", "),
            };
            paths.push_str(&format!(
                "$HTTP[\"url\"] =~ \"^/{path}/\" {{\nauth.backend = \"{backend}\"\n\
                 auth.backend.plain.userfile = \"{folder}/plain\"\n\
                 auth.require = (\"/{path}/\" => (\"method\" => \"{method}\", {algorithm}\"realm\" => \"{REALM}\", \
                 \"require\" => \"valid-user\"))\n}}\n"
            ));
        }
        let configuration = format!(
            "server.modules = (\"mod_auth\", \"mod_authn_file\", \"mod_accesslog\")\n\
             server.document-root = \"{folder}\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
             server.errorlog = \"{folder}/errors\"\nmimetype.assign = (\"\" => \"text/plain\")\n\
             accesslog.format = \"%s %m %{{X-Hub-Signature}}i\"\naccesslog.filename = \"|{} {folder}/said\"\n{paths}",
            tee.display()
        );
        let (base, log) = (format!("http://127.0.0.1:{port}"), place.folder.join("said"));
        let started = place.start(&configuration, |file| {
            let mut command = Command::new(program);
            command.arg("-D").arg("-f").arg(file);
            command
        })?;
        Ok(Self { base, log, _started: started })
    }

    pub async fn cases(&self) -> Vec<Compared> {
        let stage = match Stage::on_this_machine() {
            Ok(stage) => stage,
            Err(why) => return vec![conformance::compare("start", "started", why)],
        };
        let basic = |user: &str, password: &str| json!({ "type": "basic", "username": user, "password": password });
        let digest = |user: &str, password: &str| json!({ "type": "digest", "username": user, "password": password });
        let mut first = json!({ "proving_first": true });
        // Its nonces begin with the time that they were made at, and without a secret of its own it asks no more of them.
        let nonce = |seconds: u64| format!("{seconds:x}:0123456789abcdef");
        let typed = |nonce: String| {
            json!({
                "realm": REALM, "nonce": nonce, "algorithm": "SHA-256", "qop": "auth", "nonce_count": "0000000a",
                "client_nonce": "typed",
            })
        };
        let now = SystemClock.now().unix();
        let (mut fresh, mut old) = (typed(nonce(now)), typed(nonce(now - 86_400)));
        for preset in [&mut first, &mut fresh, &mut old] {
            for (name, value) in digest("alice", "s3cret").as_object().into_iter().flatten() {
                preset[name] = value.clone();
            }
        }
        let (delivered, refused) = ("delivered 200", "refused 401");
        let mut cases = Vec::new();
        for (id, path, authorization, times, expected, answers) in [
            ("basic-good", "basic", basic("alice", "s3cret"), 1, delivered, "200"),
            ("basic-wrong-password", "basic", basic("alice", "guess"), 1, refused, "401"),
            ("basic-unknown-user", "basic", basic("mallory", "s3cret"), 1, refused, "401"),
            ("basic-nothing", "basic", json!({ "type": "none" }), 1, refused, "401"),
            ("digest-good", "sha-256", digest("alice", "s3cret"), 1, delivered, "401 200"),
            (
                "digest-three-times",
                "sha-256",
                digest("alice", "s3cret"),
                3,
                delivered,
                "401 200 200 200",
            ),
            ("digest-proving-first", "sha-256", first, 1, delivered, "401 unsigned 200"),
            ("digest-typed", "sha-256", fresh, 2, delivered, "200 200"),
            ("digest-typed-long-ago", "sha-256", old, 2, delivered, "401 200 200"),
            ("digest-md5-on-loopback", "md5", digest("alice", "s3cret"), 1, delivered, "401 200"),
            ("digest-wrong-password", "sha-256", digest("alice", "guess"), 1, refused, "401 401"),
            ("digest-unknown-user", "sha-256", digest("mallory", "s3cret"), 1, refused, "401 401"),
        ] {
            let expected = format!("{expected}; {answers}");
            cases.push(
                case(id, &expected, self.attempted(&stage, id, path, authorization, times)).await,
            );
        }
        cases
    }

    /// What came of the last attempt, and what the server answered to each request.
    async fn attempted(
        &self,
        stage: &Stage,
        id: &str,
        path: &str,
        authorization: Value,
        times: usize,
    ) -> Result<String, String> {
        let before = self.said(0).len();
        stage.subscribe(id, &format!("{}/{path}/page", self.base), authorization)?;
        let mut outcome = String::new();
        for _ in 0..times {
            outcome = stage.attempt(id, receipt()).await?;
        }
        let lines = self.said(before);
        let statuses: Vec<String> = lines
            .iter()
            .map(|line| {
                let status = line.split(' ').next().unwrap_or_default();
                // What only asks for a challenge has neither body nor signature.
                format!("{status}{}", if line.contains("sha256=") { "" } else { " unsigned" })
            })
            .collect();
        Ok(format!("{outcome}; {}", statuses.join(" ")))
    }

    /// The lines of its log behind so many; it writes them when it has time.
    fn said(&self, before: usize) -> Vec<String> {
        let begun = Instant::now();
        let mut seen = 0;
        loop {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<String> = log.lines().skip(before).map(str::to_owned).collect();
            let is_settled = lines.len() == seen && begun.elapsed() > Duration::from_millis(150);
            if is_settled || begun.elapsed() > Duration::from_secs(5) {
                return lines;
            }
            seen = lines.len();
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
