//! Configuration files as programs with the vendor's kits have them: all are taken as they are.

#![cfg(feature = "bdk-config")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_core::send;
use auth_symphony::{
    App, BdkConfig, BdkIdentity, Bot, Context, Error, Result, RouteSettings, Secret, SymphonyUser,
};
use auth_testing::ScriptedTransport;
use http::{Request, Response, Uri};
use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

const KEY: &str = include_str!("keys/pkcs8.pem");
const AUTHORITIES: &str =
    "-----BEGIN CERTIFICATE-----\nnot looked into here\n-----END CERTIFICATE-----\n";

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "BOT_KEY" => KEY.replace('\n', "\\n"),
        "GATEWAY_KEY" => "canary-key".into(),
        "POD_HOST" => "acme.symphony.com".into(),
        "HOME" => "/srv/me".into(),
        _ => return None,
    };
    Some(value)
}

fn file(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kits");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// Reads what a path says it is.
fn read(path: &str) -> Result<Secret> {
    match path {
        "certs/authorities.pem" | "/etc/symphony/authorities.pem" => Ok(AUTHORITIES.into()),
        "certs/greeter.pem" | "certs/greeter.p12" => Ok(format!("{path} itself").into()),
        path if path.ends_with(".pem") => Ok(KEY.into()),
        _ => Err(Error::config("no_file", path.to_owned())),
    }
}

fn shown(route: &RouteSettings) -> String {
    let text = |secret: &Option<Arc<Secret>>| {
        secret.as_ref().map_or("-", |it| it.expose_text().unwrap()).to_owned()
    };
    let (proxy, certificate) = (text(&route.proxy), text(&route.certificate));
    let limit = route.deadline.map_or("-".into(), |limit| format!("{limit:?}"));
    let trusts = if route.authorities.is_some() { "more" } else { "-" };
    let password = text(&route.certificate_password);
    format!("{} {proxy} {trusts} {certificate} {password} {limit}", route.origin)
}

/// A file, how each origin is reached, and what is told of it.
#[track_caller]
fn check(name: &str, routes: &[&str], warnings: &[&str]) -> BdkConfig {
    let config = BdkConfig::parse(&file(name), variable).unwrap();
    let reached = config.routes(config.bot.as_ref(), read).unwrap();
    assert_eq!(reached.iter().map(shown).collect::<Vec<_>>(), routes, "{name}");
    assert_eq!(config.warnings, warnings, "{name}");
    let context = Context::new(ScriptedTransport::new(|_| Ok(Response::new(Vec::new()))));
    assert!(Bot::configured(&config, context, read).is_ok(), "{name}");
    config
}

#[test]
fn every_file_says_where_its_components_are_and_how_they_are_reached() {
    const POD: &str = "https://acme.symphony.com";
    let plain = format!("{POD} - - - - -");
    for name in ["smallest.yaml", "smallest.json", "app.yaml"] {
        check(name, &[&plain], &[]);
    }
    let older = [
        "https://pod.acme.com - more - - -",
        "https://km.acme.com - more - - -",
        "https://agent.acme.com:8444 - more - - -",
    ];
    check("older.yaml", &older, &[]);
    let shared = "http://greeter:p%40ss%3Aw%2Frd@proxy.acme.com:3128";
    let components = [
        format!("{POD} {shared} - - - 35s"),
        "https://km.acme.com:8443 http://[2001:db8::7]:8080 - - - 35s".into(),
        format!("https://agent.acme.com:9443 {shared} - - - 90s"),
    ];
    let told = [
        "connectionTimeout is not followed: connecting has 5 seconds, within readTimeout",
        "connectionPoolMax is not followed: the transport has a pool of its own",
        "connectionPoolPerRoute is not followed: the transport has a pool of its own",
    ];
    let config = check("components.yaml", &components.each_ref().map(String::as_str), &told);
    let url = config.endpoints.agent_url("/agent/v1/info").unwrap();
    assert_eq!(url, "https://agent.acme.com:9443/on-premise/agent/v1/info");
    let url = config.endpoints.pod_url("/pod/v2/sessioninfo").unwrap();
    assert_eq!(url, "https://acme.symphony.com/symphony/pod/v2/sessioninfo");
    // The certificate is for the log-ins by certificate, and not for pod and agent.
    let by_certificate = [
        "https://acme.symphony.com - more - - -",
        "https://acme-api.symphony.com:8444 - more certs/greeter.pem itself - -",
    ];
    check("certificate.yaml", &by_certificate, &[]);
    check("stored.yaml", &[&format!("{POD} - - certs/greeter.p12 itself changeit -")], &[]);
    let gateway = [&*plain, "https://agent.acme.com - - - - -"];
    let told = ["defaultHeaders.Accept is not followed: each request says its own"];
    check("gateway.yaml", &gateway, &told);
    let told = ["agent.loadBalancing is not followed: requests go to the first node"];
    let ported = format!("{POD}:8443 - - - - -");
    let config =
        check("balanced.yaml", &[&ported, "https://agent1.acme.com:7443 - - - - -"], &told);
    let url = config.endpoints.agent_url("/agent/v1/info").unwrap();
    assert_eq!(url, "https://agent1.acme.com:7443/app/agent/v1/info");
    let config = check("external.yaml", &[&ported, "https://lb.acme.com - - - - -"], &told);
    let url = config.endpoints.agent_url("/agent/v1/info").unwrap();
    assert_eq!(url, "https://lb.acme.com/agent/v1/info");
    let config = check("environment.json", &[&plain, "https://agent.acme.com:8443 - - - - -"], &[]);
    assert!(config.common_jwt);
    let Some(BdkIdentity::Key { name, .. }) = &config.bot else { panic!("{config:?}") };
    assert_eq!(name, "greeter");
    let told = ["customEnhancedAuth is unknown here, and nothing comes of it"];
    check("feeds.yaml", &[&plain], &told);
}

#[test]
fn no_file_is_left_out_of_these_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kits");
    let names: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name()).collect();
    let this = include_str!("kits.rs");
    assert!(names.iter().all(|name| this.contains(name.to_str().unwrap())), "{names:?}");
    assert_eq!(names.len(), 12);
}

/// What a request asked for, and the fields of the gateway that came with it.
type Seen = Arc<Mutex<Vec<String>>>;

fn installation(seen: &Seen) -> ScriptedTransport {
    let seen = Arc::clone(seen);
    ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
        let field = |name: &str| {
            request.headers().get(name).map_or("-", |value| {
                assert!(value.is_sensitive(), "{name} is shown by clients that log");
                value.to_str().unwrap()
            })
        };
        let (key, agent) = (field("x-gateway-key"), field("user-agent"));
        let authorization = field("authorization");
        let path = request.uri().path();
        seen.lock().unwrap().push(format!("{path} {key} {agent} {authorization}"));
        assert!(request.headers().get_all("x-gateway-key").iter().count() <= 1);
        assert!(request.headers().get("accept").is_none_or(|it| it == "application/json"));
        let is_keys = path.contains("/relay/");
        let name = if is_keys { "keyManagerToken" } else { "sessionToken" };
        let body = format!(r#"{{"name":"{name}","token":"t-{name}"}}"#);
        Ok(Response::new(body.into_bytes()))
    })
}

#[test]
fn fields_of_a_gateway_go_with_log_ins_and_calls_to_their_component_alone() {
    let config = BdkConfig::parse(&file("gateway.yaml"), variable).unwrap();
    let seen = Seen::default();
    let transport = installation(&seen);
    let bot = Bot::configured(&config, Context::new(transport.clone()), read).unwrap();
    let call = |url: Uri| Request::get(url).body(Vec::new()).unwrap();
    let pod = config.endpoints.pod_url("/pod/v2/sessioninfo").unwrap();
    let agent = config.endpoints.agent_url("/agent/v1/info").unwrap();
    send(&transport, &bot.pod(), call(pod.clone()).into()).wait().unwrap();
    send(&transport, &bot.agent(), call(agent).into()).wait().unwrap();
    // What a request has already is left as it is.
    let mut own = call(pod);
    own.headers_mut().insert("user-agent", sensitive("own"));
    send(&transport, &bot.pod(), own.into()).wait().unwrap();
    let expected = [
        "/login/pubkey/authenticate canary-key greeter/1.4 -",
        "/pod/v2/sessioninfo canary-key greeter/1.4 -",
        "/relay/pubkey/authenticate - - Bearer canary-key",
        "/agent/v1/info - - -",
        "/pod/v2/sessioninfo canary-key own -",
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
    assert!(!format!("{config:?} {bot:?} {:?}", bot.pod()).contains("canary"), "{config:?}");
}

/// A component whose section has none has those of the root.
#[test]
fn fields_go_with_log_ins_by_certificate() {
    let text = "host: a\ndefaultHeaders: {X-Gateway-Key: root}\nsessionAuth: {port: 8444}\nkeyManager: {port: \
                8444, defaultHeaders: {X-Gateway-Key: keys}}\nbot: {username: b, certificatePath: b.pem}";
    let config = BdkConfig::parse(text, |_| None).unwrap();
    let seen = Seen::default();
    let bot = Bot::configured(&config, Context::new(installation(&seen)), read).unwrap();
    bot.session_token().wait().unwrap();
    bot.key_manager_token().wait().unwrap_err();
    let expected = ["/sessionauth/v1/authenticate root - -", "/keyauth/v1/authenticate keys - -"];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn a_bot_has_the_retries_and_the_common_jwt_of_its_file() {
    let text = "host: a\nretry: {maxAttempts: 3, initialIntervalMillis: 7, multiplier: 1}\ncommonJwt: {enabled: \
                true}\nbot: {username: b, privateKeyPath: b.pem}\napp: {appId: c, privateKeyPath: c.pem}";
    let config = BdkConfig::parse(text, |_| None).unwrap();
    let down =
        ScriptedTransport::new(|_| Ok(Response::builder().status(500).body(Vec::new()).unwrap()));
    let bot = Bot::configured(&config, Context::new(down.clone()), read).unwrap();
    assert!(bot.session_token().wait().is_err());
    assert_eq!((down.exchanges(), down.pauses().len()), (3, 2));
    let app = App::configured(&config, Context::new(down.clone()), read).unwrap();
    assert!(app.session_token().wait().is_err());
    assert_eq!(down.exchanges(), 6);
    let seen = Seen::default();
    let transport = installation(&seen);
    let bot = Bot::configured(&config, Context::new(transport.clone()), read).unwrap();
    let info = Request::get("https://a/pod/v2/sessioninfo").body(Vec::new()).unwrap();
    assert!(send(&transport, &bot.pod(), info.into()).wait().is_err(), "it is no common JWT");
    assert!(seen.lock().unwrap().iter().any(|seen| seen.starts_with("/login/idm/tokens")));
}

fn sensitive(text: &'static str) -> http::HeaderValue {
    let mut value = http::HeaderValue::from_static(text);
    value.set_sensitive(true);
    value
}

/// Users' calls go to pod and agent; where these share a host, the path tells which of the two it is.
#[test]
fn fields_go_with_calls_on_behalf_of_users() {
    let key = |text: &str| format!("defaultHeaders: {{X-Gateway-Key: {text}}}");
    let [pod, agent] = ["pod", "agent"].map(key);
    let app = "app: {appId: a, privateKey: {path: a.pem}}";
    for (host, base) in [("acme.symphony.com", ""), ("agent.acme.com", "/ctx")] {
        let text = format!(
            "host: acme.symphony.com\npod:\n  {pod}\nagent:\n  host: {host}\n  context: {base}\n  {agent}\n{app}\n"
        );
        let config = BdkConfig::parse(&text, |_| None).unwrap();
        let seen = Seen::default();
        let transport = installation(&seen);
        let app = App::configured(&config, Context::new(transport.clone()), read).unwrap();
        let user = app.on_behalf_of(SymphonyUser::Id(7));
        for url in [
            config.endpoints.pod_url("/pod/v2/sessioninfo"),
            config.endpoints.agent_url("/agent/v1/info"),
        ] {
            let call = Request::get(url.unwrap()).body(Vec::new()).unwrap();
            send(&transport, &user, call.into()).wait().unwrap();
        }
        let expected = [
            "/login/pubkey/app/authenticate pod - -".to_owned(),
            "/login/pubkey/app/user/7/authenticate pod - -".into(),
            "/pod/v2/sessioninfo pod - -".into(),
            format!("{base}/agent/v1/info agent - -"),
        ];
        assert_eq!(*seen.lock().unwrap(), expected);
    }
}

#[track_caller]
fn refused(text: &str, code: &str, part: &str) {
    let parsed = BdkConfig::parse(text, |_| None);
    let error = parsed.and_then(|config| config.routes(config.bot.as_ref(), read)).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(error.code() == code && shown.contains(part), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_field_that_is_not_for_a_gateway_is_named() {
    let header = "symphony_bdk_header";
    for name in ["Host", "content-length", "Transfer-Encoding", "Connection", "TE", "Keep-Alive"] {
        let text = format!("host: a\ndefaultHeaders: {{{name}: s3cret}}");
        refused(&text, header, &format!("defaultHeaders.{name} routes or frames"));
    }
    let text = "host: a\nagent: {defaultHeaders: {Proxy-Authorization: s3cret}}";
    refused(text, header, "agent.defaultHeaders.Proxy-Authorization routes");
    for name in ["sessionToken", "KEYMANAGERTOKEN"] {
        let text = format!("host: a\npod: {{defaultHeaders: {{{name}: s3cret}}}}");
        refused(&text, header, &format!("pod.defaultHeaders.{name} is set by the log-in itself"));
    }
    let jwt = "host: a\ndefaultHeaders: {Authorization: s3cret}\ncommonJwt: {enabled: true}";
    refused(jwt, header, "defaultHeaders.Authorization is set by the log-in itself");
    let twice = "host: a\ndefaultHeaders: {X-A: s3cret, x-a: s3cret}";
    refused(twice, header, "defaultHeaders.x-a is there twice");
    refused("host: a\ndefaultHeaders: {'a b': s3cret}", header, "is no name of a header field");
    refused("host: a\ndefaultHeaders: {X-A: \"s3cret\\n\"}", header, "has a value that no header");
    refused("host: a\ndefaultHeaders: {X-A: [s3cret]}", "symphony_bdk_member", "X-A is no text");
    refused(
        "host: a\ndefaultHeaders: s3cret",
        "symphony_bdk_member",
        "defaultHeaders is no object",
    );
}

#[test]
fn a_store_that_is_not_pem_is_refused_with_the_command_that_converts_it() {
    let store = "symphony_bdk_trust_store";
    for path in ["all.jks", "ALL.JKS", "all.p12", "a/b.keystore"] {
        let text = format!("host: a\nssl: {{trustStore: {{path: {path}}}}}");
        refused(&text, store, &format!("keytool -list -rfc -keystore {path} > truststore.pem"));
    }
    let old = "host: a\nssl: {trustStorePath: store, trustStorePassword: s3cret}";
    refused(old, store, "keytool -list -rfc -keystore store");
    // The name says nothing, the content does.
    let named = "host: a\nssl: {trustStore: {path: any.pem}}";
    let config = BdkConfig::parse(named, |_| None).unwrap();
    let java = |_: &str| Ok(Secret::new(*b"\xfe\xed\xfe\xed\0\0\0\x02s3cret"));
    let error = config.routes(None, java).unwrap_err();
    assert!(error.code() == store && error.to_string().contains("keytool"), "{error}");
    refused("host: a\nssl: {trustStore: {content: s3cret}}", store, "ssl.trustStore.content");
    let both = "host: a\nssl: {trustStorePath: a.pem, trustStore: {path: b.pem}}";
    refused(both, "symphony_bdk_member", "ssl.trustStorePath stands beside");
    let archive = "host: a\nssl: {trustStore: {path: 'classpath:/all.jks'}}";
    refused(archive, "symphony_bdk_member", "ssl.trustStore.path names a file in an archive");
    let archive = "host: a\nbot: {username: b, privateKeyPath: 'classpath:/b.pem'}";
    refused(archive, "symphony_bdk_member", "bot.privateKeyPath names a file in an archive");
}

#[test]
fn what_cannot_be_reached_so_is_named() {
    let host = "symphony_bdk_member";
    for wrong in ["'http://s3cret'", "a b", "''", "u@h", "'h:1'"] {
        refused(
            &format!("host: a\nproxy: {{host: {wrong}, port: 1}}"),
            host,
            "proxy.host is no host",
        );
    }
    refused("host: a\nreadTimeout: s3cret", host, "readTimeout is no number of milliseconds");
    refused(
        "host: a\nagent: {loadBalancing: {nodes: s3cret}}",
        host,
        "agent.loadBalancing.nodes is",
    );
    let node = "host: a\nagent: {loadBalancing: {nodes: [s3cret]}}";
    refused(node, host, "agent.loadBalancing.nodes[0] is no object");
    let endless = BdkConfig::parse("host: a\nreadTimeout: 0", |_| None).unwrap();
    let told = "readTimeout is not followed: no exchange lasts without an end";
    assert_eq!(endless.warnings, [told]);
    let none = BdkConfig::parse("host: a\nbot: {username: b}", |_| None).unwrap();
    let context = || Context::new(ScriptedTransport::new(|_| Ok(Response::new(Vec::new()))));
    let error = Bot::configured(&none, context(), read).unwrap_err();
    assert!(error.to_string().contains("bot is missing, or has neither"), "{error}");
    let error = App::configured(&none, context(), read).unwrap_err();
    assert_eq!(error.code(), "symphony_bdk_identity");
    // Where nobody logs in by certificate, the way there does not matter.
    let way = "host: a\npod: {proxy: {host: p, port: 1}}\nkeyManager: {host: k}\nagent: {host: g}\nbot: {username: b, ";
    assert!(BdkConfig::parse(&format!("{way}privateKeyPath: b.pem}}"), |_| None).is_ok());
    let text = format!("{way}certificatePath: b.pem}}");
    refused(&text, "symphony_bdk_proxy", "two components at https://a have different proxies");
    // A file that cannot be read says which.
    let text = "host: a\nbot: {username: b, certificate: {path: lost.p12}}";
    refused(text, "no_file", "lost.p12");
}

/// Where the pod is not where the root says, an agent without a section of its own is where the root says.
#[test]
fn an_agent_without_a_section_is_at_the_root_and_not_at_the_pod() {
    let text = "host: root.acme.com\ndefaultHeaders: {X-Gateway-Key: root}\npod:\n  host: pod.acme.com\n  \
                defaultHeaders: {X-Gateway-Key: pod}\n";
    let config = BdkConfig::parse(text, |_| None).unwrap();
    let agent = config.endpoints.agent_url("/agent/v1/info").unwrap();
    assert_eq!(agent, "https://root.acme.com/agent/v1/info");
    let alone = BdkConfig::parse(
        "pod: {host: pod.acme.com}\nkeyManager: {host: k}\nsessionAuth: {host: s}",
        |_| None,
    );
    let agent = alone.unwrap().endpoints.agent_url("/agent/v1/info").unwrap();
    assert_eq!(agent, "https://pod.acme.com/agent/v1/info");
}

#[test]
fn components_at_one_origin_have_the_longer_of_their_times() {
    for (pod, agent) in [(5000, 70000), (70000, 5000)] {
        let text = format!(
            "host: a\npod: {{readTimeout: {pod}}}\nkeyManager: {{host: k}}\nagent: {{readTimeout: {agent}}}"
        );
        let config = BdkConfig::parse(&text, |_| None).unwrap();
        let reached = config.routes(None, read).unwrap();
        let reached: Vec<_> = reached.iter().map(shown).collect();
        assert_eq!(reached, ["https://a - - - - 70s", "https://k - - - - -"]);
    }
}

#[test]
fn endpoints_are_the_same_when_their_fields_are() {
    let with = |fields: &str| {
        let text = format!("host: a\ndefaultHeaders: {fields}");
        BdkConfig::parse(&text, |_| None).unwrap().endpoints
    };
    let one = with("{X-A: b}");
    assert_eq!(one, with("{x-a: b}"));
    for other in ["{X-A: c}", "{X-B: b}", "{X-A: b, X-B: b}", "{}"] {
        assert_ne!(one, with(other), "{other}");
    }
    assert_eq!(with("{}"), with("null"));
}

/// As editors and generators on other systems leave them.
#[test]
fn a_file_that_is_broken_says_where() {
    let yaml = "symphony_bdk_yaml";
    refused("host: a\nbot:\n\tusername: s3cret", yaml, "is no YAML (line 3");
    refused("host: a\nbot: {username: s3cret, username: s3cret}", yaml, "has a key twice (line 2");
    refused(r#"{"host": "a", "host": "s3cret"}"#, yaml, "has a key twice (line 1");
    refused(r#"{"host": "a", "bot": {"username": "s3cret""#, yaml, "is no YAML");
    refused("host: a\nbot: *s3cret", yaml, "configuration ");
    refused("host: a\nx: &x [*x]", yaml, "contains itself");
    refused(&format!("host: a\nx: {}", "[".repeat(20)), yaml, "nested deeper than 16");
    refused("host: a\0", yaml, "is no YAML");
    let json = r#"{"host": "a", "bot": {"username": "${BOT_NAME}", "privateKeyPath": "b.pem"}}"#;
    refused(json, "symphony_bdk_reference", "variable BOT_NAME is not set");
}
