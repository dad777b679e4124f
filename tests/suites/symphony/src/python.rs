//! PyJWT and cryptography in a process of their own.

use conformance::{output, script};
use serde_json::{Value, json};
use std::{path::PathBuf, process::Command, time::Duration};

/// What makes keys and tokens, and opens them.
pub struct PyJwt {
    python: PathBuf,
    file: PathBuf,
}

/// A key in each of its forms, as the library writes them.
#[derive(Default)]
pub struct Key {
    pub pkcs1: String,
    pub pkcs8: String,
    pub public: String,
}

/// A key of 2048 bits, one of 4096, and another one of 2048.
pub struct Keys {
    pub short: Key,
    pub long: Key,
    pub other: Key,
}

const SHORT: &str = include_str!("../../../../crates/auth-emulator/tests/keys/bot.pem");
const LONG: &str = include_str!("../../../../crates/auth-emulator/tests/keys/admin.pem");
const OTHER: &str = include_str!("../../../../crates/auth-emulator/tests/keys/other.pem");

impl PyJwt {
    pub fn new(python: PathBuf, file: PathBuf) -> Self {
        Self { python, file }
    }

    /// An answer to each case: a text, which is the name of an exception where it could not be done.
    pub fn ask(&self, cases: &[Value]) -> Result<Vec<String>, String> {
        let text = Value::from(cases.to_vec()).to_string();
        std::fs::write(&self.file, text).map_err(|error| error.to_string())?;
        let mut python = Command::new(&self.python);
        python.arg(script("symphony_jwt.py")).arg(&self.file);
        let ran = output(&mut python, Duration::from_secs(60))?;
        let said = String::from_utf8_lossy(&ran.stdout);
        let answers: Vec<String> =
            said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if answers.len() == cases.len() {
            return Ok(answers);
        }
        Err(String::from_utf8_lossy(&ran.stderr).into_owned())
    }

    /// A token under this key with these claims, of which `exp` is in seconds from now on.
    pub fn sign(pem: &str, algorithm: &str, claims: Value) -> Value {
        json!({ "do": "sign", "pem": pem, "algorithm": algorithm, "claims": claims })
    }

    /// What a token says.
    pub fn open(public: &str, token: &str) -> Value {
        json!({ "do": "open", "public": public, "token": token })
    }
}

impl Keys {
    pub fn made_by(python: &PyJwt) -> Result<Self, String> {
        let mut made = [SHORT, LONG, OTHER].into_iter().map(|pem| {
            let form = |form| json!({ "do": "key", "pem": pem, "form": form });
            let made = python.ask(&["pkcs1", "pkcs8", "public"].map(form))?;
            let [pkcs1, pkcs8, public] =
                <[String; 3]>::try_from(made).map_err(|_| "not three forms of a key")?;
            Ok::<_, String>(Key { pkcs1, pkcs8, public })
        });
        let mut next = || made.next().unwrap_or_else(|| Ok(Key::default()));
        Ok(Self { short: next()?, long: next()?, other: next()? })
    }
}
