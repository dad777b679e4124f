//! The store in memory keeps what every store promises.

use auth_lifecycle::{
    MemoryLifecycleStore,
    store_suite::{Bench, CLAIMS},
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
    assert_eq!(CLAIMS.len(), 29);
}
