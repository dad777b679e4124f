//! The calls that are signed as AWS has it.

use super::{call, fields, ours};
use crate::{
    accounts::{ACCESS_KEY, REGION, SECRET_KEY},
    calls::Call,
};
use auth_core::{Clock, Error, SystemClock};
use auth_sigv4::{AccessKey, AwsService, SigV4};
use auth_static::NoAuth;
use std::time::Duration;

const CHALLENGE: &str = "AWS4-HMAC-SHA256";

pub fn all() -> Result<Vec<Call>, Error> {
    let signed = |id: &str, secret: &str, region: &str, service: AwsService| {
        SigV4::new(AccessKey::new(id, secret)?, region, service, SystemClock)
    };
    let api = || AwsService::ExecuteApi;
    let two_hours_ago = SystemClock.now().before(Duration::from_secs(2 * 60 * 60));
    let key = AccessKey::new(ACCESS_KEY, SECRET_KEY)?;
    let late = SigV4::new(key, REGION, api(), two_hours_ago)?;
    let half = "AWS4-HMAC-SHA256 Credential=AKIDDEMO/20260102/eu-west-1/execute-api/aws4_request";
    let good = |service| signed(ACCESS_KEY, SECRET_KEY, REGION, service);
    Ok(vec![
        call("/sigv4/api", "signed with the key", ours(good(api())?), 200, "", "acme"),
        call(
            "/sigv4/api",
            "with another secret",
            ours(signed(ACCESS_KEY, "guess", REGION, api())?),
            403,
            "",
            "sigv4_signature",
        ),
        call(
            "/sigv4/api",
            "with the key of a stranger",
            ours(signed("AKIDSTRANGER", SECRET_KEY, REGION, api())?),
            403,
            "",
            "sigv4_key",
        ),
        call(
            "/sigv4/api",
            "for another region",
            ours(signed(ACCESS_KEY, SECRET_KEY, "us-east-1", api())?),
            403,
            "",
            "sigv4_scope_region",
        ),
        call("/sigv4/api", "two hours ago", ours(late), 403, "", "sigv4_date_past"),
        call("/sigv4/api", "half of a signature", fields(half), 400, "", "sigv4_parameters"),
        call("/sigv4/api", "nothing", ours(NoAuth), 401, CHALLENGE, "sigv4_missing"),
        call("/sigv4/s3", "signed with the key", ours(good(AwsService::S3)?), 200, "", "acme"),
        call(
            "/sigv4/s3",
            "signed, but not its payload",
            ours(good(AwsService::S3)?.with_unsigned_payload()),
            403,
            "",
            "sigv4_unsigned_payload",
        ),
        call("/sigv4/s3", "nothing", ours(NoAuth), 401, CHALLENGE, "sigv4_missing"),
    ])
}
