//! The input is a payload, which is signed here. Each policy accepts exactly what a second reading of its sentences does,
//! and then until the moment at which it says that the token dies.

use std::time::Duration;

use auth_core::Timestamp;
use auth_jwt::{
    Claims, DatePrecision, Expiry, JwtPolicy, JwtRefused, RequiredClaim, SubjectJsonType,
    UnverifiedJws,
};

use crate::forged::{self, KEY, Members, is_stricter};

const NOW: u64 = 1_700_000_000;
const HEADER: &[u8] = br#"{"alg":"HS256","typ":"JWT"}"#;

/// Holds for any bytes as a payload.
pub fn claims(data: &[u8]) {
    let token = forged::token(HEADER, data);
    if token.len() > UnverifiedJws::MOST_BYTES {
        return;
    }
    let now = Timestamp::from_unix(NOW);
    for (policy, sentences) in policies() {
        let judged = judged(&token, &policy, now);
        sentences.agree(data, judged.as_ref().map_err(|refused| *refused));
        if let Ok(claims) = judged {
            lives_until_it_dies(&token, &policy, &claims);
        }
    }
}

fn judged(token: &str, policy: &JwtPolicy, now: Timestamp) -> Result<Claims, JwtRefused> {
    UnverifiedJws::parse(token).unwrap().verify(&KEY).unwrap().claims(policy, now)
}

fn lives_until_it_dies(token: &str, policy: &JwtPolicy, claims: &Claims) {
    let dies = claims.dies();
    assert!(dies > Timestamp::from_unix(NOW));
    assert!(judged(token, policy, dies.before(Duration::from_nanos(1))).is_ok());
    assert!(judged(token, policy, dies).is_err());
}

fn says_the_same(claims: &Claims, members: &Members) {
    assert_eq!(claims.issuer().map(String::from), members.text("iss").flatten());
    assert_eq!(claims.id().map(String::from), members.text("jti").flatten());
    let number = members.raw("sub").filter(|raw| !raw.starts_with('"')).map(String::from);
    assert_eq!(claims.subject().map(String::from), members.text("sub").flatten().or(number));
    let audience: Vec<String> = claims.audience().map(|one| one.into_owned()).collect();
    assert_eq!(audience, audiences(members).unwrap_or_default());
    assert!(claims.expires().is_some() == members.has("exp"));
}

/// What a policy says, once more.
#[derive(Default)]
pub(crate) struct Sentences {
    issuer: Option<&'static str>,
    audience: Option<&'static str>,
    any_audience: bool,
    number: bool,
    text: bool,
    /// A text is a number too.
    digits: bool,
    subject: bool,
    id: bool,
    optional_exp: bool,
    whole: bool,
    max_age: Option<f64>,
    ahead: Option<f64>,
    leeway: f64,
}

fn policies() -> [(JwtPolicy, Sentences); 4] {
    let seconds = Duration::from_secs;
    [
        (
            JwtPolicy::new().allowing_any_audience(),
            Sentences { any_audience: true, text: true, leeway: 60.0, ..Sentences::default() },
        ),
        (
            JwtPolicy::new()
                .with_issuer("i")
                .with_expiry(Expiry::Optional)
                .with_max_age(seconds(3600))
                .with_date_precision(DatePrecision::WholeSeconds)
                .with_leeway(Duration::ZERO),
            Sentences {
                issuer: Some("i"),
                text: true,
                optional_exp: true,
                whole: true,
                max_age: Some(3600.0),
                ..Sentences::default()
            },
        ),
        (
            JwtPolicy::new()
                .with_subject(SubjectJsonType::TextOrNumber)
                .with_required_claim(RequiredClaim::Subject)
                .with_most_ahead(seconds(300))
                .with_leeway(seconds(5)),
            Sentences {
                text: true,
                number: true,
                subject: true,
                ahead: Some(300.0),
                leeway: 5.0,
                ..Sentences::default()
            },
        ),
        (
            JwtPolicy::new()
                .with_audience("a")
                .with_required_claim(RequiredClaim::Id)
                .with_subject(SubjectJsonType::Number),
            Sentences {
                audience: Some("a"),
                number: true,
                id: true,
                leeway: 60.0,
                ..Sentences::default()
            },
        ),
    ]
}

impl Sentences {
    /// Of what the client of a user says to the app `my-app`.
    pub(crate) fn of_symphony_users() -> Self {
        Self {
            issuer: Some("Symphony Communication Services LLC."),
            audience: Some("my-app"),
            number: true,
            digits: true,
            subject: true,
            leeway: 60.0,
            ..Self::default()
        }
    }

    /// What was judged of this payload is what these sentences say of it.
    pub(crate) fn agree(&self, data: &[u8], judged: Result<&Claims, JwtRefused>) {
        match judged {
            Ok(claims) => {
                let members = Members::read(data).expect("JSON");
                assert_ne!(self.hold(&members), Some(false), "accepted");
                says_the_same(claims, &members);
            }
            Err(refused) => match refused.reason().code {
                "jwt_claims_json" => {
                    assert!(serde_json::from_slice::<serde_json::Value>(data).is_err());
                }
                "jwt_claims_utf8" => assert!(std::str::from_utf8(data).is_err()),
                "jwt_claims_object" => assert!(Members::read(data).is_none()),
                stricter if is_stricter(stricter) => {}
                code => {
                    let members = Members::read(data).expect("JSON");
                    assert_ne!(self.hold(&members), Some(true), "refused: {code}");
                }
            },
        }
    }

    /// `None` where it is too close to say without exact numbers.
    fn hold(&self, members: &Members) -> Option<bool> {
        let texts = ["iss", "jti"].iter().all(|name| members.text(name) != Some(None));
        let aud = audiences(members);
        let issuer = members.text("iss").flatten();
        let audience =
            |wanted: &str| aud.as_ref().is_some_and(|all| all.iter().any(|one| one == wanted));
        let simple = texts
            && (aud.is_some() || !members.has("aud"))
            && self.issuer.is_none_or(|wanted| issuer.as_deref() == Some(wanted))
            && (self.any_audience || self.audience.map_or(!members.has("aud"), audience))
            && (members.has("jti") || !self.id)
            && self.subject_holds(members);
        if simple { self.times_hold(members) } else { Some(false) }
    }

    fn subject_holds(&self, members: &Members) -> bool {
        let Some(raw) = members.raw("sub") else { return !self.subject };
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let text = members.text("sub").flatten();
        let is_number = self.digits && text.is_some_and(|it| !it.is_empty() && are_digits(&it));
        (raw.starts_with('"') && (self.text || is_number)) || (are_digits(raw) && self.number)
    }

    fn times_hold(&self, members: &Members) -> Option<bool> {
        let mut dates = [None; 3];
        for (date, name) in dates.iter_mut().zip(["exp", "nbf", "iat"]) {
            *date = match members.number(name) {
                None => None,
                Some(Some(seconds)) if (0.0..=1e10).contains(&seconds) => {
                    let fraction = members.raw(name)?.bytes().any(|byte| !byte.is_ascii_digit());
                    if self.whole && fraction {
                        return if seconds.fract() > 1e-3 { Some(false) } else { None };
                    }
                    if fraction && !(1e-3..=1e10 - 1.0).contains(&seconds) {
                        return None;
                    }
                    Some(seconds)
                }
                Some(_) => return Some(false),
            };
        }
        let [exp, nbf, iat] = dates;
        let now = f64::from(u32::try_from(NOW).unwrap());
        let least = |a: Option<f64>, b: Option<f64>| Some(a?.min(b.unwrap_or(f64::INFINITY)));
        let age = self.max_age.and_then(|age| iat.map(|iat| iat + age));
        if (exp.is_none() && !(self.optional_exp && age.is_some()))
            || (self.max_age.is_some() && iat.is_none())
        {
            return Some(false);
        }
        let dies = least(exp, age).or(age).unwrap_or(0.0);
        // Each must be above zero.
        let spans = [dies + self.leeway - now, exp.zip(iat).map_or(1.0, |(exp, iat)| exp - iat)];
        // Each must not be below zero.
        let margins = [
            nbf.map_or(1.0, |nbf| now + self.leeway - nbf),
            iat.map_or(1.0, |iat| now + self.leeway - iat),
            exp.zip(self.ahead).map_or(1.0, |(exp, ahead)| now + ahead + self.leeway - exp),
        ];
        let whole = dates.iter().flatten().all(|date| date.fract() == 0.0)
            && ["exp", "nbf", "iat"].iter().all(|name| {
                members.raw(name).is_none_or(|raw| raw.bytes().all(|byte| byte.is_ascii_digit()))
            });
        let close = spans.iter().chain(&margins).any(|span| span.abs() < 1e-3);
        if close && !whole {
            return None;
        }
        Some(spans.iter().all(|span| *span > 0.0) && margins.iter().all(|margin| *margin >= 0.0))
    }
}

/// `None` where there is no `aud`, or one of another type.
fn audiences(members: &Members) -> Option<Vec<String>> {
    let raw = members.raw("aud")?;
    let one = serde_json::from_str(raw).map(|one| vec![one]);
    one.or_else(|_| serde_json::from_str(raw)).ok()
}
