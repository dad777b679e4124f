//! Uses of a token that are counted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Counts the uses of one token that are under way, for a session that has to wait until they are over.
pub trait UseCounter: Send + Sync {
    /// Another use begins while one is under way.
    fn begin_another(&self);

    /// A use is over.
    fn end(&self);
}

/// One use: it is over once, when that is said or when this is dropped.
pub(super) struct CountedUse {
    counter: Arc<dyn UseCounter>,
    over: AtomicBool,
}

impl CountedUse {
    /// One that has begun.
    pub(super) const fn of(counter: Arc<dyn UseCounter>) -> Self {
        Self { counter, over: AtomicBool::new(false) }
    }

    pub(super) fn end(&self) {
        if !self.over.swap(true, Ordering::AcqRel) {
            self.counter.end();
        }
    }
}

/// A use of its own, unless this one is over.
impl Clone for CountedUse {
    fn clone(&self) -> Self {
        let over = self.over.load(Ordering::Acquire);
        if !over {
            self.counter.begin_another();
        }
        Self { counter: Arc::clone(&self.counter), over: AtomicBool::new(over) }
    }
}

impl Drop for CountedUse {
    fn drop(&mut self) {
        if !*self.over.get_mut() {
            self.counter.end();
        }
    }
}
