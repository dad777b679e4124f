//! The crate `aws-sigv4`, which the AWS SDK for Rust signs with.

use super::{
    differential::{EXPIRES, HOST, ID, NOW, REGION, SECRET},
    generated::{Family, Generated, Place},
};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
        SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4::SigningParams,
};
use std::time::SystemTime;

/// The signature that it makes.
pub fn signature(request: &Generated) -> Result<String, String> {
    let token = request.token.map(str::to_owned);
    let identity = Credentials::new(ID, SECRET, token, None, "differential").into();
    let mut settings = SigningSettings::default();
    if request.family == Family::S3 {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    if request.place == Place::Query {
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(EXPIRES);
    }
    let params = SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(request.family.service())
        .time(SystemTime::UNIX_EPOCH + NOW.since_epoch())
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let url = format!("https://{HOST}{}", request.target);
    let fields = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fields = fields.chain([("host", HOST)]);
    let body = match request.place {
        Place::Query if request.family == Family::S3 => SignableBody::UnsignedPayload,
        _ => SignableBody::Bytes(&request.body),
    };
    let signable = SignableRequest::new(request.method, &url, fields, body);
    let signed = signable.and_then(|signable| sign(signable, &params));
    Ok(signed.map_err(|error| error.to_string())?.signature().to_owned())
}
