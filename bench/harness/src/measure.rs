//! Counts: instructions under callgrind, in a process of its own; allocations here.

use crate::case::Group;
use std::process::Command;

pub struct Row {
    pub instructions: u64,
    pub allocations: u64,
}

const CALLS: u64 = 50;

/// What counting an allocation costs in these benchmarks, where every allocation is counted.
const COUNTING: u64 = 90;

impl Row {
    /// Without those that count the allocations.
    pub fn own_instructions(&self) -> u64 {
        self.instructions.saturating_sub(COUNTING * self.allocations)
    }
}

/// The loop that callgrind watches.
#[inline(never)]
pub fn measured_loop(call: &mut dyn FnMut(), count: u64) {
    for _ in 0..count {
        call();
    }
    std::hint::black_box(count);
}

/// Lets everything that is set up once be set up: caches, maps, lazily found CPU features.
pub fn warm_up(call: &mut dyn FnMut()) {
    (0..10).for_each(|_| call());
}

pub fn group(group: &Group) -> Result<Vec<Row>, String> {
    group
        .cases
        .iter()
        .map(|case| {
            let mut call = (case.make)();
            warm_up(&mut *call);
            let counted = allocation_counter::measure(|| (0..CALLS).for_each(|_| call()));
            let instructions = instructions(&format!("{}/{}", group.name, case.name))?;
            Ok(Row { instructions, allocations: counted.count_total.div_ceil(CALLS) })
        })
        .collect()
}

fn instructions(id: &str) -> Result<u64, String> {
    let out = std::env::temp_dir().join(format!("callgrind-{}", std::process::id()));
    let me = std::env::current_exe().map_err(|error| error.to_string())?;
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*measured_loop*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(me)
        .args(["--loop", id, &CALLS.to_string()])
        .output()
        .map_err(|error| {
            format!("valgrind does not run ({error}); `cargo xtask peers install` installs it")
        })?;
    let text = std::fs::read_to_string(&out).unwrap_or_default();
    let _ = std::fs::remove_file(&out);
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("summary:").or(line.strip_prefix("totals:")));
    let total: Option<u64> = total.and_then(|total| total.trim().parse().ok());
    match total {
        Some(total) if ran.status.success() && total > 0 => Ok(total / CALLS),
        _ => Err(format!(
            "{id}: callgrind counted nothing: {}",
            String::from_utf8_lossy(&ran.stderr)
        )),
    }
}
