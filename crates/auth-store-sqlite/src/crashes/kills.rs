//! The process is killed at random moments, again and again over one file.

use super::{process::Directory, reference::Reference, verify::verify};
use auth_core::{Random, SystemRandom};
use std::{env, process::Child, thread, time::Duration};

/// So many deaths of one file, before a new one is begun.
const OF_ONE_FILE: usize = 5;

const MOST_COMMANDS: usize = 5000;

#[test]
fn nothing_acknowledged_is_lost_whenever_the_process_is_killed() {
    let kills = if env::var_os("MESSAGING_AUTH_LONG").is_some() { 2000 } else { 50 };
    let (random, mut acknowledged, mut in_flight) = (SystemRandom::new(), 0, 0);
    let reference = Reference::of(MOST_COMMANDS);
    for _ in 0..kills / OF_ONE_FILE {
        let directory = Directory::new();
        for _ in 0..OF_ONE_FILE {
            let before = directory.told().len();
            let mut process = directory.process(MOST_COMMANDS).spawn().unwrap();
            let mut drawn = [0; 2];
            random.fill(&mut drawn).unwrap();
            // It has begun, and then it lives for a while.
            while directory.told().len() == before {
                assert!(process.try_wait().unwrap().is_none(), "it ended by itself");
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(u64::from(u16::from_be_bytes(drawn)) / 4));
            kill(process);
            let told = directory.told();
            acknowledged += told.len() - before;
            let all = verify(&directory.file(), &told, &reference)
                .unwrap_or_else(|wrong| panic!("killed after {}: {wrong}", told.len()));
            in_flight += 1;
            // What was repeated counts as told, so that the next process goes on after it.
            std::fs::write(directory.0.join("told"), all.join("\n") + "\n").unwrap();
        }
    }
    println!("{kills} killed, {acknowledged} commands acknowledged, {in_flight} repeated, 0 lost");
}

fn kill(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}
