use super::*;
use auth_core::{Exchange, RequestView, send};
use auth_testing::ScriptedTransport;
use http::{Method, Request, Response, Uri};
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

const BASE: &str = "https://xyz12.api.infobip.com";

fn authorization(json: &str) -> InfobipAuthorization {
    serde_json::from_str(json).unwrap()
}

/// Log-ins and tokens as the platform answers them.
fn context(asked: &Arc<Mutex<Vec<String>>>) -> Context {
    let asked = Arc::clone(asked);
    Context::new(ScriptedTransport::new(move |request: &Request<Vec<u8>>| {
        asked.lock().unwrap().push(format!("{} {}", request.method(), request.uri()));
        let body: &[u8] = match request.uri().path() {
            "/auth/1/session" => br#"{"token":"2f9b4d31-2d0d-49a8-85f0-9b862bdca394"}"#,
            "/auth/1/oauth2/token" => {
                br#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","expires_in":3600}"#
            }
            path => panic!("{path}"),
        };
        Ok(Response::new(body.to_vec()))
    }))
}

#[track_caller]
fn check(json: &str, field: &str, exchanges: &[&str]) {
    let asked = Arc::default();
    let infobip = Infobip::new(BASE, authorization(json), context(&asked)).unwrap();
    let uri: Uri = infobip.url("/sms/3/messages").parse().unwrap();
    let headers = HeaderMap::new();
    for _ in 0..2 {
        let made =
            infobip.credentials(RequestView::new(&Method::POST, &uri, &headers)).wait().unwrap();
        assert_eq!(made.field(&http::header::AUTHORIZATION).unwrap(), field);
    }
    assert_eq!(infobip.url("sms/3/messages"), infobip.url("/sms/3/messages"));
    assert_eq!(*asked.lock().unwrap(), exchanges);
    let elsewhere = Uri::from_static("https://evil.example/sms/3/messages");
    let refused = infobip.credentials(RequestView::new(&Method::POST, &elsewhere, &headers)).wait();
    assert_eq!(refused.unwrap_err().code(), "only_other_origin");
    assert!(!format!("{infobip:?} {:?}", authorization(json)).contains("s3cret"));
}

#[test]
fn the_configuration_chooses_one_of_four_ways() {
    check(r#"{"method":"api_key","key":"003026bb-s3cret"}"#, "App 003026bb-s3cret", &[]);
    check(
        r#"{"method":"basic","username":"acme","password":"s3cret"}"#,
        "Basic YWNtZTpzM2NyZXQ=",
        &[],
    );
    let session = format!("POST {BASE}/auth/1/session");
    check(
        r#"{"method":"ibsso","username":"acme","password":"s3cret"}"#,
        "IBSSO 2f9b4d31-2d0d-49a8-85f0-9b862bdca394",
        &[&session],
    );
    let token = format!("POST {BASE}/auth/1/oauth2/token");
    check(
        r#"{"method":"oauth2","client_id":"acme","client_secret":"s3cret"}"#,
        "Bearer 2YotnFZFEjr1zCsicMWpAA",
        &[&token],
    );
}

#[test]
fn what_cannot_be_configured_is_told() {
    let code = |base: &str, json: &str| {
        let asked = Arc::default();
        Infobip::new(base, authorization(json), context(&asked)).map(drop).unwrap_err().code()
    };
    let key = r#"{"method":"api_key","key":"k"}"#;
    for base in [
        "http://xyz12.api.infobip.com",
        "https://xyz12.api.infobip.com/sms",
        "xyz12.api.infobip.com",
        "",
    ] {
        assert_eq!(code(base, key), "infobip_base_url", "{base}");
    }
    assert_eq!(
        code(BASE, r#"{"method":"basic","username":"a:b","password":"p"}"#),
        "basic_user_name_colon"
    );
    for json in [
        r#"{"method":"digest","username":"u","password":"p"}"#,
        r#"{"method":"api_key","key":"k","password":"p"}"#,
        r#"{"method":"basic","username":"u"}"#,
        r#"{"key":"k"}"#,
    ] {
        assert!(serde_json::from_str::<InfobipAuthorization>(json).is_err(), "{json}");
    }
}

#[test]
fn no_key_manages_keys() {
    let asked = Arc::default();
    let under =
        |json: &str| Infobip::new(BASE, authorization(json), context(&asked)).unwrap().api_keys();
    assert_eq!(
        under(r#"{"method":"api_key","key":"k"}"#).unwrap_err().code(),
        "infobip_api_key_cannot"
    );
    for json in [
        r#"{"method":"basic","username":"u","password":"p"}"#,
        r#"{"method":"ibsso","username":"u","password":"p"}"#,
        r#"{"method":"oauth2","client_id":"u","client_secret":"p"}"#,
    ] {
        assert!(under(json).is_ok(), "{json}");
    }
}

/// A 403 says that a scope is missing: no other log-in is made for it.
#[test]
fn a_missing_scope_causes_no_log_in() {
    let asked = Arc::default();
    let json = r#"{"method":"ibsso","username":"u","password":"p"}"#;
    let infobip = Infobip::new(BASE, authorization(json), context(&asked)).unwrap();
    let calls = AtomicUsize::new(0);
    let calls = Arc::new(calls);
    let counted = Arc::clone(&calls);
    let api = ScriptedTransport::new(move |_: &Request<Vec<u8>>| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Response::builder().status(403).body(br#"{"errorCode":"E403"}"#.to_vec()).unwrap())
    });
    let request = Request::post(infobip.url("/sms/3/messages")).body(Vec::new()).unwrap();
    let answer = send(&api, &infobip, Exchange::new(request)).wait().unwrap();
    let read = infobip.read_answer(answer.status(), answer.headers(), answer.body());
    assert_eq!(read.error().unwrap().code(), "infobip_scope");
    assert_eq!((calls.load(Ordering::Relaxed), asked.lock().unwrap().len()), (1, 1));
}

/// Two programs with one store make one session, and either ends it for both.
#[test]
fn a_session_is_shared_through_a_store_and_can_be_ended() {
    let asked = Arc::default();
    let store = Arc::new(MemoryTokenStore::new(Arc::new(auth_core::SystemClock)));
    let program = |json: &str| {
        let store = Arc::clone(&store);
        Infobip::sharing_session(BASE, authorization(json), store, "acme", context(&asked)).unwrap()
    };
    let presented = |infobip: &Infobip| {
        let uri: Uri = infobip.url("/sms/1/logs").parse().unwrap();
        let (method, headers) = (Method::GET, HeaderMap::new());
        let made = infobip.credentials(RequestView::new(&method, &uri, &headers)).wait()?;
        Ok::<_, Error>(made.field(&http::header::AUTHORIZATION).unwrap().clone())
    };
    let json = r#"{"method":"ibsso","username":"acme","password":"s3cret"}"#;
    let (one, other) = (program(json), program(json));
    assert_eq!(presented(&one).unwrap(), presented(&other).unwrap());
    assert_eq!(*asked.lock().unwrap(), [format!("POST {BASE}/auth/1/session")]);
    other.session().unwrap().destroy().wait().unwrap();
    assert_eq!(asked.lock().unwrap().pop().unwrap(), format!("DELETE {BASE}/auth/1/session"));
    assert_eq!(presented(&other).unwrap_err().code(), "session_ended");
    for json in [
        r#"{"method":"api_key","key":"k"}"#,
        r#"{"method":"basic","username":"u","password":"p"}"#,
        r#"{"method":"oauth2","client_id":"u","client_secret":"p"}"#,
    ] {
        assert!(program(json).session().is_none(), "{json}");
    }
}
