//! A store for tests: a map, its log, and what can go wrong with it.

use crate::{
    cache::{Change, LogPage},
    cached_store::{Found, LoggedStore},
};
use auth_core::{Error, Flow, KeyDigest, KeyHasher, Secret};
use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

/// A clone is the same store.
#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Books>>);

#[derive(Default)]
pub(crate) struct Books {
    values: HashMap<KeyDigest, Arc<u64>>,
    log: Vec<Change>,
    /// Changes up to this one were cut off.
    cut: u64,
    pub(crate) health: Health,
    wakers: Vec<Waker>,
    /// How often each key was read, and the log.
    pub(crate) finds: HashMap<KeyDigest, usize>,
    pub(crate) polls: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Health {
    #[default]
    Up,
    Down,
    /// It reads at once, and answers when it is up again.
    Slow,
    Panics,
}

const PAGE: usize = 3;

pub(crate) fn key(number: u64) -> KeyDigest {
    let hasher = KeyHasher::new(&Secret::from(vec![1; 32])).unwrap();
    hasher.hash(&number.to_be_bytes())
}

impl Ledger {
    pub(crate) fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn create(&self, number: u64) -> Change {
        self.commit(number, Some(number)).0
    }

    pub(crate) fn revoke(&self, number: u64) -> Change {
        self.commit(number, None).0
    }

    /// A key gets another value, or none; with the change comes the value that it had.
    pub(crate) fn commit(&self, number: u64, value: Option<u64>) -> (Change, Option<Arc<u64>>) {
        let mut books = self.books();
        let (key, position) = (key(number), books.position());
        let had = match value {
            Some(value) => books.values.insert(key, Arc::new(value)),
            None => books.values.remove(&key),
        };
        let change = Change { sequence: position + 1, keys: vec![key] };
        books.log.push(change.clone());
        (change, had)
    }

    pub(crate) fn cut(&self) {
        let mut books = self.books();
        books.cut = books.position();
    }

    pub(crate) fn be(&self, health: Health) {
        let mut books = self.books();
        books.health = health;
        let wakers = std::mem::take(&mut books.wakers);
        drop(books);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn finds(&self, number: u64) -> usize {
        self.books().finds.get(&key(number)).copied().unwrap_or_default()
    }

    pub(crate) fn polls(&self) -> usize {
        self.books().polls
    }

    fn answer<T: Send + 'static>(&self, answer: T) -> Flow<'static, T> {
        let health = self.books().health;
        match health {
            Health::Up => Flow::ready(answer),
            Health::Down => Flow::failed(Error::transport("ledger_down", "ledger is down")),
            Health::Panics => panic!("ledger panics"),
            Health::Slow => {
                let (ledger, mut answer) = (self.clone(), Some(answer));
                Flow::new(poll_fn(move |context| {
                    let mut books = ledger.books();
                    assert!(books.health != Health::Panics, "ledger panics");
                    if books.health == Health::Up {
                        return Poll::Ready(Ok(answer.take().unwrap()));
                    }
                    books.wakers.push(context.waker().clone());
                    Poll::Pending
                }))
            }
        }
    }
}

impl Books {
    fn position(&self) -> u64 {
        self.log.last().map_or(0, |change| change.sequence)
    }
}

impl LoggedStore for Ledger {
    type Value = u64;

    fn find(&self, key: &KeyDigest) -> Flow<'static, Found<u64>> {
        let mut books = self.books();
        *books.finds.entry(*key).or_default() += 1;
        let found = Found { value: books.values.get(key).cloned(), as_of: books.position() };
        drop(books);
        self.answer(found)
    }

    fn changes_since(&self, position: u64) -> Flow<'static, LogPage> {
        let mut books = self.books();
        books.polls += 1;
        let page = if position < books.cut {
            LogPage::Gone { reached: books.position() }
        } else {
            let after = books.log.iter().filter(|change| change.sequence > position);
            let changes: Vec<_> = after.cloned().collect();
            match changes.get(PAGE - 1) {
                Some(last) if changes.len() > PAGE => {
                    LogPage::Part { reached: last.sequence, changes: changes[..PAGE].to_vec() }
                }
                _ => LogPage::Last { changes, reached: books.position() },
            }
        };
        drop(books);
        self.answer(page)
    }

    fn position(&self) -> Flow<'static, u64> {
        let mut books = self.books();
        books.polls += 1;
        let position = books.position();
        drop(books);
        self.answer(position)
    }
}
