//! Our client against moto, a server that checks signatures as AWS does.

use auth_core::{Clock, SystemClock, Timestamp};
use auth_reqwest::AuthClient;
use auth_sigv4::{
    AccessKey, AwsService, Checksum, Payload, RawRequest, SigV4, SigV4Signer, Trailer,
};
use conformance::{Compared, Missing, NotStarted, Server, Settings, compare, free_port};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::{process::Command, time::Duration};

const REGION: &str = "eu-west-1";

/// A server that runs until it is dropped.
pub struct Moto {
    base: String,
    _server: Server,
}

/// Starts it; its first four actions are not checked, so that there can be a user with a key.
pub fn start(settings: &Settings) -> Result<Moto, NotStarted> {
    settings.own_python("moto").map_err(|_| Missing::Peer("moto".into()))?;
    let program = settings.peer("moto_server")?;
    let folder = settings.folder("moto").map_err(|error| error.to_string())?;
    let port = free_port().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    command.env("INITIAL_NO_AUTH_ACTION_COUNT", "4");
    let mut server = Server::start(&mut command, &folder.join("log"))?;
    server.ready(port, Duration::from_secs(30))?;
    Ok(Moto { base: format!("http://127.0.0.1:{port}"), _server: server })
}

/// What it says to good and to bad signatures.
pub async fn cases(moto: &Moto) -> Vec<Compared> {
    let (id, secret) = match moto.user().await {
        Ok(made) => made,
        Err(what) => return vec![compare("user", "a user with a key", what)],
    };
    let good = || AccessKey::new(&id, secret.as_str());
    let mut cases = Vec::new();
    for (kind, key, at) in [
        ("good", good(), SystemClock.now()),
        ("wrong-secret", AccessKey::new(&id, "guess"), SystemClock.now()),
        ("unknown-key", AccessKey::new("AKIAUNKNOWNUNKNOWN00", secret.as_str()), SystemClock.now()),
        ("two-hours-late", good(), SystemClock.now().before(Duration::from_secs(2 * 60 * 60))),
    ] {
        // Of a clock that is wrong it is enough to ask twice.
        let asked = if kind == "two-hours-late" { &CALLS[..2] } else { &CALLS[..] };
        for call in asked {
            let said = match &key {
                Ok(key) => moto.ask(call, key.clone(), at).await,
                Err(error) => Err(error.to_string()),
            };
            let expected = match kind {
                "good" => String::from(call.good),
                "wrong-secret" => String::from("403 SignatureDoesNotMatch"),
                "unknown-key" if call.service == "s3" => String::from("403 InvalidAccessKeyId"),
                "unknown-key" => String::from("403 InvalidClientTokenId"),
                _ if call.service == "s3" => String::from("403 RequestTimeTooSkewed"),
                _ => String::from("403 SignatureDoesNotMatch"),
            };
            let actual = said.unwrap_or_else(|error| error);
            cases.push(compare(format!("{}-{kind}", call.id), expected, actual));
        }
    }
    for (id, trailer) in [
        ("s3-chunks", Trailer::None),
        ("s3-chunks-signed-trailer", Trailer::Signed(Checksum::Crc32c)),
        ("s3-chunks-unsigned-trailer", Trailer::Unsigned(Checksum::Crc32)),
    ] {
        let actual = match good() {
            Ok(key) => moto.upload(key, trailer).await.unwrap_or_else(|error| error),
            Err(error) => error.to_string(),
        };
        cases.push(compare(id, format!("200, then 200 {CONTENT}"), actual));
    }
    cases
}

const CONTENT: &str = "a payload that is framed and signed as it goes";

struct Call<'a> {
    id: &'static str,
    service: &'static str,
    method: Method,
    target: &'static str,
    /// Name and value, but for `host`.
    headers: &'static [(&'static str, &'static str)],
    body: &'a str,
    /// Status, and what of the answer is looked for.
    good: &'static str,
}

/// What calls with a form have in common.
const FORM_CALL: Call<'static> = Call {
    id: "",
    service: "",
    method: Method::POST,
    target: "/",
    headers: &[("content-type", "application/x-www-form-urlencoded")],
    body: "",
    good: "",
};

/// What calls without a body to S3 have in common.
const GET_CALL: Call<'static> =
    Call { service: "s3", method: Method::GET, headers: &[], ..FORM_CALL };

const CALLS: [Call<'static>; 7] = [
    Call {
        id: "sts",
        service: "sts",
        body: "Action=GetCallerIdentity&Version=2011-06-15",
        good: "200 GetCallerIdentityResponse",
        ..FORM_CALL
    },
    Call {
        id: "s3-bucket",
        service: "s3",
        method: Method::PUT,
        target: "/reports",
        headers: &[],
        body: "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
               <LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>",
        good: "200",
    },
    Call {
        id: "s3-put",
        service: "s3",
        method: Method::PUT,
        target: "/reports/2026/a%20b%28c%29/%C3%A9~.txt",
        headers: &[("content-type", "text/plain"), ("x-amz-meta-note", "two   words")],
        body: "content",
        good: "200",
    },
    Call {
        id: "s3-get",
        target: "/reports/2026/a%20b%28c%29/%C3%A9~.txt?response-content-type=text%2Fx",
        good: "200 content",
        ..GET_CALL
    },
    Call {
        id: "s3-list",
        target: "/reports?list-type=2&prefix=2026%2F&delimiter=",
        good: "200 ListBucketResult",
        ..GET_CALL
    },
    Call {
        id: "sqs",
        service: "sqs",
        body: "Action=CreateQueue&QueueName=deliveries&Version=2012-11-05",
        good: "200 CreateQueueResponse",
        ..FORM_CALL
    },
    Call {
        id: "dynamodb",
        service: "dynamodb",
        headers: &[
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", "DynamoDB_20120810.ListTables"),
        ],
        body: "{}",
        good: "200 TableNames",
        ..FORM_CALL
    },
];

impl Moto {
    /// The id and secret of a user who may do everything.
    async fn user(&self) -> Result<(String, String), String> {
        const POLICY: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22\
                              %2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
        let policy = format!("PutUserPolicy&UserName=demo&PolicyName=all&PolicyDocument={POLICY}");
        let mut made = String::new();
        for action in
            ["CreateUser&UserName=demo", "CreateAccessKey&UserName=demo", &policy, "ListUsers"]
        {
            let body = format!("Action={action}&Version=2010-05-08");
            let call = Call { service: "iam", body: &body, ..FORM_CALL };
            let key = AccessKey::new("AKIANOBODY", "nothing").map_err(text)?;
            let said = self.send(&call, key, SystemClock.now()).await?;
            if said.0 != 200 {
                return Err(format!("{action}: {} {}", said.0, said.1));
            }
            made.push_str(&said.1);
        }
        let element = |name: &str| {
            let behind = made.split(&format!("<{name}>")).nth(1)?;
            behind.split('<').next().map(str::to_owned)
        };
        Ok((
            element("AccessKeyId").ok_or("no AccessKeyId")?,
            element("SecretAccessKey").ok_or("no SecretAccessKey")?,
        ))
    }

    /// `200` and what was looked for, or the status and the code of the error.
    async fn ask(&self, call: &Call<'_>, key: AccessKey, at: Timestamp) -> Result<String, String> {
        let (status, said) = self.send(call, key, at).await?;
        let (wanted, sought) = call.good.split_once(' ').unwrap_or((call.good, ""));
        if status.to_string() == wanted && said.contains(sought) {
            return Ok(call.good.to_owned());
        }
        Ok(format!("{status} {}", code(&said)))
    }

    /// Status and body of the answer.
    async fn send(
        &self,
        call: &Call<'_>,
        key: AccessKey,
        at: Timestamp,
    ) -> Result<(u16, String), String> {
        let sigv4 = SigV4::new(key, REGION, AwsService::named(call.service), at).map_err(text)?;
        let headers = call
            .headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let client = AuthClient::builder().build().map_err(text)?;
        let url = format!("{}{}", self.base, call.target);
        let request = client.http().request(call.method.clone(), url).headers(headers.collect());
        let request = request.body(call.body.to_owned()).build().map_err(text)?;
        let answer = client.send(&sigv4, request).await.map_err(text)?;
        Ok((answer.status().as_u16(), answer.text().await.map_err(text)?))
    }

    /// Puts an object chunk by chunk, and gets it again.
    async fn upload(&self, key: AccessKey, trailer: Trailer) -> Result<String, String> {
        let host = self.base.trim_start_matches("http://");
        let signer = SigV4Signer::new(key.clone(), REGION, AwsService::S3).map_err(text)?;
        let request = RawRequest {
            method: "PUT",
            target: b"/reports/chunks",
            headers: &[("host", host.as_bytes())],
            payload: Payload::Streamed,
        };
        let length = u64::try_from(CONTENT.len()).map_err(text)?;
        let mut stream =
            signer.sign_stream(&request, SystemClock.now(), length, trailer).map_err(text)?;
        let mut wire = stream.chunks.update(CONTENT.as_bytes());
        wire.extend(stream.chunks.finish());
        let fields: HeaderMap = stream.fields.into_iter().collect();
        let client = AuthClient::builder().build().map_err(text)?;
        let put = client.http().put(format!("{}/reports/chunks", self.base)).headers(fields);
        let put = put.body(wire).send().await.map_err(text)?;
        let status = put.status().as_u16();
        if status != 200 {
            return Ok(format!("{status} {}", code(&put.text().await.map_err(text)?)));
        }
        let get = Call { method: Method::GET, target: "/reports/chunks", ..GET_CALL };
        let (then, said) = self.send(&get, key, SystemClock.now()).await?;
        Ok(format!("{status}, then {then} {said}"))
    }
}

/// The code of an error, in XML or JSON.
fn code(said: &str) -> &str {
    let between = |begin: &str, end: char| said.split(begin).nth(1)?.split(end).next();
    between("<Code>", '<')
        .or_else(|| between("\"__type\": \"", '"'))
        .or_else(|| between("\"__type\":\"", '"'))
        .unwrap_or(said)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
