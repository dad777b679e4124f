//! Official vectors and real peers, in one table.

use crate::arguments::{Arguments, Failure, Flag, Verb};
use crate::command;

pub const VERB: Verb = Verb {
    name: "conformance",
    about: "run the suites of official vectors and real peers, and print one table",
    operands: None,
    flags: &[
        Flag {
            name: "--suite",
            value: Some("NAME"),
            about: "only this suite; may be given several times",
        },
        Flag {
            name: "--vectors",
            value: Some("DIR"),
            about: "where vector sets lie that cannot be shipped",
        },
        Flag {
            name: "--require-peers",
            value: None,
            about: "a peer that is not installed is a failure",
        },
        Flag { name: "--json", value: Some("FILE"), about: "write every case as JSON" },
        Flag { name: "--html", value: Some("FILE"), about: "write a page: source by scheme" },
        Flag { name: "--update-sizes", value: None, about: "record suites that have grown" },
        Flag { name: "--list", value: None, about: "print the suites and run none" },
    ],
    run,
};

fn run(arguments: &Arguments) -> Result<String, Failure> {
    command::run_program("conformance-all", &arguments.words())?;
    Ok(if arguments.has("--list") {
        "none was run"
    } else {
        "every suite that ran is as it should be"
    }
    .into())
}
