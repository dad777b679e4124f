//! Document 003: the four methods, as one program calls them whose configuration alone changes.

use super::{Steps, context, text};
use crate::calls::Line;
use auth_core::{Authenticator, Error};
use auth_emulator::{Endpoint, Fault, RunningInfobip, Secret};
use auth_infobip::{ApiKeyCalls, Infobip, InfobipAuthorization, NewApiKey};
use auth_testing::ManualClock;
use http::{Method, Request};
use std::time::Duration;

const USER: &str = "acme";
const PASSWORD: &str = "the:password of the account";
const MESSAGES: &str = "/sms/3/messages";
const MESSAGE: &str = r#"{"messages":[{"destinations":[{"to":"41793026727"}]}]}"#;

pub async fn walk() -> Result<Vec<Line>, Error> {
    let clock = ManualClock::at(1_800_000_000);
    let platform = auth_emulator::Infobip::builder().with_user(USER, Secret::new(PASSWORD));
    let platform = platform.with_clock(clock.clone()).start().await?;
    let mut program = Program { platform, clock, steps: Steps::begin()? };
    let basic = program.basic().await?;
    program.keys(&basic).await?;
    program.session().await?;
    program.oauth().await?;
    let told = program.message(&program.under(r#"{"method":"api_key","key":"wrong"}"#)?).await?;
    program.steps.is("a wrong key is told from a missing scope", told, "CredentialRefused");
    program.platform.stop().await;
    Ok(program.steps.lines)
}

struct Program {
    platform: RunningInfobip,
    clock: ManualClock,
    steps: Steps,
}

impl Program {
    /// The program under this configuration.
    fn under(&self, configuration: &str) -> Result<Infobip, Error> {
        let read: InfobipAuthorization = serde_json::from_str(configuration)
            .map_err(|error| Error::config("demo_configuration", error))?;
        Infobip::new(&self.platform.base_url(), read, context(&self.clock)?)
    }

    fn with_password(&self, method: &str, [user, password]: [&str; 2]) -> Result<Infobip, Error> {
        let text =
            format!(r#"{{"method":"{method}","{user}":"{USER}","{password}":"{PASSWORD}"}}"#);
        self.under(&text)
    }

    /// What a message comes to.
    async fn message(&self, infobip: &Infobip) -> Result<String, Error> {
        let url = infobip.url(MESSAGES);
        let answered = self.steps.call(infobip, (Method::POST, &url), MESSAGE).await?;
        let read = infobip.read_answer(answered.status, &answered.headers, &answered.body);
        Ok(format!("{:?}", read.outcome))
    }

    /// Basic, and the key that it makes where there is none yet.
    async fn basic(&mut self) -> Result<Infobip, Error> {
        let basic = self.with_password("basic", ["username", "password"])?;
        let told = self.message(&basic).await?;
        self.steps.is("Basic: user name and password", told, "Accepted");
        let own = text(self.platform.api_key());
        let own = self.under(&format!(r#"{{"method":"api_key","key":"{own}"}}"#))?;
        let told = self.message(&own).await?;
        self.steps.is("API key: an account has one by itself", told, "Accepted");
        let told = own.api_keys().err().map_or("made", |error| error.code());
        self.steps.is("a key manages no keys", told, "infobip_api_key_cannot");
        Ok(basic)
    }

    async fn keys(&mut self, basic: &Infobip) -> Result<(), Error> {
        let calls = basic.api_keys()?;
        let mut reader = NewApiKey::named("reader");
        reader.scope_guids.push("sms:logs:read".into());
        for (step, new, expected) in [
            ("Basic makes a key, which sends", NewApiKey::named("sender"), "Accepted"),
            ("a key without the scope is a 403", reader, "ScopeMissing"),
        ] {
            let (_, key) = self.made(basic, &calls, &new).await?;
            let told = self.message(&key).await?;
            self.steps.is(step, told, expected);
        }
        let (id, key) = self.made(basic, &calls, &NewApiKey::named("revoked")).await?;
        self.asked(basic, calls.revoke(&id)?).await?;
        let told = self.message(&key).await?;
        self.steps.is("a key is revoked", told, "CredentialRefused");
        let mut ends = NewApiKey::named("ends");
        ends.valid_to = Some("2027-01-15T09:00:00".into());
        let (_, key) = self.made(basic, &calls, &ends).await?;
        let before = self.message(&key).await?;
        self.clock.advance(Duration::from_secs(2 * 3600));
        let told = format!("{before}, {}", self.message(&key).await?);
        self.steps.is("a key before and after its end", told, "Accepted, CredentialRefused");
        Ok(())
    }

    /// A new key: its identifier, and the program under it.
    async fn made(
        &self,
        basic: &Infobip,
        calls: &ApiKeyCalls,
        new: &NewApiKey,
    ) -> Result<(String, Infobip), Error> {
        let answered = self.asked(basic, calls.create(new)?).await?;
        let key = calls.read_key(answered.status, &answered.headers, &answered.body)?;
        let secret = text(super::there(key.secret().as_ref())?);
        Ok((key.id, self.under(&format!(r#"{{"method":"api_key","key":"{secret}"}}"#))?))
    }

    async fn asked(
        &self,
        who: &dyn Authenticator,
        request: Request<Vec<u8>>,
    ) -> Result<super::Answered, Error> {
        let (head, body) = request.into_parts();
        self.steps.call(who, (head.method, &head.uri.to_string()), body).await
    }

    /// One session for all messages, which ends behind the back of the program and in time.
    async fn session(&mut self) -> Result<(), Error> {
        let session = self.with_password("ibsso", ["username", "password"])?;
        let told = self.message(&session).await?;
        self.steps.is("IBSSO: one log-in, then the token", told, "Accepted");
        self.message(&session).await?;
        let log_ins = self.platform.counts().sessions_created;
        self.steps.is("the session serves every call", log_ins, "1");
        self.platform.faults().arm(Fault::ExpireNow, Endpoint::Messages, 1);
        let told = self.message(&session).await?;
        self.steps.is("it ends, and a new one is made", told, "Accepted");
        self.clock.advance(Duration::from_secs(3580));
        let told = self.message(&session).await?;
        let destroyed = self.platform.counts().sessions_destroyed;
        let told = format!("{told}, {destroyed} destroyed");
        self.steps.is("destroyed before the next one is made", told, "Accepted, 1 destroyed");
        Ok(())
    }

    async fn oauth(&mut self) -> Result<(), Error> {
        let oauth = self.with_password("oauth2", ["client_id", "client_secret"])?;
        let told = self.message(&oauth).await?;
        self.steps.is("OAuth 2.0: a token of one hour", told, "Accepted");
        self.clock.advance(Duration::from_secs(3600));
        let told = format!(
            "{}, {} tokens",
            self.message(&oauth).await?,
            self.platform.counts().tokens_issued
        );
        self.steps.is("after it a new one, without a 401", told, "Accepted, 2 tokens");
        Ok(())
    }
}
