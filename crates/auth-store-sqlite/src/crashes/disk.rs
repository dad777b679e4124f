//! What a disk may hold after a loss of power: what was synced, and of the rest any part in any order.

use super::trace::{Step, What};
use auth_core::Random;
use auth_testing::SeededRandom;
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

/// A disk writes so many bytes whole.
const SECTOR: usize = 512;

/// Files, and what was not synced yet.
#[derive(Default)]
pub(super) struct Disk {
    files: BTreeMap<String, File>,
}

#[derive(Clone, Default)]
struct File {
    synced: Vec<u8>,
    /// Writes and truncations since.
    pending: Vec<What>,
    /// Is it in its directory for good?
    is_named: bool,
    /// It was removed, and that is not for good yet.
    is_unlinked: bool,
}

impl Disk {
    /// A disk on which these files are for good.
    pub(super) fn of(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let file = |synced| File { synced, is_named: true, ..File::default() };
        Self { files: files.into_iter().map(|(name, bytes)| (name, file(bytes))).collect() }
    }

    pub(super) fn apply(&mut self, step: &Step) {
        if step.file.is_empty() {
            // The directory itself: its names are for good.
            self.files.retain(|_, file| !file.is_unlinked);
            self.files.values_mut().for_each(|file| file.is_named = true);
            return;
        }
        let file = self.files.entry(step.file.clone()).or_default();
        match &step.what {
            What::Make if file.is_unlinked => *file = File::default(),
            What::Make => {}
            What::Unlink => file.is_unlinked = true,
            What::Sync => {
                let pending = std::mem::take(&mut file.pending);
                pending.iter().for_each(|what| what.apply(&mut file.synced));
            }
            what => file.pending.push(what.clone()),
        }
    }

    /// Writes into this directory what the disk may hold if it stops now.
    pub(super) fn stop(&self, random: &SeededRandom, directory: &Path) {
        let chance = Chance(random);
        for (name, file) in &self.files {
            let is_gone = (!file.is_named || file.is_unlinked) && chance.one_of(2) == 0;
            if is_gone {
                continue;
            }
            let path = directory.join(name);
            fs::write(&path, file.stopped(&chance)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

impl File {
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
            Self::Make | Self::Sync | Self::Unlink => {}
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
    let step = |what| Step { file: String::from("x"), what };
    let write = |at, byte| step(What::Write { at, bytes: vec![byte; 1024] });
    let mut disk = Disk::of([(String::from("x"), vec![1; 1024])]);
    [write(0, 2), step(What::Sync), write(512, 3)].iter().for_each(|step| disk.apply(step));
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        disk.stop(&SeededRandom::new(seed), &directory.0);
        let found = fs::read(directory.0.join("x")).unwrap();
        assert_eq!(found[..512], [2; 512]);
        seen.insert((found[512], found.get(1024).copied()));
    }
    let all = [(2, None), (2, Some(3)), (3, None), (3, Some(3))];
    assert!(seen.is_superset(&all.into()), "{seen:?}");
}
