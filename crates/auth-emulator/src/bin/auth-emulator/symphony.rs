//! `auth-emulator symphony`.

use auth_emulator::{Error, Result, RunningSymphony, Symphony};
use std::{fs, path::PathBuf};

pub(crate) struct Wanted {
    pub(crate) bot: String,
    pub(crate) public_key: Option<PathBuf>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { bot: "bot".into(), public_key: None }
    }
}

pub(crate) async fn run(all: &crate::Wanted, wanted: &Wanted) -> Result<()> {
    let symphony = Symphony::builder()
        .with_bot(&wanted.bot, &public_key(wanted)?)
        .with_port(all.port)
        .with_faults_port(all.faults_port)
        .start()
        .await?;
    let greeting = greeting(&symphony, wanted);
    crate::serve(symphony, &greeting).await;
    Ok(())
}

fn public_key(wanted: &Wanted) -> Result<String> {
    let Some(file) = &wanted.public_key else {
        let text = "the public key of the bot is missing, expected --public-key FILE; this makes a pair:\n\n  \
                    openssl genrsa -out private-key.pem 4096\n  \
                    openssl rsa -in private-key.pem -pubout -out public-key.pem\n";
        return Err(Error::config("emulator_public_key", text));
    };
    fs::read_to_string(file).map_err(|error| {
        let text = format!("public key {} cannot be read: {error}", file.display());
        Error::config("emulator_public_key", text)
    })
}

fn greeting(symphony: &RunningSymphony, wanted: &Wanted) -> String {
    let (base, faults, bot) = (symphony.base_url(), symphony.faults_url(), &wanted.bot);
    format!(
        "Symphony, emulated: it sends nothing, and forgets everything when it ends. For tests alone.

  platform  {base}    pod, key manager and agent
  faults    {faults}
  bot       {bot}, which logs in with the private key to the one that was given

Try:
  curl {base}/agent/v1/info
  curl -i {base}/pod/v2/sessioninfo
  curl -d '{{\"fault\":\"expire_sessions\",\"endpoint\":\"agent\",\"requests\":1}}' {faults}/faults
"
    )
}
