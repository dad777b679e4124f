//! Throw-away accounts, the same in every run so that they can be typed.

use super::ready::Ready;

/// What the demo server knows, path by path.
pub const PATHS: &[Path] = &[
    Path { path: "/none", scheme: "none", accepts: "anything", curl: "" },
    Path {
        path: "/basic",
        scheme: "Basic",
        accepts: "user alice, password \"open: sésame\"",
        curl: "-u 'alice:open: sésame'",
    },
    Path {
        path: "/basic/argon2",
        scheme: "Basic",
        accepts: "the same, kept as an Argon2id hash; failed attempts are limited",
        curl: "-u 'alice:open: sésame'",
    },
    Path {
        path: "/key/header",
        scheme: "API key in the field `key`",
        accepts: "key-of-acme-0b8f2a",
        curl: "-H 'key: key-of-acme-0b8f2a'",
    },
    Path {
        path: "/key/scheme",
        scheme: "API key behind the scheme word App",
        accepts: "key-of-acme-0b8f2a",
        curl: "-H 'Authorization: App key-of-acme-0b8f2a'",
    },
    Path {
        path: "/key/query",
        scheme: "API key in the query parameter `apikey`",
        accepts: "key-of-acme-0b8f2a",
        curl: "-G -d apikey=key-of-acme-0b8f2a",
    },
    Path {
        path: "/bearer",
        scheme: "Bearer",
        accepts: "token-of-bob.7f3c~",
        curl: "-H 'Authorization: Bearer token-of-bob.7f3c~'",
    },
    Path {
        path: "/any",
        scheme: "Basic or API key in the field `key`, one of them",
        accepts: "either, never both",
        curl: "-H 'key: key-of-acme-0b8f2a'",
    },
    Path {
        path: "/first",
        scheme: "Bearer, else API key in the field `key`",
        accepts: "the Bearer token decides when it is there",
        curl: "-H 'key: key-of-acme-0b8f2a'",
    },
    Path {
        path: "/jwt/service",
        scheme: "JWT of a Webex Connect service (HS256)",
        accepts: "iss service-1a2b and iat, signed with the service's secret once it is decoded; dead after an hour",
        curl: "-H 'Authorization: Bearer TOKEN'",
    },
    Path {
        path: "/jwt/login",
        scheme: "JWT that a Symphony bot logs in with (RS512)",
        accepts: "sub demo-bot and exp at most five minutes ahead, signed with the bot's key",
        curl: "-H 'Authorization: Bearer TOKEN'",
    },
    Path {
        path: "/jwt/first",
        scheme: "JWT of a service, else API key in the field `key`",
        accepts: "the token decides when it is there",
        curl: "-H 'key: key-of-acme-0b8f2a'",
    },
    Path {
        path: "/digest",
        scheme: "Digest, SHA-256 or MD5",
        accepts: "user alice, password \"open: sésame\"",
        curl: "--digest -u 'alice:open: sésame'",
    },
    Path {
        path: "/digest/int",
        scheme: "Digest, SHA-512-256-sess with the body protected (auth-int)",
        accepts: "the same",
        curl: "--digest -u 'alice:open: sésame'",
    },
    Path {
        path: "/digest/md5",
        scheme: "Digest, MD5 alone, as old clients know it",
        accepts: "the same",
        curl: "--digest -u 'alice:open: sésame'",
    },
    Path {
        path: "/sigv4/api",
        scheme: "AWS Signature Version 4, as for API Gateway",
        accepts: "access key AKIDDEMO of eu-west-1, service execute-api",
        curl: "--aws-sigv4 aws:amz:eu-west-1:execute-api -u AKIDDEMO:secret-of-acme-51d0c7",
    },
    Path {
        path: "/sigv4/s3",
        scheme: "AWS Signature Version 4, as for S3: presigned and in chunks too",
        accepts: "the same key, service s3; the hash of the payload in x-amz-content-sha256",
        curl: "--aws-sigv4 aws:amz:eu-west-1:s3 -u AKIDDEMO:secret-of-acme-51d0c7 \
               -H 'x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
    },
    Path {
        path: "/session",
        scheme: "Bearer, with tokens that are obtained at /session/token and kept",
        accepts: "the access_token that a POST to /session/token answers with",
        curl: "-H 'Authorization: Bearer TOKEN'",
    },
    Path {
        path: "/oauth2",
        scheme: "OAuth 2.0, with tokens that are granted at /oauth2/token and kept",
        accepts: "client acme-client, secret \"secret-of-acme-client-93e1\"; users agree at /oauth2/authorize",
        curl: "-H 'Authorization: Bearer TOKEN'",
    },
];

/// One path of the server.
pub struct Path {
    pub path: &'static str,
    pub scheme: &'static str,
    pub accepts: &'static str,
    /// What curl needs to be let in; `TOKEN` stands for a token that is made when the server starts.
    pub curl: &'static str,
}

pub const USER: &str = "alice";
pub const PASSWORD: &str = "open: sésame";
pub const KEY: &str = "key-of-acme-0b8f2a";
pub const KEY_HEADER: &str = "key";
pub const KEY_SCHEME: &str = "App";
pub const KEY_PARAMETER: &str = "apikey";
pub const TOKEN: &str = "token-of-bob.7f3c~";
pub const REALM: &str = "demo";
pub const SERVICE: &str = "service-1a2b";
/// In Base64: the key is what it decodes to.
pub const SERVICE_SECRET: &str =
    "ZGVtbyBzZWNyZXQgb2Ygc2VydmljZS0xYTJiLCBhcyBsb25nIGFzIGl0cyBoYXNoOiA2NCBieXRlcyBhdCBsZWFzdA==";
pub const ACCESS_KEY: &str = "AKIDDEMO";
pub const SECRET_KEY: &str = "secret-of-acme-51d0c7";
pub const REGION: &str = "eu-west-1";
pub const CLIENT: &str = "acme-client";
pub const CLIENT_SECRET: &str = "secret-of-acme-client-93e1";
/// Where users of the client are sent back to.
pub const CALLBACK: &str = "https://platform.example/callback/acme-crm";
pub const BOT: &str = "demo-bot";
pub const BOT_KEY: &str = include_str!("bot.pem");

/// All of it as one JSON document.
pub fn document(base: &str, calls: &[Ready]) -> serde_json::Value {
    let paths = calls.iter().map(|Ready { path, curl }| {
        serde_json::json!({
            "path": path.path, "url": format!("{base}{}", path.path), "scheme": path.scheme,
            "parameters": parameters(path.path), "accepts": path.accepts,
            "curl": curl.as_ref().ok(), "no_curl_because": curl.as_ref().err(),
        })
    });
    serde_json::json!({
        "base": base,
        "realm": REALM,
        "accounts": [{ "user": USER, "password": PASSWORD }],
        "keys": [{ "principal": "acme", "key": KEY }],
        "tokens": [{ "principal": "bob", "token": TOKEN }],
        "services": [{ "iss": SERVICE, "secret": SERVICE_SECRET, "alg": "HS256" }],
        "bots": [{ "sub": BOT, "key": BOT_KEY, "alg": "RS512" }],
        "access_keys": [{ "id": ACCESS_KEY, "secret": SECRET_KEY, "region": REGION }],
        "clients": [{ "id": CLIENT, "secret": CLIENT_SECRET, "redirect_uri": CALLBACK }],
        "paths": paths.collect::<Vec<_>>(),
    })
}

fn parameters(path: &str) -> serde_json::Value {
    match path {
        "/basic" | "/basic/argon2" | "/digest" | "/digest/int" | "/digest/md5" => {
            serde_json::json!({ "realm": REALM, "charset": "UTF-8" })
        }
        "/key/header" | "/any" | "/first" | "/jwt/first" => {
            serde_json::json!({ "realm": REALM, "header": KEY_HEADER })
        }
        "/key/scheme" => serde_json::json!({ "realm": REALM, "scheme": KEY_SCHEME }),
        "/key/query" => serde_json::json!({ "parameter": KEY_PARAMETER }),
        "/sigv4/api" => serde_json::json!({ "region": REGION, "service": "execute-api" }),
        "/sigv4/s3" => serde_json::json!({ "region": REGION, "service": "s3" }),
        "/bearer" | "/jwt/service" | "/jwt/login" | "/session" | "/oauth2" => {
            serde_json::json!({ "realm": REALM })
        }
        _ => serde_json::json!({}),
    }
}
