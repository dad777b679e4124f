//! Every law over every committed seed, and over edits of it that are the same on each run.

use std::{
    collections::BTreeSet,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use messaging_auth_fuzz::{LAWS, Law};

const EDITS_PER_SEED: u64 = 300;

#[test]
fn every_law_holds_over_its_seeds_and_their_edits() {
    for (name, law) in LAWS {
        let seeds: Vec<(PathBuf, Vec<u8>)> = files(&here("seeds").join(name))
            .into_iter()
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        assert!(!seeds.is_empty(), "seeds/{name} is empty");
        for (path, seed) in &seeds {
            holds(law, seed, &format!("{}", path.display()));
            for number in 0..EDITS_PER_SEED {
                let mut dice = Dice(number);
                let other = &seeds[dice.below(seeds.len())].1;
                let edited = edit(seed, other, &mut dice);
                holds(law, &edited, &format!("{} edit {number}", path.display()));
            }
        }
    }
}

#[test]
fn laws_targets_folders_of_seeds_and_rows_have_the_same_names() {
    let laws: BTreeSet<String> = LAWS.iter().map(|(name, _)| String::from(*name)).collect();
    assert_eq!(stems("seeds"), laws);
    assert_eq!(stems("fuzz_targets"), laws);
    let readme = fs::read_to_string(here("README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(rows.map(String::from).collect::<BTreeSet<_>>(), laws);
}

fn holds(law: Law, input: &[u8], origin: &str) {
    if catch_unwind(|| law(input)).is_err() {
        panic!("the law does not hold for {origin}: b\"{}\"", input.escape_ascii());
    }
}

fn here(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// In an order that is the same everywhere: an edit may take a part of another seed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn stems(folder: &str) -> BTreeSet<String> {
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    files(&here(folder)).iter().map(stem).collect()
}

/// One to four edits: a byte replaced, inserted, removed or flipped, a part doubled, a part of another seed.
fn edit(seed: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    const TELLING: &[u8] = b",;=\"\\ \t\n:%&[]/0aA~\x00\x7f\x80\xff";
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(4) {
        let (at, behind) = (dice.below(bytes.len() + 1), dice.below(bytes.len() + 1));
        let (from, to) = (at.min(behind), at.max(behind));
        let telling = TELLING[dice.below(TELLING.len())];
        match dice.below(6) {
            0 => bytes.insert(at, telling),
            1 => drop(bytes.drain(from..to.min(from + 4))),
            2 => bytes.extend_from_within(from..to),
            3 => drop(bytes.splice(from..to, other[dice.below(other.len() + 1)..].iter().copied())),
            4 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = telling),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << dice.below(8)),
        }
    }
    bytes
}

/// Numbers that look random and are the same on each run (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }
}
