//! Tokens of our own, for others to judge.

use super::Meant::Accepted;
use super::make::{Made, Maker};
use super::{NOW, Recipe, recipe};
use crate::signing_key;
use auth_core::{Result, Timestamp};
use auth_jwt::ClaimsToSign;
use std::time::Duration;

pub(super) fn recipes() -> Vec<Recipe> {
    vec![
        recipe("minted", Accepted, |maker| {
            let lifetime = Duration::from_secs(1 + maker.random.below(3000));
            minted(maker, Ok(claims(lifetime)), None)
        }),
        recipe("minted-with-everything", Accepted, |maker| {
            let (kid, claim) = (maker.random.word(), maker.random.word());
            let claims = claims(Duration::from_secs(300))
                .with_subject("subject \"quoted\" \u{65e5}\u{672c} \u{1f600}")
                .with_audience("one")
                .with_audience("two")
                .with_key_id(&kid)
                .and_then(|claims| claims.with_claim(&claim, &[Some("a\u{0}\\"), None]))
                .and_then(|claims| claims.with_claim("number", &-1.5e-3));
            minted(maker, claims, Some("b2bf8821-0dd5-4cd3-b4a4-cfbcb1ba3f0e"))
        }),
        recipe("minted-without-iat", Accepted, |maker| {
            let claims = claims(Duration::from_secs(1)).without_issued_at();
            minted(maker, Ok(claims), None)
        }),
    ]
}

fn claims(lifetime: Duration) -> ClaimsToSign {
    let claims = ClaimsToSign::expiring_in(lifetime).expect("a lifetime of a second or more");
    claims.with_issuer("issuer")
}

/// The token, or the code of the error, which no verifier accepts.
fn minted(maker: &Maker<'_>, claims: Result<ClaimsToSign>, id: Option<&str>) -> Made {
    let token = signing_key(&maker.key.private)
        .and_then(|key| claims?.sign(&key, Timestamp::from_unix(NOW), id))
        .map(|minted| minted.expose().to_owned());
    Some(token.unwrap_or_else(|error| error.code().to_owned()))
}
