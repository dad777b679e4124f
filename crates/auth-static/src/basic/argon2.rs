//! Passwords that people choose: Argon2id, bounded.

use super::{Argon2Cost, PasswordHash, Passwords, UserPass, queue::Queue};
use auth_core::{
    Attempt, AttemptOutcome, Candidates, Error, Flow, Lookup, Random, Result, Secret, Workers,
};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Checks passwords against Argon2id hashes (RFC 9106) that a look-up knows by user name: one, or several while a
/// password is replaced.
///
/// A check takes tens of milliseconds and megabytes on purpose. So it is handed to [`Workers`], and before anything is
/// computed it is bounded how many run and wait at once: beyond that, nobody could tell, which the outside sees as a
/// 503 and never as a refusal.
///
/// # Security
///
/// An unknown user costs the same computation as a known one, as long as all hashes have the cost given here and each
/// user has one: a hash of another cost, or a second hash, tells its user by time. Put an
/// [`AttemptLimit`](auth_core::AttemptLimit) in front.
///
/// A caller that stops waiting gives up its place at once; a computation that has begun keeps its place until it is
/// through and settles the attempt, and one that nobody waits for any more is not begun, and its attempt is charged.
///
/// ```
/// use auth_core::{AttemptLimit, Candidates, InlineWorkers, MemoryAttemptLimits, SystemClock, SystemRandom};
/// use auth_static::{Argon2Concurrency, Argon2Cost, Argon2Passwords, BasicVerifier, PasswordHash};
/// use std::collections::HashMap;
/// let stored = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBmaXhlZCBzYWx0$\
///               HKxlXYs5TpkcDbuV3gKMnGNdFEuRUo2XgLE4zLZg4P4";
/// let users = HashMap::from([(String::from("alice"), Candidates::one(PasswordHash::parse(stored)?, 7))]);
/// let passwords = Argon2Passwords::new(
///     users,
///     Argon2Cost::default(),
///     Argon2Concurrency { running: 2, waiting: 64 },
///     InlineWorkers, // a server adapter has threads for this
///     &SystemRandom::new(),
/// )?;
/// let door = BasicVerifier::new("accounts", passwords)?.with_limit(AttemptLimit::new(MemoryAttemptLimits::new(SystemClock)));
/// # let _: &dyn auth_core::Verifier<Principal = i32> = &door;
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct Argon2Passwords<L> {
    users: L,
    nobody: PasswordHash,
    queue: Queue,
    workers: Arc<dyn Workers>,
}

/// How many passwords are checked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Concurrency {
    /// How many computations run at once: as many as there are cores to spare, times the memory of one.
    pub running: usize,
    /// How many wait for their turn; each keeps one password in memory.
    pub waiting: usize,
}

impl<L> Argon2Passwords<L> {
    /// Checks against the hashes in `users`, all of this cost.
    ///
    /// # Errors
    ///
    /// `Error::Config` when none may run; those of `random`, which the hash for unknown users is made from.
    pub fn new(
        users: L,
        cost: Argon2Cost,
        concurrency: Argon2Concurrency,
        workers: impl Workers + 'static,
        random: &dyn Random,
    ) -> Result<Self> {
        if concurrency.running == 0 {
            let text = "running of a concurrency is zero, expected at least one";
            return Err(Error::config("basic_concurrency_zero", text));
        }
        Ok(Self {
            users,
            nobody: PasswordHash::of_nobody(cost, random)?,
            queue: Queue::new(concurrency.running, concurrency.waiting),
            workers: Arc::new(workers),
        })
    }
}

impl<L: Sync> Argon2Passwords<L> {
    /// Hashes a new password under a fresh salt, at the cost and in the queue of the checks: what signs users up, and
    /// what hashes anew, is bounded together with what logs them in.
    ///
    /// # Errors
    ///
    /// `Error::Unavailable` when too many wait already; those of `random`, and of the workers.
    pub fn hash(&self, password: Secret, random: &dyn Random) -> Flow<'_, PasswordHash> {
        let salted = match PasswordHash::of_nobody(self.nobody.cost(), random) {
            Ok(salted) => salted,
            Err(error) => return Flow::failed(error),
        };
        self.queue.enter().and_then(move |permit| {
            self.computed(move || {
                let hash = salted.for_password(password.expose());
                drop(permit);
                hash
            })
        })
    }

    /// Computes on the workers; nothing where nobody waits for it any more.
    fn computed<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Flow<'_, T> {
        let answer = Arc::new(Mutex::new(None));
        let waited_for = Arc::downgrade(&answer);
        let work = move || {
            if let Some(answer) = waited_for.upgrade() {
                let computed = compute();
                *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(computed);
            }
        };
        self.workers.run(Box::new(work)).and_then(move |()| {
            let computed = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
            computed.unwrap_or_else(|| Err(not_run())).into()
        })
    }

    /// Which of the hashes is of this password? Computed by the workers when it is our turn.
    fn compute<H: SlowHash>(
        &self,
        hashes: Vec<H>,
        password: Secret,
        attempt: Attempt,
        found: bool,
    ) -> Flow<'_, Option<usize>> {
        let entered = self.queue.enter();
        entered.then(move |permit| {
            let permit = match permit {
                Ok(permit) => permit,
                Err(busy) => {
                    attempt.settle(AttemptOutcome::Unknown);
                    return Flow::failed(busy);
                }
            };
            self.computed(move || {
                let computed = which(&hashes, &password);
                attempt.settle(match computed {
                    Ok(Some(_)) if found => AttemptOutcome::Right,
                    Ok(_) => AttemptOutcome::Wrong,
                    Err(_) => AttemptOutcome::Unknown,
                });
                drop(permit);
                computed
            })
        })
    }
}

/// All of them are computed, so that the time does not tell which one it is.
fn which<H: SlowHash>(hashes: &[H], password: &Secret) -> Result<Option<usize>> {
    let mut found = None;
    for (number, hash) in hashes.iter().enumerate() {
        if hash.is_of(password.expose())? {
            found = Some(number);
        }
    }
    Ok(found)
}

/// A hash of a password that takes long on purpose: [`PasswordHash`], or another one that a registry keeps, such as one
/// that was imported.
pub trait SlowHash: From<PasswordHash> + Clone + Send + Sync + 'static {
    /// Is it the hash of this password? It takes tens of milliseconds.
    ///
    /// # Errors
    ///
    /// When it cannot be computed.
    fn is_of(&self, password: &[u8]) -> Result<bool>;
}

impl SlowHash for PasswordHash {
    fn is_of(&self, password: &[u8]) -> Result<bool> {
        Self::is_of(self, password)
    }
}

impl<L, H, P> Passwords for Argon2Passwords<L>
where
    L: Lookup<str, Found = Candidates<H, P>>,
    H: SlowHash,
    P: Clone + Send + 'static,
    Candidates<H, P>: Send,
{
    type Principal = P;

    fn check(&self, presented: UserPass<'_>, attempt: Attempt) -> Flow<'_, Option<P>> {
        let password = Secret::new(presented.password());
        self.users.lookup(presented.user()).then(move |found| {
            let found = match found {
                Ok(found) => found.filter(|candidates| !candidates.is_empty()),
                Err(error) => {
                    attempt.settle(AttemptOutcome::Unknown);
                    return Flow::failed(error);
                }
            };
            let hashes = match &found {
                Some(candidates) => candidates.secrets().cloned().collect(),
                None => vec![H::from(self.nobody.clone())],
            };
            let computed = self.compute(hashes, password, attempt, found.is_some());
            computed.map(|right| found.and_then(|found| found.principal(right?)))
        })
    }
}

fn not_run() -> Error {
    Error::unavailable("basic_not_computed", None, "workers did not compute a password's hash")
}

impl<L> fmt::Debug for Argon2Passwords<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Argon2Passwords(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Basic, basic::BasicVerifier};
    use auth_core::{
        AttemptLimit, AttemptRate, InlineWorkers, MemoryAttemptLimits, SystemRandom, Timestamp,
        Verifier as _,
    };
    use http::{HeaderMap, Method, Uri};
    use std::{
        collections::{HashMap, VecDeque},
        pin::Pin,
        sync::atomic::{AtomicUsize, Ordering},
        task::{Context, Poll, Waker},
        time::Duration,
    };

    type Users = HashMap<String, Candidates<PasswordHash, &'static str>>;

    fn passwords(running: usize, waiting: usize, workers: Desk) -> Argon2Passwords<Users> {
        let (random, cost) = (SystemRandom::new(), Argon2Cost::new(7168, 5, 1).unwrap());
        let hash = PasswordHash::of("open sesame", cost, &random).unwrap();
        let users = HashMap::from([(String::from("alice"), Candidates::one(hash, "alice"))]);
        let concurrency = Argon2Concurrency { running, waiting };
        Argon2Passwords::new(users, cost, concurrency, workers, &random).unwrap()
    }

    /// Workers that take work only when told to, and count it.
    #[derive(Clone, Default)]
    struct Desk(Arc<Mutex<VecDeque<Task>>>, Arc<AtomicUsize>);

    struct Task {
        work: Box<dyn FnOnce() + Send>,
        done: Arc<Mutex<(bool, Option<Waker>)>>,
    }

    impl Workers for Desk {
        fn run(&self, work: Box<dyn FnOnce() + Send>) -> Flow<'static, ()> {
            self.1.fetch_add(1, Ordering::Relaxed);
            let done = Arc::new(Mutex::new((false, None::<Waker>)));
            self.0.lock().unwrap().push_back(Task { work, done: Arc::clone(&done) });
            Flow::new(std::future::poll_fn(move |context| {
                let mut done = done.lock().unwrap();
                done.1 = Some(context.waker().clone());
                if done.0 { Poll::Ready(Ok(())) } else { Poll::Pending }
            }))
        }
    }

    impl Desk {
        /// How much was ever handed over.
        fn taken(&self) -> usize {
            self.1.load(Ordering::Relaxed)
        }

        /// How much lies there.
        fn held(&self) -> usize {
            self.0.lock().unwrap().len()
        }

        /// Does the oldest, on this thread.
        fn work(&self) {
            let Task { work, done } = self.0.lock().unwrap().pop_front().expect("there is work");
            work();
            let mut done = done.lock().unwrap();
            done.0 = true;
            if let Some(waker) = done.1.take() {
                waker.wake();
            }
        }
    }

    fn poll<T>(flow: &mut Flow<'_, T>) -> Option<Result<T>> {
        match Pin::new(flow).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_new_password_is_hashed_in_the_same_queue() {
        let desk = Desk::default();
        let passwords = passwords(1, 1, desk.clone());
        let mut checked = check(&passwords, "alice", "open sesame");
        let random = SystemRandom::new();
        let mut made = passwords.hash(Secret::from("new"), &random);
        assert!(poll(&mut checked).is_none() && poll(&mut made).is_none());
        assert_eq!((desk.taken(), desk.held()), (1, 1), "it has to wait for its turn");
        let busy = poll(&mut passwords.hash(Secret::from("other"), &random));
        assert_eq!(busy.unwrap().unwrap_err().code(), "basic_busy");
        desk.work();
        assert!(poll(&mut checked).is_some() && poll(&mut made).is_none());
        assert_eq!(memory_of(&desk), 7);
        let (hash, known) = (poll(&mut made).unwrap().unwrap(), &passwords.users["alice"]);
        assert!(hash.is_of(b"new").unwrap() && !hash.is_of(b"other").unwrap());
        assert_eq!(hash.cost(), known.secrets().next().unwrap().cost());
    }

    fn check<'a>(
        passwords: &'a Argon2Passwords<Users>,
        user: &str,
        password: &str,
    ) -> Flow<'a, Option<&'static str>> {
        passwords.check(UserPass::new(user, password), Attempt::UNLIMITED)
    }

    /// What doing the oldest takes, in MiB: a hash takes seven, whatever else there is takes none.
    fn memory_of(desk: &Desk) -> u64 {
        allocation_counter::measure(|| desk.work()).bytes_max >> 20
    }

    /// The answer, and how many hashes were computed for it.
    #[track_caller]
    fn answers(user: &str, password: &str, expected: Option<&str>) {
        let desk = Desk::default();
        let passwords = passwords(1, 0, desk.clone());
        let mut flow = check(&passwords, user, password);
        assert!(poll(&mut flow).is_none());
        assert_eq!((desk.taken(), desk.held()), (1, 1));
        assert_eq!(memory_of(&desk), 7);
        assert_eq!(poll(&mut flow).unwrap().unwrap(), expected);
        assert_eq!(desk.taken(), 1);
    }

    #[test]
    fn an_unknown_user_costs_the_same_computation() {
        answers("alice", "open sesame", Some("alice"));
        answers("alice", "wrong", None);
        answers("mallory", "open sesame", None);
        answers("", "", None);
        let passwords = passwords(1, 0, Desk::default());
        let known = passwords.users["alice"].secrets().next().unwrap();
        let costs = [known, &passwords.nobody].map(|hash| hash.to_phc().len());
        assert_eq!(costs[0], costs[1], "salt, hash or cost of nobody differ");
    }

    #[test]
    fn no_more_than_allowed_run_and_wait() {
        let desk = Desk::default();
        let passwords = passwords(2, 3, desk.clone());
        let mut flows: Vec<_> = (0..9).map(|_| check(&passwords, "alice", "open sesame")).collect();
        let polled: Vec<_> = flows.iter_mut().map(poll).collect();
        let refused = polled.iter().flatten().map(|result| result.as_ref().unwrap_err());
        assert!(
            refused
                .clone()
                .all(|error| matches!(error, Error::Unavailable { retry_after: Some(_), .. }))
        );
        assert_eq!(refused.count(), 4);
        let (mut most, mut right) = (0, 0);
        while desk.held() > 0 {
            most = most.max(desk.held());
            desk.work();
            right += flows.iter_mut().take(5).filter_map(poll).filter(|done| done.is_ok()).count();
        }
        assert_eq!((most, right, desk.taken()), (2, 5, 5));
    }

    #[test]
    fn a_dropped_caller_frees_its_place_and_nothing_is_computed_for_it() {
        let desk = Desk::default();
        let passwords = passwords(1, 1, desk.clone());
        let mut first = check(&passwords, "alice", "open sesame");
        assert!(poll(&mut first).is_none());
        drop(check(&passwords, "alice", "open sesame")); // its place in the queue
        let mut next = check(&passwords, "alice", "open sesame");
        assert!(poll(&mut next).is_none());
        drop(first);
        assert_eq!(desk.held(), 1, "what was handed over keeps its place until it is through");
        assert_eq!(memory_of(&desk), 0, "a hash was computed for nobody");
        assert!(poll(&mut next).is_none());
        assert_eq!(desk.held(), 1);
        assert_eq!(memory_of(&desk), 7);
        assert_eq!(poll(&mut next).unwrap().unwrap(), Some("alice"));
    }

    #[test]
    fn workers_that_lose_work_are_an_error_and_keep_no_place() {
        struct Lost;
        impl Workers for Lost {
            fn run(&self, _: Box<dyn FnOnce() + Send>) -> Flow<'static, ()> {
                Flow::ready(())
            }
        }
        let cost = Argon2Cost::new(7168, 5, 1).unwrap();
        let concurrency = Argon2Concurrency { running: 1, waiting: 0 };
        let users = Users::new();
        let lost = Argon2Passwords::new(users, cost, concurrency, Lost, &SystemRandom::new());
        let lost = lost.unwrap();
        for _ in 0..2 {
            assert_eq!(check(&lost, "a", "b").wait().unwrap_err().code(), "basic_not_computed");
        }
    }

    fn sent(user: &str, password: &str) -> HeaderMap {
        let (mut uri, mut headers) = (Uri::from_static("/"), HeaderMap::new());
        let credentials = Basic::new(user, password).unwrap().present();
        credentials.commit(&mut uri, &mut headers).unwrap();
        headers
    }

    #[test]
    fn too_busy_is_our_fault_and_never_a_refusal() {
        let desk = Desk::default();
        let door = BasicVerifier::new("r", passwords(1, 0, desk)).unwrap();
        let (uri, headers) = (Uri::from_static("/"), sent("alice", "open sesame"));
        let mut first = door.verify(view(&uri, &headers));
        assert!(poll(&mut first).is_none());
        let busy = poll(&mut door.verify(view(&uri, &headers))).expect("it is full");
        assert!(matches!(&busy, Err(Error::Unavailable { .. })), "{busy:?}");
        assert_eq!(busy.unwrap_err().code(), "basic_busy");
    }

    fn view<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> auth_core::RequestView<'a> {
        auth_core::RequestView::new(&Method::GET, uri, headers)
    }

    #[test]
    fn beyond_the_limit_nothing_is_hashed() {
        let desk = Desk::default();
        let rate = AttemptRate::new(2, Duration::from_secs(60)).unwrap();
        let door = limited(rate, desk.clone());
        let (uri, wrong) = (Uri::from_static("/"), sent("alice", "wrong"));
        for _ in 0..2 {
            let mut flow = door.verify(view(&uri, &wrong));
            assert!(poll(&mut flow).is_none());
            desk.work();
            let refused = poll(&mut flow).unwrap().unwrap().unwrap_err();
            assert_eq!(refused.reason().code, "basic_wrong");
        }
        for password in ["wrong", "open sesame"] {
            let headers = sent("alice", password);
            let told = poll(&mut door.verify(view(&uri, &headers))).expect("told at once");
            let refused = told.unwrap().unwrap_err();
            assert_eq!((refused.status().as_u16(), refused.reason().code), (429, "limit_attempts"));
            let wait = refused.retry_after().unwrap();
            assert!((29..=30).contains(&wait.as_secs()), "{wait:?}");
        }
        assert_eq!(desk.taken(), 2);
    }

    fn limited(rate: AttemptRate, desk: Desk) -> BasicVerifier<Argon2Passwords<Users>> {
        let limits = MemoryAttemptLimits::new(Timestamp::from_unix(1_000)).with_identity_rate(rate);
        let door = BasicVerifier::new("r", passwords(4, 64, desk)).unwrap();
        door.with_limit(AttemptLimit::new(limits))
    }

    /// Three may fail in a minute. A caller that hangs up while its password waits has paid; one whose password is being
    /// hashed pays if it is wrong.
    #[test]
    fn an_attempt_that_is_abandoned_is_settled_by_what_was_computed() {
        let rate = AttemptRate::new(3, Duration::from_secs(3600)).unwrap();
        let (uri, wrong) = (Uri::from_static("/"), sent("alice", "wrong"));
        let right = sent("alice", "open sesame");
        let begin = |door: &BasicVerifier<_>, headers: &HeaderMap| {
            let mut flow = door.verify(view(&uri, headers));
            poll(&mut flow).is_none()
        };
        let desk = Desk::default();
        let door = limited(rate, desk.clone());
        let abandoned = (0..9).filter(|_| begin(&door, &right)).count();
        // Four are in the workers' hands; of those that waited three were charged when they were given up.
        assert_eq!((abandoned, desk.taken()), (7, 4));
        while desk.held() > 0 {
            desk.work();
        }
        assert!(!begin(&door, &right), "attempts that nobody waited for were not charged");

        let desk = Desk::default();
        let door = limited(rate, desk.clone());
        for (headers, expected) in [(&right, true), (&right, true), (&wrong, true), (&right, true)]
        {
            let mut flow = door.verify(view(&uri, headers));
            assert_eq!(poll(&mut flow).is_none(), expected);
            desk.work();
            drop(flow);
        }
        assert_eq!(desk.taken(), 4, "a right password that was computed costs nothing");
    }

    #[test]
    fn each_password_of_a_rotation_is_right_and_says_which_it_was() {
        let (random, cost) = (SystemRandom::new(), Argon2Cost::new(7168, 5, 1).unwrap());
        let hash = |password| PasswordHash::of(password, cost, &random).unwrap();
        let both = [(hash("old"), "alice/1"), (hash("new"), "alice/2")].into_iter().collect();
        let users = HashMap::from([
            (String::from("alice"), both),
            (String::from("nobody"), Candidates::none()),
        ]);
        let concurrency = Argon2Concurrency { running: 1, waiting: 0 };
        let passwords =
            Argon2Passwords::new(users, cost, concurrency, InlineWorkers, &random).unwrap();
        for (user, password, expected) in [
            ("alice", "old", Some("alice/1")),
            ("alice", "new", Some("alice/2")),
            ("alice", "other", None),
            ("nobody", "old", None),
        ] {
            let found = passwords.check(UserPass::new(user, password), Attempt::UNLIMITED).wait();
            assert_eq!(found.unwrap(), expected, "{user} {password}");
        }
    }

    #[test]
    fn a_blocking_server_computes_at_once() {
        let (random, cost) = (SystemRandom::new(), Argon2Cost::new(7168, 5, 1).unwrap());
        let concurrency = Argon2Concurrency { running: 1, waiting: 0 };
        let passwords =
            Argon2Passwords::new(Users::new(), cost, concurrency, InlineWorkers, &random);
        assert!(check(&passwords.unwrap(), "a", "b").is_ready());
        let none = Argon2Concurrency { running: 0, waiting: 9 };
        let refused = Argon2Passwords::new(Users::new(), cost, none, InlineWorkers, &random);
        assert_eq!(refused.unwrap_err().code(), "basic_concurrency_zero");
    }
}
