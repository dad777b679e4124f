//! The same tokens before us and before another library. One case is one kind of token.
//!
//! Where the verdicts differ, the case says so in one sentence: who says what of how many. An exception that was
//! reviewed holds exactly that sentence, so one token more, or another reason of ours, fails the suite.

mod rust;

pub use rust::jsonwebtoken;

use super::tokens::{self, Meant, NOW, Set, Token};
use super::{Said, claims, key, policy};
use conformance::{Compared, compare};
use conformance::{Missing, Settings, output, script};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// A library that judges in a process of its own.
#[derive(Clone, Copy)]
pub enum Peer {
    PyJwt,
    Joserfc,
    Jwcrypto,
    Jose,
}

/// How long a library may take for all tokens.
const WITHIN: Duration = Duration::from_secs(110);

/// What we say, held against what the tokens were made for.
pub fn meant() -> Vec<Compared> {
    let set = tokens::all();
    by_kind(set, "as meant", |n, token| {
        let said = &ours()[n];
        let right = match (token.meant, said) {
            (Meant::Accepted, Said::Accepted) | (Meant::RefusedAnyhow, Said::Refused(_)) => true,
            (Meant::Refused(code), Said::Refused(said)) => code == said,
            _ => false,
        };
        (!right).then(|| format!("meant {:?}, said {said}", token.meant))
    })
}

/// What we say, held against what a library says.
///
/// # Errors
///
/// If it is not installed.
pub fn peer(peer: Peer, settings: &Settings) -> Result<Vec<Compared>, Missing> {
    let mut command = peer.command(settings)?;
    let set = tokens::all();
    let verdicts = settings
        .folder("jwt-peers")
        .map_err(|error| error.to_string())
        .and_then(|folder| ask(&mut command, &folder.join(peer.library()), set));
    Ok(match verdicts {
        Ok(theirs) => compared(set, &theirs),
        Err(what) => vec![compare("verdicts", "one of each token", what)],
    })
}

/// Our verdicts held against others, token by token.
fn compared(set: &Set, theirs: &[Said]) -> Vec<Compared> {
    by_kind(set, "the same", |n, _| {
        let (ours, theirs) = (&ours()[n], &theirs[n]);
        let same = matches!(
            (ours, theirs),
            (Said::Accepted, Said::Accepted) | (Said::Refused(_), Said::Refused(_))
        );
        (!same).then(|| format!("ours {ours}, theirs {theirs}"))
    })
}

/// What we say of each token.
fn ours() -> &'static [Said] {
    static OURS: OnceLock<Vec<Said>> = OnceLock::new();
    OURS.get_or_init(|| {
        let set = tokens::all();
        let policy = policy();
        let keys: BTreeMap<&str, _> =
            set.keys.iter().map(|[one, _]| (one.algorithm.name(), key(&one.jwk))).collect();
        let say = |token: &Token| match &keys[token.algorithm.name()] {
            Ok(key) => claims(&token.text, key, &policy, NOW),
            Err(code) => Said::Refused(code.clone()),
        };
        set.tokens.iter().map(say).collect()
    })
}

/// A case for each kind, of what is to be said of tokens that are not as they should be.
fn by_kind(
    set: &Set,
    expected: &str,
    judge: impl Fn(usize, &Token) -> Option<String>,
) -> Vec<Compared> {
    let mut kinds: Vec<&'static str> = set.tokens.iter().map(|token| token.kind).collect();
    kinds.dedup();
    kinds
        .into_iter()
        .map(|kind| {
            let of_kind = set.tokens.iter().enumerate().filter(|(_, token)| token.kind == kind);
            let mut total = 0;
            let mut said: BTreeMap<String, Vec<&Token>> = BTreeMap::new();
            for (n, token) in of_kind {
                total += 1;
                if let Some(what) = judge(n, token) {
                    said.entry(what).or_default().push(token);
                }
            }
            let said: Vec<String> = said
                .into_iter()
                .map(|(what, of)| format!("{what}: {}", share(&of, total)))
                .collect();
            let actual = if said.is_empty() { expected.to_owned() } else { said.join("; ") };
            compare(kind, expected, actual)
        })
        .collect()
}

/// `all 60`, or how many and of which algorithms.
fn share(tokens: &[&Token], total: usize) -> String {
    if tokens.len() == total {
        return format!("all {total}");
    }
    let algorithms: BTreeSet<&str> = tokens.iter().map(|token| token.algorithm.name()).collect();
    let algorithms: Vec<&str> = algorithms.into_iter().collect();
    format!("{} of {total} ({})", tokens.len(), algorithms.join(" "))
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::PyJwt => "PyJWT",
            _ => self.library(),
        }
    }

    /// What it is imported by.
    fn library(self) -> &'static str {
        match self {
            Self::PyJwt => "jwt",
            Self::Joserfc => "joserfc",
            Self::Jwcrypto => "jwcrypto",
            Self::Jose => "jose",
        }
    }

    /// The program that reads the file whose name is its last word.
    fn command(self, settings: &Settings) -> Result<Command, Missing> {
        if let Self::Jose = self {
            let mut node = Command::new(settings.peer("node")?);
            node.arg(script("jwt_verdicts.mjs")).arg(settings.npm("jose")?);
            return Ok(node);
        }
        let python = settings.own_python(self.library());
        let mut python = Command::new(python.map_err(|_| Missing::Peer(self.name().into()))?);
        python.arg(script("jwt_verdicts.py")).arg(self.library());
        Ok(python)
    }
}

/// Has a program judge all tokens.
fn ask(command: &mut Command, file: &PathBuf, set: &Set) -> Result<Vec<Said>, String> {
    let lines: String = set
        .tokens
        .iter()
        .enumerate()
        .map(|(n, token)| {
            let (key, algorithm) = (&set.key(token.algorithm).jwk, token.algorithm.name());
            let case = json!({ "id": n, "token": token.text, "key": key, "algorithm": algorithm, "now": NOW });
            format!("{case}\n")
        })
        .collect();
    std::fs::write(file, lines).map_err(|error| format!("{}: {error}", file.display()))?;
    let output = output(command.arg(file), WITHIN)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.lines().last().unwrap_or("ended without a word").to_owned());
    }
    let answers = String::from_utf8_lossy(&output.stdout);
    let verdicts: Option<Vec<Said>> =
        answers.lines().enumerate().map(|(n, line)| verdict(n, line)).collect();
    verdicts
        .filter(|verdicts| verdicts.len() == set.tokens.len())
        .ok_or_else(|| format!("{} answers that can be read", answers.lines().count()))
}

fn verdict(n: usize, line: &str) -> Option<Said> {
    let answer: Value = serde_json::from_str(line).ok()?;
    match (answer["id"].as_u64()? == n as u64, answer["verdict"].as_str()?) {
        (true, "accepted") => Some(Said::Accepted),
        (true, "refused") => Some(Said::Refused(answer["why"].as_str()?.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_jwt::JwsAlgorithm;

    fn token(kind: &'static str, algorithm: JwsAlgorithm) -> Token {
        Token { kind, algorithm, text: String::new(), meant: Meant::Accepted }
    }

    #[track_caller]
    fn check(differing: &[usize], expected: [&str; 2]) {
        let tokens = vec![
            token("a", JwsAlgorithm::HS256),
            token("a", JwsAlgorithm::RS256),
            token("a", JwsAlgorithm::RS256),
            token("b", JwsAlgorithm::EdDSA),
        ];
        let set = Set { keys: Vec::new(), tokens };
        let cases = by_kind(&set, "the same", |n, _| differing.contains(&n).then(|| "no".into()));
        let actual: Vec<&str> = cases.iter().map(|case| case.actual.as_str()).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn a_kind_says_how_many_tokens_differ_and_of_which_algorithms() {
        check(&[], ["the same", "the same"]);
        check(&[0, 1, 2], ["no: all 3", "the same"]);
        check(&[1], ["no: 1 of 3 (RS256)", "the same"]);
        check(&[0, 2, 3], ["no: 2 of 3 (HS256 RS256)", "no: all 1"]);
    }

    #[test]
    fn answers_are_read_in_their_order_and_no_other_way() {
        let refused = r#"{"id": 1, "verdict": "refused", "why": "ValueError"}"#;
        assert_eq!(verdict(1, refused), Some(Said::Refused("ValueError".into())));
        assert_eq!(verdict(0, refused), None);
        assert_eq!(verdict(0, r#"{"id": 0, "verdict": "perhaps", "why": ""}"#), None);
        assert_eq!(verdict(0, "Traceback (most recent call last):"), None);
    }
}
