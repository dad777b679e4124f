//! The words after the program's name.

use super::judge::Absent;
use std::path::PathBuf;

#[derive(Debug, PartialEq)]
pub(super) struct Arguments {
    /// All suites if empty.
    pub suites: Vec<String>,
    pub vectors: Option<PathBuf>,
    pub absent: Absent,
    pub json: Option<PathBuf>,
    pub html: Option<PathBuf>,
    pub sizes: SizesFile,
    pub list: bool,
}

/// What happens to the record of sizes.
#[derive(Debug, PartialEq)]
pub(super) enum SizesFile {
    Keep,
    Raise,
}

pub(super) const HELP: &str =
    "conformance [--suite NAME].. [--vectors DIR] [--require-peers] [--json FILE] \
                               [--html FILE] [--update-sizes] [--list]

  --suite NAME     only this suite; may be given several times
  --vectors DIR    where vector sets lie that cannot be shipped
  --require-peers  a peer that is not installed is a failure; missing vectors never are
  --json FILE      write every case as JSON
  --html FILE      write a page: source by scheme
  --update-sizes   record suites that have grown
  --list           print the suites and run none";

pub(super) fn read(words: impl IntoIterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        suites: Vec::new(),
        vectors: None,
        absent: Absent::Skip,
        json: None,
        html: None,
        sizes: SizesFile::Keep,
        list: false,
    };
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--suite" => arguments.suites.push(value()?),
            "--vectors" => arguments.vectors = Some(value()?.into()),
            "--require-peers" => arguments.absent = Absent::Fail,
            "--json" => arguments.json = Some(value()?.into()),
            "--html" => arguments.html = Some(value()?.into()),
            "--update-sizes" => arguments.sizes = SizesFile::Raise,
            "--list" => arguments.list = true,
            _ => return Err(format!("unknown word {word}")),
        }
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Arguments, String> {
        super::read(words.split_whitespace().map(str::to_string))
    }

    #[test]
    fn suites_add_up() {
        let arguments = read("--suite a --require-peers --suite b").unwrap();
        assert_eq!(arguments.suites, ["a", "b"]);
        assert_eq!(arguments.absent, Absent::Fail);
        assert_eq!(arguments.sizes, SizesFile::Keep);
    }

    #[test]
    fn refuses_unknown_words_and_missing_values() {
        assert_eq!(read("--suit a"), Err("unknown word --suit".into()));
        assert_eq!(read("--json"), Err("--json needs a value".into()));
    }
}
