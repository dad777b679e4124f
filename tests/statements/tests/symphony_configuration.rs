//! Document 004: the configuration of the vendor's kit, at an installation with TLS, an authority of its own and proxies.

mod installation;

use auth_core::{Context, Transport, send};
use auth_local::{ConfigurationFile, environment_variable, read_named_file};
use auth_outbound::{TransportBuilder, configured_transport};
use auth_reqwest::ReqwestTransport;
use auth_symphony::{App, BdkConfig, Bot};
use auth_ureq::UreqTransport;
use http::Request;
use installation::Installation;
use std::sync::Arc;
use tokio::runtime::Handle;

/// A bot of this file, and the transport that it was made for.
fn bot<T: Transport + 'static>(
    config: &BdkConfig,
    begin: impl Fn() -> TransportBuilder<T>,
) -> (Bot, Arc<dyn Transport>) {
    let routes = config.routes(config.bot.as_ref(), read_named_file).unwrap();
    // The agent is on this machine.
    let transport = configured_transport(routes, || begin().allowing_loopback()).unwrap();
    let context = Context::new(Arc::clone(&transport));
    (Bot::configured(config, context, read_named_file).unwrap(), transport)
}

fn read(installation: &Installation, text: &str) -> BdkConfig {
    let file = ConfigurationFile::read(installation.file("config.yaml", text)).unwrap();
    let config = BdkConfig::parse(file.text(), environment_variable).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    config
}

/// The key is named as it is seen from the working directory, which is that of this crate. `CARGO_PKG_NAME` is a variable
/// that Cargo sets for tests.
fn with_a_key(installation: &Installation) -> String {
    let Installation { proxy_of_pod, proxy_of_keys, agent, .. } = installation;
    format!(
        "
host: pod.acme.example
readTimeout: 20000
retry: {{maxAttempts: 1}}
pod:
  proxy: {{host: 127.0.0.1, port: {proxy_of_pod}, username: me, password: 'pa:55'}}
  defaultHeaders: {{X-Gateway-Key: 'of ${{CARGO_PKG_NAME}} at the pod'}}
keyManager:
  host: keys.acme.example
  proxy: {{host: 127.0.0.1, port: {proxy_of_keys}}}
  defaultHeaders: {{X-Gateway-Key: '${{NO_SUCH_VARIABLE:-of the key manager}}'}}
agent: {{host: localhost, port: {agent}}}
bot:
  username: bot
  privateKey: {{path: ../demo/src/bot.pem}}
"
    )
}

async fn check_components<T: Transport + 'static>(begin: impl Fn() -> TransportBuilder<T>) {
    let installation = Installation::start().await;
    let trusting = format!(
        "{}ssl: {{trustStore: {{path: '{}'}}}}\n",
        with_a_key(&installation),
        installation.authorities()
    );
    let config = read(&installation, &trusting);
    let (bot, transport) = bot(&config, begin);
    let request = || {
        let url = config.endpoints.agent_url("/agent/v4/stream/s1/message/create").unwrap();
        Request::post(url).body(b"hello".to_vec()).unwrap()
    };
    for _ in 0..2 {
        let answer = send(&transport, &bot.agent(), request().into()).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let info = config.endpoints.pod_url("/pod/v2/sessioninfo").unwrap();
    let info = Request::get(info).body(Vec::new()).unwrap();
    assert_eq!(send(&transport, &bot.pod(), info.into()).await.unwrap().status(), 200);
    let message = "agent /agent/v4/stream/s1/message/create with - by nobody";
    let expected = [
        "proxy of pod to pod.acme.example:443 for Basic bWU6cGE6NTU=",
        "pod /login/pubkey/authenticate with of statements at the pod by nobody",
        "proxy of keys to keys.acme.example:443 for -",
        "keys /relay/pubkey/authenticate with of the key manager by nobody",
        message,
        message,
        "pod /pod/v2/sessioninfo with of statements at the pod by nobody",
    ];
    assert_eq!(installation.seen(), expected);
}

/// The installation's authority is of its own: without the trust store nothing is connected to.
async fn check_trust<T: Transport + 'static>(begin: impl Fn() -> TransportBuilder<T>) {
    let installation = Installation::start().await;
    let (bot, _) = bot(&read(&installation, &with_a_key(&installation)), begin);
    let error = bot.session_token().await.unwrap_err();
    assert!(format!("{error:?}").to_lowercase().contains("certificate"), "{error:?}");
    assert!(installation.seen().iter().all(|seen| seen.starts_with("proxy")));
}

/// A bot and an app with a certificate each: they are shown where log-ins by certificate go, each on connections of its own.
async fn check_certificates<T: Transport + 'static>(begin: impl Fn() -> TransportBuilder<T>) {
    let installation = Installation::start().await;
    let [bot_file, app_file] = ["greeter", "greeter-app"].map(|name| installation.client(name));
    let Installation { certificates, agent, .. } = &installation;
    let config = read(
        &installation,
        &format!(
            "
host: localhost
port: {agent}
sessionAuth: {{port: {certificates}}}
keyManager: {{port: {certificates}}}
bot: {{username: greeter, certificate: {{path: '{bot_file}'}}}}
app: {{appId: greeter-app, certificate: {{path: '{app_file}'}}}}
ssl: {{trustStore: {{path: '{}'}}}}
",
            installation.authorities()
        ),
    );
    let (bot, transport) = bot(&config, &begin);
    let routes = config.routes(config.app.as_ref(), read_named_file).unwrap();
    let of_app = configured_transport(routes, || begin().allowing_loopback()).unwrap();
    let app = App::configured(&config, Context::new(of_app), read_named_file).unwrap();
    assert!(bot.key_manager_token().await.is_ok());
    assert!(app.session_token().await.is_ok());
    assert!(bot.session_token().await.is_ok());
    let info = config.endpoints.pod_url("/pod/v2/sessioninfo").unwrap();
    let info = Request::get(info).body(Vec::new()).unwrap();
    transport.fetch(info.into()).await.unwrap();
    let expected = [
        "certificates /keyauth/v1/authenticate with - by greeter",
        "certificates /sessionauth/v1/app/authenticate with - by greeter-app",
        "certificates /sessionauth/v1/authenticate with - by greeter",
        "agent /pod/v2/sessioninfo with - by nobody",
    ];
    assert_eq!(installation.seen(), expected);
}

/// A service account with its key, an authority beside the system's, and for each component its host, its proxy and what its
/// gateway wants: all by pointing at the file.
#[tokio::test(flavor = "multi_thread")]
async fn s004_11_a_bot_moves_over_by_pointing_at_its_configuration() {
    let handle = Handle::current();
    check_components(move || ReqwestTransport::builder(handle.clone())).await;
    check_components(UreqTransport::builder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s004_11_an_authority_of_the_installation_is_trusted_because_the_file_names_it() {
    let handle = Handle::current();
    check_trust(move || ReqwestTransport::builder(handle.clone())).await;
    check_trust(UreqTransport::builder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s004_11_certificates_are_shown_where_log_ins_by_certificate_go_and_never_mixed() {
    let handle = Handle::current();
    check_certificates(move || ReqwestTransport::builder(handle.clone())).await;
    check_certificates(UreqTransport::builder).await;
}
