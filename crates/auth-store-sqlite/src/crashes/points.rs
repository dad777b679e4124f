//! The process aborts at each named point of a commit.

use super::{ABORT_AT, process::Directory, reference::Reference, verify::verify, work::STEPS};

/// In the order in which a commit passes them.
pub(super) const POINTS: [&str; 9] = [
    "before BEGIN",
    "after BEGIN",
    "after the service",
    "after the groups",
    "after the credentials",
    "after the events",
    "after the answer",
    "before COMMIT",
    "after COMMIT",
];

const COMMANDS: usize = 2 * STEPS;

/// At the same point of each of the commands, so that every kind of command is hit at every point.
#[test]
fn nothing_acknowledged_is_lost_wherever_the_process_aborts() {
    let reference = Reference::of(COMMANDS + 1);
    for point in POINTS {
        let mut deaths = 0;
        for times in 0.. {
            let directory = Directory::new();
            let abort = format!("{point} {times}");
            let ended = directory.process(COMMANDS).env(ABORT_AT, &abort).status().unwrap();
            let told = directory.told();
            if ended.success() {
                assert_eq!(told.len(), COMMANDS);
                break;
            }
            deaths += 1;
            assert!(told.len() < COMMANDS, "it ended in another way than at {abort}");
            verify(&directory.file(), &told, &reference)
                .unwrap_or_else(|wrong| panic!("aborted at {abort}, told {}: {wrong}", told.len()));
        }
        let at_least = if point == "after the service" { COMMANDS / STEPS } else { COMMANDS };
        assert!(deaths >= at_least, "{point} was passed {deaths} times");
    }
}
