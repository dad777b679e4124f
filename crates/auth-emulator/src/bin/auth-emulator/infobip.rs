//! `auth-emulator infobip`.

use auth_emulator::{Infobip, Result, RunningInfobip, Secret, SessionLifetime};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Sessions that live from their last use.
pub(crate) const SLIDING: SessionLifetime = SessionLifetime::Sliding(HOUR);

pub(crate) struct Wanted {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) session: SessionLifetime,
}

impl Default for Wanted {
    fn default() -> Self {
        let session = SessionLifetime::Fixed(HOUR);
        Self { user: "user".into(), password: "password".into(), session }
    }
}

pub(crate) async fn run(all: &crate::Wanted, wanted: &Wanted) -> Result<()> {
    let infobip = Infobip::builder()
        .with_user(&wanted.user, Secret::new(wanted.password.as_str()))
        .with_session_lifetime(wanted.session)
        .with_port(all.port)
        .with_faults_port(all.faults_port)
        .start()
        .await?;
    let greeting = greeting(&infobip, wanted);
    crate::serve(infobip, &greeting).await;
    Ok(())
}

fn greeting(infobip: &RunningInfobip, wanted: &Wanted) -> String {
    let (base, faults) = (infobip.base_url(), infobip.faults_url());
    let key = crate::shown(infobip.api_key());
    let Wanted { user, password, session } = wanted;
    let session = match session {
        SessionLifetime::Fixed(_) => "live for 60 minutes from their creation",
        SessionLifetime::Sliding(_) => "live for 60 minutes from their last use",
    };
    let login = serde_json::json!({ "username": user, "password": password });
    let message =
        r#"{"messages":[{"destinations":[{"to":"41793026727"}],"content":{"text":"Hello"}}]}"#;
    format!(
        "Infobip, emulated: it sends nothing, and forgets everything when it ends. For tests alone.

  platform  {base}
  faults    {faults}
  user      {user}
  password  {password}
  API key   {key}
  sessions  {session}

Try:
  curl -H 'Authorization: App {key}' -d '{message}' {base}/sms/3/messages
  curl -d '{login}' {base}/auth/1/session
  curl -d '{{\"fault\":\"expire_now\",\"endpoint\":\"messages\",\"requests\":1}}' {faults}/faults
"
    )
}
