use super::*;
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

fn read(json: &str) -> Result<OutboundAuthorization, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[track_caller]
fn check(json: &str, expected: &str) {
    match read(json) {
        Ok(read) => panic!("{read:?}, expected {expected}"),
        Err(error) => assert!(error.contains(expected), "{error}, expected {expected}"),
    }
}

const ALL: [&str; 7] = [
    r#"{"type":"none"}"#,
    r#"{"type":"basic","username":"u","password":"p"}"#,
    r#"{"type":"digest","username":"u","password":"p","realm":"r","nonce":"n","algorithm":"MD5","qop":"auth",
        "nonce_count":"1f","client_nonce":"c","opaque":"o","proving_first":true}"#,
    r#"{"type":"aws_signature","access_key":"AKID","secret_key":"s","region":"eu-west-1","service_name":"execute-api"}"#,
    r#"{"type":"api_key","key":"X-Key","key_value":"v","client_certificate":"mtls"}"#,
    r#"{"type":"oauth2","grant_type":"client_credentials","client_id":"id","client_secret":"s","scope":"a b",
        "access_token_url":"https://login.example/token","access_token_limited_validity":true,"validity":"90s",
        "refresh_token_url":"https://login.example/refresh","client_authentication":"basic",
        "advanced_settings":{"enabled":true,"access_token_url_method":"GET","access_token_url_parameter_type":"url",
        "access_token_url_headers":{"x-a":"1"},"allow_secrets_in_url":true,"revocation_url":"https://login.example/revoke"}}"#,
    r#"{"type":"oauth2","grant_type":"authorization_code","consumer_id":"id","consumer_secret":"s",
        "callback_url":"https://platform.example/callback","authorization_url":"https://login.example/authorize",
        "access_token_url":"https://login.example/token"}"#,
];

#[test]
fn each_type_has_its_fields_and_no_other() {
    for json in ALL {
        read(json).unwrap();
    }
    check(r#"{"type":"hawk"}"#, "`none`, `basic`, `digest`, `aws_signature`, `api_key`, `oauth2`");
    check("{}", "missing field `type`");
    check(r#"{"type":"basic","username":"u"}"#, "password is missing; fill it in");
    check(r#"{"type":"basic","username":"u","password":"p","user":"u"}"#, "unknown field `user`");
    check(
        r#"{"type":"api_key","key":"k","key_value":"v","password":"p"}"#,
        "password is a field of basic and digest, and the type is api_key; remove it",
    );
    check(
        r#"{"type":"none","region":"r"}"#,
        "region is a field of aws_signature, and the type is none",
    );
    check(
        r#"{"type":"basic","username":"u","username":"v","password":"p"}"#,
        "duplicate field `username`",
    );
    check(r#"{"type":"basic","username":"u","password":7}"#, "expected a string");
    check(r#"{"type":"basic","username":"u","password":{"source":""}}"#, "expected a string");
    check(r#"{"type":"basic","username":"u","password":{"hidden":false}}"#, "expected a string");
    check(r#"{"type":"basic","username":"u","password":["p"]}"#, "expected a string");
    check(r#"{"type":"basic","username":"u","password":[null,true]}"#, "expected a string");
}

#[test]
fn a_field_of_the_other_grant_is_named() {
    let client = r#""type":"oauth2","grant_type":"client_credentials","client_id":"i","client_secret":"s","access_token_url":"u""#;
    for field in ["consumer_secret", "callback_url", "authorization_url"] {
        let text = format!(
            "{field} is a field of oauth2 with the grant authorization_code, and the type is oauth2 with the \
                            grant client_credentials; remove it"
        );
        check(&format!(r#"{{{client},"{field}":"x"}}"#), &text);
    }
    read(&format!(r#"{{{client},"consumer_id":"x"}}"#)).unwrap();
    let code = r#""type":"oauth2","grant_type":"authorization_code","consumer_id":"i","consumer_secret":"s","access_token_url":"u","callback_url":"c","authorization_url":"a""#;
    for field in ["client_id", "client_secret"] {
        let text = format!("{field} is a field of oauth2 with the grant client_credentials");
        check(&format!(r#"{{{code},"{field}":"x"}}"#), &text);
    }
}

/// The field of the other grant is told, and not that of this one which is missing beside it.
#[test]
fn what_is_of_something_else_is_told_before_what_is_missing() {
    check(
        r#"{"type":"oauth2","grant_type":"client_credentials","client_id":"i","consumer_secret":"s","access_token_url":"u"}"#,
        "consumer_secret is a field of oauth2 with the grant authorization_code",
    );
    check(r#"{"type":"basic","username":"u","key_value":"v"}"#, "key_value is a field of api_key");
    check(
        r#"{"type":"oauth2","client_id":"i","access_token_url":"u"}"#,
        "client_id is a field of oauth2 with the grant",
    );
    check(r#"{"type":"oauth2","access_token_url":"u"}"#, "grant_type is missing");
    check(
        r#"{"type":"oauth2","grant_type":"client_credentials","client_secret":"s","access_token_url":"u","validity":3600}"#,
        "a span of time is text such as \"90s\"",
    );
}

#[test]
fn what_is_written_shows_no_secret_unless_it_is_asked_for() {
    for json in ALL {
        let json = json.replace(r#":"s""#, r#":"S3CRET""#).replace(r#":"p""#, r#":"S3CRET""#);
        let json = json.replace(r#":"v""#, r#":"S3CRET""#).replace(r#":"1""#, r#":"S3CRET""#);
        let read = read(&json).unwrap();
        let (hidden, revealed) = (
            serde_json::to_string(&read).unwrap(),
            serde_json::to_string(&read.revealed()).unwrap(),
        );
        assert!(!hidden.contains("S3CRET"), "{hidden}");
        assert!(!format!("{read:?} {:?}", read.revealed()).contains("S3CRET"), "{read:?}");
        assert_eq!(revealed.contains("S3CRET"), json.contains("S3CRET"), "{revealed}");
        assert_eq!(self::read(&revealed).unwrap(), read);
        // What was hidden comes back with an edit, and is what it was.
        assert_eq!(self::read(&hidden).unwrap().keeping_hidden(&read), read);
    }
}

#[test]
fn an_edit_keeps_what_is_hidden_of_the_same_type_alone() {
    let before = read(r#"{"type":"basic","username":"u","password":"p"}"#).unwrap();
    let edited = read(r#"{"type":"basic","username":"w","password":{"hidden":true}}"#).unwrap();
    let expected = read(r#"{"type":"basic","username":"w","password":"p"}"#).unwrap();
    assert_eq!(edited.keeping_hidden(&before), expected);
    let other = read(r#"{"type":"digest","username":"w","password":{"hidden":true}}"#).unwrap();
    assert_eq!(other.clone().keeping_hidden(&before), other);
}

#[test]
fn toml_says_the_same() {
    let text = r#"
        type = "oauth2"
        grant_type = "client_credentials"
        client_id = "id"
        client_secret = { source = "crm" }
        access_token_url = "https://login.example/token"
        access_token_limited_validity = true
        validity = "90s"
        [advanced_settings]
        access_token_url_headers = { x-a = "1" }
    "#;
    let read: OutboundAuthorization = toml::from_str(text).unwrap();
    let OutboundScheme::OAuth2(fields) = &read.scheme else { panic!("{read:?}") };
    assert_eq!(fields.validity, Some(Duration::from_secs(90)));
    let written = toml::to_string(&read.revealed()).unwrap();
    assert_eq!(toml::from_str::<OutboundAuthorization>(&written).unwrap(), read);
    let wrong =
        toml::from_str::<OutboundAuthorization>("type = \"none\"\nqop = \"auth\"").unwrap_err();
    assert!(wrong.to_string().contains("qop is a field of digest"), "{wrong}");
}

fn value() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        ".{0,12}".prop_map(|text| FieldValue::from(text.as_str())),
        "[a-z]{1,8}".prop_map(FieldValue::from_source),
    ]
}

fn text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(".{0,12}")
}

fn oauth2() -> impl Strategy<Value = OAuth2Fields> {
    let client = (text(), text(), value()).prop_map(|(client_id, consumer_id, client_secret)| {
        OAuth2Grant::ClientCredentials { client_id, consumer_id, client_secret }
    });
    let code = (".{0,8}", value(), ".{0,8}", ".{0,8}").prop_map(
        |(consumer_id, consumer_secret, callback_url, authorization_url)| {
            OAuth2Grant::AuthorizationCode {
                consumer_id,
                consumer_secret,
                callback_url,
                authorization_url,
            }
        },
    );
    let headers = proptest::collection::btree_map("[a-zA-Z0-9-]{0,6}", value(), 0..3);
    let advanced = (any::<bool>(), any::<bool>(), any::<bool>(), headers, any::<bool>(), text())
        .prop_map(
            |(enabled, get, url, headers, allow, revocation_url): (
                _,
                _,
                _,
                BTreeMap<_, _>,
                _,
                _,
            )| OAuth2AdvancedSettings {
                enabled,
                access_token_url_method: if get {
                    TokenRequestMethod::Get
                } else {
                    TokenRequestMethod::Post
                },
                access_token_url_parameter_type: if url {
                    TokenRequestParameters::Url
                } else {
                    TokenRequestParameters::Body
                },
                access_token_url_headers: headers,
                allow_secrets_in_url: allow,
                revocation_url,
            },
        );
    let rest = (
        text(),
        prop_oneof![Just("https://login.example/token".to_owned()), ".{0,12}"],
        any::<bool>(),
        text(),
        any::<bool>(),
    );
    let validity = proptest::option::of((0_u64..10_000_000).prop_map(Duration::from_millis));
    (prop_oneof![client, code], rest, validity, advanced).prop_map(
        |(
            grant,
            (scope, access_token_url, limited, refresh_token_url, basic),
            validity,
            advanced_settings,
        )| OAuth2Fields {
            grant,
            scope,
            access_token_url,
            access_token_limited_validity: limited,
            validity,
            refresh_token_url,
            client_authentication: if basic {
                ClientAuthenticationMethod::Basic
            } else {
                ClientAuthenticationMethod::Body
            },
            advanced_settings,
        },
    )
}

fn scheme() -> impl Strategy<Value = OutboundScheme> {
    let digest =
        (value(), value(), [text(), text(), text(), text(), text(), text()], text(), any::<bool>())
            .prop_map(
                |(
                    username,
                    password,
                    [realm, nonce, algorithm, qop, nonce_count, client_nonce],
                    opaque,
                    proving_first,
                )| {
                    OutboundScheme::Digest(Box::new(DigestFields {
                        username,
                        password,
                        realm,
                        nonce,
                        algorithm,
                        qop,
                        nonce_count,
                        client_nonce,
                        opaque,
                        proving_first,
                    }))
                },
            );
    prop_oneof![
        Just(OutboundScheme::None),
        (value(), value()).prop_map(|(username, password)| OutboundScheme::Basic(BasicFields {
            username,
            password
        })),
        digest,
        (value(), value(), ".{0,12}", ".{0,12}").prop_map(
            |(access_key, secret_key, region, service_name)| {
                OutboundScheme::AwsSignature(AwsSignatureFields {
                    access_key,
                    secret_key,
                    region,
                    service_name,
                })
            }
        ),
        (".{0,12}", value())
            .prop_map(|(key, key_value)| OutboundScheme::ApiKey(ApiKeyFields { key, key_value })),
        oauth2().prop_map(|fields| OutboundScheme::OAuth2(Box::new(fields))),
    ]
}

proptest! {
    /// Law: what is printed is read back equal, and without its secrets it comes back by an edit.
    #[test]
    fn any_configuration_is_read_back(scheme in scheme(), client_certificate in text()) {
        let configuration = OutboundAuthorization { scheme, client_certificate };
        let json = serde_json::to_string(&configuration.revealed()).unwrap();
        prop_assert_eq!(&read(&json).unwrap(), &configuration);
        let hidden = serde_json::to_string(&configuration).unwrap();
        prop_assert_eq!(read(&hidden).unwrap().keeping_hidden(&configuration), configuration);
    }

    /// Law: any configuration builds, or gives an error that names the authorization.
    #[test]
    fn any_configuration_builds_or_is_told_why_not(scheme in scheme()) {
        let set = crate::set::for_tests();
        let acme = set.of_tenant(&TenantId::new("acme"));
        if let Err(error) = acme.save("crm", OutboundAuthorization::new(scheme), ConfiguredBy::Operator) {
            prop_assert!(error.to_string().starts_with("configuration: authorization \"crm\": "), "{}", error);
        }
    }

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = read(&text);
        let _ = toml::from_str::<OutboundAuthorization>(&text);
    }
}
