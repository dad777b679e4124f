//! The input is an `Authorization` field, or two with a line feed between. The same bytes go to the verifiers that read
//! another place: the `key` field and the query. A request is accepted exactly when it holds the one credential that is
//! known, as a second reading here finds it.

use auth_core::{Authenticator, Authorization, Presence, Rejection, RequestView, Secret, Verifier};
use auth_static::{
    ApiKeyVerifier, Basic, BasicAccounts, BasicVerifier, Bearer, BearerVerifier, FixedKeys,
    KeyHasher, Placement, UserPass, UserPassBuffer,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header::AUTHORIZATION};
use std::{str, sync::LazyLock};

/// Holds for any bytes in one or two fields.
pub fn authorization(data: &[u8]) {
    let lines = data.splitn(3, |&byte| byte == b'\n').take(2);
    let Ok(fields) = lines.map(HeaderValue::from_bytes).collect::<Result<Vec<_>, _>>() else {
        return;
    };
    let mut headers = HeaderMap::new();
    for field in &fields {
        headers.append(AUTHORIZATION, field.clone());
        headers.append(KEY, field.clone());
    }
    let query = format!("/?{}", String::from_utf8_lossy(fields[0].as_bytes()));
    let uri = query.parse().unwrap_or_else(|_| Uri::from_static("/"));
    let request = RequestView::new(&Method::GET, &uri, &headers);
    DOORS.iter().for_each(|door| door.judges(request, &fields));

    match &fields[..] {
        [field] => {
            basic_reads_what_was_written(field.as_bytes());
            bearer_sends_what_it_reads(field.as_bytes());
            the_longest_reads_the_same(field.as_bytes());
        }
        _ => assert!(is_400(&Authorization::of(&headers).unwrap_err())),
    }
}

const KEY: HeaderName = HeaderName::from_static("key");
const TOKEN: &str = "mF_9.B5f-4.1JqM";
const USER: &str = "Aladdin";
const PASSWORD: &str = "open:sesame £";

/// A verifier, the same verifier that knows nobody, and a second reading of what it must accept.
struct Door {
    known: Box<dyn Verifier<Principal = u8>>,
    nobody: Box<dyn Verifier<Principal = u8>>,
    reads: Reads,
}

enum Reads {
    Scheme { name: &'static str, credentials: String },
    Field,
    Query,
}

static DOORS: LazyLock<Vec<Door>> = LazyLock::new(|| {
    let hasher = KeyHasher::new(&Secret::new([7; 32])).unwrap();
    let bearer = |keys| Box::new(BearerVerifier::new("r", hasher.clone(), keys).unwrap());
    let basic = |accounts| Box::new(BasicVerifier::new("r", accounts).unwrap());
    let api_key = |place: Placement, keys| {
        Box::new(ApiKeyVerifier::new("r", place, hasher.clone(), keys).unwrap())
    };
    let one = || FixedKeys::new(&hasher, [(TOKEN, 1)]);
    let none = || FixedKeys::new(&hasher, [("", 1); 0]);
    let scheme = |name, credentials: String| Reads::Scheme { name, credentials };
    let keys = |place: Placement, reads| Door {
        known: api_key(place.clone(), one()),
        nobody: api_key(place, none()),
        reads,
    };
    vec![
        Door {
            known: bearer(one()),
            nobody: bearer(none()),
            reads: scheme("bearer", TOKEN.into()),
        },
        Door {
            known: basic(BasicAccounts::new(&hasher, [(USER, PASSWORD, 1)])),
            nobody: basic(BasicAccounts::new::<&str, &str>(&hasher, [])),
            reads: scheme("basic", STANDARD.encode(format!("{USER}:{PASSWORD}"))),
        },
        keys(Placement::scheme("App").unwrap(), scheme("app", TOKEN.into())),
        keys(Placement::header("key").unwrap(), Reads::Field),
        keys(Placement::query("apikey").unwrap(), Reads::Query),
    ]
});

impl Door {
    fn judges(&self, request: RequestView<'_>, fields: &[HeaderValue]) {
        let several = fields.len() > 1 && !matches!(self.reads, Reads::Query);
        for (verifier, knows) in [(&self.known, true), (&self.nobody, false)] {
            let flow = verifier.verify(request);
            assert!(flow.is_ready());
            let outcome = flow.wait().expect("a verifier that only computes can always tell");
            let absent = verifier.presence(request) == Presence::Absent;
            match outcome {
                Ok(accepted) => {
                    assert!(knows, "a verifier that knows nobody accepted");
                    assert!(self.must_accept(request.uri, fields));
                    assert_eq!((accepted.principal, absent, several), (1, false, false));
                }
                Err(rejection) => {
                    let missing = rejection.reason().code.ends_with("_missing");
                    assert!(!knows || !self.must_accept(request.uri, fields), "{rejection:?}");
                    assert_eq!(absent, missing, "{rejection:?}");
                    assert!(
                        is_400(&rejection) || (is_401(&rejection) && !several),
                        "{rejection:?}"
                    );
                }
            }
        }
    }

    /// Is this request exactly the one credential that is known?
    fn must_accept(&self, uri: &Uri, fields: &[HeaderValue]) -> bool {
        match (&self.reads, fields) {
            (Reads::Scheme { name, credentials }, [field]) => {
                let field = field.as_bytes();
                let split = field.iter().position(|&byte| byte == b' ').unwrap_or(field.len());
                let (scheme, rest) = field.split_at(split);
                let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
                field.len() <= Authorization::MOST_BYTES
                    && scheme.eq_ignore_ascii_case(name.as_bytes())
                    && rest[spaces..] == *credentials.as_bytes()
            }
            (Reads::Field, [field]) => field.as_bytes() == TOKEN.as_bytes(),
            (Reads::Scheme { .. } | Reads::Field, _) => false,
            (Reads::Query, _) => {
                let pairs = uri.query().unwrap_or_default().split('&');
                let named: Vec<_> = pairs
                    .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                    .filter(|(name, _)| decoded(name).as_deref() == Some(b"apikey"))
                    .collect();
                named.len() == 1 && decoded(named[0].1).as_deref() == Some(TOKEN.as_bytes())
            }
        }
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('%');
    let mut out = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits =
            part.get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        out.push(u8::from_str_radix(digits, 16).ok()?);
        out.extend(&part.as_bytes()[2..]);
    }
    Some(out)
}

fn is_400(rejection: &Rejection) -> bool {
    rejection.status() == StatusCode::BAD_REQUEST
}

/// A 401 without a challenge is none.
fn is_401(rejection: &Rejection) -> bool {
    rejection.status() == StatusCode::UNAUTHORIZED && !rejection.challenges().is_empty()
}

/// What is accepted as user name and password encodes to exactly the token that was read, and what is canonical base64
/// of both is accepted; the sender writes the same field.
fn basic_reads_what_was_written(field: &[u8]) {
    let Ok(read) = Authorization::parse(field) else { return };
    let mut buffer = UserPassBuffer::new();
    let Ok(token) = read.token68() else {
        assert!(UserPass::parse(&read, &mut buffer).is_err());
        return;
    };
    let token = str::from_utf8(token).unwrap();
    let plain = STANDARD.decode(token).ok().and_then(|plain| String::from_utf8(plain).ok());
    let possible = plain.is_some_and(|plain| {
        plain.contains(':') && !plain.bytes().any(|byte| byte < b' ' || byte == 0x7f)
    });
    // A buffer that others have used, for short and for long, is as good as a new one.
    for before in ["Basic YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo6", LONG.as_str()] {
        assert!(
            UserPass::parse(&Authorization::parse(before.as_bytes()).unwrap(), &mut buffer).is_ok()
        );
        let Ok(found) = UserPass::parse(&read, &mut buffer) else {
            assert!(!possible, "refused what is well-formed");
            continue;
        };
        assert!(possible, "accepted what is malformed");
        let password = std::str::from_utf8(found.password()).unwrap();
        assert_eq!(STANDARD.encode(format!("{}:{password}", found.user())), token);
        assert!(!found.user().contains(':'));
        assert_eq!(sent(&Basic::new(found.user(), password).unwrap()), format!("Basic {token}"));
    }
}

static LONG: LazyLock<String> =
    LazyLock::new(|| format!("Basic {}", STANDARD.encode(format!("{}:", "x".repeat(400)))));

fn bearer_sends_what_it_reads(field: &[u8]) {
    let read = Authorization::parse(field).and_then(|read| read.token68());
    if let Ok(token) = read.map(|token| str::from_utf8(token).unwrap()) {
        assert_eq!(sent(&Bearer::new(token).unwrap()), format!("Bearer {token}"));
    }
    if let Ok(text) = str::from_utf8(field) {
        let whole = format!("Bearer {text}");
        let read = Authorization::parse(whole.as_bytes()).and_then(|read| read.token68());
        assert_eq!(Bearer::new(text).is_ok(), read.is_ok_and(|token| token == text.as_bytes()));
    }
}

fn sent(authenticator: &dyn Authenticator) -> String {
    let (mut uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
    let request = RequestView::new(&Method::GET, &uri, &headers);
    let credentials = authenticator.credentials(request).wait().unwrap();
    credentials.commit(&mut uri, &mut headers).unwrap();
    headers[AUTHORIZATION].to_str().unwrap().into()
}

/// Spaces behind the scheme change nothing, up to the longest field; one more byte is a 400.
fn the_longest_reads_the_same(field: &[u8]) {
    let Ok(read) = Authorization::parse(field) else { return };
    let (scheme, credentials) = field.split_at(read.scheme().len());
    let spaces = Authorization::MOST_BYTES - field.len();
    let longest = [scheme, &b" ".repeat(spaces), credentials].concat();
    let again = Authorization::parse(&longest).unwrap();
    assert_eq!(again.scheme(), read.scheme());
    assert_eq!(again.token68().ok(), read.token68().ok());
    assert_eq!(again.opaque().ok(), read.opaque().ok());
    let too_long = [&longest[..], b"="].concat();
    assert!(is_400(&Authorization::parse(&too_long).unwrap_err()));
}
