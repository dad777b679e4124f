//! `cargo xtask conformance`.

fn main() -> std::process::ExitCode {
    messaging_auth_tests::conformance::main(std::env::args().skip(1))
}
