//! A person's browser: it keeps cookies, follows redirects, logs in and agrees.

use auth_core::{Context, Exchange};
use http::{HeaderMap, Method, Response, header};
use std::collections::BTreeMap;
use url::{Url, form_urlencoded::Serializer};

/// A browser with a cookie jar of its own.
#[derive(Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
}

/// What the person does at the pages of the authorization server.
#[derive(Clone, Copy)]
pub enum Person<'a> {
    /// Logs in under this name, and agrees.
    Agrees(&'a str),
    /// Goes back without.
    Cancels,
}

impl Browser {
    /// Opens the URL that a grant begins with; the query that the browser is sent back to the client with.
    pub async fn authorize(
        &mut self,
        url: &str,
        redirect_uri: &str,
        person: Person<'_>,
        context: &Context,
    ) -> Result<String, String> {
        const MOST_STEPS: usize = 20;
        let mut at = Url::parse(url).map_err(|error| error.to_string())?;
        let (mut method, mut form) = (Method::GET, String::new());
        for _ in 0..MOST_STEPS {
            let answer = self.open(method, &at, form, context).await?;
            let (next, sent) = match answer.headers().get(header::LOCATION) {
                Some(location) => {
                    (String::from_utf8_lossy(location.as_bytes()).into_owned(), String::new())
                }
                None => next_of(&answer, person)?,
            };
            at = at.join(&next).map_err(|error| format!("{next}: {error}"))?;
            if let Some(query) = at.as_str().strip_prefix(redirect_uri) {
                return Ok(query.trim_start_matches('?').to_owned());
            }
            method = if sent.is_empty() { Method::GET } else { Method::POST };
            form = sent;
        }
        Err(format!("no end after {MOST_STEPS} pages, the last at {at}"))
    }

    async fn open(
        &mut self,
        method: Method,
        url: &Url,
        form: String,
        context: &Context,
    ) -> Result<Response<Vec<u8>>, String> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = http::Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookies.join("; "));
        let request = request.body(form.into_bytes()).map_err(|error| error.to_string())?;
        let answer = context.transport.fetch(Exchange::new(request)).await;
        let answer = answer.map_err(|error| error.to_string())?;
        self.keep(answer.headers());
        Ok(answer)
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(header::SET_COOKIE) {
            let cookie = String::from_utf8_lossy(cookie.as_bytes()).into_owned();
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            match pair {
                Some((name, "")) => drop(self.cookies.remove(name)),
                Some((name, value)) => drop(self.cookies.insert(name.into(), value.into())),
                None => {}
            }
        }
    }
}

/// Where the person goes from this page, and the form that they send there.
fn next_of(page: &Response<Vec<u8>>, person: Person<'_>) -> Result<(String, String), String> {
    let text = String::from_utf8_lossy(page.body());
    let attribute = |name: &str| {
        let value = text.split_once(name)?.1.split_once('"')?.0;
        Some(value.replace("&amp;", "&"))
    };
    let Person::Agrees(user) = person else {
        // The last link of the page.
        let link = text.rsplit_once("href=\"").and_then(|(_, rest)| rest.split_once('"'));
        return link.map(|(link, _)| (link.to_owned(), String::new())).ok_or("no link".into());
    };
    let Some(action) = attribute("action=\"") else {
        return Err(format!("status {} and no form: {text}", page.status()));
    };
    let mut form = Serializer::new(String::new());
    if text.contains("name=\"password\"") {
        form.extend_pairs([("prompt", "login"), ("login", user), ("password", "any")]);
    } else {
        form.append_pair("prompt", "consent");
    }
    Ok((action, form.finish()))
}
