//! What every store of tokens promises.

use crate::ManualClock;
use auth_core::{Clock, Result, Secret, Timestamp};
use auth_session::{Intent, Lease, SaveOutcome, TokenStore};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Waker},
    thread,
    time::Duration,
};

/// The promises of [`TokenStore`] that this store does not keep, each as a sentence; none when it keeps all of them.
///
/// `open` gives the store, and each time as another process would open it; `clock` is the clock that all of them follow. The
/// store may hold other tokens.
///
/// ```
/// use auth_session::{MemoryTokenStore, TokenStore};
/// use auth_testing::{ManualClock, broken_promises_of_token_store};
///
/// let clock = ManualClock::at(1_700_000_000);
/// let store = MemoryTokenStore::new(clock.clone());
/// let broken = broken_promises_of_token_store(|| Box::new(store.clone()), &clock);
/// assert!(broken.is_empty(), "{broken:?}");
/// ```
pub fn broken_promises_of_token_store(
    open: impl Fn() -> Box<dyn TokenStore>,
    clock: &ManualClock,
) -> Vec<String> {
    let mut broken = Vec::new();
    for (promise, is_kept) in PROMISES {
        // Each begins in good time, at a name of its own, whatever the one before did.
        clock.set(Timestamp::from_unix(1_700_000_000));
        let tried = Tried { one: open(), other: open(), clock, name: promise };
        match is_kept(&tried) {
            Ok(true) => {}
            Ok(false) => broken.push((*promise).to_owned()),
            Err(error) => broken.push(format!("{promise}: {error}")),
        }
    }
    broken
}

/// One store that was opened twice.
struct Tried<'a> {
    one: Box<dyn TokenStore>,
    other: Box<dyn TokenStore>,
    clock: &'a ManualClock,
    name: &'a str,
}

type Promise = (&'static str, fn(&Tried<'_>) -> Result<bool>);

const PROMISES: &[Promise] = &[
    ("nothing is kept where only a lease was taken", |tried| {
        let nothing = tried.token(&tried.one)?.is_none();
        Ok(nothing && tried.lease(&tried.one)?.is_some() && tried.token(&tried.other)?.is_none())
    }),
    ("a token is kept until another is saved", |tried| {
        let first = tried.taken()?;
        let saved = tried.save(&tried.one, first, Some("one"))?;
        tried.one.release(tried.name, first).wait()?;
        let second = tried.taken()?;
        let kept = tried.token(&tried.other)? == Some((Some("one".into()), first.fence));
        tried.save(&tried.one, second, Some("two"))?;
        let replaced = tried.token(&tried.other)? == Some((Some("two".into()), second.fence));
        Ok(saved == SaveOutcome::Kept && kept && replaced && second.fence > first.fence)
    }),
    ("one caller has the lease, and only its holder gives it back", |tried| {
        let held = tried.taken()?;
        let taken = tried.lease(&tried.one)?.is_none() && tried.lease(&tried.other)?.is_none();
        let apart = tried.other.lease("another name", HOLD).wait()?.is_some();
        tried.other.release(tried.name, Lease { fence: held.fence + 7 }).wait()?;
        let still = tried.lease(&tried.other)?.is_none();
        tried.one.release(tried.name, held).wait()?;
        Ok(taken && apart && still && tried.lease(&tried.other)?.is_some())
    }),
    ("a lease ends with its span, not before, and what its holder saves later is lost", |tried| {
        let slow = tried.taken()?;
        tried.clock.advance(HOLD - SECOND);
        let early = tried.lease(&tried.other)?.is_some();
        tried.clock.advance(SECOND);
        let Some(quick) = tried.lease(&tried.other)? else { return Ok(false) };
        let before = tried.save(&tried.one, slow, Some("slow"))?;
        let kept = tried.save(&tried.other, quick, Some("quick"))?;
        let after = tried.save(&tried.one, slow, Some("slow"))?;
        let intended = tried.one.intend(tried.name, slow, Some(INTENT)).wait()?;
        tried.one.release(tried.name, slow).wait()?;
        let still_taken = tried.lease(&tried.one)?.is_none();
        let lost = [before, after, intended].iter().all(|outcome| *outcome == SaveOutcome::Lost);
        let is_quick = tried.token(&tried.one)? == Some((Some("quick".into()), quick.fence));
        Ok(!early && lost && kept == SaveOutcome::Kept && still_taken && is_quick)
    }),
    ("nothing is saved under a lease that was never given", |tried| {
        let held = tried.taken()?;
        for fence in [0, held.fence + 1, u64::MAX] {
            if tried.save(&tried.one, Lease { fence }, Some("x"))? == SaveOutcome::Kept {
                return Ok(false);
            }
        }
        Ok(tried.token(&tried.one)?.is_none())
    }),
    ("a clock that is set back makes nobody wait for longer than the span", |tried| {
        tried.taken()?;
        tried.clock.set(tried.clock.now().before(YEAR));
        let taken = tried.lease(&tried.other)?.is_none();
        tried.clock.advance(HOLD - SECOND);
        let still = tried.lease(&tried.other)?.is_none();
        tried.clock.advance(SECOND);
        Ok(taken && still && tried.lease(&tried.other)?.is_some())
    }),
    ("a clock that jumps a year ahead and back gives one holder to each fence", |tried| {
        let first = tried.taken()?;
        tried.clock.set(tried.clock.now().after(YEAR));
        let second = tried.lease(&tried.other)?;
        tried.clock.set(tried.clock.now().before(YEAR));
        let third = tried.lease(&tried.one)?;
        tried.clock.advance(HOLD);
        let Some(last) = tried.lease(&tried.one)? else { return Ok(false) };
        let given = [Some(first), second, third, Some(last)].into_iter().flatten();
        let fences = given.map(|lease| lease.fence).collect::<Vec<_>>();
        let lost = tried.save(&tried.one, first, Some("x"))? == SaveOutcome::Lost;
        Ok(fences.is_sorted_by(|one, next| one < next) && lost)
    }),
    ("a token that was removed leaves the fence of its removal", |tried| {
        let held = tried.taken()?;
        tried.save(&tried.one, held, Some("token"))?;
        let saved = tried.save(&tried.one, held, None)?;
        let left = tried.token(&tried.other)? == Some((None, held.fence));
        Ok(saved == SaveOutcome::Kept && left)
    }),
    ("an intent is kept alone and beside a token, and goes when one is saved", |tried| {
        let first = tried.taken()?;
        let mut is_kept = true;
        let mut intend = |lease: Lease, intent: Option<Intent>, expected| {
            let outcome = tried.one.intend(tried.name, lease, intent).wait()?;
            let entry = tried.other.load(tried.name).wait()?;
            is_kept &= outcome == SaveOutcome::Kept
                && (entry.as_ref().map(|entry| (entry.fence, entry.intent)) == expected);
            Ok(())
        };
        intend(first, Some(INTENT), Some((0, Some(INTENT))))?;
        intend(first, None, None)?;
        intend(first, Some(INTENT), Some((0, Some(INTENT))))?;
        tried.save(&tried.one, first, Some("token"))?;
        tried.one.release(tried.name, first).wait()?;
        let second = tried.taken()?;
        intend(second, Some(INTENT), Some((first.fence, Some(INTENT))))?;
        tried.save(&tried.one, second, Some("token"))?;
        let entry = tried.other.load(tried.name).wait()?;
        Ok(is_kept && entry.is_some_and(|entry| entry.intent.is_none()))
    }),
    ("any bytes are kept under any name", |tried| {
        let every = (0..=u8::MAX).collect::<Vec<_>>();
        for (name, bytes) in [
            ("", &b"\0"[..]),
            ("a/../b'\";--%00", b"\xff\xfe"),
            ("ümlaut \u{1f511}", &[7; 65_537]),
            ("file:x?mode=memory", &every),
        ] {
            let Some(lease) = tried.one.lease(name, HOLD).wait()? else { return Ok(false) };
            tried.one.save(name, lease, Some(&Secret::new(bytes))).wait()?;
            let entry = tried.other.load(name).wait()?.and_then(|entry| entry.token);
            if !entry.is_some_and(|token| token.matches(bytes)) {
                return Ok(false);
            }
        }
        Ok(true)
    }),
    ("of many who ask at once one gets the lease", |tried| {
        let mut last = 0;
        for _ in 0..8 {
            let ask = || (0..4).map(|_| tried.lease(&tried.one)).collect::<Result<Vec<_>>>();
            let asked = thread::scope(|scope| {
                let asking: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
                asking.into_iter().filter_map(|asking| asking.join().ok()).collect::<Vec<_>>()
            });
            let asked = asked.into_iter().collect::<Result<Vec<_>>>()?;
            let given = asked.into_iter().flatten().flatten().collect::<Vec<_>>();
            let [lease] = given[..] else { return Ok(false) };
            if lease.fence <= last {
                return Ok(false);
            }
            last = lease.fence;
            tried.one.release(tried.name, lease).wait()?;
        }
        Ok(true)
    }),
    ("a save that was begun is seen through though its caller gave up", |tried| {
        let held = tried.taken()?;
        let token = Secret::from("token");
        let mut saved = tried.one.save(tried.name, held, Some(&token));
        let polled = Pin::new(&mut saved).poll(&mut Context::from_waker(Waker::noop()));
        drop((saved, polled));
        for _ in 0..2_000 {
            if tried.token(&tried.other)?.is_some() {
                return Ok(true);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(false)
    }),
];

const SECOND: Duration = Duration::from_secs(1);
const HOLD: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(365 * 86_400);
const INTENT: Intent = Intent {
    since: Timestamp::from_unix(1_700_000_000),
    retry_at: Timestamp::from_unix(1_700_003_600),
};

impl Tried<'_> {
    fn lease(&self, store: &dyn TokenStore) -> Result<Option<Lease>> {
        store.lease(self.name, HOLD).wait()
    }

    /// A lease that nobody else has.
    fn taken(&self) -> Result<Lease> {
        let text = "a free lease was not given";
        let none = || auth_core::Error::config("token_store_promise", text);
        self.lease(&self.one)?.ok_or_else(none)
    }

    fn save(
        &self,
        store: &dyn TokenStore,
        lease: Lease,
        token: Option<&str>,
    ) -> Result<SaveOutcome> {
        store.save(self.name, lease, token.map(Secret::from).as_ref()).wait()
    }

    /// The token, or that there is none, and its fence.
    fn token(&self, store: &dyn TokenStore) -> Result<Option<(Option<String>, u64)>> {
        let entry = store.load(self.name).wait()?;
        let text = |token: Secret| token.expose_text().unwrap_or_default().to_owned();
        Ok(entry.map(|entry| (entry.token.map(text), entry.fence)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::Flow;
    use auth_session::{MemoryTokenStore, StoredEntry};

    /// A store that keeps no promise but those that it does not change.
    struct Careless(MemoryTokenStore, &'static str);

    impl TokenStore for Careless {
        fn load(&self, name: &str) -> Flow<'_, Option<StoredEntry>> {
            let load = self.0.load(name);
            match self.1 {
                "load" => load.map(|entry| entry.filter(|entry| entry.token.is_some())),
                _ => load,
            }
        }

        fn lease(&self, name: &str, hold: Duration) -> Flow<'_, Option<Lease>> {
            match self.1 {
                "lease" => Flow::ready(Some(Lease { fence: 1 })),
                "short" => self.0.lease(name, hold / 2),
                "long" => self.0.lease(name, hold * 2),
                _ => self.0.lease(name, hold),
            }
        }

        fn save(&self, name: &str, lease: Lease, token: Option<&Secret>) -> Flow<'_, SaveOutcome> {
            match self.1 {
                "save" => self.0.save(name, lease, token).map(|_| SaveOutcome::Kept),
                _ => self.0.save(name, lease, token),
            }
        }

        fn intend(
            &self,
            name: &str,
            lease: Lease,
            intent: Option<Intent>,
        ) -> Flow<'_, SaveOutcome> {
            match self.1 {
                "intend" => Flow::ready(SaveOutcome::Kept),
                _ => self.0.intend(name, lease, intent),
            }
        }

        fn release(&self, name: &str, lease: Lease) -> Flow<'_, ()> {
            match self.1 {
                "release" => Flow::ready(()),
                _ => self.0.release(name, lease),
            }
        }
    }

    fn broken(careless: &'static str) -> Vec<String> {
        let clock = ManualClock::at(0);
        let store = MemoryTokenStore::new(clock.clone());
        broken_promises_of_token_store(|| Box::new(Careless(store.clone(), careless)), &clock)
    }

    #[test]
    fn a_good_store_breaks_no_promise() {
        assert_eq!(broken("nothing"), [""; 0]);
    }

    #[test]
    fn whoever_is_careless_in_one_thing_is_told_so() {
        for careless in ["load", "lease", "short", "long", "save", "intend", "release"] {
            assert!(!broken(careless).is_empty(), "{careless}");
        }
    }
}
