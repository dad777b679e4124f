//! moto as the receiver: it checks signatures as AWS does.

use super::{Stage, case, text};
use auth_core::{Exchange, Transport};
use auth_reqwest::ReqwestTransport;
use auth_webhook::WebhookDelivery;
use conformance::{Compared, Missing, NotStarted, Server, Settings, compare, free_port};
use http::Request;
use serde_json::{Value, json};
use std::{process::Command, time::Duration};
use tokio::runtime::Handle;

/// A server that runs until it is dropped.
pub struct Moto {
    base: String,
    _server: Server,
}

impl Moto {
    /// Starts it; its first four actions are not checked, so that there can be a user with a key.
    pub fn start(settings: &Settings) -> Result<Self, NotStarted> {
        settings.own_python("moto").map_err(|_| Missing::Peer("moto".into()))?;
        let program = settings.peer("moto_server")?;
        let folder = settings.folder("webhook-moto").map_err(|error| error.to_string())?;
        let port = free_port().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.env("INITIAL_NO_AUTH_ACTION_COUNT", "4");
        let mut server = Server::start(&mut command, &folder.join("log"))?;
        server.ready(port, Duration::from_secs(30))?;
        Ok(Self { base: format!("http://127.0.0.1:{port}"), _server: server })
    }

    /// Deliveries that services of AWS take.
    pub async fn cases(&self) -> Vec<Compared> {
        let (stage, (id, secret)) = match (Stage::on_this_machine(), self.user().await) {
            (Ok(stage), Ok(user)) => (stage, user),
            (Err(why), _) | (_, Err(why)) => return vec![compare("start", "a user", why)],
        };
        const QUEUE: &str = "Action=CreateQueue&QueueName=receipts&Version=2012-11-05";
        const MESSAGE: &str = "Action=SendMessage&QueueUrl=http%3A%2F%2F127.0.0.1%2F123456789012%2Freceipts\
                               &MessageBody=%7B%22status%22%3A%22delivered+%E2%98%8E%22%7D&Version=2012-11-05";
        const TOPIC: &str = "Action=CreateTopic&Name=receipts&Version=2010-03-31";
        const IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
        let aws = |key: &str, secret: &str, service: &str| {
            json!({
                "type": "aws_signature", "access_key": key, "secret_key": secret, "region": "eu-west-1",
                "service_name": service,
            })
        };
        let (good, refused) = ("delivered 200", "refused 403");
        let mut cases = Vec::new();
        for (name, path, authorization, body, expected) in [
            ("sts", "/", aws(&id, &secret, "sts"), IDENTITY, good),
            (
                "sts-with-a-query",
                "/?b=2&a=%C3%A9%20x&a=1",
                aws(&id, &secret, "sts"),
                IDENTITY,
                good,
            ),
            // Some receivers sign a plus as a blank and some as a plus: it has to be encoded.
            (
                "sts-with-a-plus",
                "/?a=b+c",
                aws(&id, &secret, "sts"),
                IDENTITY,
                "no_token sigv4_ambiguous_target",
            ),
            ("sqs-queue", "/", aws(&id, &secret, "sqs"), QUEUE, good),
            ("sqs-message", "/123456789012/receipts", aws(&id, &secret, "sqs"), MESSAGE, good),
            ("sns-topic", "/", aws(&id, &secret, "sns"), TOPIC, good),
            ("wrong-secret", "/", aws(&id, "guess", "sqs"), QUEUE, refused),
            ("unknown-key", "/", aws("AKIAUNKNOWNUNKNOWN00", &secret, "sqs"), QUEUE, refused),
        ] {
            let run = self.attempted(&stage, name, path, authorization, body);
            cases.push(case(name, expected, run).await);
        }
        cases
    }

    async fn attempted(
        &self,
        stage: &Stage,
        name: &str,
        path: &str,
        authorization: Value,
        body: &str,
    ) -> Result<String, String> {
        stage.subscribe(name, &format!("{}{path}", self.base), authorization)?;
        stage.attempt(name, WebhookDelivery::form(name, body)).await
    }

    /// The id and secret of a user who may do everything.
    async fn user(&self) -> Result<(String, String), String> {
        const POLICY: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22\
                              %2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
        // It reads from here which service is meant, and does not check it yet.
        const UNCHECKED: &str = "AWS4-HMAC-SHA256 Credential=AKIANOBODY/20260101/us-east-1/iam/aws4_request, \
                                 SignedHeaders=host, Signature=0";
        let transport = ReqwestTransport::builder(Handle::current()).allowing_loopback().build();
        let transport = transport.map_err(text)?;
        let policy = format!("PutUserPolicy&UserName=hooks&PolicyName=all&PolicyDocument={POLICY}");
        let mut made = String::new();
        for action in
            ["CreateUser&UserName=hooks", "CreateAccessKey&UserName=hooks", &policy, "ListUsers"]
        {
            let body = format!("Action={action}&Version=2010-05-08").into_bytes();
            let request = Request::post(format!("{}/", self.base))
                .header("content-type", "application/x-www-form-urlencoded")
                .header("authorization", UNCHECKED);
            let exchange = Exchange::new(request.body(body).map_err(text)?);
            let answer = transport.fetch(exchange).await.map_err(text)?;
            let said = String::from_utf8_lossy(answer.body()).into_owned();
            if answer.status() != 200 {
                return Err(format!("{action}: {} {said}", answer.status()));
            }
            made.push_str(&said);
        }
        let element = |name: &str| {
            let behind = made.split(&format!("<{name}>")).nth(1)?;
            behind.split('<').next().map(str::to_owned)
        };
        let id = element("AccessKeyId").ok_or("no AccessKeyId")?;
        Ok((id, element("SecretAccessKey").ok_or("no SecretAccessKey")?))
    }
}
