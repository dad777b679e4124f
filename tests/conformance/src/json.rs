//! The report as JSON.

use super::Verdict;
use super::judge::{Counts, Judged, JudgedCase, Report};
use serde_json::{Value, json};

/// Every case of every suite.
pub(super) fn json(report: &Report) -> String {
    let suites: Vec<Value> = report.suites.iter().map(suite).collect();
    let whole = json!({
        "date": report.date,
        "good": report.is_good(),
        "total": counts(report.counts()),
        "faults": report.faults,
        "suites": suites,
    });
    format!("{whole:#}\n")
}

fn suite(suite: &Judged) -> Value {
    json!({
        "name": suite.name,
        "scheme": suite.scheme,
        "source": suite.source,
        "good": suite.is_good(),
        "skipped": suite.skipped.as_ref().map(ToString::to_string),
        "seconds": suite.took.as_secs_f64(),
        "total": counts(suite.counts()),
        "faults": suite.faults,
        "notes": suite.notes,
        "cases": suite.cases.iter().map(case).collect::<Vec<_>>(),
    })
}

fn case(case: &JudgedCase) -> Value {
    match (&case.verdict, &case.excepted) {
        (Verdict::Passed, _) => json!({ "id": case.id, "verdict": "passed" }),
        (Verdict::Failed { expected, actual }, None) => {
            json!({ "id": case.id, "verdict": "failed", "expected": expected, "actual": actual })
        }
        (Verdict::Failed { expected, actual }, Some(reason)) => json!({
            "id": case.id, "verdict": "excepted", "expected": expected, "actual": actual, "reason": reason,
        }),
    }
}

fn counts(counts: Counts) -> Value {
    json!({ "passed": counts.passed, "excepted": counts.excepted, "failed": counts.failed })
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::super::judge::tests::{cases, exception, suite};
    use super::super::judge::{Absent, judge};
    use super::*;

    #[test]
    fn holds_every_case_with_its_verdict() {
        let outcome = Outcome::Ran(cases());
        let judged = judge(&suite(), outcome, &[exception("200", "known")], 2, Absent::Skip);
        let report = Report { date: "2026-01-31".into(), suites: vec![judged], faults: Vec::new() };
        let read: Value = serde_json::from_str(&json(&report)).unwrap();
        assert_eq!(read["total"], json!({ "passed": 1, "excepted": 1, "failed": 0 }));
        assert_eq!(
            read["suites"][0]["cases"],
            json!([
                { "id": "good", "verdict": "passed" },
                { "id": "bad", "verdict": "excepted", "expected": "401", "actual": "200", "reason": "known" },
            ])
        );
    }
}
