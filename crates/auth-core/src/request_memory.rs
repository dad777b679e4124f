//! What is remembered of one request, from one attempt at it to the next.

use crate::Stamper;
use std::{
    any::Any,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What authenticators remember about one request between the attempts at it.
///
/// A client adapter makes one for each request and shows it to the authenticator in every
/// [`RequestView`](crate::RequestView) of that request ([`RequestView::with_memory`](crate::RequestView::with_memory)),
/// both when it asks for credentials and when it has the answer assessed. So an authenticator can use what an answer gave
/// to this very request, such as the nonce of a challenge, for the next attempt at this request and for no other one.
///
/// It costs nothing until an authenticator remembers something. What is remembered is dropped with it, also when the
/// caller gives the request up.
///
/// ```
/// use auth_core::{RequestMemory, RequestView, Stamper};
/// use http::{HeaderMap, Method, Uri};
/// use std::sync::Arc;
///
/// let (uri, headers, memory) = (Uri::from_static("https://example.com/"), HeaderMap::new(), RequestMemory::new());
/// let request = RequestView::new(&Method::GET, &uri, &headers).with_memory(&memory);
///
/// let scheme = Stamper::new();
/// request.memory().unwrap().remember(&scheme, Arc::new("a nonce"));
/// assert_eq!(request.memory().unwrap().recall::<&str>(&scheme).as_deref(), Some(&"a nonce"));
/// assert_eq!(request.memory().unwrap().recall::<&str>(&Stamper::new()), None);
/// ```
#[derive(Default)]
pub struct RequestMemory(Mutex<Vec<Remembered>>);

/// One thing, and the stamper of the scheme that remembers it. While the stamper is kept no later scheme has the same
/// address, so none is taken for this one.
type Remembered = (Stamper, Arc<dyn Any + Send + Sync>);

impl RequestMemory {
    /// For a request of which nothing is remembered yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Remembers something for the scheme that has this stamper, instead of what it remembered before.
    pub fn remember(&self, by: &Stamper, what: Arc<dyn Any + Send + Sync>) {
        let mut inside = self.inside();
        match inside.iter_mut().find(|(other, _)| other.is(by)) {
            Some((_, kept)) => *kept = what,
            None => inside.push((by.same(), what)),
        }
    }

    /// What the scheme that has this stamper remembered last, if it is of this type. It stays remembered.
    #[must_use]
    pub fn recall<T: Any + Send + Sync>(&self, by: &Stamper) -> Option<Arc<T>> {
        let inside = self.inside();
        let (_, kept) = inside.iter().find(|(other, _)| other.is(by))?;
        Arc::clone(kept).downcast().ok()
    }

    fn inside(&self) -> MutexGuard<'_, Vec<Remembered>> {
        // Every change is whole before anything can panic, so a poisoned lock still guards a sound state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows how much is remembered, never what.
impl fmt::Debug for RequestMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestMemory({})", self.inside().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_recalls_the_last_that_it_remembered_itself() {
        let (memory, a, b) = (RequestMemory::new(), Stamper::new(), Stamper::new());
        memory.remember(&a, Arc::new(1_u8));
        memory.remember(&b, Arc::new(2_u8));
        memory.remember(&a, Arc::new(3_u8));
        assert_eq!(memory.recall(&a).as_deref(), Some(&3_u8));
        assert_eq!(memory.recall(&b).as_deref(), Some(&2_u8));
        assert_eq!(memory.recall::<u16>(&a), None, "it is of another type");
        assert_eq!(format!("{memory:?}"), "RequestMemory(2)");
    }

    /// A scheme that is replaced while a request is under way often gets the memory that the one before it was in.
    #[test]
    fn a_scheme_recalls_nothing_of_one_that_is_gone() {
        let memory = RequestMemory::new();
        for n in 0..64_u8 {
            let by = Stamper::new();
            assert_eq!(memory.recall::<u8>(&by), None);
            memory.remember(&by, Arc::new(n));
        }
    }

    #[test]
    fn what_is_remembered_is_dropped_with_the_request() {
        let (memory, by, what) = (RequestMemory::new(), Stamper::new(), Arc::new(1_u8));
        memory.remember(&by, what.clone());
        assert_eq!(Arc::strong_count(&what), 2);
        drop(memory);
        assert_eq!(Arc::strong_count(&what), 1);
    }
}
