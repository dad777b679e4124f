//! The examples that the RFCs print, in both directions.

use auth_core::{Authenticator, Challenges, RequestView, SystemRandom, Verifier};
use auth_static::{
    Basic, BasicAccounts, BasicVerifier, Bearer, BearerVerifier, FixedKeys, KeyHasher,
};
use conformance::{Compared, compare};
use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};

/// RFC 9110 section 11: challenge lists, as that document and those that build on it print them.
pub fn rfc9110() -> Vec<Compared> {
    [
        (
            "9110-11.6.1",
            r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#,
            r#"Basic realm="simple" / Newauth realm="apps", type=1, title="Login to \"apps\"""#,
        ),
        ("7617-2", r#"Basic realm="WallyWorld""#, r#"Basic realm="WallyWorld""#),
        ("7617-2.1", r#"Basic realm="foo", charset="UTF-8""#, r#"Basic realm="foo", charset="UTF-8""#),
        ("6750-3", r#"Bearer realm="example""#, r#"Bearer realm="example""#),
        (
            "6750-3-error",
            "Bearer realm=\"example\",\n error=\"invalid_token\",\n error_description=\"The access token expired\"",
            r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#,
        ),
        (
            "7616-3.9.1",
            r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#,
            r#"Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#,
        ),
        ("4559-4.1", "Negotiate", "Negotiate"),
        ("4559-5", "Negotiate a87421000492aa874209af8bc028", "Negotiate a87421000492aa874209af8bc028"),
    ]
    .into_iter()
    .map(|(id, field, expected)| {
        // The RFCs print long fields over several lines, which is one space on the wire.
        let field = field.replace("\n ", " ");
        let read: Result<Vec<_>, _> = Challenges::parse(field.as_bytes()).collect();
        let actual = read.map(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" / "));
        compare(id, expected, actual.unwrap_or_else(|error| error.to_string()))
    })
    .collect()
}

/// RFC 7617: Basic.
pub fn rfc7617() -> Vec<Compared> {
    let mut cases = Vec::new();
    for (id, user, password, field) in [
        ("2", "Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("2.1-utf-8", "test", "123\u{a3}", "Basic dGVzdDoxMjPCow=="),
    ] {
        cases.push(compare(format!("{id}-client"), field, sent(Basic::new(user, password))));
        let hasher = KeyHasher::random(&SystemRandom::new());
        let judged = hasher.and_then(|hasher| {
            let door = BasicVerifier::new(
                "WallyWorld",
                BasicAccounts::new(&hasher, [(user, password, user)]),
            )?;
            Ok(format!("{} / {}", judge(&door, Some(field)), judge(&door, None)))
        });
        let expected = format!("{user} / 401 Basic realm=\"WallyWorld\", charset=\"UTF-8\"");
        cases.push(compare(format!("{id}-server"), expected, said(judged)));
    }
    cases.push(compare(
        "2-colon-in-user",
        "refused",
        Basic::new("a:b", "c").map_or("refused", |_| "taken"),
    ));
    cases.push(compare(
        "2-control-in-password",
        "refused",
        Basic::new("a", "b\u{7}").map_or("refused", |_| "taken"),
    ));
    cases
}

/// RFC 6750: Bearer.
pub fn rfc6750() -> Vec<Compared> {
    let field = "Bearer mF_9.B5f-4.1JqM";
    let hasher = KeyHasher::random(&SystemRandom::new());
    let judged = |presented: Option<&'static str>| {
        said(hasher.clone().and_then(|hasher| {
            let keys = FixedKeys::new(&hasher, [("mF_9.B5f-4.1JqM", "client")]);
            Ok(judge(&BearerVerifier::new("example", hasher, keys)?, presented))
        }))
    };
    vec![
        compare("2.1-client", field, sent(Bearer::new("mF_9.B5f-4.1JqM"))),
        compare("2.1-server", "client", judged(Some(field))),
        compare("3-absent", "401 Bearer realm=\"example\"", judged(None)),
        compare(
            "3-invalid",
            "401 Bearer realm=\"example\", error=\"invalid_token\"",
            judged(Some("Bearer mF_9.B5f-4.1JqN")),
        ),
        compare(
            "3.1-malformed",
            "400 Bearer realm=\"example\", error=\"invalid_request\"",
            judged(Some("Bearer mF_9 B5f")),
        ),
    ]
}

fn sent<A: Authenticator>(authenticator: auth_core::Result<A>) -> String {
    said(authenticator.and_then(|authenticator| {
        let (mut uri, mut headers) =
            (Uri::from_static("https://server.example.com/resource"), HeaderMap::new());
        let made =
            authenticator.credentials(RequestView::new(&Method::GET, &uri, &headers)).wait()?;
        made.commit(&mut uri, &mut headers)?;
        let field = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        Ok(String::from_utf8_lossy(field).into_owned())
    }))
}

fn judge(door: &dyn Verifier<Principal = &'static str>, field: Option<&'static str>) -> String {
    let fields = field.map(|field| (AUTHORIZATION, HeaderValue::from_static(field)));
    let (uri, headers) = (Uri::from_static("/"), HeaderMap::from_iter(fields));
    match door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait() {
        Ok(Ok(accepted)) => accepted.principal.to_owned(),
        Ok(Err(rejection)) => {
            let challenges: Vec<_> =
                rejection.challenges().iter().map(ToString::to_string).collect();
            format!("{} {}", rejection.status().as_u16(), challenges.join(" / "))
        }
        Err(error) => error.to_string(),
    }
}

fn said(outcome: auth_core::Result<String>) -> String {
    outcome.unwrap_or_else(|error| error.to_string())
}
