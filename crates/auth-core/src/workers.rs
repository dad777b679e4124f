//! Where long computations run.

use crate::Flow;
use std::sync::Arc;

/// Runs computations that take milliseconds, such as password hashes, away from the thread that polls.
///
/// Schemes never spawn. A server adapter gives its pool of blocking threads; without one, [`InlineWorkers`] computes at once.
pub trait Workers: Send + Sync {
    /// Runs `work` to its end; the flow is done when it is, or fails when it was never run.
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> Flow<'static, ()>;
}

/// Computes at once, on the thread that asks: right for blocking servers and tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct InlineWorkers;

impl Workers for InlineWorkers {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> Flow<'static, ()> {
        work();
        Flow::ready(())
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<W: Workers + ?Sized> Workers for $pointer<W> {
            fn run(&self, work: Box<dyn FnOnce() + Send>) -> Flow<'static, ()> {
                (**self).run(work)
            }
        }
    )*};
}

forward!(Arc, Box);
