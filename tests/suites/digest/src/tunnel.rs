//! A tunnel through a proxy, which no adapter sees: the challenge read from the socket, the answer made by hand.

use super::{
    USER,
    servers::{digest, text},
};
use auth_core::{Authenticator, Hop, RequestView};
use auth_digest::{ChallengePolicy, Md5Allowed};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What `CONNECT` is answered in the end.
pub async fn tunnel(proxy: &str, behind: &str, password: &str) -> Result<StatusCode, String> {
    let proxy = proxy.trim_start_matches("http://");
    let behind: Uri = behind.parse().map_err(text)?;
    let authority = behind.authority().ok_or("no authority")?.as_str();
    let mut uri: Uri = authority.parse().map_err(text)?;
    let digest = digest(USER, password).map_err(text)?.for_proxy();
    let policy = ChallengePolicy::new().with_md5(Md5Allowed::Anywhere);
    let digest = digest.with_policy(policy);
    let (asked, headers) = connect(proxy, authority, "").await?;
    let empty = HeaderMap::new();
    let request = RequestView::new(&Method::CONNECT, &uri, &empty).with_hop(Hop::Proxy);
    let answer = auth_core::Answer::new(request, asked, &headers);
    digest.assess(&auth_core::Credentials::none(), answer);
    let made = digest.present(request).map_err(text)?.ok_or("the challenge was not taken")?;
    let mut fields = HeaderMap::new();
    made.commit(&mut uri, &mut fields).map_err(text)?;
    let field = fields.get(header::PROXY_AUTHORIZATION).ok_or("no field")?;
    let field = format!("Proxy-Authorization: {}\r\n", String::from_utf8_lossy(field.as_bytes()));
    Ok(connect(proxy, authority, &field).await?.0)
}

/// Status and fields of what a proxy answers.
async fn connect(
    proxy: &str,
    authority: &str,
    field: &str,
) -> Result<(StatusCode, HeaderMap), String> {
    let mut stream = TcpStream::connect(proxy).await.map_err(text)?;
    let head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{field}\r\n");
    stream.write_all(head.as_bytes()).await.map_err(text)?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut answer).await.map_err(text)? == 0 {
            return Err(String::from("the proxy hung up"));
        }
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let mut lines = answer.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status")?;
    let fields = lines.map_while(|line| line.split_once(": "));
    let fields = fields.map(|(name, value)| {
        let name: http::HeaderName = name.parse().map_err(text)?;
        Ok((name, value.parse::<HeaderValue>().map_err(text)?))
    });
    Ok((status.parse().map_err(text)?, fields.collect::<Result<_, String>>()?))
}
