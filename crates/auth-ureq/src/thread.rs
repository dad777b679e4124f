//! Work on a thread of its own, as a flow that anybody can poll.

use auth_core::{Error, Flow, Result};
use futures_channel::oneshot;
use std::thread;

/// Begins the work at once. It is seen through though nobody waits any more, and polling the flow never blocks.
pub(crate) fn on_its_own<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Flow<'static, T> {
    let (send, receive) = oneshot::channel();
    let begun = thread::Builder::new().name("auth-ureq".into()).spawn(move || {
        // Nobody may be waiting any more.
        let _ = send.send(work());
    });
    match begun {
        Ok(_) => Flow::new(async move { receive.await.unwrap_or_else(|_| Err(broke_off())) }),
        Err(error) => Flow::failed(Error::transport("transport_no_thread", error)),
    }
}

fn broke_off() -> Error {
    Error::transport(
        "transport_thread_gone",
        "the thread of the exchange ended before the exchange",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_off_is_an_error_and_no_wait_without_end() {
        let work = || -> Result<()> { panic!("as it happens in a dependency") };
        assert_eq!(on_its_own(work).wait().unwrap_err().code(), "transport_thread_gone");
    }
}
