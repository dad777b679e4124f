//! `auth-emulator symphony`.

use auth_emulator::{Error, Result, RunningSymphony, Symphony};
use std::{
    fs,
    path::{Path, PathBuf},
};

pub(crate) struct Wanted {
    pub(crate) bot: String,
    pub(crate) public_key: Option<PathBuf>,
    /// Where what a bot needs for log-ins by certificate is written.
    pub(crate) certificates: Option<PathBuf>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { bot: "bot".into(), public_key: None, certificates: None }
    }
}

pub(crate) async fn run(all: &crate::Wanted, wanted: &Wanted) -> Result<()> {
    let builder = Symphony::builder().with_port(all.port).with_faults_port(all.faults_port);
    let builder = match &wanted.certificates {
        Some(_) if wanted.public_key.is_some() => {
            let text = "a bot logs in with a key or by certificate, expected one of --public-key and --certificates";
            return Err(Error::config("emulator_public_key", text));
        }
        Some(_) => builder.with_certificate_bot(&wanted.bot),
        None => builder.with_bot(&wanted.bot, &public_key(wanted)?),
    };
    let symphony = builder.start().await?;
    if let Some(folder) = &wanted.certificates {
        write(&symphony, &wanted.bot, folder)?;
    }
    let greeting = greeting(&symphony, wanted);
    crate::serve(symphony, &greeting).await;
    Ok(())
}

/// What a client needs: `bot.pem` and `authority.pem`.
fn write(symphony: &Symphony, bot: &str, folder: &Path) -> Result<()> {
    let issued = symphony.issue_certificate(bot)?;
    let bot = [issued.certificate().as_bytes(), issued.key().expose()].concat();
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::write(folder.join("bot.pem"), bot))
        .and_then(|()| fs::write(folder.join("authority.pem"), symphony.authority()));
    written.map_err(|error| {
        let text = format!("certificates cannot be written to {}: {error}", folder.display());
        Error::config("emulator_certificates", text)
    })
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
    let url = symphony.certificate_url();
    let (how, more) = match &wanted.certificates {
        None => {
            ("which logs in with the private key to the one that was given".into(), String::new())
        }
        Some(folder) => {
            let folder = folder.display();
            let how =
                format!("which logs in with {folder}/bot.pem and trusts {folder}/authority.pem");
            let more = format!(
                "  curl -X POST --cert {folder}/bot.pem --cacert {folder}/authority.pem {url}/sessionauth/v1/authenticate\n"
            );
            (how, more)
        }
    };
    format!(
        "Symphony, emulated: it sends nothing, and forgets everything when it ends. For tests alone.

  platform  {base}    pod, key manager and agent
  https     {url}   the same, and log-ins by certificate
  faults    {faults}
  bot       {bot}, {how}

Try:
  curl {base}/agent/v1/info
  curl -i {base}/pod/v2/sessioninfo
{more}  curl -d '{{\"fault\":\"expire_sessions\",\"endpoint\":\"agent\",\"requests\":1}}' {faults}/faults
"
    )
}
