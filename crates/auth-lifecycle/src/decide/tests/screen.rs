//! A screen of a large group costs as much for each credential as one of a small group.

use super::{super::*, NOW, active, ending, inactive, moment, sealed, snapshot};
use crate::decide::tally::Tally;

/// What a screen of a group of this size allocates, and what is permitted on its first credential.
fn screen(many: usize) -> (u64, u64, Vec<CommandName>) {
    let policy = GroupPolicy {
        max_total: GroupPolicy::MOST,
        max_inactive: GroupPolicy::MOST,
        ..GroupPolicy::two_in_rotation()
    };
    let one = |number: usize| match number % 3 {
        0 => sealed(active(&format!("c{number:04}"))),
        1 => inactive(&format!("c{number:04}")),
        _ => ending(&format!("c{number:04}"), NOW + 1000),
    };
    let snapshot = snapshot(&policy, (0..many).map(one).collect());
    let now = moment(NOW);
    let mut first = None;
    let measured = allocation_counter::measure(|| {
        let tally = Tally::of(&snapshot, now);
        for it in &snapshot.group.credentials {
            let permitted = permitted_on(&snapshot, tally, it, now);
            first.get_or_insert(permitted);
        }
    });
    (measured.count_total, measured.bytes_total, first.unwrap())
}

#[test]
fn a_screen_of_a_thousand_credentials_copies_no_group() {
    let (few, few_bytes, first) = screen(99);
    let (many, many_bytes, same) = screen(990);
    assert!(first.len() > 5, "{first:?}");
    assert_eq!(first, same);
    let tenfold = |few: u64| few * 10..=few * 21 / 2;
    assert!(tenfold(few).contains(&many), "{many} allocations after {few}");
    assert!(tenfold(few_bytes).contains(&many_bytes), "{many_bytes} bytes after {few_bytes}");
}
