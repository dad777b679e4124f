//! Two threads that use up identifiers in one store.

use auth_core::{Clock, MemoryReplayStore, ReplayOutcome, ReplayStore, SystemClock, Unique};
use harness::{
    case::{Role, Target},
    threads::{Pair, PairCase, SharedCall},
};
use std::{
    cell::Cell,
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Enough for all identifiers of a run, so that none is forgotten meanwhile.
const LIMIT: usize = 2 * 1024 * 1024 * 1024;
const OWNERS: u64 = 1000;

/// Two threads do at least 1.6 times as much as one: they take at most 1.25 times as long as with a store for each.
pub fn two_threads() -> Pair {
    let target = Target::OfFirst { ratio: Some(1.25), allocations: 0 };
    Pair {
        name: "replay-two-threads",
        input: "check_and_set of new identifiers of 1,000 owners; two threads at once",
        cases: vec![
            PairCase { name: "a store for each thread", role: Role::Floor, make: || using(2) },
            PairCase { name: "one store", role: Role::Ours(target), make: || using(1) },
        ],
    }
}

thread_local! {
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// Numbers of threads, so that no two of them use one identifier.
static THREADS: AtomicU64 = AtomicU64::new(1);

fn using(stores: usize) -> SharedCall {
    let stores: Vec<_> = (0..stores)
        .map(|_| MemoryReplayStore::new(SystemClock).with_limit(LIMIT).with_share(1))
        .collect();
    Arc::new(move || {
        let mut next = NEXT.get();
        if next == 0 {
            next = THREADS.fetch_add(1, Ordering::Relaxed) << 32;
        }
        NEXT.set(next + 1);
        let now = SystemClock.now();
        let owner = (next % OWNERS).to_be_bytes();
        let unique =
            Unique::new("jwt", &owner, &next.to_be_bytes(), now.after(Duration::from_secs(300)));
        // Threads of one round have numbers that follow each other.
        let thread = usize::try_from(next >> 32).expect("few threads");
        let store = &stores[thread % stores.len()];
        let told = store.check_and_set(black_box(&unique.issued_at(now))).wait();
        assert_eq!(told.expect("it can tell"), ReplayOutcome::Fresh);
    })
}
