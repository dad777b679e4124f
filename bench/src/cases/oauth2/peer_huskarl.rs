//! huskarl, over a transport that answers, or refuses, at once.

use super::{ANSWER, By, CLIENT, ENDPOINT, KEY, SCOPE, SECRET};
use bytes::Bytes;
use harness::case::{Call, call};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use huskarl::{
    authorizer::HttpAuthorizer,
    cache::{GrantTokenSource, InMemoryRefreshTokenStore, InMemoryTokenCache},
    core::{
        Error,
        client_auth::{Audience, ClientAuthentication, ClientSecret, JwtBearer},
        error::RetryAdvice,
        http::{HttpClient, HttpResponse, Idempotency},
        platform::MaybeSendBoxFuture,
        secrets::{ProvidedSecret, SecretString},
    },
    grant::{
        client_credentials::{ClientCredentialsGrant, ClientCredentialsGrantParameters},
        core::RawTokenResponse,
    },
    prelude::*,
};
use huskarl_crypto_native::asymmetric::signer::{AsymmetricAlgorithm, PrivateKey, pkcs8_pem};
use std::{hint::black_box, io};

#[derive(Clone, Copy)]
enum Canned {
    Answers,
    Refuses,
}

impl HttpClient for Canned {
    fn execute(
        &self,
        request: Request<Bytes>,
        _: Idempotency,
    ) -> MaybeSendBoxFuture<'_, Result<HttpResponse, Error>> {
        black_box(&request);
        Box::pin(async move {
            match self {
                Self::Refuses => {
                    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
                    Err(Error::new(RetryAdvice::No, refused))
                }
                Self::Answers => {
                    let kind = HeaderValue::from_static("application/json;charset=UTF-8");
                    let mut headers = HeaderMap::new();
                    headers.insert(http::header::CONTENT_TYPE, kind);
                    let body = Bytes::from(ANSWER.as_bytes().to_vec());
                    Ok(HttpResponse { status: StatusCode::OK, headers, body })
                }
            }
        })
    }
}

pub fn answer() -> Call {
    let answer = super::answered();
    call(move || {
        serde_json::from_slice::<RawTokenResponse>(black_box(answer.body())).expect("a token")
    })
}

pub fn request(by: By) -> Call {
    let grant = grant(by, Canned::Refuses);
    call(move || waited(black_box(&grant).exchange(parameters())).expect_err("refused"))
}

pub fn exchange(by: By) -> Call {
    let grant = grant(by, Canned::Answers);
    call(move || waited(black_box(&grant).exchange(parameters())).expect("a token"))
}

pub fn kept() -> Call {
    let source = GrantTokenSource::builder()
        .grant(grant(By::Post, Canned::Answers))
        .grant_parameters(parameters())
        .refresh_store(InMemoryRefreshTokenStore::default())
        .build();
    let cache = InMemoryTokenCache::builder().source(source).build();
    let authorizer = HttpAuthorizer::builder().cache(cache).build();
    let uri = Uri::from_static("https://api.example.com/v1/messages");
    call(move || {
        waited(black_box(&authorizer).get_headers(&Method::GET, black_box(&uri))).expect("headers")
    })
}

fn parameters() -> ClientCredentialsGrantParameters {
    let scopes = black_box(SCOPE).split(' ').map(String::from).collect::<Vec<_>>();
    ClientCredentialsGrantParameters::builder().scope(scopes).build()
}

fn grant(by: By, http: Canned) -> ClientCredentialsGrant {
    match by {
        By::Post => granted(secret(false), http),
        By::Basic => granted(secret(true), http),
        By::PrivateKey => {
            let key = pkcs8_pem(KEY, AsymmetricAlgorithm::Rs256, None).expect("a key");
            let key = PrivateKey::from_jwk(key).expect("a key");
            let client = JwtBearer::builder().signer(key).audience(Audience::TargetEndpoint);
            granted(client.build(), http)
        }
    }
}

fn secret(prefer_basic: bool) -> ClientSecret {
    let secret = ProvidedSecret::new(SecretString::new(SECRET));
    ClientSecret::builder().client_secret(secret).prefer_basic_auth(prefer_basic).build()
}

fn granted(client: impl ClientAuthentication + 'static, http: Canned) -> ClientCredentialsGrant {
    ClientCredentialsGrant::builder()
        .token_endpoint(ENDPOINT.parse().expect("a URL"))
        .client_id(CLIENT)
        .http_client(http)
        .client_auth(client)
        .build()
}

/// Nothing here waits for anything.
fn waited<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    match work.as_mut().poll(&mut task) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("it waits"),
    }
}
