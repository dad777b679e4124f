//! The calls with tokens of their own making: of a service, of a bot, and with a key beside them.

use super::{call, fields, ours};
use crate::{
    accounts::{BOT, BOT_KEY, KEY, SERVICE, SERVICE_SECRET},
    calls::{Call, With},
};
use auth_core::{Clock, Error, SystemClock, Timestamp};
use auth_jwt::{ClaimsToSign, JwsAlgorithm, JwtAuthenticator, SigningKey, profiles};
use auth_static::NoAuth;
use std::{sync::Arc, time::Duration};

const BEARER: &str = "Bearer realm=\"demo\"";
const INVALID: &str = "Bearer realm=\"demo\", error=\"invalid_token\"";

pub fn all() -> Result<Vec<Call>, Error> {
    let two_hours_ago = SystemClock.now().before(Duration::from_secs(2 * 60 * 60));
    let other_secret = SigningKey::from_secret(JwsAlgorithm::HS256, &[7; 32])?;
    let other_hash = SigningKey::from_base64_secret(JwsAlgorithm::HS512, SERVICE_SECRET)?;
    let (claims, login) = (|| profiles::webex_service_claims(SERVICE), bot()?);
    let stranger = || profiles::webex_service_claims("stranger");
    let good = service(claims())?;
    let forged = JwtAuthenticator::new(other_secret, claims(), SystemClock);
    let expired = at(claims(), two_hours_ago)?;
    let unsigned = "Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJhIn0.";
    Ok(vec![
        call("/jwt/service", "a token of the service", ours(good.clone()), 200, "", SERVICE),
        call(
            "/jwt/service",
            "one that has expired",
            ours(expired.clone()),
            401,
            INVALID,
            "jwt_exp_past",
        ),
        call(
            "/jwt/service",
            "one of a stranger",
            ours(service(stranger())?),
            401,
            INVALID,
            "jwt_key_unknown",
        ),
        call(
            "/jwt/service",
            "one with another secret",
            ours(forged.clone()),
            401,
            INVALID,
            "jwt_signature",
        ),
        call(
            "/jwt/service",
            "one with HS512",
            ours(JwtAuthenticator::new(other_hash, claims(), SystemClock)),
            401,
            INVALID,
            "jwt_alg_other",
        ),
        call(
            "/jwt/service",
            "one without a signature",
            fields(unsigned),
            401,
            INVALID,
            "jwt_alg_none",
        ),
        call("/jwt/service", "nothing", ours(NoAuth), 401, BEARER, "jwt_missing"),
        call(
            "/jwt/service",
            "1,000 calls at once on one mint",
            many(good.clone()),
            200,
            "",
            SERVICE,
        ),
        call("/jwt/login", "a token of the bot, RS512", ours(login), 200, "", BOT),
        call(
            "/jwt/login",
            "one that lives too long",
            ours(long_lived()?),
            401,
            INVALID,
            "jwt_exp_far",
        ),
        call(
            "/jwt/login",
            "a token of the service",
            ours(good.clone()),
            401,
            INVALID,
            "jwt_key_unknown",
        ),
        call(
            "/jwt/first",
            "a good token and a bad key",
            both(&good, "guess", Order::TokenFirst)?,
            200,
            "",
            SERVICE,
        ),
        call(
            "/jwt/first",
            "a bad key and a good token",
            both(&good, "guess", Order::KeyFirst)?,
            200,
            "",
            SERVICE,
        ),
        call(
            "/jwt/first",
            "a bad token and a good key",
            both(&forged, KEY, Order::TokenFirst)?,
            401,
            INVALID,
            "jwt_signature",
        ),
        call(
            "/jwt/first",
            "a good key and a bad token",
            both(&forged, KEY, Order::KeyFirst)?,
            401,
            INVALID,
            "jwt_signature",
        ),
        call(
            "/jwt/first",
            "an expired token and a good key",
            both(&expired, KEY, Order::TokenFirst)?,
            401,
            INVALID,
            "jwt_exp_past",
        ),
        call("/jwt/first", "key: ..", With::Fields(vec![("key", KEY.into())]), 200, "", "acme"),
        call("/jwt/first", "a token of the service", ours(good), 200, "", SERVICE),
        call("/jwt/first", "nothing", ours(NoAuth), 401, BEARER, "jwt_missing"),
    ])
}

fn service(claims: ClaimsToSign) -> Result<JwtAuthenticator, Error> {
    let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, SERVICE_SECRET)?;
    Ok(JwtAuthenticator::new(key, claims, SystemClock))
}

fn at(claims: ClaimsToSign, then: Timestamp) -> Result<JwtAuthenticator, Error> {
    let key = SigningKey::from_base64_secret(JwsAlgorithm::HS256, SERVICE_SECRET)?;
    Ok(JwtAuthenticator::new(key, claims, then))
}

fn bot() -> Result<JwtAuthenticator, Error> {
    let key = SigningKey::from_pem(JwsAlgorithm::RS512, BOT_KEY)?;
    Ok(JwtAuthenticator::new(key, profiles::symphony_login_claims(BOT), SystemClock))
}

fn long_lived() -> Result<JwtAuthenticator, Error> {
    let key = SigningKey::from_pem(JwsAlgorithm::RS512, BOT_KEY)?;
    let claims = ClaimsToSign::expiring_in(Duration::from_secs(3600))?.with_subject(BOT);
    Ok(JwtAuthenticator::new(key, claims, SystemClock))
}

fn many(mint: JwtAuthenticator) -> With {
    With::Many(Arc::new(mint), 1000)
}

enum Order {
    TokenFirst,
    KeyFirst,
}

fn both(mint: &JwtAuthenticator, key: &str, order: Order) -> Result<With, Error> {
    let token = ("Authorization", format!("Bearer {}", mint.sign()?.expose()).into_bytes());
    let key = ("key", key.as_bytes().to_vec());
    Ok(With::Fields(match order {
        Order::TokenFirst => vec![token, key],
        Order::KeyFirst => vec![key, token],
    }))
}
