//! Which statement of the platform documents is shown by which test.

use crate::arguments::{Arguments, Failure, Flag, Verb};
use crate::repository;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub const VERB: Verb = Verb {
    name: "coverage",
    about: "print docs/coverage.md: each statement of the platform documents and the tests that show it",
    operands: None,
    flags: &[Flag {
        name: "--check",
        value: None,
        about: "print nothing, and fail unless the file is in step",
    }],
    run,
};

const DOCUMENTS: &[(&str, &str)] = &[
    ("000", "Webex Connect: authentication options"),
    ("001", "Webex Connect: service keys and JWT"),
    ("002", "Webex Connect: authorization of outbound webhooks and Contact Policy"),
    ("003", "Infobip"),
    ("004", "Symphony"),
];

/// A line of `tests/statements/statements.tsv`.
#[derive(Debug)]
struct Statement {
    /// Such as `002-07`.
    number: String,
    wording: String,
    shown_by: String,
}

/// Names of tests, with the file of each, by statement number.
type Tests = BTreeMap<String, Vec<(String, String)>>;

fn run(arguments: &Arguments) -> Result<String, Failure> {
    let (statements, tests) = (statements()?, tests()?);
    if arguments.has("--check") {
        let found = find()?;
        if !found.is_empty() {
            return Err(Failure::Failed(found.join("; ")));
        }
    } else {
        print!("{}", page(&statements, &tests));
    }
    let shown = statements.iter().filter(|statement| tests.contains_key(&statement.number)).count();
    Ok(format!("{shown} of {} statements have a test", statements.len()))
}

/// What is out of step.
pub fn find() -> Result<Vec<String>, String> {
    let (statements, tests) = (statements()?, tests()?);
    let mut found = unknown(&statements, &tests);
    let there = path().is_file() && repository::read(&path())? == page(&statements, &tests);
    if !there {
        found.push("docs/coverage.md is out of step; `cargo xtask tidy --fix`".into());
    }
    Ok(found)
}

pub fn fix() -> Result<(), String> {
    repository::write(&path(), &page(&statements()?, &tests()?))
}

fn path() -> PathBuf {
    repository::root().join("docs/coverage.md")
}

fn statements() -> Result<Vec<Statement>, String> {
    read_statements(&repository::read(&repository::root().join("tests/statements/statements.tsv"))?)
}

fn read_statements(text: &str) -> Result<Vec<Statement>, String> {
    let mut statements: Vec<Statement> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let [number, wording, shown_by] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("statements.tsv:{}: expected number, wording, crate", n + 1));
        };
        if statements.last().is_some_and(|last| last.number.as_str() >= number) {
            return Err(format!("statements.tsv:{}: {number} is out of order", n + 1));
        }
        let [number, wording, shown_by] = [number, wording, shown_by].map(str::to_string);
        statements.push(Statement { number, wording, shown_by });
    }
    Ok(statements)
}

fn tests() -> Result<Tests, String> {
    let mut tests = Tests::new();
    for path in repository::files(&repository::root().join("tests/statements/tests"), ".rs")? {
        for name in test_names(&repository::read(&path)?) {
            for number in numbers(&name) {
                let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                tests.entry(number).or_default().push((file, name.clone()));
            }
        }
    }
    Ok(tests)
}

/// Functions under a test attribute. One that is ignored shows nothing.
fn test_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut test, mut ignored) = (false, false);
    for line in text.lines().map(str::trim) {
        if let Some(attribute) = line.strip_prefix("#[") {
            let path = attribute.split(['(', ']', ' ', '=']).next().unwrap_or_default();
            test |= path == "test" || path.ends_with("::test");
            ignored |= path == "ignore";
            continue;
        }
        let function =
            line.trim_start_matches("pub ").trim_start_matches("async ").strip_prefix("fn ");
        if let Some(name) = function.and_then(|rest| rest.split(['(', '<']).next()) {
            if test && !ignored {
                names.push(name.to_string());
            }
        }
        if !line.is_empty() && !line.starts_with("//") {
            (test, ignored) = (false, false);
        }
    }
    names
}

/// `s002_07_s002_08_sends_nothing` carries 002-07 and 002-08.
fn numbers(name: &str) -> Vec<String> {
    let words: Vec<&str> = name.split('_').collect();
    let digits = |word: &str, count: usize| {
        word.len() == count && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    words
        .windows(2)
        .filter_map(|pair| match pair {
            [document, number] => Some((document.strip_prefix('s')?, *number)),
            _ => None,
        })
        .filter(|(document, number)| digits(document, 3) && digits(number, 2))
        .map(|(document, number)| format!("{document}-{number}"))
        .collect()
}

fn unknown(statements: &[Statement], tests: &Tests) -> Vec<String> {
    let known = |number: &str| statements.iter().any(|statement| statement.number == number);
    let wrong = tests.iter().filter(|(number, _)| !known(number));
    wrong
        .flat_map(|(number, names)| {
            names.iter().map(move |(file, name)| {
                format!("{file}: `{name}` carries {number}, which is no statement")
            })
        })
        .collect()
}

fn page(statements: &[Statement], tests: &Tests) -> String {
    let shown = statements.iter().filter(|statement| tests.contains_key(&statement.number)).count();
    let mut page = format!(
        "# Coverage\n\n\
         The platform documents, statement by statement, and the tests in `tests/statements/tests/` that show each.\n\
         Written by `cargo xtask tidy --fix`; the wording is in `tests/statements/statements.tsv`.\n\n\
         {shown} of {} statements have a test.\n",
        statements.len()
    );
    for (document, title) in DOCUMENTS {
        page.push_str(&format!(
            "\n## {document} {title}\n\n| no | statement | crate | test |\n|---|---|---|---|\n"
        ));
        let its = statements.iter().filter(|statement| statement.number.starts_with(document));
        for Statement { number, wording, shown_by } in its {
            let names = tests.get(number).map(|names| {
                names
                    .iter()
                    .map(|(file, name)| format!("`{file}::{name}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            });
            let names = names.unwrap_or_else(|| "open".into());
            page.push_str(&format!("| {number} | {wording} | `{shown_by}` | {names} |\n"));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_numbers(name: &str, expected: &[&str]) {
        assert_eq!(numbers(name), expected, "{name}");
    }

    #[test]
    fn a_name_may_carry_several_numbers() {
        check_numbers("s002_07_no_authorization_at_all", &["002-07"]);
        check_numbers("s002_07_s002_08_both", &["002-07", "002-08"]);
        check_numbers("s002_7_s02_07_sends_07", &[]);
        check_numbers("accepts_100_keys", &[]);
    }

    #[test]
    fn only_functions_under_a_test_attribute_count() {
        let text = "#[test]\nfn a() {}\nfn b() {}\n#[tokio::test(flavor = \"x\")]\n// why\nasync fn c() {}\n\
                    #[test]\n#[ignore]\nfn d() {}\n#[cfg(test)]\nfn e() {}\n#[test]\nfn f() {}\n";
        assert_eq!(test_names(text), ["a", "c", "f"]);
    }

    fn tests_of(names: &[&str]) -> Tests {
        let mut tests = Tests::new();
        for name in names {
            for number in numbers(name) {
                tests.entry(number).or_default().push(("file".into(), name.to_string()));
            }
        }
        tests
    }

    #[test]
    fn the_page_says_open_where_no_test_is() {
        let statements = read_statements("000-01\tone\tauth-a\n000-02\ttwo\tauth-b\n").unwrap();
        let page = page(&statements, &tests_of(&["s000_02_x"]));
        assert!(page.contains("| 000-01 | one | `auth-a` | open |\n"), "{page}");
        assert!(page.contains("| 000-02 | two | `auth-b` | `file::s000_02_x` |\n"), "{page}");
        assert!(page.contains("\n1 of 2 statements have a test.\n"), "{page}");
    }

    #[test]
    fn a_test_with_an_unknown_number_is_named() {
        let statements = read_statements("000-01\tone\tauth-a\n").unwrap();
        assert_eq!(
            unknown(&statements, &tests_of(&["s000_01_x", "s000_99_y"])),
            ["file: `s000_99_y` carries 000-99, which is no statement"]
        );
    }

    #[test]
    fn statements_have_three_columns_and_stand_in_order() {
        assert!(read_statements("000-01\tone\n").unwrap_err().contains(":1: expected"));
        assert!(
            read_statements("000-02\ta\tb\n000-01\ta\tb\n")
                .unwrap_err()
                .contains(":2: 000-01 is out of order")
        );
        assert!(read_statements("000-01\ta\tb\n000-01\ta\tb\n").is_err());
    }
}
