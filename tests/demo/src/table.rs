//! The calls of the demo: good, wrong, missing, doubled and malformed credentials of each scheme.

mod jwt;
mod sigv4;

use super::{
    accounts::{KEY, KEY_HEADER, KEY_PARAMETER, KEY_SCHEME, PASSWORD, TOKEN, USER},
    calls::{Call, With},
};
use auth_core::{Authenticator, Error};
use auth_static::{ApiKey, Basic, Bearer, NoAuth, Placement};
use std::sync::Arc;

/// Every call of the demo.
pub fn all() -> Result<Vec<Call>, Error> {
    let basic = |user: &str, password: &str| Ok::<_, Error>(ours(Basic::new(user, password)?));
    let key = |placement: Placement, key: &str| Ok::<_, Error>(ours(ApiKey::new(placement, key)?));
    let bearer = |token: &str| Ok::<_, Error>(ours(Bearer::new(token)?));
    let (header, word, query) = (
        || Placement::header(KEY_HEADER),
        || Placement::scheme(KEY_SCHEME),
        || Placement::query(KEY_PARAMETER),
    );
    const BASIC: &str = "Basic realm=\"demo\"";
    const APP: &str = "App realm=\"demo\"";
    const API_KEY: &str = "ApiKey realm=\"demo\"";
    const BEARER: &str = "Bearer realm=\"demo\"";
    const INVALID: &str = "Bearer realm=\"demo\", error=\"invalid_token\"";
    let mut all = vec![
        call("/none", "nothing", ours(NoAuth), 200, "", "anonymous"),
        call("/basic", "user and password", basic(USER, PASSWORD)?, 200, "", "alice"),
        call("/basic", "a wrong password", basic(USER, "guess")?, 401, BASIC, "basic_wrong"),
        call("/basic", "an unknown user", basic("mallory", PASSWORD)?, 401, BASIC, "basic_wrong"),
        call("/basic", "nothing", ours(NoAuth), 401, BASIC, "basic_missing"),
        call(
            "/basic",
            "two Authorization fields",
            doubled("Basic YTpi"),
            400,
            "",
            "authorization_several",
        ),
        call(
            "/basic",
            "two values with a comma",
            fields("Basic YTpi, Basic YTpi"),
            400,
            "",
            "authorization_joined",
        ),
        call(
            "/basic",
            "base64 that is none",
            fields("Basic =Y="),
            400,
            "",
            "authorization_credentials",
        ),
        call(
            "/basic",
            "base64 with stray bits",
            fields("Basic YTpjZB=="),
            401,
            BASIC,
            "basic_malformed",
        ),
        call("/basic", "no colon", fields("Basic YWxpY2U="), 401, BASIC, "basic_malformed"),
        call("/basic/argon2", "user and password", basic(USER, PASSWORD)?, 200, "", "alice"),
        call("/basic/argon2", "a wrong password", basic(USER, "guess")?, 401, BASIC, "basic_wrong"),
        call("/key/header", "key: ..", key(header()?, KEY)?, 200, "", "acme"),
        call(
            "/key/header",
            "key: a wrong one",
            key(header()?, "guess")?,
            401,
            API_KEY,
            "api_key_unknown",
        ),
        call("/key/header", "nothing", ours(NoAuth), 401, API_KEY, "api_key_missing"),
        call("/key/header", "two key fields", both("key", "key", KEY), 400, "", "field_several"),
        call(
            "/key/header",
            "key: with bytes no key has",
            bytes("key", b"\xe9\xff"),
            401,
            API_KEY,
            "api_key_malformed",
        ),
        call("/key/scheme", "Authorization: App ..", key(word()?, KEY)?, 200, "", "acme"),
        call(
            "/key/scheme",
            "Authorization: aPP ..",
            fields("aPP key-of-acme-0b8f2a"),
            200,
            "",
            "acme",
        ),
        call(
            "/key/scheme",
            "App and a wrong key",
            key(word()?, "guess")?,
            401,
            APP,
            "api_key_unknown",
        ),
        call("/key/scheme", "nothing", ours(NoAuth), 401, APP, "api_key_missing"),
        call(
            "/key/scheme",
            "Authorization: undefined",
            fields("undefined"),
            401,
            APP,
            "api_key_missing",
        ),
        call(
            "/key/scheme",
            "App and two keys",
            fields("App a, App b"),
            400,
            "",
            "authorization_joined",
        ),
        call("/key/query", "?apikey=..", key(query()?, KEY)?, 200, "", "acme"),
        call(
            "/key/query",
            "?apikey= a wrong one",
            key(query()?, "guess")?,
            401,
            API_KEY,
            "api_key_unknown",
        ),
        call("/key/query", "nothing", ours(NoAuth), 401, API_KEY, "api_key_missing"),
        call(
            "/key/query",
            "?apikey=..&apikey=..",
            asked(&format!("apikey={KEY}&apikey={KEY}")),
            400,
            "",
            "api_key_several",
        ),
        call("/key/query", "?apikey=%zz", asked("apikey=%zz"), 400, "", "api_key_malformed"),
        call("/bearer", "Authorization: Bearer ..", bearer(TOKEN)?, 200, "", "bob"),
        call(
            "/bearer",
            "Bearer and a wrong token",
            bearer("guess")?,
            401,
            INVALID,
            "bearer_unknown",
        ),
        call("/bearer", "nothing", ours(NoAuth), 401, BEARER, "bearer_missing"),
        call("/bearer", "an empty Authorization", fields(""), 400, "", "authorization_no_scheme"),
        call(
            "/bearer",
            "two Authorization fields",
            doubled("Bearer a"),
            400,
            "",
            "authorization_several",
        ),
        call("/any", "user and password", basic(USER, PASSWORD)?, 200, "", "alice"),
        call("/any", "key: ..", key(header()?, KEY)?, 200, "", "acme"),
        call("/any", "nothing", ours(NoAuth), 401, BASIC, "basic_missing"),
        call(
            "/any",
            "both",
            both("Authorization", "key", "Basic YTpi"),
            400,
            "",
            "choice_several_schemes",
        ),
        call("/first", "key: ..", key(header()?, KEY)?, 200, "", "acme"),
        call(
            "/first",
            "Bearer and a wrong token",
            bearer("guess")?,
            401,
            INVALID,
            "bearer_unknown",
        ),
        call(
            "/first",
            "a good token and a bad key",
            both("Authorization", "key", &bearer_field()),
            200,
            "",
            "bob",
        ),
        call(
            "/first",
            "a bad token and a good key",
            with_key("Bearer guess"),
            401,
            INVALID,
            "bearer_unknown",
        ),
        call(
            "/first",
            "an empty Authorization and a good key",
            with_key(""),
            400,
            "",
            "authorization_no_scheme",
        ),
    ];
    all.extend(jwt::all()?);
    all.extend(sigv4::all()?);
    Ok(all)
}

fn bearer_field() -> String {
    format!("Bearer {TOKEN}")
}

fn call(
    path: &'static str,
    sent: &'static str,
    with: With,
    status: u16,
    challenge: &'static str,
    verdict: &'static str,
) -> Call {
    Call { path, sent, with, expected: (status, challenge), verdict }
}

fn ours(authenticator: impl Authenticator + 'static) -> With {
    With::Ours(Arc::new(authenticator))
}

fn bytes(name: &'static str, value: &[u8]) -> With {
    With::Fields(vec![(name, value.to_vec())])
}

fn fields(authorization: &str) -> With {
    bytes("Authorization", authorization.as_bytes())
}

fn doubled(authorization: &str) -> With {
    both("Authorization", "Authorization", authorization)
}

fn both(first: &'static str, second: &'static str, value: &str) -> With {
    With::Fields([first, second].map(|name| (name, value.as_bytes().to_vec())).to_vec())
}

fn with_key(authorization: &str) -> With {
    With::Fields(vec![("Authorization", authorization.into()), ("key", KEY.into())])
}

fn asked(query: &str) -> With {
    With::Query(query.to_owned())
}
