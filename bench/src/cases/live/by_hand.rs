//! What one would write without us, as middleware of axum.

use super::{
    requests::{KEY, NOW, REGION, SECRET_KEY},
    tokens,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header::AUTHORIZATION};
use jsonwebtoken::{DecodingKey, Validation};
use ring::hmac;
use scratchstack_aws_signature as scratchstack;
use std::{collections::HashMap, str::FromStr, sync::Arc};

#[derive(Clone)]
struct Caller(#[expect(dead_code, reason = "a handler would read it")] &'static str);

pub async fn nothing(request: Request, next: Next) -> Response {
    next.run(request).await
}

struct Keys {
    hmac: hmac::Key,
    callers: HashMap<[u8; 32], &'static str>,
}

pub fn api_key(router: Router) -> Router {
    let hmac = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let hash = hmac::sign(&hmac, KEY.as_bytes()).as_ref().try_into().expect("32 bytes");
    let keys = Arc::new(Keys { hmac, callers: HashMap::from([(hash, "acme")]) });
    router.layer(from_fn_with_state(keys, check_key))
}

async fn check_key(State(keys): State<Arc<Keys>>, mut request: Request, next: Next) -> Response {
    let caller = request.headers().get("x-api-key").and_then(|key| {
        let hash = hmac::sign(&keys.hmac, key.as_bytes());
        keys.callers.get(hash.as_ref()).copied()
    });
    let Some(caller) = caller else { return StatusCode::UNAUTHORIZED.into_response() };
    request.extensions_mut().insert(Caller(caller));
    next.run(request).await
}

/// Compares with one constant, as tower-http does.
pub async fn bearer(request: Request, next: Next) -> Response {
    let sent = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if sent.and_then(|sent| sent.strip_prefix("Bearer ")) == Some(KEY) {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

struct Jwt {
    key: DecodingKey,
    validation: Validation,
}

pub fn jwt(router: Router, kind: tokens::Kind) -> Router {
    let (key, algorithm) = tokens::for_jsonwebtoken(kind);
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[tokens::ISSUER]);
    validation.set_audience(&[tokens::AUDIENCE]);
    router.layer(from_fn_with_state(Arc::new(Jwt { key, validation }), check_jwt))
}

async fn check_jwt(State(jwt): State<Arc<Jwt>>, mut request: Request, next: Next) -> Response {
    let sent = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = sent.and_then(|sent| sent.strip_prefix("Bearer ")) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    match jsonwebtoken::decode::<tokens::Claims>(token, &jwt.key, &jwt.validation) {
        Ok(decoded) => {
            request.extensions_mut().insert(decoded.claims);
            next.run(request).await
        }
        Err(_) => StatusCode::UNAUTHORIZED.into_response(),
    }
}

struct SigV4 {
    user: scratchstack::principal::User,
    key: scratchstack::KSigningKey,
    now: chrono::DateTime<chrono::Utc>,
}

pub fn sigv4(router: Router) -> Router {
    let now: chrono::DateTime<chrono::Utc> =
        (std::time::SystemTime::UNIX_EPOCH + NOW.since_epoch()).into();
    let key = scratchstack::KSecretKey::from_str(SECRET_KEY).expect("a key");
    let key = key.to_ksigning(now.date_naive(), REGION, "hooks");
    let user = scratchstack::principal::User::new("aws", "123456789012", "/", "user");
    let state = Arc::new(SigV4 { user: user.expect("a user"), key, now });
    router.layer(from_fn_with_state(state, check_sigv4))
}

async fn check_sigv4(State(state): State<Arc<SigV4>>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, 2 * 1024 * 1024).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let known = Arc::clone(&state);
    let mut keys = tower::service_fn(move |_: scratchstack::GetSigningKeyRequest| {
        let mut response = scratchstack::GetSigningKeyResponse::builder();
        let response =
            response.principal(known.user.clone()).signing_key(known.key.clone()).build();
        std::future::ready(response.map_err(tower::BoxError::from))
    });
    let judged = scratchstack::sigv4_validate_request(
        http::Request::from_parts(head, bytes),
        REGION,
        "hooks",
        &mut keys,
        state.now,
        &scratchstack::NO_ADDITIONAL_SIGNED_HEADERS,
        scratchstack::SignatureOptions::default(),
    );
    match judged.await {
        Ok((mut head, body, _)) => {
            head.extensions.insert(Caller("acme"));
            next.run(http::Request::from_parts(head, Body::from(body))).await
        }
        Err(_) => StatusCode::FORBIDDEN.into_response(),
    }
}
