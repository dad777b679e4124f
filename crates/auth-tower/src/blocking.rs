//! Long computations on tokio's blocking threads.

use auth_core::{Error, Flow, Workers};
use tokio::runtime::Handle;

/// Runs long computations on the blocking threads of a tokio runtime, so that its workers go on serving.
///
/// ```no_run
/// # async fn main_loop() {
/// let workers = auth_tower::BlockingThreads::new(tokio::runtime::Handle::current());
/// # let _: &dyn auth_core::Workers = &workers;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BlockingThreads(Handle);

impl BlockingThreads {
    /// The blocking threads of this runtime.
    #[must_use]
    pub const fn new(runtime: Handle) -> Self {
        Self(runtime)
    }
}

impl Workers for BlockingThreads {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> Flow<'static, ()> {
        let done = self.0.spawn_blocking(work);
        Flow::new(async move {
            done.await.map_err(|_| {
                Error::unavailable(
                    "workers_gone",
                    None,
                    "the computation was not run to its end: the runtime is shutting down",
                )
            })
        })
    }
}
