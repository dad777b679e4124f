//! Shared by the tests, the demo and the conformance suites.
pub mod conformance;
pub mod demo;
pub mod suites;
