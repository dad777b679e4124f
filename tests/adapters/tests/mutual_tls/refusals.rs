//! What is wrong with a certificate is named, and nothing is tried again in vain.

use super::{
    Counted,
    authority::{Authority, Good},
    server::{Server, Settings, TLS_1_2, TLS_1_3},
};
use auth_core::{Context, Error, Transport};
use auth_emulator::{RunningSymphony, Symphony};
use auth_outbound::{ClientIdentity, TlsSettings, TransportBuilder};
use auth_symphony::{Bot, SymphonyEndpoints, SymphonyLogIn};
use tokio::runtime::Handle;

/// A log-in at this port with this identity: its error, and how often it was tried.
async fn refused<T: Transport + 'static>(
    adapter: TransportBuilder<T>,
    url: &str,
    trusting: &TlsSettings,
    identity: Option<&ClientIdentity>,
) -> (Error, (usize, usize)) {
    let tls = match identity {
        Some(identity) => trusting.clone().with_identity(identity.clone()),
        None => trusting.clone(),
    };
    let transport = Counted::over(adapter.allowing_loopback().with_tls(tls).build().unwrap());
    let endpoints = SymphonyEndpoints::new(url).unwrap();
    let bot = Bot::new(endpoints, SymphonyLogIn::certificate(), Context::new(transport.clone()));
    let client = auth_reqwest::AuthClient::builder().build().unwrap();
    let mut error = None;
    // The second request is told what the first one was, without another attempt.
    for _ in 0..2 {
        let request = client.http().get(format!("{url}/pod/v2/sessioninfo")).build().unwrap();
        error = Some(client.send(&bot.pod(), request).await.unwrap_err());
    }
    (error.unwrap(), transport.counts())
}

/// The system's authorities are read once for all clones.
fn trusting(pem: &str) -> TlsSettings {
    TlsSettings::system().with_authorities(pem.as_bytes()).unwrap()
}

async fn symphony(clients: &Authority) -> RunningSymphony {
    let builder = Symphony::builder().with_certificate_bot("my-bot");
    builder.with_client_authorities(&clients.pem()).start().await.unwrap()
}

/// How often a log-in may be tried.
///
/// In TLS 1.3 a client has finished its handshake before the server has judged its certificate. Where the alert comes before
/// the request is on the connection, hyper says that the connection was not ready and nothing of the alert, so that the next
/// attempt has to find out.
#[derive(Clone, Copy)]
enum Attempts {
    One,
    UpToThree,
}

impl Attempts {
    #[track_caller]
    fn check(self, (fetches, pauses): (usize, usize), shown: &str) {
        let most = match self {
            Self::One => 1,
            Self::UpToThree => 3,
        };
        assert!((1..=most).contains(&fetches) && pauses + 1 == fetches, "{fetches} {shown}");
    }
}

async fn check<T: Transport + 'static>(
    adapter: impl Fn() -> TransportBuilder<T>,
    attempts: Attempts,
) {
    let (authority, other) = (Authority::new("authority"), Authority::new("other"));
    let symphony = symphony(&authority).await;
    let trusting = trusting(&symphony.authority());
    let (log_in, tls) = ("symphony_log_in", "tls_client_certificate");
    let client = |name: &str, good| Some(authority.client(name, good));
    for (identity, code, says) in [
        (client("stranger", Good::Now), log_in, "common name is not the user name of a bot"),
        (client("My-Bot", Good::Now), log_in, "(case matters)"),
        (None, log_in, "the transport shows no certificate"),
        (client("my-bot", Good::Before), tls, "it has expired"),
        (client("my-bot", Good::Later), tls, "or is not valid yet"),
        (
            Some(other.client("my-bot", Good::Now)),
            tls,
            "an authority that the server does not trust",
        ),
    ] {
        let url = symphony.certificate_url();
        let (error, counts) = refused(adapter(), &url, &trusting, identity.as_ref()).await;
        let shown = error.to_string();
        assert!(matches!(error, Error::Refused(_)), "{error:?}");
        assert!(error.code() == code && shown.contains(says), "{shown}");
        // An answer is no alert: it cannot be lost in this way.
        let attempts = if code == log_in { Attempts::One } else { attempts };
        attempts.check(counts, &shown);
    }
    assert_eq!(symphony.counts().sessions_created, 0);
}

/// A server that takes nobody without a certificate says so in the handshake.
async fn check_demanded<T: Transport + 'static>(
    adapter: impl Fn() -> TransportBuilder<T>,
    hangs_up: bool,
    attempts: Attempts,
) {
    let (authority, other) = (Authority::new("authority"), Authority::new("other"));
    let trusting = trusting(&authority.pem());
    for versions in [TLS_1_2, TLS_1_3] {
        for (identity, says) in [
            (None, "wants a client certificate and was shown none"),
            (Some(authority.client("my-bot", Good::Before)), "it has expired"),
            (Some(other.client("my-bot", Good::Now)), "does not trust"),
        ] {
            // The alert must be found though the request was on its way when it was sent.
            for _ in 0..20 {
                let settings =
                    Settings { versions, demands: true, hangs_up, ..Settings::default() };
                let server = Server::start(&authority, settings).await;
                let url = server.url();
                let (error, counts) = refused(adapter(), &url, &trusting, identity.as_ref()).await;
                let shown = error.to_string();
                assert_eq!(error.code(), "tls_client_certificate", "{shown}");
                assert!(shown.contains(says) && shown.contains(&url), "{shown}");
                attempts.check(counts, &shown);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reqwest_tells_why_a_certificate_was_refused() {
    let runtime = Handle::current();
    let adapter = move || auth_reqwest::ReqwestTransport::builder(runtime.clone());
    check(adapter, Attempts::UpToThree).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ureq_tells_why_a_certificate_was_refused() {
    check(auth_ureq::UreqTransport::builder, Attempts::One).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reqwest_tells_that_a_certificate_is_demanded() {
    let runtime = Handle::current();
    let adapter = move || auth_reqwest::ReqwestTransport::builder(runtime.clone());
    check_demanded(adapter, false, Attempts::UpToThree).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ureq_tells_that_a_certificate_is_demanded() {
    check_demanded(auth_ureq::UreqTransport::builder, false, Attempts::One).await;
}

/// A write fails then, before what the server has said is read.
#[tokio::test(flavor = "multi_thread")]
async fn ureq_tells_why_a_server_has_hung_up() {
    check_demanded(auth_ureq::UreqTransport::builder, true, Attempts::One).await;
}
