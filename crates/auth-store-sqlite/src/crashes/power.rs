//! The machine loses power: what SQLite asked of the disk is recorded by strace, and cut off anywhere.

use super::{
    UNSYNCED,
    disk::Disk,
    process::Directory,
    reference::Reference,
    trace::{Step, What, parse},
    verify::verify,
};
use auth_core::Random;
use auth_testing::SeededRandom;
use std::{
    env, fs,
    io::{self, Write},
    process::{Command, Stdio},
};

/// Enough for what was written ahead to be brought into the file, and for its place to be used again.
const COMMANDS: usize = 210;

/// What a process did to its files, from when it made them until it had closed them.
struct Recorded {
    steps: Vec<Step>,
    told: Vec<String>,
}

fn has_strace() -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-o", "/dev/null", "true"]).stderr(Stdio::null());
    strace.status().is_ok_and(|ended| ended.success())
}

fn record(is_unsynced: bool) -> Recorded {
    let directory = Directory::new();
    let trace = directory.0.join("trace");
    let mut strace = Command::new("strace");
    let calls = "trace=pwrite64,write,fsync,fdatasync,ftruncate,link,linkat,unlink,unlinkat,openat";
    strace.args(["-f", "-y", "-xx", "-s", "100000", "-e", calls, "-o"]).arg(&trace);
    let mut process = directory.process_under(strace, COMMANDS);
    if is_unsynced {
        process.env(UNSYNCED, "");
    }
    assert!(process.status().unwrap().success());
    let steps = parse(&fs::read_to_string(&trace).unwrap(), &directory.0);
    let told = directory.told();
    assert_eq!(told.len(), COMMANDS);
    Recorded { steps, told }
}

impl Recorded {
    /// What is wrong after each of so many cuts.
    fn cut(&self, cuts: usize, seed: u64, reference: &Reference) -> Vec<String> {
        let random = SeededRandom::new(seed);
        let mut wrong = Vec::new();
        for _ in 0..cuts {
            let mut drawn = [0; 8];
            random.fill(&mut drawn).unwrap();
            let all = u64::try_from(self.steps.len()).unwrap();
            let cut = usize::try_from(u64::from_be_bytes(drawn) % all).unwrap();
            let mut disk = Disk::default();
            let (mut told, mut lines) = (0, self.told.iter());
            for step in &self.steps[..cut] {
                match step.file.as_str() {
                    "told" if matches!(step.what, What::Write { .. }) => {
                        let What::Write { bytes, .. } = &step.what else {
                            panic!("a step that is no write")
                        };
                        let line = lines.next().unwrap();
                        assert_eq!(*bytes, format!("{line}\n").as_bytes());
                        told += 1;
                    }
                    "told" | "trace" => {}
                    // It is made anew by whoever opens the file first.
                    name if name.ends_with("-shm") => {}
                    _ => disk.apply(step),
                }
            }
            let directory = Directory::new();
            disk.stop(&random, &directory.0);
            if let Err(what) = verify(&directory.file(), &self.told[..told], reference) {
                wrong.push(format!("cut after step {cut}, {told} acknowledged: {what}"));
            }
        }
        wrong
    }

    fn count(&self, which: impl Fn(&Step) -> bool) -> usize {
        self.steps.iter().filter(|step| which(step)).count()
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_is() {
    if !has_strace() {
        // Past the capture of output: a test that is skipped says so.
        let why = "skipped: strace is not installed, or may not trace; `cargo xtask peers install`";
        writeln!(io::stderr(), "{why}").unwrap();
        return;
    }
    let cuts = if env::var_os("MESSAGING_AUTH_LONG").is_some() { 500 } else { 100 };
    let reference = Reference::of(COMMANDS + 1);
    let recorded = record(false);
    let writes = recorded.count(|step| matches!(step.what, What::Write { .. }));
    let syncs = recorded.count(|step| step.what == What::Sync);
    let to_the_file =
        |step: &Step| step.file == "auth.db" && matches!(step.what, What::Write { .. });
    let brought = recorded.count(to_the_file);
    println!("{COMMANDS} commands, {writes} writes of which {brought} to the file, {syncs} syncs");
    assert!(brought > 0 && syncs >= COMMANDS);
    let wrong = recorded.cut(cuts, 1, &reference);
    assert!(wrong.is_empty(), "{} of {cuts}:\n{}", wrong.len(), wrong.join("\n"));
    // That the cuts cut: the same commands without a sync lose some.
    let unsynced = record(true);
    let wrong = unsynced.cut(cuts, 1, &reference);
    println!("{cuts} cuts, 0 lost something; without syncs {} did", wrong.len());
    assert!(wrong.len() > cuts / 4, "without syncs only {} of {cuts} lost something", wrong.len());
}
