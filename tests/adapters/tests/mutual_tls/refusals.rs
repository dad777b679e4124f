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
    trusted: &str,
    identity: Option<&ClientIdentity>,
) -> (Error, (usize, usize)) {
    let mut tls = TlsSettings::system().with_authorities(trusted.as_bytes()).unwrap();
    if let Some(identity) = identity {
        tls = tls.with_identity(identity.clone());
    }
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

async fn symphony(clients: &Authority) -> RunningSymphony {
    let builder = Symphony::builder().with_certificate_bot("my-bot");
    builder.with_client_authorities(&clients.pem()).start().await.unwrap()
}

async fn check<T: Transport + 'static>(adapter: impl Fn() -> TransportBuilder<T>) {
    let (authority, other) = (Authority::new("authority"), Authority::new("other"));
    let symphony = symphony(&authority).await;
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
        let (url, trusted) = (symphony.certificate_url(), symphony.authority());
        let (error, counts) = refused(adapter(), &url, &trusted, identity.as_ref()).await;
        let shown = error.to_string();
        assert!(matches!(error, Error::Refused(_)), "{error:?}");
        assert!(error.code() == code && shown.contains(says), "{shown}");
        assert_eq!(counts, (1, 0), "{shown}");
    }
    // Somebody is let in, or all of this would show nothing.
    assert_eq!(symphony.counts().sessions_created, 0);
}

/// A server that takes nobody without a certificate says so in the handshake.
async fn check_demanded<T: Transport + 'static>(adapter: impl Fn() -> TransportBuilder<T>) {
    let (authority, other) = (Authority::new("authority"), Authority::new("other"));
    for versions in [TLS_1_2, TLS_1_3] {
        for (identity, says) in [
            (None, "wants a client certificate and was shown none"),
            (Some(authority.client("my-bot", Good::Before)), "it has expired"),
            (Some(other.client("my-bot", Good::Now)), "does not trust"),
        ] {
            // The alert must be found though the request was on its way when it was sent.
            for _ in 0..20 {
                let settings = Settings { versions, demands: true, ..Settings::default() };
                let server = Server::start(&authority, settings).await;
                let (url, trusted) = (server.url(), authority.pem());
                let (error, counts) = refused(adapter(), &url, &trusted, identity.as_ref()).await;
                let shown = error.to_string();
                assert_eq!(error.code(), "tls_client_certificate", "{shown}");
                assert!(shown.contains(says) && shown.contains(&url), "{shown}");
                assert_eq!(counts, (1, 0), "{shown}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reqwest_tells_why_a_certificate_was_refused() {
    let runtime = Handle::current();
    check(move || auth_reqwest::ReqwestTransport::builder(runtime.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ureq_tells_why_a_certificate_was_refused() {
    check(auth_ureq::UreqTransport::builder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reqwest_tells_that_a_certificate_is_demanded() {
    let runtime = Handle::current();
    check_demanded(move || auth_reqwest::ReqwestTransport::builder(runtime.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ureq_tells_that_a_certificate_is_demanded() {
    check_demanded(auth_ureq::UreqTransport::builder).await;
}
