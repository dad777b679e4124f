//! Publishing, later.

use crate::arguments::{Arguments, Failure, Verb};

pub const VERB: Verb = Verb {
    name: "release",
    about: "publish all crates in order (not there yet)",
    operands: None,
    flags: &[],
    run,
};

fn run(_: &Arguments) -> Result<String, Failure> {
    Err(Failure::Failed("there is no release yet; nothing was done".into()))
}
