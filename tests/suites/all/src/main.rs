//! `cargo xtask conformance`: the suites of every scheme in one run.

use conformance::Suite;
use std::process::ExitCode;

fn main() -> ExitCode {
    // This program is also the processes that share one refresh token.
    if let Some(done) = conformance_oauth2::run_if_asked() {
        return done;
    }
    let schemes = [
        conformance_static::SUITES,
        conformance_jwt::SUITES,
        conformance_digest::SUITES,
        conformance_sigv4::SUITES,
        conformance_oauth2::SUITES,
        conformance_infobip::SUITES,
        conformance_symphony::SUITES,
        conformance_webex::SUITES,
        conformance_webhook::SUITES,
    ];
    let suites: Vec<&Suite> = schemes.into_iter().flatten().collect();
    conformance::main(&suites, std::env::args().skip(1))
}
