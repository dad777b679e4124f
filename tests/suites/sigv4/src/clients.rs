//! Real clients against our verifier: what it decided, and what arrived.

use super::doors::{Doors, ID, LENIENT, REGION, SECRET, TEMPORARY_ID, TOKEN};
use conformance::{Compared, Told, compare, output, script};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const CONTENT: &str = "an object: \u{e9}, and so on";
const GOOD: &str = "acme";

/// What the clients call, and a folder with the certificate that they are to trust.
pub struct Client<'a> {
    pub doors: &'a Doors,
    pub folder: PathBuf,
}

impl Client<'_> {
    /// boto3: signed uploads, uploads in chunks over TLS, temporary keys; and what it presigns, opened with plain curl.
    pub fn boto3(&self, python: &Path, curl: &Path) -> Vec<Compared> {
        let odd = "2026/a b(c)/\u{e9}~+%41.txt";
        let http = json!({ "endpoint": format!("http://{}", self.doors.plain) });
        let tls = json!({
            "endpoint": format!("https://localhost:{}", self.doors.tls.port()),
            "certificate": self.folder.join("certificate"),
        });
        let strict = json!({ "bucket": "reports", "key": odd, "content": CONTENT });
        let lenient = json!({ "bucket": LENIENT, "key": odd, "content": CONTENT });
        let temporary = json!({ "id": TEMPORARY_ID, "token": TOKEN });
        let arrived = format!("{GOOD} put {CONTENT}");
        let mut cases = Vec::new();
        for (id, what, parts, expected) in [
            ("put", "put", vec![&http, &strict], arrived.as_str()),
            ("get", "get", vec![&http, &strict], GOOD),
            ("put-tls-stream-strict", "stream", vec![&tls, &strict], "sigv4_unsigned_payload"),
            ("put-tls-stream", "stream", vec![&tls, &lenient], &arrived),
            ("put-tls-bytes", "put", vec![&tls, &lenient], &arrived),
            ("put-stream", "stream", vec![&http, &strict], &arrived),
            (
                "put-session",
                "put",
                vec![&http, &strict, &temporary],
                "a session put an object: \u{e9}, and so on",
            ),
            ("identity", "identity", vec![&http], GOOD),
            (
                "wrong-secret",
                "put",
                vec![&http, &strict, &json!({ "secret": "guess" })],
                "sigv4_signature",
            ),
            (
                "unknown-key",
                "put",
                vec![&http, &strict, &json!({ "id": "AKIDSTRANGER" })],
                "sigv4_key",
            ),
            (
                "wrong-token",
                "put",
                vec![&http, &strict, &temporary, &json!({ "token": "x" })],
                "sigv4_token",
            ),
            (
                "wrong-region",
                "get",
                vec![&http, &strict, &json!({ "region": "us-east-1" })],
                "sigv4_scope_region",
            ),
            ("late", "get", vec![&http, &strict, &json!({ "hours_behind": 2 })], "sigv4_date_past"),
            (
                "early",
                "get",
                vec![&http, &strict, &json!({ "hours_behind": -2 })],
                "sigv4_date_future",
            ),
        ] {
            self.boto(python, what, &parts);
            cases.push(compare(id, expected, self.decided()));
        }
        let hour = json!({ "expires": 3600 });
        let url = |parts: &[&Value]| self.boto(python, "presign", parts);
        let good = url(&[&http, &strict, &hour]);
        let past = url(&[&http, &strict, &hour, &json!({ "hours_behind": 2 })]);
        let session = url(&[&http, &strict, &hour, &temporary]);
        let put = |parts: &[&Value]| self.boto(python, "presign put", parts);
        let (put_strict, put) = (put(&[&http, &strict, &hour]), put(&[&http, &lenient, &hour]));
        let longer = good.replace("X-Amz-Expires=3600", "X-Amz-Expires=36000");
        let other = good.replace("/2026/", "/2025/");
        let twice = format!("{good}&X-Amz-Expires=36000");
        for (id, url, upload, expected) in [
            ("presigned", good.as_str(), None, GOOD),
            ("presigned-session", &session, None, "a session"),
            ("presigned-put", &put, Some(CONTENT), &arrived),
            ("presigned-put-strict", &put_strict, Some(CONTENT), "sigv4_unsigned_payload"),
            ("presigned-expired", &past, None, "sigv4_url_expired"),
            ("presigned-made-to-last", &longer, None, "sigv4_signature"),
            ("presigned-other-object", &other, None, "sigv4_signature"),
            ("presigned-parameter-twice", &twice, None, "sigv4_query"),
        ] {
            let mut command = Command::new(curl);
            command.args(["--silent", "--noproxy", "*", "--output", "/dev/null", "--globoff"]);
            if let Some(content) = upload {
                command.args(["--request", "PUT", "--data-binary", content]);
                command.args(["--header", "content-type:"]);
            }
            run(command.arg(url));
            cases.push(compare(id, expected, self.decided()));
        }
        cases
    }

    fn boto(&self, python: &Path, what: &str, parts: &[&Value]) -> String {
        let mut call = json!({
            "do": what, "service": if what == "identity" { "sts" } else { "s3" },
            "region": REGION, "id": ID, "secret": SECRET,
        });
        for part in parts {
            for (name, value) in part.as_object().into_iter().flatten() {
                call[name] = value.clone();
            }
        }
        let mut command = Command::new(python);
        command.args([script("sigv4_boto3.py"), call.to_string()]);
        for name in ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "AWS_PROFILE"] {
            command.env_remove(name);
        }
        run(command.env("NO_PROXY", "*"))
    }

    /// curl with `--aws-sigv4`.
    pub fn curl(&self, curl: &Path) -> Vec<Compared> {
        let api = "execute-api";
        let mut cases = Vec::new();
        for (id, service, credentials, target, more, expected) in [
            ("get", api, (ID, SECRET), "/api/a/b", vec![], GOOD),
            ("post", api, (ID, SECRET), "/api/a", vec!["--data-binary", CONTENT], GOOD),
            (
                "post-content-type",
                api,
                (ID, SECRET),
                "/api/a",
                vec!["--data-binary", CONTENT, "--header", "content-type: text/plain"],
                GOOD,
            ),
            ("query-in-order", api, (ID, SECRET), "/api/a?a=1&b=2", vec![], GOOD),
            ("query-out-of-order", api, (ID, SECRET), "/api/a?b=2&a=1", vec![], GOOD),
            ("query-to-be-encoded", api, (ID, SECRET), "/api/a?a=b:c", vec![], GOOD),
            ("query-without-value", api, (ID, SECRET), "/api/a?a", vec![], GOOD),
            ("path-to-be-encoded", api, (ID, SECRET), "/api/a%20b", vec![], GOOD),
            ("field", api, (ID, SECRET), "/api/a", vec!["--header", "x-amz-meta-a: b"], GOOD),
            ("s3", "s3", (ID, SECRET), "/reports/x", vec![], GOOD),
            ("wrong-secret", api, (ID, "guess"), "/api/a", vec![], "sigv4_signature"),
            ("unknown-key", api, ("AKIDSTRANGER", SECRET), "/api/a", vec![], "sigv4_key"),
            ("other-service", "sns", (ID, SECRET), "/api/a", vec![], "sigv4_scope_service"),
            ("nothing", "", ("", ""), "/api/a", vec![], "sigv4_missing"),
        ] {
            let mut command = Command::new(curl);
            command.args(["--silent", "--noproxy", "*", "--output", "/dev/null", "--globoff"]);
            if !service.is_empty() {
                command.args(["--aws-sigv4", &format!("aws:amz:{REGION}:{service}")]);
                command.args(["--user", &format!("{}:{}", credentials.0, credentials.1)]);
            }
            run(command.args(more).arg(format!("http://{}{target}", self.doors.plain)));
            cases.push(compare(id, expected, self.decided()));
        }
        cases
    }

    /// s3cmd, which signs uploads whole.
    pub fn s3cmd(&self, s3cmd: &Path) -> Vec<Compared> {
        let file = self.folder.join("file");
        if let Err(error) = std::fs::write(&file, CONTENT) {
            return vec![compare("file", "written", error)];
        }
        let (file, to) =
            (file.display().to_string(), self.folder.join("got").display().to_string());
        let arrived = format!("{GOOD} put {CONTENT}");
        let mut cases = Vec::new();
        for (id, (key, secret), words, expected) in [
            (
                "put",
                (ID, SECRET),
                vec!["put", &file, "s3://reports/a b(c)/\u{e9}~+.txt"],
                arrived.as_str(),
            ),
            (
                "get",
                (ID, SECRET),
                vec!["get", "--force", "s3://reports/a b(c)/\u{e9}~+.txt", &to],
                GOOD,
            ),
            ("list", (ID, SECRET), vec!["ls", "s3://reports/a b/"], GOOD),
            (
                "wrong-secret",
                (ID, "guess"),
                vec!["put", &file, "s3://reports/x"],
                "sigv4_signature",
            ),
            (
                "unknown-key",
                ("AKIDSTRANGER", SECRET),
                vec!["put", &file, "s3://reports/x"],
                "sigv4_key",
            ),
        ] {
            let host = self.doors.plain.to_string();
            let mut command = Command::new(s3cmd);
            command.args(["-c", "/dev/null", "--no-ssl", "--no-check-md5"]);
            command.args(["--region", REGION, "--host", &host, "--host-bucket", &host]);
            command.args([format!("--access_key={key}"), format!("--secret_key={secret}")]);
            run(command.args(words).env("NO_PROXY", "*").env("no_proxy", "*"));
            cases.push(compare(id, expected, self.decided()));
        }
        cases
    }

    /// Who was accepted and what was put, or why not.
    fn decided(&self) -> String {
        match self.doors.log.told() {
            Some(Told::Accepted(who)) => who,
            Some(Told::Refused(code)) => code.to_owned(),
            None => String::from("nothing came"),
        }
    }
}

/// What it printed.
fn run(command: &mut Command) -> String {
    match output(command, Duration::from_secs(30)) {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(what) => what,
    }
}
