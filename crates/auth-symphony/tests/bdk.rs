//! Configuration files of the vendor's kits, as people have them.

#![cfg(feature = "bdk-config")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use auth_symphony::{
    BdkConfig, BdkIdentity, BdkMaterial, LogInRetry, Result, RouteSettings, Secret,
    SymphonyEndpoints,
};
use std::time::Duration;

fn parse(text: &str) -> BdkConfig {
    BdkConfig::parse(text, |_| None).unwrap()
}

fn endpoints(pod: &str, key_manager: &str, session_auth: &str) -> SymphonyEndpoints {
    SymphonyEndpoints::new(pod)
        .and_then(|it| it.with_key_manager(key_manager))
        .and_then(|it| it.with_session_auth(session_auth))
        .unwrap()
}

fn named(_: &str) -> Result<Secret> {
    Ok(Secret::from("-----BEGIN CERTIFICATE-----\nof the file\n"))
}

/// How each origin is reached by the bot: through which proxy, and for how long.
fn reached(config: &BdkConfig) -> Vec<String> {
    let shown = |route: RouteSettings| {
        let proxy = route.proxy.map_or("-".into(), |proxy| text(&proxy));
        let deadline = route.deadline.map_or("-".into(), |limit| format!("{limit:?}"));
        format!("{} {proxy} {deadline}", route.origin)
    };
    config.routes(config.bot.as_ref(), named).unwrap().into_iter().map(shown).collect()
}

fn text(secret: &Secret) -> String {
    secret.expose_text().unwrap().to_owned()
}

const WHOLE: &str = "
scheme: https
host: acme.symphony.com
port: 443
readTimeout: 45000
proxy:
  host: proxy.acme.com
  port: 3128
  username: me
  password: pa55
pod:
  context: sub
keyManager:
  host: km.acme.com
  port: 8444
  proxy:
    host: other.acme.com
    port: 8080
agent:
  host: agent.acme.com
  port: 8443
  readTimeout: 70000
  loadBalancing:
    mode: roundRobin
bot:
  username: my-bot
  privateKey:
    path: ${HOME}/rsa/my-bot.pem
app:
  appId: my-app
  certificate:
    path: app.p12
    password: changeit
ssl:
  trustStore:
    path: authorities.pem
commonJwt:
  enabled: true
retry:
  maxAttempts: 4
  initialIntervalMillis: 2000
  multiplier: 1.5
  maxIntervalMillis: 10000
datafeed:
  version: v2
bto:
  username: misspelt
";

#[test]
fn a_whole_file_says_where_everything_is() {
    let home = |name: &str| (name == "HOME").then(|| "/srv/me".to_owned());
    let config = BdkConfig::parse(WHOLE, home).unwrap();
    let expected = endpoints(
        "https://acme.symphony.com/sub",
        "https://km.acme.com:8444",
        "https://acme.symphony.com",
    )
    .with_agent("https://agent.acme.com:8443");
    assert_eq!(config.endpoints, expected.unwrap());
    let Some(BdkIdentity::Key { name, key: BdkMaterial::Path(path) }) = &config.bot else {
        panic!("{:?}", config.bot)
    };
    assert_eq!((&**name, &**path), ("my-bot", "/srv/me/rsa/my-bot.pem"));
    let Some(BdkIdentity::Certificate { name, password, .. }) = &config.app else {
        panic!("{:?}", config.app)
    };
    assert!(name == "my-app" && password.as_ref().unwrap().matches(b"changeit"));
    let ms = Duration::from_millis;
    assert_eq!(config.retry, LogInRetry::new(4, ms(2000), 1.5, ms(10000)).unwrap());
    assert!(config.common_jwt);
    let shared = "http://me:pa55@proxy.acme.com:3128";
    assert_eq!(
        reached(&config),
        [
            format!("https://acme.symphony.com {shared} 45s"),
            "https://km.acme.com:8444 http://other.acme.com:8080 45s".to_owned(),
            format!("https://agent.acme.com:8443 {shared} 70s"),
        ]
    );
    let warnings = config.warnings.join("\n");
    assert!(warnings.contains("bto is unknown") && warnings.contains("agent.loadBalancing"));
    assert_eq!(config.warnings.len(), 2, "{warnings}");
    let shown = format!("{config:?}");
    assert!(!shown.contains("pa55") && !shown.contains("changeit"), "{shown}");
}

#[test]
fn a_short_file_has_what_the_kits_mean_by_it_in_yaml_and_in_json() {
    let json = r#"{"host": "acme.symphony.com", "bot": {"username": "my-bot", "privateKeyPath": "a.pem"}}"#;
    for text in ["host: acme.symphony.com\nbot: {username: my-bot, privateKeyPath: a.pem}", json] {
        let config = parse(text);
        let one = "https://acme.symphony.com";
        assert_eq!(config.endpoints, endpoints(one, one, one));
        assert_eq!(config.retry, LogInRetry::default());
        assert!(!config.common_jwt && config.app.is_none());
        assert_eq!(reached(&config), ["https://acme.symphony.com - -"]);
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        let key = include_str!("keys/pkcs1.pem");
        let log_in = config.bot.unwrap().log_in(|path| {
            assert_eq!(path, "a.pem");
            Ok(Secret::new(key))
        });
        assert!(format!("{:?}", log_in.unwrap()).contains("my-bot"));
    }
    let endless = parse("host: a.example\nretry: {maxAttempts: -1}");
    assert!(format!("{:?}", endless.retry).contains("4294967295"));
}

#[track_caller]
fn check(text: &str, code: &str, part: &str) {
    let error = BdkConfig::parse(text, |_| None).unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(error.code() == code && shown.contains(part), "{shown}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn what_is_wrong_names_its_member_and_never_its_value() {
    let member = "symphony_bdk_member";
    check("", member, "is no object");
    check("bot: {}", "symphony_bdk_host", "`host` or `pod.host`");
    check("host: https://a.example/s3cret", "symphony_bdk_host", "host of pod is no host");
    check("host: a\nport: s3cret", member, "port is no port");
    check("host: a\nport: 65536", member, "port is no port");
    check("host: a\nport: 0", member, "port is no port");
    check("host: a\npod: s3cret", member, "pod is no object");
    check("host: a\npod: {host: [s3cret]}", member, "pod.host is no text");
    check("host: a\nscheme: http", "symphony_plain_http", "expected https");
    check("host: a\nscheme: ftp", "origin_scheme", "expected http");
    let both = "host: a\nbot: {username: b, privateKey: {path: s3cret}, certificate: {path: c}}";
    check(both, member, "bot.privateKey stands beside certificate");
    let both = "host: a\nbot: {username: b, privateKey: {path: s3cret, content: s3cret}}";
    check(both, member, "bot.privateKey.path stands beside content");
    let both = "host: a\nbot: {username: b, privateKeyPath: s3cret, privateKey: {path: c}}";
    check(both, member, "bot.privateKeyPath stands beside bot.privateKey");
    check("host: a\nbot: {privateKeyPath: s3cret}", member, "bot.username is missing");
    check("host: a\nproxy: {host: p}", member, "proxy.port is missing");
    check(
        "host: a\nproxy: {host: p, port: 1, username: s3cret}",
        member,
        "proxy.password is missing",
    );
    let two = "host: a\nproxy: {host: p, port: 1}\nagent: {proxy: {host: q, port: 1}}";
    check(two, "symphony_bdk_proxy", "two components at https://a");
    let two = "host: a\nproxy: {host: p, port: 1, username: u, password: s3cret}\n\
               agent: {proxy: {host: p, port: 1, username: u, password: another s3cret}}";
    check(two, "symphony_bdk_proxy", "two components at https://a");
    check("host: a\nretry: {maxAttempts: 0}", "symphony_retry", "maxAttempts");
    check("host: a\ncommonJwt: {enabled: yes}", member, "commonJwt.enabled is neither");
    check("host: ${HOST}", "symphony_bdk_reference", "HOST is not set");
    let store = "host: a\nssl: {trustStore: {path: all.jks, password: s3cret}}";
    check(store, "symphony_bdk_trust_store", "keytool -list -rfc -keystore all.jks");
    check(&"#".repeat(256 * 1024 + 1), "symphony_bdk_long", "256 KiB");
}

#[test]
fn what_comes_to_nothing_is_told() {
    for (text, member) in [
        ("certificate: {path: a.p12}, certificatePassword: s3cret", "bot.certificatePassword"),
        ("privateKeyPath: a.pem, certificatePassword: s3cret", "bot.certificatePassword"),
        ("privateKey: {path: a.pem, password: s3cret}", "bot.privateKey.password"),
        ("privatekey: {path: a.pem}", "bot.privatekey"),
    ] {
        let config = parse(&format!("host: a\nbot: {{username: b, {text}}}"));
        assert_eq!(config.warnings, [format!("{member} is unknown here, and nothing comes of it")]);
    }
    let old = parse("host: a\nbot: {username: b, certificatePath: a.p12, certificatePassword: pw}");
    let Some(BdkIdentity::Certificate { password: Some(password), .. }) = &old.bot else {
        panic!("{old:?}")
    };
    assert!(password.matches(b"pw") && old.warnings.is_empty());
}

#[test]
fn files_are_read_as_programs_of_all_kinds_write_them() {
    for text in [
        "\u{feff}host: a\r\nbot:\r\n  username: no\r\n  privateKeyPath: k\r\ncommonJwt: {enabled: True}\r\n",
        "%YAML 1.2\n---\nhost: !!str a\nbot: {username: no, privateKeyPath: k}\ncommonJwt: {enabled: TRUE}\n...\n",
        "{\n\t\"host\" : \"a\",\r\n\t\"bot\":{\"username\":\"n\\u006f\",\"privateKeyPath\":\"k\"},\n\t\"commonJwt\":\n\t{\"enabled\":true}}",
        "host: a\nport: NULL\nbot: &b {username: no, privateKeyPath: k}\napp: Null\ncommonJwt: {enabled: true}",
    ] {
        let config = parse(text);
        assert_eq!(config.endpoints, endpoints("https://a", "https://a", "https://a"));
        assert!(config.common_jwt && config.app.is_none() && config.warnings.is_empty());
        assert!(matches!(&config.bot, Some(BdkIdentity::Key { name, .. }) if name == "no"));
    }
}
