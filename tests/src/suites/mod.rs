//! What the conformance suites run: examples of the RFCs, real clients against our verifiers, our client against real
//! servers, and tokens before us and before other libraries.

pub mod clients;
pub mod digest;
pub mod jwt;
pub mod rfc;
pub mod servers;
pub mod sigv4;
pub mod start;

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
