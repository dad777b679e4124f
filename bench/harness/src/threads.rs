//! Two threads that do the same at once: what they fight for shows in time alone.

use crate::case::{Role, Target};
use std::{
    hint::black_box,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

/// One call that any thread may make.
pub type SharedCall = Arc<dyn Fn() + Send + Sync>;

pub struct Pair {
    pub name: &'static str,
    pub input: &'static str,
    /// Ratios are to the first.
    pub cases: Vec<PairCase>,
}

pub struct PairCase {
    pub name: &'static str,
    pub role: Role,
    pub make: fn() -> SharedCall,
}

const ROUNDS: usize = 60;
const CALLS: u32 = 20_000;

/// Runs the cases in turns and prints the best round of each: what else runs on the machine makes others worse, and
/// none better. Returns the targets that were missed.
pub fn run(pair: &Pair) -> Vec<String> {
    let calls: Vec<_> = pair.cases.iter().map(|case| (case.make)()).collect();
    let mut best = vec![Duration::MAX; calls.len()];
    for _ in 0..ROUNDS {
        for (best, call) in best.iter_mut().zip(&calls) {
            *best = round(call).min(*best);
        }
    }
    println!("{} ({})", pair.name, pair.input);
    println!("  {:<44} {:>12} {:>9}  target", "", "ns a call", "to first");
    let nanos = |best: &Duration| best.as_nanos() as f64 / f64::from(CALLS);
    let first = best.first().map_or(1.0, nanos);
    let mut missed = Vec::new();
    for (case, best) in pair.cases.iter().zip(&best) {
        let ratio = nanos(best) / first;
        let (role, target) = match case.role {
            Role::Floor => ("floor", String::new()),
            Role::Peer => ("peer", String::new()),
            Role::Ours(target) => {
                let most = match target {
                    Target::OfFirst { ratio, .. } => ratio,
                    _ => None,
                };
                let met = most.is_none_or(|most| ratio <= most);
                let text = most.map_or_else(String::new, |most| format!("at most ratio {most}"));
                if !met {
                    missed.push(format!("{}/{}: {ratio:.2}, {text}", pair.name, case.name));
                }
                ("us", format!("{text}: {}", if met { "met" } else { "MISSED" }))
            }
        };
        let name = format!("{} ({role})", case.name);
        println!("  {name:<44} {:>12.1} {ratio:>9.2}  {target}", nanos(best));
    }
    println!();
    missed
}

/// How long two threads take for their calls, from the moment at which both begin.
fn round(call: &SharedCall) -> Duration {
    let barrier = Barrier::new(2);
    let turn = || {
        (0..100).for_each(|_| call());
        barrier.wait();
        let began = Instant::now();
        (0..CALLS).for_each(|_| black_box(call)());
        (began, Instant::now())
    };
    thread::scope(|scope| {
        let [one, other] = [scope.spawn(turn), scope.spawn(turn)];
        let [(began, ended), (other_began, other_ended)] =
            [one, other].map(|turn| turn.join().expect("a turn"));
        ended.max(other_ended) - began.min(other_began)
    })
}
