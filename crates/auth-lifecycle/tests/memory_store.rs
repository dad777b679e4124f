//! The store in memory keeps what every store promises.

use auth_lifecycle::{
    MemoryLifecycleStore,
    store_suite::{Bench, CLAIMS, same_outcomes},
};
use std::{sync::Arc, thread};

#[test]
fn keeps_every_promise_of_a_store() {
    let bench = Bench {
        fresh: &|| Arc::new(MemoryLifecycleStore::new()),
        together: &|many, work| {
            thread::scope(|scope| {
                (0..many).for_each(|one| {
                    scope.spawn(move || work(one));
                });
            });
        },
    };
    let faults: Vec<_> = CLAIMS
        .iter()
        .filter_map(|claim| (claim.check)(&bench).err().map(|fault| format!("{claim:?}: {fault}")))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(CLAIMS.len(), 33);
}

#[test]
fn two_stores_with_the_same_commands_are_the_same() {
    for seed in 1..20 {
        let (one, other) = (MemoryLifecycleStore::new(), MemoryLifecycleStore::new());
        let met = same_outcomes(&one, &other, seed, 500).unwrap();
        let many = [met.done, met.conflicts, met.duplicates, met.taken];
        assert!(many.iter().all(|many| *many > 5), "seed {seed}: {met:?}");
    }
}
