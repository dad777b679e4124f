//! A messaging platform on loopback, for tests by hand.

use crate::arguments::{Arguments, Failure, Flag, Verb};
use crate::command;

pub const VERB: Verb = Verb {
    name: "emulate",
    about: "start a platform on loopback, which sends nothing: `infobip`, `symphony` or `webex`",
    operands: Some("PLATFORM"),
    flags: &[
        Flag { name: "--port", value: Some("PORT"), about: "where the platform listens" },
        Flag { name: "--faults-port", value: Some("PORT"), about: "where its faults are armed" },
        Flag { name: "--user", value: Some("NAME"), about: "infobip: the name of its one user" },
        Flag { name: "--password", value: Some("PASSWORD"), about: "infobip: its password" },
        Flag {
            name: "--sliding",
            value: None,
            about: "infobip: sessions live from their last use",
        },
        Flag { name: "--bot", value: Some("NAME"), about: "symphony: the name of its one bot" },
        Flag { name: "--public-key", value: Some("FILE"), about: "symphony: the bot's public key" },
        Flag {
            name: "--certificates",
            value: Some("FOLDER"),
            about: "symphony: the bot logs in with a certificate that is written there",
        },
        Flag {
            name: "--service",
            value: Some("NAME"),
            about: "webex: the name of its one service",
        },
        Flag {
            name: "--not-triggered",
            value: None,
            about: "webex: events of other services are accepted and trigger nothing",
        },
    ],
    run,
};

fn run(arguments: &Arguments) -> Result<String, Failure> {
    command::run_program("auth-emulator", &arguments.words())?;
    Ok("the platform has ended".into())
}
