//! `auth-emulator PLATFORM`: a messaging platform on loopback, for tests.

mod infobip;
mod symphony;
mod webex;

use auth_emulator::{Running, Secret};
use std::{
    io::{self, Write},
    process::ExitCode,
};

const USAGE: &str = "auth-emulator infobip [--port PORT] [--faults-port PORT] [--user NAME] [--password PASSWORD] [--sliding]
auth-emulator symphony [--port PORT] [--faults-port PORT] [--bot NAME] --public-key FILE
auth-emulator symphony [--port PORT] [--faults-port PORT] [--bot NAME] --certificates FOLDER
auth-emulator webex [--port PORT] [--faults-port PORT] [--service NAME] [--not-triggered]

Answers the log-in, session and API paths of a platform on 127.0.0.1, until it is interrupted. It sends no messages,
forgets everything when it ends, and is for tests alone.

  --port PORT          the platform listens there; any free port unless given
  --faults-port PORT   the API of faults listens there; any free port unless given

Of infobip:
  --user NAME          the name of the one user; `user` unless given
  --password PASSWORD  its password; `password` unless given
  --sliding            sessions live for 60 minutes from their last use, not from their creation

Of symphony:
  --bot NAME           the name of the one bot; `bot` unless given
  --public-key FILE    its public key, in PEM; the bot has the private one
  --certificates FOLDER  in place of a key: the bot logs in by certificate, over https. bot.pem (certificate and private
                       key) and authority.pem (what the bot trusts) are written there, anew at each start

Of webex:
  --service NAME       the name of the one service; `alerts` unless given
  --not-triggered      an event of another service is accepted and triggers nothing, as the vendor documents it; it is
                       refused unless given";

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
    match &wanted.platform {
        Platform::Infobip(it) => infobip::run(wanted, it).await,
        Platform::Symphony(it) => symphony::run(wanted, it).await,
        Platform::Webex(it) => webex::run(wanted, it).await,
    }
}

/// Says where a platform listens, and waits until it is interrupted.
async fn serve<P>(platform: Running<P>, greeting: &str) {
    let _ = say(&mut io::stdout(), greeting, ExitCode::SUCCESS);
    // Without a signal there is nobody to wait for.
    let _ = tokio::signal::ctrl_c().await;
    platform.stop().await;
}

struct Wanted {
    port: u16,
    faults_port: u16,
    platform: Platform,
}

enum Platform {
    Infobip(infobip::Wanted),
    Symphony(symphony::Wanted),
    Webex(webex::Wanted),
}

/// What the words ask for; `None` for the help.
fn read(words: &[String]) -> Result<Option<Wanted>, String> {
    let (mut platform, mut flags) = (None, Vec::new());
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--help" | "-h" => return Ok(None),
            "--sliding" | "--not-triggered" => flags.push((word, "")),
            "--port" | "--faults-port" | "--user" | "--password" | "--bot" | "--public-key"
            | "--certificates" | "--service" => {
                flags.push((word, words.next().ok_or_else(|| format!("{word} needs a value"))?));
            }
            "infobip" if platform.is_none() => {
                platform = Some(Platform::Infobip(infobip::Wanted::default()));
            }
            "symphony" if platform.is_none() => {
                platform = Some(Platform::Symphony(symphony::Wanted::default()));
            }
            "webex" if platform.is_none() => {
                platform = Some(Platform::Webex(webex::Wanted::default()));
            }
            _ => return Err(format!("`{word}` is unknown")),
        }
    }
    let platform = platform.ok_or("which platform? expected infobip, symphony or webex")?;
    let mut wanted = Wanted { port: 0, faults_port: 0, platform };
    for (flag, value) in flags {
        match (flag, &mut wanted.platform) {
            ("--port", _) => wanted.port = port(value)?,
            ("--faults-port", _) => wanted.faults_port = port(value)?,
            ("--user", Platform::Infobip(it)) => it.user = value.into(),
            ("--password", Platform::Infobip(it)) => it.password = value.into(),
            ("--sliding", Platform::Infobip(it)) => it.session = infobip::SLIDING,
            ("--bot", Platform::Symphony(it)) => it.bot = value.into(),
            ("--public-key", Platform::Symphony(it)) => it.public_key = Some(value.into()),
            ("--certificates", Platform::Symphony(it)) => it.certificates = Some(value.into()),
            ("--service", Platform::Webex(it)) => it.service = value.into(),
            ("--not-triggered", Platform::Webex(it)) => it.not_triggered = true,
            _ => return Err(format!("{flag} is for another platform")),
        }
    }
    Ok(Some(wanted))
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("`{text}` is no port, expected a number from 0 to 65535"))
}

/// A secret that the program prints: a platform's own are text.
fn shown(secret: &Secret) -> &str {
    secret.expose_text().unwrap_or_default()
}

/// What cannot be written has nobody who reads it.
fn say(out: &mut dyn Write, text: &str, code: ExitCode) -> ExitCode {
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    code
}
