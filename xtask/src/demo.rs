//! A real server behind real credentials, and callers good and bad.

use crate::arguments::{Arguments, Failure, Flag, Verb};
use crate::command;

pub const VERB: Verb = Verb {
    name: "demo",
    about: "start a server on loopback and call it with good and bad credentials of every scheme",
    operands: None,
    flags: &[
        Flag {
            name: "--serve",
            value: Some("ADDR"),
            about: "keep the server up, such as on 127.0.0.1:8080",
        },
        Flag { name: "--json", value: None, about: "print what is there as one JSON document" },
    ],
    run,
};

fn run(arguments: &Arguments) -> Result<String, Failure> {
    command::run_program("demo", &arguments.words())?;
    Ok("every line was as it should be".into())
}
