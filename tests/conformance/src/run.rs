//! A run from its arguments to its exit code.

use super::arguments::{self, Arguments, HELP, SizesFile};
use super::judge::{Judged, Report, judge};
use super::sizes::{self, Sizes};
use super::{Missing, Outcome, Settings, Suite, exceptions, html, json, root, table};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The program: 0 if all is well, 1 if a suite is not, 2 if the arguments are wrong.
pub fn main(suites: &[&Suite], words: impl IntoIterator<Item = String>) -> ExitCode {
    let words: Vec<String> = words.into_iter().collect();
    if words.iter().any(|word| matches!(word.as_str(), "--help" | "-h")) {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let arguments = match arguments::read(words).and_then(|arguments| checked(suites, arguments)) {
        Ok(arguments) => arguments,
        Err(what) => {
            eprintln!("conformance: {what}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    if arguments.list {
        print!("{}", table::list(suites));
        return ExitCode::SUCCESS;
    }
    match run(suites, &arguments) {
        Ok(report) if report.is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(what) => {
            eprintln!("conformance: {what}");
            ExitCode::FAILURE
        }
    }
}

fn checked(suites: &[&Suite], arguments: Arguments) -> Result<Arguments, String> {
    if let Some(folder) = arguments.vectors.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(format!("there is no folder {}", folder.display()));
    }
    let known = |name: &&String| suites.iter().any(|suite| suite.name == name.as_str());
    match arguments.suites.iter().find(|name| !known(name)) {
        Some(name) => Err(format!("there is no suite {name}; there are:\n{}", table::list(suites))),
        None => Ok(arguments),
    }
}

fn run(suites: &[&Suite], arguments: &Arguments) -> Result<Report, String> {
    let folder = root().join("tests/conformance");
    let recorded = sizes::load(&folder.join("sizes.json"))?;
    let settings = settings(arguments);
    let chosen = |suite: &&&Suite| {
        arguments.suites.is_empty() || arguments.suites.iter().any(|name| name == suite.name)
    };
    let chosen: Vec<&&Suite> = suites.iter().filter(chosen).collect();
    let mut judged_suites = Vec::new();
    for (n, suite) in chosen.iter().enumerate() {
        eprint!("[{}/{}] {} .. ", n + 1, chosen.len(), suite.name);
        let judged = one(suite, &settings, arguments, &folder, &recorded);
        eprintln!("{} in {:.1} s", table::verdict(&judged), judged.took.as_secs_f64());
        judged_suites.push(judged);
    }
    let report = Report {
        date: today(),
        suites: judged_suites,
        faults: strangers(suites, &exceptions::suites(&folder.join("exceptions")), &recorded),
    };
    print!("\n{}", table::table(&report));
    if let Some(path) = &arguments.json {
        write(path, &json::json(&report))?;
    }
    if let Some(path) = &arguments.html {
        write(path, &html::page(&report))?;
    }
    if arguments.sizes == SizesFile::Raise {
        raise(&folder.join("sizes.json"), recorded, &report)?;
    }
    Ok(report)
}

fn settings(arguments: &Arguments) -> Settings {
    let beside = root().join("../shared/vectors");
    let vectors = arguments.vectors.clone().or_else(|| beside.is_dir().then_some(beside));
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |folder| root().join(folder));
    // Not below the target folder, which may lie in a home that servers may not enter.
    let scratch =
        std::env::temp_dir().join(format!("messaging-auth-conformance-{}", std::process::id()));
    Settings { vectors, peers: target.join("peers"), scratch }
}

fn one(
    suite: &Suite,
    settings: &Settings,
    arguments: &Arguments,
    folder: &Path,
    recorded: &Sizes,
) -> Judged {
    let start = Instant::now();
    let run = catch_unwind(AssertUnwindSafe(|| (suite.run)(settings)));
    let took = start.elapsed();
    let mut faults = Vec::new();
    let outcome = run.unwrap_or_else(|payload| {
        faults.push(format!("panicked: {}", message(&*payload)));
        Outcome::Ran(Vec::new())
    });
    let exceptions =
        exceptions::load(&folder.join("exceptions"), suite.name).unwrap_or_else(|what| {
            faults.push(what);
            Vec::new()
        });
    let size = recorded.get(suite.name).copied().unwrap_or_default();
    let mut judged = judge(suite, outcome, &exceptions, size, arguments.absent);
    judged.took = took;
    judged.faults.extend(faults);
    judged
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".into())
}

/// Records and exceptions of suites that are no longer there, and an empty list.
fn strangers(suites: &[&Suite], excepted: &[String], recorded: &Sizes) -> Vec<String> {
    let known = |name: &&String| suites.iter().any(|suite| suite.name == name.as_str());
    let mut faults = Vec::new();
    if suites.is_empty() {
        faults.push("no suite is registered".to_string());
    }
    let files = excepted.iter().filter(|name| !known(name));
    faults.extend(
        files.map(|name| format!("exceptions/{name}.json is for a suite that is not there")),
    );
    let sizes = recorded.keys().filter(|name| !known(name));
    faults
        .extend(sizes.map(|name| format!("sizes.json records {name}, a suite that is not there")));
    for (n, suite) in suites.iter().enumerate() {
        if suites.iter().skip(n + 1).any(|other| other.name == suite.name) {
            faults.push(format!("two suites are called {}", suite.name));
        }
    }
    faults
}

fn raise(path: &Path, mut recorded: Sizes, report: &Report) -> Result<(), String> {
    for judged in
        report.suites.iter().filter(|judged| judged.skipped.is_none() && !judged.cases.is_empty())
    {
        sizes::raise(&mut recorded, judged.name, judged.cases.len());
    }
    sizes::save(path, &recorded)
}

fn write(path: &PathBuf, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    date(since.as_secs() / 86_400)
}

/// The day that many days after 1970-01-01, in the Gregorian calendar.
fn date(days: u64) -> String {
    let leap = |year: u64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let (mut left, mut year) = (days, 1970);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", left + 1)
}

/// What stands in a line for a suite that was skipped.
pub(super) fn skipped(missing: &Missing) -> String {
    format!("skipped: {missing}")
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::suite;
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        let days = [0, 58, 59, 789, 11_016, 20_453, 47_541];
        let dates = [
            "1970-01-01",
            "1970-02-28",
            "1970-03-01",
            "1972-02-29",
            "2000-02-29",
            "2025-12-31",
            "2100-03-01",
        ];
        assert_eq!(days.map(date), dates);
    }

    #[test]
    fn what_is_kept_for_a_suite_that_is_gone_is_a_fault() {
        let recorded = Sizes::from([("gone".to_string(), 3), ("basic-curl".to_string(), 1)]);
        assert_eq!(
            strangers(&[&suite()], &["old".into()], &recorded),
            [
                "exceptions/old.json is for a suite that is not there",
                "sizes.json records gone, a suite that is not there"
            ]
        );
    }

    #[test]
    fn a_run_without_suites_and_a_doubled_name_are_faults() {
        assert_eq!(strangers(&[], &[], &Sizes::new()), ["no suite is registered"]);
        assert_eq!(
            strangers(&[&suite(), &suite()], &[], &Sizes::new()),
            ["two suites are called basic-curl"]
        );
    }

    #[test]
    fn a_suite_that_panics_fails() {
        let arguments = arguments::read(Vec::new()).unwrap();
        let settings = settings(&arguments);
        let broken = Suite { run: |_| panic!("no such luck"), ..suite() };
        let judged =
            one(&broken, &settings, &arguments, Path::new("no-such-folder"), &Sizes::new());
        assert_eq!(judged.faults, ["ran no case", "panicked: no such luck"]);
    }

    #[test]
    fn an_unknown_suite_and_a_missing_folder_are_refused() {
        let read = |words: &[&str]| {
            let read = arguments::read(words.iter().map(|word| word.to_string()));
            read.and_then(|arguments| checked(&[&suite()], arguments))
        };
        assert!(
            read(&["--suite", "no-such-suite"])
                .unwrap_err()
                .starts_with("there is no suite no-such-suite")
        );
        assert!(
            read(&["--vectors", "no-such-folder"]).unwrap_err().starts_with("there is no folder")
        );
        assert!(read(&[]).is_ok());
    }
}
