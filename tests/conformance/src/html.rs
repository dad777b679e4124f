//! The report as one page: a matrix of source by scheme, with the details behind each cell. It loads nothing.

use super::Verdict;
use super::judge::{Counts, Judged, JudgedCase, Report};
use std::fmt::Write;

const STYLE: &str = include_str!("report.css");

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let schemes = distinct(report.suites.iter().map(|suite| suite.scheme));
    let sources = distinct(report.suites.iter().map(|suite| suite.source));
    let mut body = String::new();
    header(&mut body, report);
    for fault in &report.faults {
        let _ = writeln!(body, "<p class=\"failed fault\">{}</p>", escaped(fault));
    }
    body.push_str("<div class=\"wide\"><table>\n<tr><th></th>");
    for scheme in &schemes {
        let _ = write!(body, "<th scope=\"col\">{}</th>", escaped(scheme));
    }
    body.push_str("</tr>\n");
    for source in sources {
        let _ = write!(body, "<tr><th scope=\"row\">{}</th>", escaped(source));
        for scheme in &schemes {
            let here = |suite: &&Judged| suite.scheme == *scheme && suite.source == source;
            let suites: String = report.suites.iter().filter(here).map(cell).collect();
            let _ = write!(body, "<td>{suites}</td>");
        }
        body.push_str("</tr>\n");
    }
    body.push_str("</table></div>\n");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Conformance, {date}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        date = escaped(&report.date)
    )
}

fn header(body: &mut String, report: &Report) {
    let counts = report.counts();
    let skipped = report.suites.iter().filter(|suite| suite.skipped.is_some()).count();
    let (class, verdict) = if report.is_good() {
        ("passed", "Everything that ran is as it should be.")
    } else {
        ("failed", "Something is not as it should be.")
    };
    let tile = |class: &str, count: usize, of: &str| {
        let class = if count == 0 { "skipped" } else { class };
        format!("<li class=\"{class}\"><b>{count}</b> {of}</li>\n")
    };
    let tiles = [
        tile("passed", counts.passed, "cases passed"),
        tile("excepted", counts.excepted, "excepted, with a reason"),
        tile("failed", counts.failed, "failed"),
        tile("skipped", skipped, &format!("of {} suites skipped", report.suites.len())),
    ];
    let _ = write!(
        body,
        "<header>\n<h1>messaging-auth: conformance</h1>\n\
         <p class=\"verdict {class}\">{verdict} <time>{}</time></p>\n<ul class=\"counts\">\n{}</ul>\n\
         <p>Columns are schemes. Rows say who judges: a specification's own examples, or a program that many use. \
         Click a cell to see what is behind it.</p>\n</header>\n",
        escaped(&report.date),
        tiles.concat(),
    );
}

fn cell(suite: &Judged) -> String {
    let counts = suite.counts();
    let (class, mark) = match suite {
        _ if !suite.is_good() => ("failed", "✗"),
        _ if suite.skipped.is_some() => ("skipped", "–"),
        _ if counts.excepted > 0 => ("excepted", "≈"),
        _ => ("passed", "✓"),
    };
    let shown = match &suite.skipped {
        Some(_) => "skipped".to_string(),
        None => format!("{} <small>of {}</small>", counts.passed, counts.total()),
    };
    format!(
        "<details class=\"{class}\"><summary><span class=\"mark\">{mark}</span> {shown}{}</summary>\n{}</details>",
        bar(counts),
        behind(suite)
    )
}

/// How the cases are divided, to be seen at a glance.
fn bar(counts: Counts) -> String {
    if counts.total() == 0 {
        return String::new();
    }
    let parts =
        [("passed", counts.passed), ("excepted", counts.excepted), ("failed", counts.failed)];
    let part = |(class, count): (&str, usize)| {
        format!("<i class=\"{class}\" style=\"flex-grow:{count}\"></i>")
    };
    format!("<span class=\"bar\">{}</span>", parts.map(part).concat())
}

fn behind(suite: &Judged) -> String {
    let mut text =
        format!("<p><code>{}</code>, {:.1} s</p>\n", escaped(suite.name), suite.took.as_secs_f64());
    if let Some(missing) = &suite.skipped {
        let _ = writeln!(text, "<p>Skipped: {}.</p>", escaped(&missing.to_string()));
    }
    for fault in &suite.faults {
        let _ = writeln!(text, "<p class=\"failed fault\">{}</p>", escaped(fault));
    }
    let passed: Vec<String> = suite
        .cases
        .iter()
        .filter(|case| case.verdict == Verdict::Passed)
        .map(|case| format!("<code>{}</code>", escaped(&case.id)))
        .collect();
    suite.cases.iter().for_each(|case| text.push_str(&failure(case)));
    if !passed.is_empty() {
        let _ = writeln!(text, "<p class=\"ids\">passed: {}</p>", passed.join(" "));
    }
    text
}

fn failure(case: &JudgedCase) -> String {
    let Verdict::Failed { expected, actual } = &case.verdict else { return String::new() };
    let (class, reason) = match &case.excepted {
        Some(reason) => {
            ("excepted", format!("<dt>why that is right</dt><dd>{}</dd>", escaped(reason)))
        }
        None => ("failed", String::new()),
    };
    format!(
        "<div class=\"case {class}\"><code>{}</code><dl><dt>expected</dt><dd><code>{}</code></dd>\
         <dt>actual</dt><dd><code>{}</code></dd>{reason}</dl></div>\n",
        escaped(&case.id),
        escaped(expected),
        escaped(actual)
    )
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::judge::tests::{cases, exception, suite};
    use super::super::judge::{Absent, judge};
    use super::super::{CaseResult, Missing, Outcome};
    use super::*;

    fn page_of(outcomes: Vec<Outcome>) -> String {
        let exceptions = [exception("200", "the peer is <wrong>")];
        let judged = outcomes
            .into_iter()
            .map(|outcome| judge(&suite(), outcome, &exceptions, 2, Absent::Skip));
        page(&Report { date: "2026-01-31".into(), suites: judged.collect(), faults: Vec::new() })
    }

    #[test]
    fn shows_counts_reasons_and_the_date_in_one_page_that_loads_nothing() {
        let page = page_of(vec![Outcome::Ran(cases())]);
        assert!(page.contains("<time>2026-01-31</time>"));
        assert!(
            page.contains("<details class=\"excepted\">") && page.contains("1 <small>of 2</small>"),
            "{page}"
        );
        assert!(page.contains("<dd>the peer is &lt;wrong&gt;</dd>"), "{page}");
        for loading in ["src=", "href=", "url(", "@import", "<script"] {
            assert!(!page.contains(loading), "{loading}");
        }
    }

    #[test]
    fn suites_of_one_scheme_and_source_share_a_cell() {
        let page =
            page_of(vec![Outcome::Ran(cases()), Outcome::Skipped(Missing::Peer("curl".into()))]);
        assert_eq!(page.matches("<td>").count(), 1);
        assert_eq!(page.matches("<details").count(), 2);
        assert!(page.contains("Skipped: curl not installed."), "{page}");
    }

    #[test]
    fn what_peers_say_cannot_become_markup() {
        let page =
            page_of(vec![Outcome::Ran(vec![CaseResult::compare("<b>", "\"x\"", "<script>")])]);
        assert!(page.contains("<code>&lt;b&gt;</code>") && !page.contains("<script"), "{page}");
    }
}
