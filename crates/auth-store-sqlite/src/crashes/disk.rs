//! What a disk may hold after a loss of power: what was synced, and of the rest any part in any order.

use super::trace::{Step, What};
use auth_core::Random;
use auth_testing::SeededRandom;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// A disk writes so many bytes whole.
const SECTOR: usize = 512;

/// Names, the files that have them, and what was not synced yet.
#[derive(Default)]
pub(super) struct Disk {
    names: BTreeMap<String, Name>,
    files: Vec<File>,
}

/// A name in the directory.
struct Name {
    file: usize,
    /// The directory was synced since it was given.
    is_for_good: bool,
    /// It was removed, and the directory was not synced since.
    is_removed: bool,
}

#[derive(Clone, Default)]
struct File {
    synced: Vec<u8>,
    /// Writes and truncations since.
    pending: Vec<What>,
}

impl Disk {
    pub(super) fn apply(&mut self, step: &Step) {
        let Step { file: name, what } = step;
        if name.is_empty() {
            // The directory itself.
            self.names.retain(|_, name| !name.is_removed);
            self.names.values_mut().for_each(|name| name.is_for_good = true);
            return;
        }
        let known = self.names.get(name).filter(|name| !name.is_removed).map(|name| name.file);
        match (what, known) {
            (What::Make, Some(_)) => {}
            (What::Make, None) => {
                self.files.push(File::default());
                self.give(name, self.files.len() - 1);
            }
            (What::Link { to }, Some(file)) => self.give(to, file),
            (What::Unlink, Some(_)) => self.names.get_mut(name).unwrap().is_removed = true,
            (What::Sync, Some(file)) => self.files[file].sync(),
            (what, Some(file)) => self.files[file].pending.push(what.clone()),
            (what, None) => panic!("{name} was never made: {what:?}"),
        }
    }

    fn give(&mut self, name: &str, file: usize) {
        let new = Name { file, is_for_good: false, is_removed: false };
        self.names.insert(name.into(), new);
    }

    /// Writes into this directory what the disk may hold if it stops now.
    pub(super) fn stop(&self, random: &SeededRandom, directory: &Path) {
        let chance = Chance(random);
        // Two names of one file hold the same.
        let files: Vec<_> = self.files.iter().map(|file| file.stopped(&chance)).collect();
        for (name, Name { file, is_for_good, is_removed }) in &self.names {
            if (!is_for_good || *is_removed) && chance.one_of(2) == 0 {
                continue;
            }
            let path = directory.join(name);
            fs::write(&path, &files[*file]).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

impl File {
    fn sync(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        pending.iter().for_each(|what| what.apply(&mut self.synced));
    }

    fn stopped(&self, chance: &Chance<'_>) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        // Of eight deaths, one loses all that was not synced, and one keeps it.
        let kept = chance.one_of(8);
        let mut pending: Vec<_> =
            self.pending.iter().filter(|_| chance.one_of(7) < kept).cloned().collect();
        if chance.one_of(2) == 0 {
            for last in (1..pending.len()).rev() {
                pending.swap(last, chance.one_of(last + 1));
            }
        }
        let is_torn = chance.one_of(2) == 0;
        for what in pending {
            match what {
                What::Write { at, bytes: written } if is_torn => {
                    torn(at, &written, chance).iter().for_each(|part| part.apply(&mut bytes));
                }
                what => what.apply(&mut bytes),
            }
        }
        bytes
    }
}

/// Some of the sectors of a write.
fn torn(at: usize, written: &[u8], chance: &Chance<'_>) -> Vec<What> {
    let (mut parts, mut from) = (Vec::new(), 0);
    while from < written.len() {
        let to = ((at + from) / SECTOR * SECTOR + SECTOR - at).min(written.len());
        if chance.one_of(2) == 0 {
            parts.push(What::Write { at: at + from, bytes: written[from..to].to_vec() });
        }
        from = to;
    }
    parts
}

impl What {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                let end = at + bytes.len();
                file.resize(file.len().max(end), 0);
                file[*at..end].copy_from_slice(bytes);
            }
            Self::Truncate(length) => file.resize(*length, 0),
            Self::Make | Self::Sync | Self::Link { .. } | Self::Unlink => {}
        }
    }
}

struct Chance<'a>(&'a SeededRandom);

impl Chance<'_> {
    fn one_of(&self, many: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes).unwrap();
        usize::try_from(u64::from_be_bytes(bytes) % u64::try_from(many).unwrap()).unwrap()
    }
}

#[test]
fn what_was_synced_is_there_and_of_the_rest_any_part() {
    let directory = super::process::Directory::new();
    let step = |file: &str, what| Step { file: file.into(), what };
    let write = |at, byte| step("x", What::Write { at, bytes: vec![byte; 1024] });
    let mut disk = Disk::default();
    let link = What::Link { to: String::from("z") };
    let steps = [
        step("x", What::Make),
        write(0, 2),
        step("x", What::Sync),
        step("", What::Sync),
        step("y", What::Make),
        step("x", link),
        write(512, 3),
    ];
    steps.iter().for_each(|step| disk.apply(step));
    let mut seen = BTreeSet::new();
    for seed in 0..1000 {
        disk.stop(&SeededRandom::new(seed), &directory.0);
        let found = fs::read(directory.0.join("x")).unwrap();
        assert_eq!(found[..512], [2; 512]);
        let other = fs::read(directory.0.join("z"));
        assert!(other.as_ref().is_ok_and(|other| *other == found) || other.is_err());
        let is_made = directory.0.join("y").exists();
        seen.insert((found[512], found.get(1024).copied(), is_made, other.is_ok()));
        for name in ["x", "y", "z"] {
            let _ = fs::remove_file(directory.0.join(name));
        }
    }
    let yes_or_no = [false, true];
    let all: BTreeSet<_> = [(2, None), (2, Some(3)), (3, None), (3, Some(3))]
        .into_iter()
        .flat_map(|(byte, more)| yes_or_no.map(|made| (byte, more, made)))
        .flat_map(|(byte, more, made)| yes_or_no.map(|linked| (byte, more, made, linked)))
        .collect();
    assert!(seen.is_superset(&all), "{seen:?}");
}
