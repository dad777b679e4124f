//! What the outcome of a suite is worth.

use super::exceptions::Exception;
use super::{CaseResult, Missing, Outcome, Suite, Verdict};
use std::collections::BTreeSet;
use std::time::Duration;

/// Everything a report shows.
pub(super) struct Report {
    /// The day of the run, such as `2026-01-31`.
    pub date: String,
    pub suites: Vec<Judged>,
    /// What is wrong with the run as a whole.
    pub faults: Vec<String>,
}

/// A suite and what came out.
pub(super) struct Judged {
    pub name: &'static str,
    pub scheme: &'static str,
    pub source: &'static str,
    pub took: Duration,
    /// Why it did not run, if it did not.
    pub skipped: Option<Missing>,
    pub cases: Vec<JudgedCase>,
    /// What fails the suite beside its failed cases.
    pub faults: Vec<String>,
    /// What a person may want to do.
    pub notes: Vec<String>,
}

pub(super) struct JudgedCase {
    pub id: String,
    pub verdict: Verdict,
    /// Why the failure is right, if an exception says so.
    pub excepted: Option<String>,
}

/// What a peer that is not installed means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Absent {
    Skip,
    Fail,
}

/// How the cases of a suite, or of all, came out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub passed: usize,
    pub excepted: usize,
    pub failed: usize,
}

impl Report {
    pub fn is_good(&self) -> bool {
        self.faults.is_empty() && self.suites.iter().all(Judged::is_good)
    }

    pub fn counts(&self) -> Counts {
        self.suites.iter().map(Judged::counts).fold(Counts::default(), Counts::and)
    }
}

impl Judged {
    pub fn is_good(&self) -> bool {
        self.faults.is_empty() && self.counts().failed == 0
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for case in &self.cases {
            match (&case.verdict, &case.excepted) {
                (Verdict::Passed, _) => counts.passed += 1,
                (Verdict::Failed { .. }, Some(_)) => counts.excepted += 1,
                (Verdict::Failed { .. }, None) => counts.failed += 1,
            }
        }
        counts
    }
}

impl Counts {
    pub fn and(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            excepted: self.excepted + other.excepted,
            failed: self.failed + other.failed,
        }
    }

    pub fn total(self) -> usize {
        self.passed + self.excepted + self.failed
    }
}

/// Holds an outcome against the suite's exceptions and the number of cases that it has had.
pub(super) fn judge(
    suite: &Suite,
    outcome: Outcome,
    exceptions: &[Exception],
    recorded: usize,
    absent: Absent,
) -> Judged {
    let mut judged = Judged {
        name: suite.name,
        scheme: suite.scheme,
        source: suite.source,
        took: Duration::ZERO,
        skipped: None,
        cases: Vec::new(),
        faults: Vec::new(),
        notes: Vec::new(),
    };
    match outcome {
        Outcome::Skipped(missing) => {
            if absent == Absent::Fail && matches!(missing, Missing::Peer(_)) {
                judged.faults.push(format!("{missing}, and peers are required"));
            }
            judged.skipped = Some(missing);
        }
        Outcome::Ran(cases) => {
            judged.faults = doubled(&cases);
            judged.faults.extend(unneeded(exceptions, &cases));
            size(&mut judged, cases.len(), recorded);
            judged.cases = cases.into_iter().map(|case| except(case, exceptions)).collect();
        }
    }
    judged
}

fn size(judged: &mut Judged, count: usize, recorded: usize) {
    if count == 0 {
        judged.faults.push("ran no case".into());
    } else if count < recorded {
        judged.faults.push(format!("ran {count} cases, {recorded} are recorded"));
    } else if count > recorded {
        judged.notes.push(format!(
            "ran {count} cases, {recorded} are recorded; --update-sizes raises that"
        ));
    }
}

fn doubled(cases: &[CaseResult]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let again = cases.iter().filter(|case| !seen.insert(&case.id));
    again.map(|case| format!("case {} occurs twice", case.id)).collect()
}

fn describes(exception: &Exception, case: &CaseResult) -> bool {
    let Verdict::Failed { expected, actual } = &case.verdict else { return false };
    exception.case == case.id && exception.expected == *expected && exception.actual == *actual
}

/// Exceptions that describe no case of this run, or that give no reason.
fn unneeded(exceptions: &[Exception], cases: &[CaseResult]) -> Vec<String> {
    let mut faults = Vec::new();
    for exception in exceptions {
        let name = &exception.case;
        if exception.reason.trim().is_empty() {
            faults.push(format!("the exception of case {name} gives no reason"));
        }
        if cases.iter().any(|case| describes(exception, case)) {
            continue;
        }
        faults.push(match cases.iter().find(|case| case.id == *name).map(|case| &case.verdict) {
            None => format!("the exception of case {name} is for a case that did not run"),
            Some(Verdict::Passed) => {
                format!("the exception of case {name} is for a case that passes")
            }
            Some(Verdict::Failed { .. }) => {
                format!("the exception of case {name} is for another failure")
            }
        });
    }
    faults
}

fn except(case: CaseResult, exceptions: &[Exception]) -> JudgedCase {
    let exception = exceptions.iter().find(|exception| describes(exception, &case));
    let reason = exception.map(|exception| exception.reason.trim().to_string());
    JudgedCase {
        excepted: reason.filter(|reason| !reason.is_empty()),
        id: case.id,
        verdict: case.verdict,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A suite for tests of the engine.
    pub fn suite() -> Suite {
        Suite {
            name: "basic-curl",
            scheme: "Basic",
            source: "curl",
            run: |_| Outcome::Ran(Vec::new()),
        }
    }

    /// One case that passes and one that fails.
    pub fn cases() -> Vec<CaseResult> {
        vec![CaseResult::compare("good", "200", "200"), CaseResult::compare("bad", "401", "200")]
    }

    pub fn exception(actual: &str, reason: &str) -> Exception {
        Exception {
            case: "bad".into(),
            expected: "401".into(),
            actual: actual.into(),
            reason: reason.into(),
        }
    }

    #[track_caller]
    fn check(
        cases: Vec<CaseResult>,
        exceptions: &[Exception],
        recorded: usize,
        counts: [usize; 3],
        faults: &[&str],
    ) {
        let judged = judge(&suite(), Outcome::Ran(cases), exceptions, recorded, Absent::Fail);
        let [passed, excepted, failed] = counts;
        assert_eq!(judged.counts(), Counts { passed, excepted, failed });
        assert_eq!(judged.faults, faults);
        assert_eq!(judged.is_good(), failed == 0 && faults.is_empty());
    }

    #[test]
    fn a_failed_case_fails_the_suite() {
        check(cases(), &[], 2, [1, 0, 1], &[]);
    }

    #[test]
    fn an_exception_excuses_exactly_its_failure() {
        check(cases(), &[exception("200", "the peer is wrong")], 2, [1, 1, 0], &[]);
    }

    #[test]
    fn an_exception_with_another_actual_excuses_nothing() {
        let other = [exception("500", "the peer is wrong")];
        check(cases(), &other, 2, [1, 0, 1], &["the exception of case bad is for another failure"]);
    }

    #[test]
    fn an_exception_with_another_expected_excuses_nothing() {
        let other = [Exception { expected: "403".into(), ..exception("200", "the peer is wrong") }];
        check(cases(), &other, 2, [1, 0, 1], &["the exception of case bad is for another failure"]);
    }

    #[test]
    fn an_exception_for_a_case_that_passes_or_is_gone_fails_the_suite() {
        let one = [exception("200", "the peer is wrong")];
        let passing = vec![CaseResult::compare("bad", "401", "401")];
        check(
            passing,
            &one,
            1,
            [1, 0, 0],
            &["the exception of case bad is for a case that passes"],
        );
        let gone = vec![CaseResult::compare("good", "200", "200")];
        check(
            gone,
            &one,
            1,
            [1, 0, 0],
            &["the exception of case bad is for a case that did not run"],
        );
    }

    #[test]
    fn an_exception_without_a_reason_excuses_nothing() {
        check(
            cases(),
            &[exception("200", " ")],
            2,
            [1, 0, 1],
            &["the exception of case bad gives no reason"],
        );
    }

    #[test]
    fn a_suite_that_shrinks_fails() {
        let one = vec![CaseResult::compare("good", "200", "200")];
        check(one, &[], 2, [1, 0, 0], &["ran 1 cases, 2 are recorded"]);
        check(Vec::new(), &[], 0, [0, 0, 0], &["ran no case"]);
    }

    #[test]
    fn a_suite_that_grows_passes_and_says_how_to_record_it() {
        let one = vec![CaseResult::compare("good", "200", "200")];
        let judged = judge(&suite(), Outcome::Ran(one), &[], 0, Absent::Skip);
        assert!(judged.is_good());
        assert_eq!(judged.notes, ["ran 1 cases, 0 are recorded; --update-sizes raises that"]);
    }

    #[test]
    fn a_case_that_occurs_twice_fails_the_suite() {
        let twice = vec![CaseResult::compare("a", "x", "x"), CaseResult::compare("a", "x", "x")];
        check(twice, &[], 2, [2, 0, 0], &["case a occurs twice"]);
    }

    #[track_caller]
    fn check_skipped(missing: Missing, absent: Absent, good: bool) {
        // Neither its exceptions nor its size can be judged.
        let judged =
            judge(&suite(), Outcome::Skipped(missing.clone()), &[exception("200", "x")], 9, absent);
        assert_eq!(judged.is_good(), good, "{missing} {absent:?}");
        assert_eq!(judged.skipped, Some(missing));
    }

    #[test]
    fn a_missing_peer_fails_only_where_peers_are_required() {
        check_skipped(Missing::Peer("curl".into()), Absent::Skip, true);
        check_skipped(Missing::Peer("curl".into()), Absent::Fail, false);
    }

    #[test]
    fn missing_vectors_never_fail() {
        check_skipped(Missing::Vectors("wycheproof".into()), Absent::Skip, true);
        check_skipped(Missing::Vectors("wycheproof".into()), Absent::Fail, true);
    }
}
