//! The published figures of the machine, reproduced over the real one.

use super::{
    super::*, HOUR, NOW, VERSION, active, actor, at, create, discard, id, inactive, kept, moment,
    new, proof, retiring, snapshot,
};
use crate::{Command, testing::owner};
use std::collections::BTreeSet;

/// How many are lasting, retiring and inactive.
type Shape = (u16, u16, u16);

struct Figures {
    states: usize,
    transitions: usize,
    /// How often a discard is refused, since as many are inactive as may be.
    slot_taken: usize,
}

/// A rotation while another one runs is refused since the figures were made. Over this group it is not: what retires is
/// shown as what ends soon, which counts just as little.
fn group(shape: Shape, rotations: Rotations) -> Vec<Credential> {
    let (lasting, leaving, rested) = shape;
    let leaves = |number: u16| {
        let it = retiring(&format!("r{number}"), NOW + 60);
        match rotations {
            Rotations::OneAtATime => it,
            Rotations::Many => Credential { retire_at: None, expires: it.retire_at, ..it },
        }
    };
    let lasting = (0..lasting).map(|number| active(&format!("a{number}")));
    let rested = (0..rested).map(|number| inactive(&format!("i{number}")));
    lasting.chain((0..leaving).map(leaves)).chain(rested).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Rotations {
    OneAtATime,
    Many,
}

fn shape(policy: &GroupPolicy, group: &Group) -> Shape {
    let now = moment(NOW);
    let count = |number: usize| u16::try_from(number).unwrap();
    let lasting = group.lasting(policy, now);
    (count(lasting), count(group.usable(now) - lasting), count(group.in_state(State::Inactive)))
}

fn after(policy: &GroupPolicy, before: &Snapshot, order: &Order) -> Result<Shape, CommandRefusal> {
    let change = decide(before, order, moment(NOW))?.change.unwrap();
    Ok(shape(policy, &super::machine::written(&before.group, &change)))
}

/// The commands that the figures count: each of them once for each sort of credential that it is given for.
fn commands(shape: Shape) -> Vec<Command> {
    let (lasting, leaving, rested) = shape;
    let mut commands = vec![create("new")];
    if lasting > 0 {
        commands.push(discard("a0"));
        commands.push(Command::Regenerate { credential: id("a0"), kept: kept("renewed") });
        let successor = Box::new(new("new"));
        commands.push(Command::Rotate { credential: id("a0"), overlap: HOUR, new: successor });
    }
    if leaving > 0 {
        commands.push(discard("r0"));
        commands.push(Command::CancelRetire(id("r0")));
        commands.push(Command::RetireDue);
    }
    if rested > 0 {
        commands.push(Command::Reactivate(id("i0")));
        let proof = Some(proof("i0"));
        commands.push(Command::Delete { credential: id("i0"), confirmed: VERSION, proof });
    }
    commands
}

/// Breadth-first from one active credential on.
fn figures(policy: &GroupPolicy, rotations: Rotations) -> Figures {
    let mut figures = Figures { states: 0, transitions: 0, slot_taken: 0 };
    let (mut seen, mut front) = (BTreeSet::from([(1, 0, 0)]), vec![(1, 0, 0)]);
    while let Some(state) = front.pop() {
        figures.states += 1;
        for command in commands(state) {
            let name = command.name();
            let shown = if name == CommandName::Rotate { rotations } else { Rotations::OneAtATime };
            let mut before = snapshot(policy, group(state, shown));
            let mut by = owner();
            if name == CommandName::RetireDue {
                by = actor(Role::System);
                // The first of them is due now, and the others later.
                before.group.credentials[usize::from(state.0)].retire_at = at(NOW);
            }
            match after(policy, &before, &Order::new(by, command)) {
                Ok(next) => {
                    figures.transitions += 1;
                    if seen.insert(next) {
                        front.push(next);
                    }
                }
                Err(CommandRefusal::InactiveSlotTaken { .. }) => figures.slot_taken += 1,
                Err(_) => {}
            }
        }
    }
    figures
}

#[track_caller]
fn check(cap: u16, inactive: u16, rotations: Rotations, expected: (usize, usize, usize)) {
    let policy =
        GroupPolicy { max_total: cap, max_inactive: inactive, ..GroupPolicy::two_in_rotation() };
    let Figures { states, transitions, slot_taken } = figures(&policy, rotations);
    assert_eq!((states, transitions, slot_taken), expected, "cap {cap}, {inactive} inactive");
}

/// These are the published figures. A state says how many credentials are lasting, retiring and inactive; a transition is
/// a command that is accepted in it, for one credential of each sort: Create, Rotate, Discard of a lasting one and of a
/// retiring one, CancelRetire, the timer for one of those that retire, Reactivate, Delete, and Regenerate of a lasting
/// one, which leads back. The first state is one active credential. In them several credentials retire at once, and in
/// the last one no inactive credential is one too many.
#[test]
fn the_published_figures_come_out() {
    check(2, 1, Rotations::Many, (4, 12, 0));
    check(3, 1, Rotations::Many, (9, 37, 2));
    check(10, 10, Rotations::Many, (220, 1540, 0));
}

/// The machine as it is: a second rotation is refused while one runs.
#[test]
fn with_one_rotation_at_a_time_there_are_fewer_states() {
    check(1, 1, Rotations::OneAtATime, (1, 1, 0));
    check(2, 1, Rotations::OneAtATime, (4, 12, 0));
    check(3, 1, Rotations::OneAtATime, (8, 32, 2));
    check(4, 1, Rotations::OneAtATime, (12, 53, 5));
    check(5, 1, Rotations::OneAtATime, (16, 74, 8));
}
