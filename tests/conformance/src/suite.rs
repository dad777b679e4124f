//! What suites are made with.

use super::{CaseResult, NotStarted, Outcome, Settings, Suite, root};
use tokio::runtime::Runtime;

/// One case: what should come out, and what did.
pub struct Compared {
    pub id: String,
    pub expected: String,
    pub actual: String,
}

/// Compares what should come out with what did.
pub fn compare(id: impl Into<String>, expected: impl ToString, actual: impl ToString) -> Compared {
    Compared { id: id.into(), expected: expected.to_string(), actual: actual.to_string() }
}

/// An entry of a crate's list.
pub const fn suite(
    name: &'static str,
    scheme: &'static str,
    source: &'static str,
    run: fn(&Settings) -> Outcome,
) -> Suite {
    Suite { name, scheme, source, run }
}

/// Our client against a real server that was started.
pub fn asked<S>(
    started: Result<S, NotStarted>,
    ask: impl AsyncFnOnce(&S) -> Vec<Compared>,
) -> Outcome {
    let server = match started {
        Err(NotStarted::Missing(missing)) => return Outcome::Skipped(missing),
        Err(NotStarted::Failed(what)) => return broken(what),
        Ok(server) => server,
    };
    match Runtime::new() {
        Ok(runtime) => ran(runtime.block_on(ask(&server))),
        Err(error) => broken(error.to_string()),
    }
}

/// What came out of all cases.
pub fn ran(compared: Vec<Compared>) -> Outcome {
    let cases =
        compared.into_iter().map(|case| CaseResult::compare(case.id, case.expected, case.actual));
    Outcome::Ran(cases.collect())
}

/// A peer that is installed and does not start is a failure, not a skip.
pub fn broken(what: String) -> Outcome {
    Outcome::Ran(vec![CaseResult::compare("start", "started", what)])
}

/// A script that a peer runs: a file in `tests/conformance/peers`.
pub fn script(name: &str) -> String {
    root().join("tests/conformance/peers").join(name).display().to_string()
}
