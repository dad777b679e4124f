//! The processor's time of a thread, for what instructions do not show: the kernel's part of a request.

use crate::case::Call;

/// Cases that take turns. No target is held to their time, which is another on each machine.
pub struct Processor {
    pub name: &'static str,
    pub cases: Vec<ProcessorCase>,
}

pub struct ProcessorCase {
    pub name: &'static str,
    pub make: fn() -> Call,
}

const ROUNDS: usize = 15;
const CALLS: u64 = 1_000;

/// Prints the median of the rounds of each case.
pub fn run(processor: &Processor) -> Result<(), String> {
    let mut calls: Vec<Call> = processor.cases.iter().map(|case| (case.make)()).collect();
    let mut took = vec![Vec::new(); calls.len()];
    for _ in 0..ROUNDS {
        for (call, took) in calls.iter_mut().zip(&mut took) {
            let before = spent()?;
            (0..CALLS).for_each(|_| call());
            took.push((spent()? - before) / CALLS);
        }
    }
    println!(
        "{} (median of {ROUNDS} rounds; client and server share a thread where it is a server's)",
        processor.name
    );
    for (case, mut took) in processor.cases.iter().zip(took) {
        took.sort_unstable();
        println!("  {:<44} {:>9.2} us", case.name, took[took.len() / 2] as f64 / 1000.0);
    }
    println!();
    Ok(())
}

/// Nanoseconds that this thread has run for.
fn spent() -> Result<u64, String> {
    let path = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let spent = text.split(' ').next().and_then(|spent| spent.parse().ok());
    spent.ok_or_else(|| format!("{path}: no number"))
}
