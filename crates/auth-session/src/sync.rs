//! What threads share is guarded by these, named in one place so that `tests/interleavings.rs` can put a model checker's
//! own in their stead.

pub(crate) use arc_swap::ArcSwapOption;
pub(crate) use std::sync::{Mutex, MutexGuard};
