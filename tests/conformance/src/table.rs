//! The report as text.

use super::judge::{Judged, Report};
use super::run::skipped;
use super::{Suite, Verdict};
use std::fmt::Write;

/// One table of all suites, then each failure and fault in detail.
pub(super) fn table(report: &Report) -> String {
    let width =
        report.suites.iter().map(|suite| suite.name.len()).chain([5]).max().unwrap_or_default();
    let mut text = String::new();
    let mut line = |cells: [&str; 5]| {
        let [name, passed, excepted, failed, skipped] = cells;
        let row = format!("{name:width$}  {passed:>6}  {excepted:>8}  {failed:>6}  {skipped}");
        let _ = writeln!(text, "{}", row.trim_end());
    };
    line(["suite", "passed", "excepted", "failed", "skipped"]);
    for suite in &report.suites {
        let counts = suite.counts();
        let numbers =
            [counts.passed, counts.excepted, counts.failed].map(|count| count.to_string());
        match &suite.skipped {
            Some(missing) => line([suite.name, "-", "-", "-", &skipped(missing)]),
            None => line([suite.name, &numbers[0], &numbers[1], &numbers[2], ""]),
        }
    }
    let counts = report.counts();
    let numbers = [counts.passed, counts.excepted, counts.failed].map(|count| count.to_string());
    let missing = report.suites.iter().filter(|suite| suite.skipped.is_some()).count();
    let missing = if missing == 0 { String::new() } else { format!("{missing} skipped") };
    line(["total", &numbers[0], &numbers[1], &numbers[2], &missing]);
    for suite in &report.suites {
        details(&mut text, suite);
    }
    for fault in &report.faults {
        let _ = writeln!(text, "\nFAILED: {fault}");
    }
    text
}

fn details(text: &mut String, suite: &Judged) {
    for case in suite.cases.iter().filter(|case| case.excepted.is_none()) {
        if let Verdict::Failed { expected, actual } = &case.verdict {
            let _ = writeln!(
                text,
                "\nFAILED: {} {}\n  expected: {expected}\n  actual:   {actual}",
                suite.name, case.id
            );
        }
    }
    for fault in &suite.faults {
        let _ = writeln!(text, "\nFAILED: {}: {fault}", suite.name);
    }
    for note in &suite.notes {
        let _ = writeln!(text, "\nnote: {}: {note}", suite.name);
    }
}

/// A few words for the line of a suite that has just run.
pub(super) fn verdict(suite: &Judged) -> String {
    match &suite.skipped {
        Some(missing) => skipped(missing),
        None if suite.is_good() => format!("{} cases ok", suite.cases.len()),
        None if suite.counts().failed > 0 => {
            format!("FAILED, {} of {} cases", suite.counts().failed, suite.cases.len())
        }
        None => format!("FAILED, {}", suite.faults.join("; ")),
    }
}

/// The suites that there are.
pub(super) fn list(suites: &[&Suite]) -> String {
    let width = suites.iter().map(|suite| suite.name.len()).max().unwrap_or_default();
    suites
        .iter()
        .map(|suite| format!("{:width$}  {}, {}\n", suite.name, suite.scheme, suite.source))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::{cases, exception, suite};
    use super::super::judge::{Absent, judge};
    use super::super::{Missing, Outcome};
    use super::*;

    fn report(outcome: Outcome, reason: &str) -> Report {
        let judged = judge(&suite(), outcome, &[exception("200", reason)], 2, Absent::Skip);
        Report { date: "2026-01-31".into(), suites: vec![judged], faults: Vec::new() }
    }

    #[test]
    fn prints_counts_and_the_details_of_failures_alone() {
        let text = table(&report(Outcome::Ran(cases()), ""));
        assert!(text.contains("basic-curl       1         0       1\n"), "{text}");
        assert!(
            text.contains("\nFAILED: basic-curl bad\n  expected: 401\n  actual:   200\n"),
            "{text}"
        );
        let text = table(&report(Outcome::Ran(cases()), "known"));
        assert!(text.contains("basic-curl       1         1       0\n"), "{text}");
        assert!(!text.contains("FAILED"), "{text}");
    }

    #[test]
    fn says_loudly_what_was_skipped_and_why() {
        let text = table(&report(Outcome::Skipped(Missing::Peer("curl".into())), "known"));
        assert!(
            text.contains("basic-curl       -         -       -  skipped: curl not installed\n"),
            "{text}"
        );
        assert!(text.contains("total            0         0       0  1 skipped\n"), "{text}");
    }
}
