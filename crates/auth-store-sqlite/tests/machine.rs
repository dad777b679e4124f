//! The same commands through two registries, one over the store in memory and one over SQLite, give the same answers,
//! views and ledgers, step by step.
//!
//! Their clocks and their chance are the same, so that names agree. `MESSAGING_AUTH_LONG=1` runs 2,000 cases.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;
#[path = "machine/step.rs"]
mod step;
#[path = "machine/world.rs"]
mod world;

use proptest::{
    collection::vec,
    test_runner::{Config, TestRunner},
};
use std::{cell::RefCell, collections::BTreeMap, env};
use step::{Step, What, steps};
use world::Worlds;

#[test]
fn two_registries_over_two_stores_are_the_same_to_the_same_commands() {
    let cases = if env::var_os("MESSAGING_AUTH_LONG").is_some() { 2000 } else { 60 };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let met = RefCell::new(BTreeMap::new());
    let ran = TestRunner::new(config).run(&(vec(steps(), 1..90), 0..4_u8), |(steps, where_to)| {
        let mut worlds = Worlds::new(where_to == 0);
        worlds.give(&Step { what: What::CreateService, which: 0, actor: 0, key: None });
        for step in steps {
            let outcome = worlds.give(&step);
            *met.borrow_mut().entry(outcome).or_insert(0_u32) += 1;
        }
        Ok(())
    });
    ran.unwrap();
    let met = met.into_inner();
    println!("{met:?}");
    assert!(met["done"] > 10 * cases, "{met:?}");
    for refusal in ["version_changed", "last_active", "cap_reached", "wrong_state", "unknown"] {
        assert!(met.contains_key(&*format!("lifecycle_{refusal}")), "{refusal} was never met");
    }
}
