//! What a verb is, and how the words after its name are read.

/// One thing `cargo xtask` can do.
pub struct Verb {
    pub name: &'static str,
    pub about: &'static str,
    /// How words that are not flags are called in the help, if the verb takes any.
    pub operands: Option<&'static str>,
    pub flags: &'static [Flag],
    /// Returns the line that ends the run.
    pub run: fn(&Arguments) -> Result<String, Failure>,
}

pub struct Flag {
    pub name: &'static str,
    /// How its value is called in the help, if it takes one.
    pub value: Option<&'static str>,
    pub about: &'static str,
}

/// What was given, checked against the verb's flags.
#[derive(Debug, Default, PartialEq)]
pub struct Arguments {
    flags: Vec<(&'static str, Option<String>)>,
    pub operands: Vec<String>,
}

#[derive(Debug, PartialEq)]
pub enum Reading {
    Run(Arguments),
    Help,
}

#[derive(Debug, PartialEq)]
pub enum Failure {
    /// The words were wrong: exit 2, with the help.
    Usage(String),
    /// The work failed: exit 1.
    Failed(String),
}

impl From<String> for Failure {
    fn from(what: String) -> Self {
        Self::Failed(what)
    }
}

impl Verb {
    pub fn read(&self, given: &[String]) -> Result<Reading, String> {
        let mut arguments = Arguments::default();
        let mut given = given.iter();
        while let Some(word) = given.next() {
            if matches!(word.as_str(), "--help" | "-h") {
                return Ok(Reading::Help);
            }
            if !word.starts_with('-') {
                if self.operands.is_none() {
                    return Err(format!("`{}` takes no `{word}`", self.name));
                }
                arguments.operands.push(word.clone());
                continue;
            }
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_string())),
                None => (word.as_str(), None),
            };
            let flag = self
                .flags
                .iter()
                .find(|flag| flag.name == name)
                .ok_or_else(|| format!("`{}` has no flag `{name}`", self.name))?;
            let value = match (flag.value, inline) {
                (None, None) => None,
                (None, Some(_)) => return Err(format!("`{name}` takes no value")),
                (Some(_), Some(value)) => Some(value),
                (Some(called), None) => {
                    Some(given.next().ok_or_else(|| format!("`{name}` needs {called}"))?.clone())
                }
            };
            arguments.flags.push((flag.name, value));
        }
        Ok(Reading::Run(arguments))
    }

    pub fn help(&self) -> String {
        let mut text = format!("cargo xtask {}", self.name);
        let mut rows = Vec::new();
        for flag in self.flags {
            let shown = match flag.value {
                Some(value) => format!("{} {value}", flag.name),
                None => flag.name.to_string(),
            };
            text.push_str(&format!(" [{shown}]"));
            rows.push((shown, flag.about));
        }
        if let Some(operands) = self.operands {
            text.push_str(&format!(" {operands}"));
        }
        text.push_str(&format!("\n\n{}\n", self.about));
        let width = rows.iter().map(|(shown, _)| shown.len()).max().unwrap_or(0);
        for (shown, about) in rows {
            text.push_str(&format!("\n  {shown:width$}  {about}"));
        }
        text
    }
}

impl Arguments {
    pub fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|(given, _)| *given == name)
    }

    /// The value given last under this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.flags
            .iter()
            .rev()
            .find(|(given, _)| *given == name)
            .and_then(|(_, value)| value.as_deref())
    }

    /// The words again, for a program that takes the same ones.
    pub fn words(&self) -> Vec<String> {
        let flags = self.flags.iter().flat_map(|(name, value)| {
            std::iter::once((*name).to_string()).chain(value.iter().cloned())
        });
        flags.chain(self.operands.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERB: Verb = Verb {
        name: "fetch",
        about: "fetches",
        operands: None,
        flags: &[
            Flag { name: "--json", value: None, about: "as JSON" },
            Flag { name: "--from", value: Some("DIR"), about: "where" },
        ],
        run: |_| Ok(String::new()),
    };

    fn read(words: &str) -> Result<Reading, String> {
        let given: Vec<String> = words.split_whitespace().map(str::to_string).collect();
        VERB.read(&given)
    }

    #[track_caller]
    fn check(words: &str, expected: &[&str]) {
        match read(words) {
            Ok(Reading::Run(arguments)) => assert_eq!(arguments.words(), expected),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn check_refused(words: &str, expected: &str) {
        assert_eq!(read(words), Err(expected.to_string()));
    }

    #[test]
    fn reads_flags_with_and_without_values() {
        check("", &[]);
        check("--json", &["--json"]);
        check("--from x --json", &["--from", "x", "--json"]);
        check("--from=x=y", &["--from", "x=y"]);
    }

    #[test]
    fn refuses_what_the_verb_does_not_take() {
        check_refused("--xml", "`fetch` has no flag `--xml`");
        check_refused("word", "`fetch` takes no `word`");
        check_refused("--from", "`--from` needs DIR");
        check_refused("--json=1", "`--json` takes no value");
    }

    #[test]
    fn help_wins_over_what_follows_it() {
        assert_eq!(read("--json -h --xml"), Ok(Reading::Help));
    }

    #[test]
    fn help_names_each_flag_with_its_value() {
        let help = VERB.help();
        assert!(help.starts_with("cargo xtask fetch [--json] [--from DIR]\n"), "{help}");
        assert!(help.contains("\n  --from DIR  where"), "{help}");
    }

    #[test]
    fn the_last_value_counts() {
        let arguments = match read("--from a --from b") {
            Ok(Reading::Run(arguments)) => arguments,
            other => panic!("{other:?}"),
        };
        assert_eq!(arguments.value("--from"), Some("b"));
        assert!(!arguments.has("--json"));
    }
}
