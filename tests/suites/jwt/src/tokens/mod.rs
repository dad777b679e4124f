//! Tokens good and bad, the same in every run but for the random parts of ECDSA and RSASSA-PSS signatures.
//!
//! A token is of a kind, which says what was done to it; every kind is made for every algorithm it makes sense for.

mod claims;
mod compact;
mod header;
mod make;
mod minted;
mod payload;
mod signature;

use super::keys::{self, Key};
use auth_jwt::JwsAlgorithm;
pub use make::signed;
use make::{Made, Maker};
use std::sync::OnceLock;

/// The time by which all tokens are judged: 2033-05-18T03:33:20Z.
pub const NOW: u64 = 2_000_000_000;

/// How many tokens of each kind and algorithm there are.
const EACH: usize = 3;

pub struct Token {
    pub kind: &'static str,
    pub algorithm: JwsAlgorithm,
    pub text: String,
    /// What a strict verifier says.
    pub meant: Meant,
}

/// What a kind of token is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meant {
    Accepted,
    /// For the reason with this code.
    Refused(&'static str),
    /// For one reason or another: which it is depends on where the damage is.
    RefusedAnyhow,
}

/// A kind of token and how it is made. `None` where it makes no sense for the maker's algorithm.
struct Recipe {
    kind: &'static str,
    meant: Meant,
    make: Box<dyn Fn(&mut Maker<'_>) -> Made>,
}

/// All tokens and the two keys of each algorithm, of which the first verifies.
pub struct Set {
    pub keys: Vec<[Key; 2]>,
    pub tokens: Vec<Token>,
}

impl Set {
    pub fn key(&self, algorithm: JwsAlgorithm) -> &Key {
        let pair = self.keys.iter().find(|pair| pair[0].algorithm == algorithm);
        &pair.expect("every algorithm has keys")[0]
    }
}

/// Made once in a run.
pub fn all() -> &'static Set {
    static SET: OnceLock<Set> = OnceLock::new();
    SET.get_or_init(|| {
        let keys = keys::pairs();
        let mut tokens = Vec::new();
        for recipe in recipes() {
            for pair in &keys {
                let mut maker = Maker::new(recipe.kind, pair);
                let made = (0..EACH).filter_map(|_| (recipe.make)(&mut maker));
                tokens.extend(made.map(|text| Token {
                    kind: recipe.kind,
                    algorithm: pair[0].algorithm,
                    text,
                    meant: recipe.meant,
                }));
            }
        }
        Set { keys, tokens }
    })
}

fn recipes() -> Vec<Recipe> {
    [
        claims::recipes(),
        payload::recipes(),
        header::recipes(),
        compact::recipes(),
        signature::recipes(),
        minted::recipes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn recipe(
    kind: &'static str,
    meant: Meant,
    make: impl Fn(&mut Maker<'_>) -> Made + 'static,
) -> Recipe {
    Recipe { kind, meant, make: Box::new(make) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_ten_thousand_and_each_kind_once() {
        assert!(all().tokens.len() >= 10_000, "{}", all().tokens.len());
        let recipes = recipes();
        let kinds: BTreeSet<_> = recipes.iter().map(|recipe| recipe.kind).collect();
        assert_eq!(kinds.len(), recipes.len());
        let made: BTreeSet<_> = all().tokens.iter().map(|token| token.kind).collect();
        assert_eq!(kinds, made);
    }

    #[test]
    fn a_token_without_randomness_in_its_signature_is_the_same_in_every_run() {
        let pair = &all().keys[0];
        assert_eq!(pair[0].algorithm, JwsAlgorithm::HS256);
        for recipe in recipes() {
            let again = (recipe.make)(&mut Maker::new(recipe.kind, pair));
            let first = all()
                .tokens
                .iter()
                .find(|token| token.kind == recipe.kind && token.algorithm == JwsAlgorithm::HS256);
            assert_eq!(again.as_deref(), first.map(|token| token.text.as_str()), "{}", recipe.kind);
        }
    }
}
