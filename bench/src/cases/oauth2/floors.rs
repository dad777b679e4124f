//! The least that the work takes, written by hand.

use super::{By, CLIENT, ENDPOINT, KEY, SCOPE, SECRET, now};
use auth_core::{Random, SystemRandom};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use harness::case::{Call, call};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use ring::{
    rand::SystemRandom as RingRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde::{Deserialize, Serialize};
use std::hint::black_box;

/// What every client reads of an answer.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: String,
    expires_in: u64,
    refresh_token: Option<String>,
    scope: Option<String>,
}

pub fn answer() -> Call {
    let answer = super::answered();
    call(move || {
        let Answer { access_token, token_type, expires_in, refresh_token, scope } =
            serde_json::from_slice(black_box(answer.body())).expect("a token");
        (access_token, token_type, expires_in, refresh_token, scope)
    })
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: u64,
    exp: u64,
    jti: &'a str,
}

pub fn request(by: By) -> Call {
    let (uri, accept) = (Uri::from_static(ENDPOINT), HeaderValue::from_static("application/json"));
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let basic = STANDARD.encode(format!("{CLIENT}:{}", SECRET.replace('%', "%25")));
    let basic = HeaderValue::try_from(format!("Basic {basic}")).expect("a field");
    let pem = KEY.lines().filter(|line| !line.starts_with("---")).collect::<String>();
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(pem).expect("Base64")).expect("a key");
    let (random, jtis) = (RingRandom::new(), SystemRandom::new());
    call(move || {
        let mut body = String::with_capacity(if matches!(by, By::PrivateKey) { 1024 } else { 256 });
        body.push_str("grant_type=client_credentials&scope=");
        body.extend(url::form_urlencoded::byte_serialize(black_box(SCOPE).as_bytes()));
        let mut headers = HeaderMap::with_capacity(3);
        headers.insert(header::ACCEPT, accept.clone());
        headers.insert(header::CONTENT_TYPE, form.clone());
        match by {
            By::Basic => drop(headers.insert(header::AUTHORIZATION, basic.clone())),
            By::Post => {
                body.push_str("&client_id=");
                body.push_str(CLIENT);
                body.push_str("&client_secret=");
                body.extend(url::form_urlencoded::byte_serialize(black_box(SECRET).as_bytes()));
            }
            By::PrivateKey => {
                let mut jti = [0; 16];
                jtis.fill(&mut jti).expect("randomness");
                let (jti, iat) = (URL_SAFE_NO_PAD.encode(jti), now().unix());
                let exp = iat + 60;
                let claims =
                    Claims { iss: CLIENT, sub: CLIENT, aud: ENDPOINT, iat, exp, jti: &jti };
                let mut token = String::with_capacity(800);
                let head = br#"{"alg":"RS256","typ":"client-authentication+jwt"}"#;
                URL_SAFE_NO_PAD.encode_string(head, &mut token);
                token.push('.');
                let payload = serde_json::to_vec(&claims).expect("claims");
                URL_SAFE_NO_PAD.encode_string(payload, &mut token);
                let mut signature = [0; 512];
                let signature = &mut signature[..key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, token.as_bytes(), signature).expect("signed");
                token.push('.');
                URL_SAFE_NO_PAD.encode_string(signature, &mut token);
                body.push_str("&client_id=");
                body.push_str(CLIENT);
                body.push_str("&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=");
                body.push_str(&token);
            }
        }
        let mut request = Request::new(body.into_bytes());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = headers;
        request
    })
}
