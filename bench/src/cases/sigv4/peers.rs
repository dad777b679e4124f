//! Others, each set up the way it is meant to be used.

use super::{HOST, ID, NOW, REGION, SECRET, body};
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
        SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4::SigningParams,
};
use harness::case::{Call, call};
use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

fn url(target: &str) -> String {
    format!("https://{HOST}{target}")
}

fn moment() -> SystemTime {
    SystemTime::UNIX_EPOCH + NOW.since_epoch()
}

fn settings() -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings
}

fn request(method: &str, target: &str, length: usize) -> http::Request<Vec<u8>> {
    let request = http::Request::builder().method(method).uri(url(target)).header("host", HOST);
    let request = match length {
        0 => request,
        _ => request.header("content-type", "application/json"),
    };
    request.body(body(length)).expect("a request")
}

fn identity() -> aws_smithy_runtime_api::client::identity::Identity {
    aws_credential_types::Credentials::new(ID, SECRET, None, None, "bench").into()
}

pub fn aws_sigv4(method: &'static str, target: &str, length: usize) -> Call {
    let (identity, url, mut request) = (identity(), url(target), request(method, target, length));
    call(move || {
        let params = SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("s3")
            .time(moment())
            .settings(settings())
            .build()
            .expect("parameters")
            .into();
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().expect("text")));
        let body = SignableBody::Bytes(black_box(request.body()));
        let signable = SignableRequest::new(method, &url, headers, body).expect("signable");
        let (instructions, _) = sign(signable, &params).expect("signed").into_parts();
        instructions.apply_to_request_http1x(&mut request);
        for name in ["authorization", "x-amz-date", "x-amz-content-sha256"] {
            request.headers_mut().remove(name);
        }
    })
}

/// Signs a POST to a service of the user's own, as of now.
pub fn aws_sigv4_request() -> impl FnMut(&str, &[u8]) -> http::Request<Vec<u8>> {
    let identity = identity();
    move |url, body| {
        let request = http::Request::post(url).header("content-type", "application/json");
        let mut request = request.body(body.to_vec()).expect("a request");
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("hooks")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .expect("parameters")
            .into();
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().expect("text")));
        let body = SignableBody::Bytes(request.body());
        let signable = SignableRequest::new("POST", url, headers, body).expect("signable");
        let (instructions, _) = sign(signable, &params).expect("signed").into_parts();
        instructions.apply_to_request_http1x(&mut request);
        request
    }
}

pub fn aws_sigv4_presigned(target: &str) -> Call {
    let (identity, url, mut request) = (identity(), url(target), request("GET", target, 0));
    let before = request.uri().clone();
    call(move || {
        let mut settings = settings();
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(900));
        let params = SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("s3")
            .time(moment())
            .settings(settings)
            .build()
            .expect("parameters")
            .into();
        let headers = [("host", HOST)].into_iter();
        let body = SignableBody::UnsignedPayload;
        let signable = SignableRequest::new("GET", &url, headers, body).expect("signable");
        let (instructions, _) = sign(signable, &params).expect("signed").into_parts();
        instructions.apply_to_request_http1x(&mut request);
        *request.uri_mut() = before.clone();
    })
}

/// What needs no waiting.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("it waits for nothing"),
    }
}

fn reqsign_credential() -> reqsign_aws_v4::Credential {
    let mut credential = reqsign_aws_v4::Credential::default();
    credential.access_key_id = ID.to_owned();
    credential.secret_access_key = SECRET.to_owned();
    credential
}

pub fn reqsign(method: &str, target: &str, length: usize) -> Call {
    use reqsign_core::SignRequest;
    let signer = reqsign_aws_v4::RequestSigner::new("s3", REGION);
    let (context, credential) = (reqsign_core::Context::new(), reqsign_credential());
    let (mut parts, body) = request(method, target, length).into_parts();
    call(move || {
        if !body.is_empty() {
            let hash = ring::digest::digest(&ring::digest::SHA256, black_box(&body));
            let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            parts.headers.insert("x-amz-content-sha256", hex.try_into().expect("a field"));
        }
        now(signer.sign_request(&context, &mut parts, Some(&credential), None)).expect("signed");
        for name in ["authorization", "x-amz-date", "x-amz-content-sha256"] {
            parts.headers.remove(name);
        }
    })
}

pub fn reqsign_presigned(target: &str) -> Call {
    use reqsign_core::SignRequest;
    let signer = reqsign_aws_v4::RequestSigner::new("s3", REGION);
    let (context, credential) = (reqsign_core::Context::new(), reqsign_credential());
    let (mut parts, _) = request("GET", target, 0).into_parts();
    let before = parts.uri.clone();
    let expires = Some(Duration::from_secs(900));
    call(move || {
        now(signer.sign_request(&context, &mut parts, Some(&credential), expires)).expect("signed");
        parts.uri = before.clone();
    })
}

pub fn aws_sign_v4(method: &'static str, target: &str, length: usize) -> Call {
    let (url, body) = (url(target), body(length));
    let mut headers = request(method, target, length).headers().clone();
    call(move || {
        let moment: chrono::DateTime<chrono::Utc> = moment().into();
        let date = moment.format("%Y%m%dT%H%M%SZ").to_string();
        headers.insert("x-amz-date", date.try_into().expect("a field"));
        let signer = aws_sign_v4::AwsSign::new(
            method, &url, &moment, &headers, REGION, ID, SECRET, "s3", &body,
        );
        http::HeaderValue::try_from(signer.sign()).expect("a field")
    })
}

pub fn scratchstack(method: &'static str, target: &str, length: usize) -> Call {
    use scratchstack_aws_signature as scratchstack;
    use std::str::FromStr;
    let moment: chrono::DateTime<chrono::Utc> = moment().into();
    let request = signed(method, target, length);
    let user =
        scratchstack::principal::User::new("aws", "123456789012", "/", "user").expect("a user");
    let key = scratchstack::KSecretKey::from_str(SECRET).expect("a key");
    let key = key.to_ksigning(moment.date_naive(), REGION, "s3");
    let mut keys = tower::service_fn(move |_: scratchstack::GetSigningKeyRequest| {
        let mut response = scratchstack::GetSigningKeyResponse::builder();
        let response = response.principal(user.clone()).signing_key(key.clone()).build();
        std::future::ready(response.map_err(tower::BoxError::from))
    });
    call(move || {
        let judged = scratchstack::sigv4_validate_request(
            black_box(&request).clone(),
            REGION,
            "s3",
            &mut keys,
            moment,
            &scratchstack::NO_ADDITIONAL_SIGNED_HEADERS,
            scratchstack::SignatureOptions::S3,
        );
        now(judged).expect("accepted")
    })
}

/// A request that aws-sigv4 has signed.
fn signed(method: &str, target: &str, length: usize) -> http::Request<bytes::Bytes> {
    let (identity, mut request) = (identity(), request(method, target, length));
    let params = SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name("s3")
        .time(moment())
        .settings(settings())
        .build()
        .expect("parameters")
        .into();
    let url = url(target);
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().expect("text")));
    let body = SignableBody::Bytes(request.body());
    let signable = SignableRequest::new(method, &url, headers, body).expect("signable");
    let (instructions, _) = sign(signable, &params).expect("signed").into_parts();
    instructions.apply_to_request_http1x(&mut request);
    request.map(bytes::Bytes::from)
}
