//! Sends one request under any scheme: what curl is to HTTP, for authentication.
//!
//! ```text
//! cargo run --example request -- --basic 'alice:open: sésame' http://127.0.0.1:8080/basic
//! cargo run --example request -- --key-header key=@secret.txt https://api.example.com/send -d '{"to":"x"}'
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr)]

use messaging_auth::{
    auth_core::{Authenticator, Error},
    auth_reqwest::AuthClient,
    auth_static::{ApiKey, Basic, Bearer, NoAuth, Placement},
};
use std::process::ExitCode;

const USAGE: &str = "request [SCHEME] [-X METHOD] [-H 'NAME: VALUE'].. [-d BODY] [-i] [--allow-plain-http] URL

SCHEME is one of
  --basic USER:PASSWORD    Basic, the first colon separates
  --key-header NAME=KEY    an API key in a header field
  --key-scheme WORD=KEY    an API key as `Authorization: WORD KEY`
  --key-query NAME=KEY     an API key in the query
  --bearer TOKEN           Bearer
A value that begins with @ is read from that file, without the line end, so that it is not in the process list.";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(message) => {
            eprintln!("request: {message}");
            ExitCode::FAILURE
        }
    }
}

struct Wanted {
    authenticator: Box<dyn Authenticator>,
    method: String,
    fields: Vec<(String, String)>,
    body: Option<String>,
    show_head: bool,
    plain_http: bool,
    url: String,
}

async fn run() -> Result<ExitCode, String> {
    let Some(wanted) = read(std::env::args().skip(1))? else {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    let mut builder = AuthClient::builder();
    if wanted.plain_http {
        builder = builder.allowing_plain_http();
    }
    let client = builder.build().map_err(say)?;
    let method = wanted.method.parse().map_err(|_| format!("{} is no method", wanted.method))?;
    let mut request = client.http().request(method, &wanted.url);
    for (name, value) in &wanted.fields {
        request = request.header(name, value);
    }
    if let Some(body) = wanted.body {
        request = request.body(body);
    }
    let request = request.build().map_err(|error| error.to_string())?;
    let answer = client.send(&*wanted.authenticator, request).await.map_err(say)?;
    let status = answer.status();
    eprintln!("{status}");
    if wanted.show_head {
        for (name, value) in answer.headers() {
            println!("{name}: {}", String::from_utf8_lossy(value.as_bytes()));
        }
        println!();
    }
    println!("{}", answer.text().await.map_err(|error| error.to_string())?);
    Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say(error: Error) -> String {
    format!("{error} [{}]", error.code())
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<Option<Wanted>, String> {
    let mut wanted = Wanted {
        authenticator: Box::new(NoAuth),
        method: String::new(),
        fields: Vec::new(),
        body: None,
        show_head: false,
        plain_http: false,
        url: String::new(),
    };
    while let Some(argument) = arguments.next() {
        let mut value =
            || arguments.next().ok_or_else(|| format!("{argument} needs a value\n\n{USAGE}"));
        match argument.as_str() {
            "-h" | "--help" => return Ok(None),
            "--basic" => {
                let (user, password) = split(&value()?, ':')?;
                wanted.authenticator = Box::new(Basic::new(&user, &password).map_err(say)?);
            }
            "--key-header" => wanted.authenticator = key(&value()?, Placement::header)?,
            "--key-scheme" => wanted.authenticator = key(&value()?, Placement::scheme)?,
            "--key-query" => wanted.authenticator = key(&value()?, Placement::query)?,
            "--bearer" => {
                wanted.authenticator = Box::new(Bearer::new(&from_file(&value()?)?).map_err(say)?)
            }
            "-X" => wanted.method = value()?,
            "-H" => {
                let (name, text) = split(&value()?, ':')?;
                wanted.fields.push((name, text.trim().to_owned()));
            }
            "-d" => wanted.body = Some(from_file(&value()?)?),
            "-i" => wanted.show_head = true,
            "--allow-plain-http" => wanted.plain_http = true,
            flag if flag.starts_with('-') => return Err(format!("{flag} is unknown\n\n{USAGE}")),
            _ if !wanted.url.is_empty() => return Err(format!("more than one URL\n\n{USAGE}")),
            _ => wanted.url = argument,
        }
    }
    if wanted.url.is_empty() {
        return Err(format!("no URL\n\n{USAGE}"));
    }
    if wanted.method.is_empty() {
        wanted.method = String::from(if wanted.body.is_some() { "POST" } else { "GET" });
    }
    Ok(Some(wanted))
}

fn key(
    text: &str,
    placement: fn(&str) -> Result<Placement, Error>,
) -> Result<Box<dyn Authenticator>, String> {
    let (name, key) = split(text, '=')?;
    Ok(Box::new(ApiKey::new(placement(&name).map_err(say)?, &key).map_err(say)?))
}

fn split(text: &str, at: char) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(at)
        .ok_or_else(|| format!("expected two parts with {at:?} between them"))?;
    Ok((name.to_owned(), from_file(value)?))
}

fn from_file(value: &str) -> Result<String, String> {
    match value.strip_prefix('@') {
        None => Ok(value.to_owned()),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
}
