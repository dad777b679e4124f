//! Every group that is measured.

mod challenges;

use crate::case::Group;

pub fn all() -> Vec<Group> {
    vec![challenges::read()]
}
