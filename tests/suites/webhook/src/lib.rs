//! Webhooks: signatures of others and for others, others that call our receiver, and our sender at receivers of others.

mod peer;
mod receiver;
mod sender;
mod signatures;

use conformance::{Compared, NotStarted, Outcome, Suite, asked, broken, ran, suite};
use sender::{Lighttpd, Moto, Nginx, Provider};

/// Every suite of webhooks. A new one is an entry here.
pub const SUITES: &[Suite] = &[
    suite("webhook-standardwebhooks", WEBHOOKS, "standardwebhooks", |settings| {
        compared(signatures::standardwebhooks(settings))
    }),
    suite("webhook-standardwebhooks-node", WEBHOOKS, "standardwebhooks for Node", |settings| {
        compared(signatures::standardwebhooks_for_node(settings))
    }),
    suite("webhook-cryptography", WEBHOOKS, "cryptography", |settings| {
        compared(signatures::cryptography(settings))
    }),
    suite("webhook-hmac", WEBHOOKS, "Python", |settings| compared(signatures::python(settings))),
    suite("webhook-node", WEBHOOKS, "Node", |settings| compared(signatures::node(settings))),
    suite("webhook-twilio", WEBHOOKS, "twilio", |settings| compared(signatures::twilio(settings))),
    suite("webhook-jwcrypto", WEBHOOKS, "jwcrypto", |settings| {
        compared(signatures::jwcrypto(settings))
    }),
    suite("webhook-joserfc", WEBHOOKS, "joserfc", |settings| {
        compared(signatures::joserfc(settings))
    }),
    suite("webhook-curl", WEBHOOKS, "curl", |settings| compared(receiver::curl(settings))),
    suite("webhook-requests", WEBHOOKS, "requests", |settings| {
        compared(receiver::requests(settings))
    }),
    suite("webhook-boto3", WEBHOOKS, "boto3", |settings| compared(receiver::boto3(settings))),
    suite("webhook-lighttpd", WEBHOOKS, "lighttpd", |settings| {
        asked(Lighttpd::start(settings), async |server: &Lighttpd| server.cases().await)
    }),
    suite("webhook-moto", WEBHOOKS, "moto", |settings| {
        asked(Moto::start(settings), async |server: &Moto| server.cases().await)
    }),
    suite("webhook-oidc-provider", WEBHOOKS, "oidc-provider", |settings| {
        asked(Provider::start(settings), async |server: &Provider| server.cases().await)
    }),
    suite("webhook-nginx", WEBHOOKS, "nginx", |settings| {
        asked(Nginx::start(settings), async |server: &Nginx| server.cases().await)
    }),
    suite("webhook-sender", WEBHOOKS, "own servers", |_| sender::at_own_servers()),
    suite("webhook-symphony", WEBHOOKS, "Symphony", |_| {
        compared(signatures::vendor().map_err(NotStarted::from))
    }),
];

const WEBHOOKS: &str = "Webhooks";

fn compared(cases: Result<Vec<Compared>, NotStarted>) -> Outcome {
    match cases {
        Ok(cases) => ran(cases),
        Err(NotStarted::Missing(missing)) => Outcome::Skipped(missing),
        Err(NotStarted::Failed(what)) => broken(what),
    }
}
