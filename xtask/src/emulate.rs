//! A messaging platform on loopback, for tests by hand.

use crate::arguments::{Arguments, Failure, Flag, Verb};
use crate::command;

pub const VERB: Verb = Verb {
    name: "emulate",
    about: "start a platform on loopback, which sends nothing: `infobip` is the one there is",
    operands: Some("PLATFORM"),
    flags: &[
        Flag { name: "--port", value: Some("PORT"), about: "where the platform listens" },
        Flag { name: "--faults-port", value: Some("PORT"), about: "where its faults are armed" },
        Flag { name: "--user", value: Some("NAME"), about: "the name of its one user" },
        Flag { name: "--password", value: Some("PASSWORD"), about: "the password of that user" },
        Flag { name: "--sliding", value: None, about: "sessions live from their last use" },
    ],
    run,
};

fn run(arguments: &Arguments) -> Result<String, Failure> {
    command::run_program("auth-emulator", &arguments.words())?;
    Ok("the platform has ended".into())
}
