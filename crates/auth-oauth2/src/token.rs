//! The token that a grant obtains.

mod rest;

use crate::TokenAnswer;
use auth_core::{
    Answer, Credentials, Error, Lifespan, PresentableToken, Refusal, Result, Secret, Timestamp,
    Token, bearer_token_refusal,
};
use http::{HeaderValue, header::AUTHORIZATION};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use zeroize::Zeroizing;

/// An access token, with what renews it. A clone shares it.
///
/// It is presented as a Bearer token (RFC 6750 section 2.1), as the server wrote it.
///
/// # Security
///
/// Its `Debug` shows no secret. [`masked`](Self::masked) is for screens; [`access_token`](Self::access_token) and
/// [`refresh_token`](Self::refresh_token) reveal.
#[derive(Clone)]
pub struct OAuthToken(Arc<Granted>);

struct Granted {
    access_token: Secret,
    refresh_token: Option<Secret>,
    /// The refresh token before, until the server has taken the one that came in its place: it may have lost that one.
    previous_refresh_token: Option<Secret>,
    /// When the access token ends, where that is known.
    ends: Option<Timestamp>,
    /// From when on the server wants the token to be renewed, where it said so.
    renew_from: Option<Timestamp>,
    /// When the refresh token ends, where that is known.
    refresh_ends: Option<Timestamp>,
    /// What was granted, where that is known.
    scope: Option<Box<str>>,
    /// In it the server said who the user is, when it issued this token. It is not kept at rest.
    id_token: Option<Secret>,
    /// A refresh has been asked for, and it is not known what came of it.
    asked: AtomicBool,
    /// The server has refused the refresh tokens: nobody asks with them again.
    ended: AtomicBool,
}

/// What a screen may show of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MaskedToken {
    /// Its kind, by which it is presented: `Bearer`.
    pub token_type: &'static str,
    /// The last four characters of the access token; empty where it has fewer than twelve.
    pub access_token: String,
    /// The same of the refresh token, if there is one.
    pub refresh_token: Option<String>,
    /// When the access token ends, where that is known.
    pub ends: Option<Timestamp>,
    /// When the refresh token ends, where that is known.
    pub refresh_ends: Option<Timestamp>,
    /// The scopes, where they are known.
    pub scope: Option<Box<str>>,
}

impl OAuthToken {
    /// The token of an answer that has just come.
    ///
    /// # Errors
    ///
    /// `Error::Protocol` when its type is another one than Bearer, or when no header field can hold it.
    pub fn new(answer: TokenAnswer, now: Timestamp) -> Result<Self> {
        Self::granted(answer, now, Asked::default())
    }

    /// The same, when more is known: `asked`.
    pub(crate) fn granted(answer: TokenAnswer, now: Timestamp, asked: Asked<'_>) -> Result<Self> {
        if let Some(other) = answer.token_type.as_deref().filter(|kind| *kind != "bearer") {
            let text = format!(
                "token_type is {other:.32}, expected bearer or none: this client sends Bearer tokens"
            );
            return Err(Error::protocol("oauth2_token_type", text));
        }
        check_field(&answer.access_token)?;
        // The server's word wins over what was configured.
        let life = answer.expires_in.or(asked.validity);
        let (before, scope) = (asked.replaced.map(|replaced| &*replaced.token.0), answer.scope);
        let used = asked.replaced.map(|replaced| copy(replaced.refresh_token));
        let (refresh_token, refresh_ends, previous_refresh_token) = match answer.refresh_token {
            Some(token) => {
                let ends = answer.refresh_token_expires_in.map(|life| now.after(life));
                let previous = used.filter(|used| !used.matches(token.expose()));
                (Some(token), ends, previous)
            }
            // A server that does not rotate sends none again (RFC 6749 section 6).
            None => (used, before.and_then(|before| before.refresh_ends), None),
        };
        Ok(Self(Arc::new(Granted {
            access_token: answer.access_token,
            refresh_token,
            previous_refresh_token,
            ends: life.map(|life| now.after(life)),
            renew_from: answer.refresh_in.map(|span| now.after(span)),
            refresh_ends,
            scope: scope.or_else(|| before.and_then(|before| before.scope.clone())),
            id_token: answer.id_token,
            asked: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        })))
    }

    /// The refresh tokens to ask with, in turn: the newest, and the one before while the newest is not proven. None when
    /// they have ended. Once somebody has asked with the newest and the answer is not known, the server may have taken it;
    /// the one before has ended then.
    pub(crate) fn usable_refresh_tokens(&self, now: Timestamp) -> impl Iterator<Item = &Secret> {
        let ended = self.0.ended.load(Ordering::Relaxed);
        let over = self.0.refresh_ends.is_some_and(|ends| ends <= now);
        let asked = self.0.asked.load(Ordering::Relaxed);
        let previous = self.0.previous_refresh_token.as_ref().filter(|_| !asked);
        let both = [self.0.refresh_token.as_ref(), previous];
        both.into_iter().filter(move |_| !ended && !over).flatten()
    }

    /// Notes what came of a refresh; before it is asked for, that nobody may learn it.
    pub(crate) fn asked(&self, outcome: RefreshOutcome) {
        self.0.asked.store(outcome == RefreshOutcome::Unknown, Ordering::Relaxed);
    }

    /// What is known of the refreshes that were asked for.
    pub(crate) fn outcome(&self) -> RefreshOutcome {
        match self.0.asked.load(Ordering::Relaxed) {
            true => RefreshOutcome::Unknown,
            false => RefreshOutcome::Nothing,
        }
    }

    /// The server will never take its refresh tokens again.
    pub(crate) fn end(&self) {
        self.0.ended.store(true, Ordering::Relaxed);
    }

    /// Did the server give another refresh token than this one had?
    pub(crate) fn is_rotated_from(&self, before: &Self) -> bool {
        match (&self.0.refresh_token, &before.0.refresh_token) {
            (Some(new), Some(old)) => !new.matches(old.expose()),
            (new, old) => new.is_some() != old.is_some(),
        }
    }

    /// The access token itself.
    #[must_use]
    pub fn access_token(&self) -> &Secret {
        &self.0.access_token
    }

    /// The refresh token itself, if there is one.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.0.refresh_token.as_ref()
    }

    /// When the access token ends, where that is known.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        self.0.ends
    }

    /// When the refresh token ends, where that is known.
    #[must_use]
    pub fn refresh_ends(&self) -> Option<Timestamp> {
        self.0.refresh_ends
    }

    /// The scopes that were granted, where they are known.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// The ID token that came with this token, if one did (OpenID Connect Core 1.0 section 2). A token from a store has
    /// none.
    ///
    /// # Security
    ///
    /// Nobody has verified it. Verify it with `auth-jwt`, for this client as its audience, and compare its `nonce` with
    /// that of the [`PendingAuthorization`](crate::PendingAuthorization::nonce), before you believe who the user is.
    #[must_use]
    pub fn id_token(&self) -> Option<&Secret> {
        self.0.id_token.as_ref()
    }

    /// What a screen may show.
    #[must_use]
    pub fn masked(&self) -> MaskedToken {
        MaskedToken {
            token_type: "Bearer",
            access_token: last_four(&self.0.access_token),
            refresh_token: self.0.refresh_token.as_ref().map(last_four),
            ends: self.0.ends,
            refresh_ends: self.0.refresh_ends,
            scope: self.0.scope.clone(),
        }
    }
}

/// What came of asking for a refresh.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshOutcome {
    /// The server has answered, and gave nothing.
    Nothing,
    /// It may have given another token.
    Unknown,
}

/// What is known of a token beside the answer that brings it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Asked<'a> {
    /// How long it lasts, by the operator's word.
    pub(crate) validity: Option<Duration>,
    /// The token that was refreshed.
    pub(crate) replaced: Option<Replaced<'a>>,
}

/// A token that was refreshed, and the one of its refresh tokens that was sent.
#[derive(Clone, Copy)]
pub(crate) struct Replaced<'a> {
    pub(crate) token: &'a OAuthToken,
    pub(crate) refresh_token: &'a Secret,
}

impl Token for OAuthToken {
    fn lifespan(&self) -> Lifespan {
        self.0.ends.map_or(Lifespan::Unknown, Lifespan::Until)
    }

    fn renew_from(&self) -> Option<Timestamp> {
        self.0.renew_from
    }
}

impl PresentableToken for OAuthToken {
    fn credentials(&self) -> Result<Credentials> {
        Credentials::header(AUTHORIZATION, field(&self.0.access_token)?)
    }

    fn refusal(answer: Answer<'_>) -> Option<Refusal> {
        bearer_token_refusal(answer)
    }
}

fn field(token: &Secret) -> Result<HeaderValue> {
    check_field(token)?;
    let field = Zeroizing::new([b"Bearer ", token.expose()].concat());
    let mut field = HeaderValue::from_bytes(&field).map_err(|_| no_field())?;
    field.set_sensitive(true);
    Ok(field)
}

fn check_field(token: &Secret) -> Result<()> {
    let is_visible = |byte: &u8| matches!(byte, 0x21..=0x7e);
    token.expose().iter().all(is_visible).then_some(()).ok_or_else(no_field)
}

fn no_field() -> Error {
    let text = "access token holds a character that no header field may have";
    Error::protocol("oauth2_access_token", text)
}

fn copy(secret: &Secret) -> Secret {
    Secret::new(secret.expose())
}

fn last_four(secret: &Secret) -> String {
    let text = String::from_utf8_lossy(secret.expose());
    let length = text.chars().count();
    if length < 12 { String::new() } else { text.chars().skip(length.saturating_sub(4)).collect() }
}

impl fmt::Debug for OAuthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthToken")
            .field("ends", &self.0.ends)
            .field("has_refresh_token", &self.0.refresh_token.is_some())
            .field("scope", &self.0.scope)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TokenAnswerFormat;
    use http::{HeaderMap, Response, Uri};

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn granted(body: &str, asked: Asked<'_>) -> Result<OAuthToken> {
        let answer = Response::new(body.as_bytes().to_vec());
        OAuthToken::granted(TokenAnswerFormat::new().read(&answer, NOW)?, NOW, asked)
    }

    #[track_caller]
    fn check_life(body: &str, validity: Option<u64>, expected: Lifespan) {
        let validity = validity.map(Duration::from_secs);
        let token = granted(body, Asked { validity, replaced: None }).unwrap();
        assert_eq!(token.lifespan(), expected, "{body} {validity:?}");
    }

    #[test]
    fn the_servers_word_wins_over_the_operators_and_silence_means_until_refused() {
        let until = |seconds| Lifespan::Until(NOW.after(Duration::from_secs(seconds)));
        check_life(r#"{"access_token":"t"}"#, None, Lifespan::Unknown);
        check_life(r#"{"access_token":"t"}"#, Some(60), until(60));
        check_life(r#"{"access_token":"t","expires_in":3600}"#, Some(60), until(3600));
        check_life(r#"{"access_token":"t","expires_in":3600}"#, None, until(3600));
        check_life(r#"{"access_token":"t","expires_in":-1}"#, None, until(0));
    }

    #[test]
    fn is_presented_as_the_server_wrote_it() {
        for token in ["App 003026abc134", "eyJhbGciOi.J9.x-_~+/=", "a,b;c\"d"] {
            let body = serde_json::json!({ "access_token": token, "token_type": "Bearer" });
            let made = granted(&body.to_string(), Asked::default());
            if token.contains(' ') {
                assert_eq!(made.unwrap_err().code(), "oauth2_access_token");
                continue;
            }
            let (mut uri, mut headers) = (Uri::from_static("https://a.example/"), HeaderMap::new());
            made.unwrap().credentials().unwrap().commit(&mut uri, &mut headers).unwrap();
            assert_eq!(headers[AUTHORIZATION], format!("Bearer {token}"));
            assert!(headers[AUTHORIZATION].is_sensitive());
        }
    }

    #[test]
    fn another_token_type_is_refused_by_name() {
        let error = granted(r#"{"access_token":"t","token_type":"DPoP"}"#, Asked::default());
        let text = "protocol: token_type is dpop, expected bearer or none: this client sends Bearer tokens";
        assert_eq!(error.unwrap_err().to_string(), text);
    }

    #[test]
    fn what_a_refresh_does_not_say_again_still_holds() {
        let first =
            r#"{"access_token":"1","refresh_token":"r","refresh_token_expires_in":9,"scope":"a"}"#;
        let first = granted(first, Asked::default()).unwrap();
        let refresh_token = first.refresh_token().unwrap();
        let asked =
            Asked { validity: None, replaced: Some(Replaced { token: &first, refresh_token }) };
        let second = granted(r#"{"access_token":"2"}"#, asked).unwrap();
        assert!(second.refresh_token().unwrap().matches(b"r"));
        assert_eq!(
            (second.scope(), second.masked().refresh_ends),
            (Some("a"), first.masked().refresh_ends)
        );
        let third =
            granted(r#"{"access_token":"3","refresh_token":"s","scope":"b"}"#, asked).unwrap();
        assert!(third.refresh_token().unwrap().matches(b"s"));
        assert_eq!((third.scope(), third.masked().refresh_ends), (Some("b"), None));
        let usable = |token: &OAuthToken| {
            let usable = token.usable_refresh_tokens(NOW).map(Secret::expose);
            usable.map(|text| String::from_utf8_lossy(text).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            (usable(&second), usable(&third)),
            (vec!["r".into()], vec!["s".into(), "r".into()])
        );
        assert!(third.is_rotated_from(&first) && !second.is_rotated_from(&first));
        let later = NOW.after(Duration::from_secs(9));
        assert_eq!(second.usable_refresh_tokens(later).count(), 0, "its end was told");
        third.end();
        assert_eq!(third.clone().usable_refresh_tokens(NOW).count(), 0);
    }

    #[test]
    fn the_server_may_want_an_earlier_renewal() {
        let body = r#"{"access_token":"t","expires_in":86400,"refresh_in":43200}"#;
        let token = granted(body, Asked::default()).unwrap();
        assert_eq!(token.renew_from(), Some(NOW.after(Duration::from_secs(43_200))));
    }

    #[test]
    fn a_screen_sees_four_characters_and_of_a_short_token_none() {
        let masked = |token: &str| {
            let body = serde_json::json!({ "access_token": token, "refresh_token": token });
            granted(&body.to_string(), Asked::default()).unwrap().masked()
        };
        assert_eq!(masked("0123456789ab").access_token, "89ab");
        assert_eq!(masked("0123456789ab").refresh_token.as_deref(), Some("89ab"));
        assert_eq!(masked("0123456789a").access_token, "");
        let token =
            granted(r#"{"access_token":"canary","refresh_token":"canary"}"#, Asked::default());
        assert!(!format!("{token:?}").contains("canary"));
    }
}
