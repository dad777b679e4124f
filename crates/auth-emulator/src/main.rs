//! `auth-emulator PLATFORM`: a messaging platform on loopback, for tests.

use auth_emulator::{Infobip, RunningInfobip, Secret, SessionLifetime};
use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

const USAGE: &str = "auth-emulator infobip [--port PORT] [--faults-port PORT] [--user NAME] [--password PASSWORD] [--sliding]

Answers the log-in, session, OAuth, API key and message paths of a platform on 127.0.0.1, until it is interrupted. It
sends no messages, forgets everything when it ends, and is for tests alone.

  --port PORT          the platform listens there; any free port unless given
  --faults-port PORT   the API of faults listens there; any free port unless given
  --user NAME          the name of the one user; `user` unless given
  --password PASSWORD  its password; `password` unless given
  --sliding            sessions live for 60 minutes from their last use, not from their creation";

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = match read(&words) {
        Ok(Some(wanted)) => wanted,
        Ok(None) => return say(&mut io::stdout(), USAGE, ExitCode::SUCCESS),
        Err(wrong) => {
            let text = format!("auth-emulator: {wrong}\n\n{USAGE}");
            return say(&mut io::stderr(), &text, ExitCode::from(2));
        }
    };
    match run(&wanted).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say(&mut io::stderr(), &format!("auth-emulator: {error}"), ExitCode::FAILURE),
    }
}

async fn run(wanted: &Wanted) -> auth_emulator::Result<()> {
    let infobip = Infobip::builder()
        .with_user(&wanted.user, Secret::new(wanted.password.as_str()))
        .with_session_lifetime(wanted.session)
        .with_port(wanted.port)
        .with_faults_port(wanted.faults_port)
        .start()
        .await?;
    let _ = say(&mut io::stdout(), &greeting(&infobip, wanted), ExitCode::SUCCESS);
    // Without a signal there is nobody to wait for.
    let _ = tokio::signal::ctrl_c().await;
    infobip.stop().await;
    Ok(())
}

fn greeting(infobip: &RunningInfobip, wanted: &Wanted) -> String {
    let (base, faults) = (infobip.base_url(), infobip.faults_url());
    let key = String::from_utf8_lossy(infobip.api_key().expose());
    let Wanted { user, password, session, .. } = wanted;
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

struct Wanted {
    port: u16,
    faults_port: u16,
    user: String,
    password: String,
    session: SessionLifetime,
}

/// What the words ask for; `None` for the help.
fn read(words: &[String]) -> Result<Option<Wanted>, String> {
    let mut wanted = Wanted {
        port: 0,
        faults_port: 0,
        user: "user".into(),
        password: "password".into(),
        session: SessionLifetime::Fixed(HOUR),
    };
    let mut platform = None;
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word {
            "--help" | "-h" => return Ok(None),
            "--port" => wanted.port = port(value()?)?,
            "--faults-port" => wanted.faults_port = port(value()?)?,
            "--user" => wanted.user = value()?.into(),
            "--password" => wanted.password = value()?.into(),
            "--sliding" => wanted.session = SessionLifetime::Sliding(HOUR),
            "infobip" if platform.is_none() => platform = Some(word),
            _ => return Err(format!("`{word}` is unknown")),
        }
    }
    match platform {
        Some(_) => Ok(Some(wanted)),
        None => Err("which platform? expected infobip".into()),
    }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("`{text}` is no port, expected a number from 0 to 65535"))
}

/// What cannot be written has nobody who reads it.
fn say(out: &mut dyn Write, text: &str, code: ExitCode) -> ExitCode {
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    code
}
