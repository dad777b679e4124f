//! oauth2, over a transport that answers, or refuses, at once.

use super::{By, CLIENT, ENDPOINT, SCOPE, SECRET, answered};
use harness::case::{Call, call};
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    Scope, TokenUrl,
    basic::{BasicClient, BasicTokenResponse},
};
use std::{hint::black_box, io};

type Client =
    BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

pub fn answer() -> Call {
    let answer = answered();
    call(move || {
        serde_json::from_slice::<BasicTokenResponse>(black_box(answer.body())).expect("a token")
    })
}

pub fn request(by: By) -> Call {
    let refuses = |request: HttpRequest| {
        black_box(&request);
        Err::<HttpResponse, _>(io::Error::from(io::ErrorKind::ConnectionRefused))
    };
    let client = client(by);
    call(move || asked(&client).request(&refuses).expect_err("refused"))
}

pub fn exchange(by: By) -> Call {
    let answers = |request: HttpRequest| {
        black_box(&request);
        Ok::<HttpResponse, io::Error>(answered())
    };
    let client = client(by);
    call(move || asked(&client).request(&answers).expect("a token"))
}

fn asked(
    client: &Client,
) -> oauth2::ClientCredentialsTokenRequest<'_, oauth2::basic::BasicErrorResponse, BasicTokenResponse>
{
    let scopes = black_box(SCOPE).split(' ').map(|scope| Scope::new(scope.to_owned()));
    black_box(client).exchange_client_credentials().add_scopes(scopes)
}

fn client(by: By) -> Client {
    let how = match by {
        By::Basic => AuthType::BasicAuth,
        By::Post | By::PrivateKey => AuthType::RequestBody,
    };
    BasicClient::new(ClientId::new(CLIENT.into()))
        .set_client_secret(ClientSecret::new(SECRET.into()))
        .set_auth_type(how)
        .set_token_uri(TokenUrl::new(ENDPOINT.into()).expect("a URL"))
}
