//! What the files promise, with real files.

#![allow(clippy::unwrap_used)]

use auth_core::{Secret, TenantId, Timestamp};
use auth_local::FileTokenStore;
use auth_session::{Intent, Lease, SaveOutcome, Sealer, TokenStore};
use auth_testing::{ManualClock, SeededRandom, broken_promises_of_token_store};
use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Waker},
    time::{Duration, Instant},
};

const HOLD: Duration = Duration::from_secs(60);

/// A directory of its own for each test, gone when it is dropped.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("auth-local-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name).join("tokens"))
    }

    fn store(&self, clock: &ManualClock) -> FileTokenStore {
        FileTokenStore::open(&self.0, clock.clone()).unwrap()
    }

    fn sealed(&self, clock: &ManualClock, key: u8) -> FileTokenStore {
        self.sealed_for("acme", clock, key)
    }

    fn sealed_for(&self, tenant: &str, clock: &ManualClock, key: u8) -> FileTokenStore {
        let sealer = Sealer::new(&Secret::new(vec![key; 32]), SeededRandom::new(1)).unwrap();
        self.store(clock).with_sealer(sealer, TenantId::new(tenant))
    }

    fn files(&self) -> Vec<PathBuf> {
        fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    fn token_file(&self) -> PathBuf {
        let of = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "token");
        self.files().into_iter().find(of).unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

fn clock() -> ManualClock {
    ManualClock::at(1_000_000)
}

fn lease(store: &FileTokenStore) -> Option<Lease> {
    store.lease("tenant", HOLD).wait().unwrap()
}

fn save(store: &FileTokenStore, lease: Lease, token: &str) -> SaveOutcome {
    store.save("tenant", lease, Some(&Secret::from(token))).wait().unwrap()
}

/// The token, or the code of the error.
fn load(store: &FileTokenStore) -> Result<Option<(String, u64)>, &'static str> {
    let entry = store.load("tenant").wait().map_err(|error| error.code())?;
    Ok(entry.and_then(|entry| {
        let token = entry.token?;
        Some((token.expose_text().unwrap().to_owned(), entry.fence))
    }))
}

#[test]
fn a_token_outlives_the_store() {
    let (directory, clock) = (Directory::new(), clock());
    let store = directory.store(&clock);
    assert_eq!(load(&store), Ok(None));
    let first = lease(&store).unwrap();
    assert_eq!(load(&store), Ok(None), "a lease is no token");
    assert_eq!(save(&store, first, "one"), SaveOutcome::Kept);
    store.release("tenant", first).wait().unwrap();
    let again = directory.store(&clock);
    assert_eq!(load(&again), Ok(Some(("one".into(), first.fence))));
    let second = lease(&again).unwrap();
    assert!(second.fence > first.fence);
    assert_eq!(load(&again), Ok(Some(("one".into(), first.fence))), "kept until another is saved");
    assert_eq!(load(&store.clone()), load(&again));
}

#[test]
fn one_holds_the_lease() {
    let (directory, clock) = (Directory::new(), clock());
    let (one, other) = (directory.store(&clock), directory.store(&clock));
    let held = lease(&one).unwrap();
    assert_eq!((lease(&one), lease(&other)), (None, None));
    assert!(other.lease("another", HOLD).wait().unwrap().is_some(), "names are apart");
    other.release("tenant", Lease { fence: held.fence + 7 }).wait().unwrap();
    assert_eq!(lease(&other), None, "it was not his to give");
    one.release("tenant", held).wait().unwrap();
    assert!(lease(&other).is_some());
}

/// The lock ends with its process: dropping the store is as good.
#[test]
fn nobody_waits_for_the_dead() {
    let (directory, clock) = (Directory::new(), clock());
    let (one, other) = (directory.store(&clock), directory.store(&clock));
    let held = lease(&one).unwrap();
    drop(one);
    let next = lease(&other).unwrap();
    assert!(next.fence > held.fence);
    assert_eq!(save(&other, next, "two"), SaveOutcome::Kept);
}

/// Whoever hangs loses the lease when it runs out, and cannot save over what another has saved since.
#[test]
fn nobody_waits_long_for_who_hangs() {
    let (directory, clock) = (Directory::new(), clock());
    let (slow, quick) = (directory.store(&clock), directory.store(&clock));
    let lost = lease(&slow).unwrap();
    clock.advance(HOLD - Duration::from_secs(1));
    assert_eq!(lease(&quick), None);
    clock.advance(Duration::from_secs(1));
    let held = lease(&quick).unwrap();
    assert_eq!(save(&slow, lost, "slow"), SaveOutcome::Lost);
    assert_eq!(save(&quick, held, "quick"), SaveOutcome::Kept);
    assert_eq!(save(&slow, lost, "slow"), SaveOutcome::Lost);
    slow.release("tenant", lost).wait().unwrap();
    assert_eq!(lease(&slow), None, "releasing what was lost gives nothing away");
    assert_eq!(load(&slow), Ok(Some(("quick".into(), held.fence))));
}

#[test]
fn leases_leave_nothing_behind() {
    let (directory, clock) = (Directory::new(), clock());
    for round in 0..20 {
        let store = directory.store(&clock);
        let held = lease(&store).unwrap();
        assert_eq!(save(&store, held, "token"), SaveOutcome::Kept);
        if round % 2 == 0 {
            store.release("tenant", held).wait().unwrap();
        }
    }
    assert!(directory.files().len() <= 3, "{:?}", directory.files());
}

#[test]
fn what_is_encrypted_opens_with_its_key_alone() {
    let (directory, clock) = (Directory::new(), clock());
    let sealed = directory.sealed(&clock, 1);
    let held = lease(&sealed).unwrap();
    assert_eq!(save(&sealed, held, "very secret"), SaveOutcome::Kept);
    assert_eq!(load(&sealed), Ok(Some(("very secret".into(), held.fence))));
    let bytes = fs::read(directory.token_file()).unwrap();
    assert!(!bytes.windows(6).any(|part| part == b"secret"));
    assert_eq!(load(&directory.sealed(&clock, 2)), Err("seal_broken"));
    assert_eq!(load(&directory.sealed_for("other", &clock, 1)), Err("seal_broken"));
    assert_eq!(load(&directory.store(&clock)), Err("token_store_sealed"));
    // The last byte says that there is no intent; the sealed token is before it.
    for at in bytes.len() - 12..bytes.len() - 1 {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(directory.token_file(), changed).unwrap();
        assert_eq!(load(&sealed), Err("seal_broken"), "changed at {at}");
    }
}

/// Neither is a file of another name, nor one that was not encrypted when a key is given.
#[test]
fn what_is_encrypted_is_bound_to_its_name() {
    let (directory, clock) = (Directory::new(), clock());
    let sealed = directory.sealed(&clock, 1);
    let held = sealed.lease("other", HOLD).wait().unwrap().unwrap();
    sealed.save("other", held, Some(&Secret::from("token"))).wait().unwrap();
    let other = directory.token_file();
    fs::copy(&other, other.with_file_name("tenant.token")).unwrap();
    assert_eq!(load(&sealed), Err("seal_broken"));
    fs::remove_file(other.with_file_name("tenant.token")).unwrap();
    let plain = directory.store(&clock);
    let held = lease(&plain).unwrap();
    assert_eq!(save(&plain, held, "plain"), SaveOutcome::Kept);
    assert_eq!(load(&sealed), Err("token_store_sealed"));
}

/// Other processes learn that it was removed, and by which lease; a removal is sealed as a token is.
#[test]
fn a_removed_token_leaves_the_fence_of_its_removal() {
    let (directory, clock) = (Directory::new(), clock());
    let stores = [directory.store(&clock), directory.sealed(&clock, 1)];
    for (store, name) in stores.into_iter().zip(["plain", "sealed"]) {
        let held = store.lease(name, HOLD).wait().unwrap().unwrap();
        for token in [Some(Secret::from("token")), None] {
            let saved = store.save(name, held, token.as_ref()).wait().unwrap();
            assert_eq!(saved, SaveOutcome::Kept);
            let kept = store.load(name).wait().unwrap().unwrap();
            assert_eq!((kept.token.is_some(), kept.fence), (token.is_some(), held.fence), "{name}");
        }
    }
    let sealed = directory.files().into_iter().find(|path| path.ends_with("sealed.token")).unwrap();
    fs::copy(&sealed, sealed.with_file_name("other.token")).unwrap();
    let moved = directory.sealed(&clock, 1).load("other").wait();
    assert_eq!(moved.unwrap_err().code(), "seal_broken", "a removal opens where it was made alone");
}

const INTENT: Intent =
    Intent { since: Timestamp::from_unix(1_000_000), retry_at: Timestamp::from_unix(1_003_600) };

fn intend(store: &FileTokenStore, lease: Lease, intent: Option<Intent>) -> SaveOutcome {
    store.intend("tenant", lease, intent).wait().unwrap()
}

fn intent(store: &FileTokenStore) -> Option<Intent> {
    store.load("tenant").wait().unwrap().and_then(|entry| entry.intent)
}

/// A token, an intent beside it, or the intent alone; sealed or not, and by whatever process.
#[test]
fn an_intent_is_kept_beside_a_token_and_goes_when_another_is_saved() {
    for seal in [false, true] {
        let (directory, clock) = (Directory::new(), clock());
        let open = || if seal { directory.sealed(&clock, 1) } else { directory.store(&clock) };
        let store = open();
        let first = lease(&store).unwrap();
        assert_eq!(intend(&store, first, Some(INTENT)), SaveOutcome::Kept);
        assert_eq!((intent(&open()), load(&open())), (Some(INTENT), Ok(None)), "alone");
        assert_eq!(intend(&store, first, None), SaveOutcome::Kept);
        assert!(store.load("tenant").wait().unwrap().is_none());
        assert_eq!(intend(&store, first, Some(INTENT)), SaveOutcome::Kept);
        assert_eq!(save(&store, first, "one"), SaveOutcome::Kept);
        assert_eq!(intent(&open()), None, "saving a token removes it");
        store.release("tenant", first).wait().unwrap();
        let second = lease(&store).unwrap();
        assert_eq!(intend(&store, second, Some(INTENT)), SaveOutcome::Kept);
        let beside = Ok(Some((String::from("one"), first.fence)));
        assert_eq!((intent(&open()), load(&open())), (Some(INTENT), beside.clone()), "beside it");
        assert_eq!(intend(&store, first, None), SaveOutcome::Lost, "its lease is over");
        assert_eq!(intend(&store, second, None), SaveOutcome::Kept);
        assert_eq!((intent(&open()), load(&open())), (None, beside));
    }
}

/// A sealed intent is none of another tenant's, and no token.
#[test]
fn a_sealed_intent_is_bound_as_a_token_is() {
    let (directory, clock) = (Directory::new(), clock());
    let store = directory.sealed(&clock, 1);
    let held = lease(&store).unwrap();
    assert_eq!(intend(&store, held, Some(INTENT)), SaveOutcome::Kept);
    assert_eq!(load(&directory.sealed_for("other", &clock, 1)), Err("seal_broken"));
    let bytes = fs::read(directory.token_file()).unwrap();
    // The intent where the token belongs.
    let (head, notes) = bytes.split_at(8 + 3 * 8);
    assert_eq!(notes[0], 0, "no token");
    fs::write(directory.token_file(), [head, &notes[1..], &notes[..1]].concat()).unwrap();
    assert_eq!(load(&store), Err("seal_broken"));
}

/// A program that is older than the file never logs in anew: the newer one may be using the session.
#[test]
fn a_version_that_is_not_known_is_an_error_and_no_empty_file() {
    let (directory, clock) = (Directory::new(), clock());
    let store = directory.store(&clock);
    let held = lease(&store).unwrap();
    assert_eq!(save(&store, held, "token"), SaveOutcome::Kept);
    let (file, whole) = (directory.token_file(), fs::read(directory.token_file()).unwrap());
    assert!(whole.starts_with(b"mauth-1\n"));
    let newer = [b"mauth-2\n", &whole[8..]].concat();
    fs::write(&file, &newer).unwrap();
    assert_eq!(load(&store), Err("token_store_version"));
    let leased = store.lease("tenant", HOLD).wait();
    assert_eq!(leased.unwrap_err().code(), "token_store_version");
    let saved = store.save("tenant", held, Some(&Secret::from("token"))).wait();
    assert_eq!(saved.unwrap_err().code(), "token_store_version");
    assert_eq!(fs::read(&file).unwrap(), newer, "it is as it was");
}

/// The lock of a process that is slow, which is another open file here.
fn locked(directory: &Directory) -> fs::File {
    let guard = directory.0.join("tenant.guard");
    let file = fs::OpenOptions::new().write(true).open(guard).unwrap();
    fs4::FileExt::lock(&file).unwrap();
    file
}

#[test]
fn no_flow_blocks_whoever_makes_or_polls_it() {
    let (directory, clock) = (Directory::new(), clock());
    let store = directory.store(&clock);
    let held = lease(&store).unwrap();
    let lock = locked(&directory);
    let began = Instant::now();
    let token = Secret::from("token");
    let mut load = store.load("tenant");
    let mut leased = store.lease("tenant", HOLD);
    let mut saved = store.save("tenant", held, Some(&token));
    let mut intended = store.intend("tenant", held, Some(INTENT));
    let mut released = store.release("tenant", held);
    let context = &mut Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut load).poll(context).is_pending());
    assert!(Pin::new(&mut leased).poll(context).is_pending());
    assert!(Pin::new(&mut saved).poll(context).is_pending());
    assert!(Pin::new(&mut intended).poll(context).is_pending());
    assert!(Pin::new(&mut released).poll(context).is_pending());
    assert!(store.lease("another", HOLD).wait().unwrap().is_some(), "names are apart");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    drop(lock);
    load.wait().unwrap();
    for flow in [saved, intended] {
        flow.wait().unwrap();
    }
    released.wait().unwrap();
}

/// What was begun is seen through though its caller gave up.
#[test]
fn a_save_that_was_given_up_is_done_all_the_same() {
    let (directory, clock) = (Directory::new(), clock());
    let store = directory.store(&clock);
    let held = lease(&store).unwrap();
    let lock = locked(&directory);
    let mut saved = store.save("tenant", held, Some(&Secret::from("token")));
    assert!(Pin::new(&mut saved).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop((saved, lock));
    let began = Instant::now();
    while load(&store) != Ok(Some(("token".into(), held.fence))) {
        assert!(began.elapsed() < Duration::from_secs(5), "it was never saved");
    }
}

#[test]
fn a_process_that_hangs_with_the_lock_is_an_error_after_a_while() {
    let (directory, clock) = (Directory::new(), clock());
    let store = directory.store(&clock);
    let held = lease(&store).unwrap();
    assert_eq!(save(&store, held, "token"), SaveOutcome::Kept);
    let _lock = locked(&directory);
    assert_eq!(load(&store), Err("token_store_locked"));
}

/// Whoever took a lease was cancelled, and nobody releases it.
#[cfg(target_os = "linux")]
#[test]
fn leases_that_ran_out_keep_no_file_open() {
    let (directory, clock) = (Directory::new(), clock());
    let store = directory.store(&clock);
    let ours = |file: &PathBuf| file.starts_with(&directory.0);
    let open = || {
        let links = fs::read_dir("/proc/self/fd").unwrap().flatten();
        links.filter_map(|link| fs::read_link(link.path()).ok()).filter(ours).count()
    };
    for n in 0..100 {
        assert!(store.lease(&format!("tenant {n}"), HOLD).wait().unwrap().is_some());
        assert!(lease(&store).is_some());
        assert!(open() <= 2, "{} files are open", open());
        clock.advance(HOLD);
    }
    store.load("tenant").wait().unwrap();
    assert_eq!(open(), 0);
}

/// One that hangs takes the lease, and then somebody sets the clock back by a day: its end never comes, its span does.
#[test]
fn a_clock_that_is_set_back_keeps_nobody_from_the_lease() {
    let (directory, clock) = (Directory::new(), clock());
    let others = ManualClock::at(1_000_000);
    let (hangs, other) = (directory.store(&others), directory.store(&clock));
    assert!(lease(&hangs).is_some());
    clock.set(Timestamp::from_unix(1_000_000 - 86_400));
    for _ in 0..59 {
        assert_eq!(lease(&other), None);
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(lease(&other), None);
    clock.advance(Duration::from_secs(1));
    assert!(lease(&other).is_some());
}

#[test]
fn a_file_that_is_none_is_named() {
    let (directory, clock) = (Directory::new(), clock());
    let store = directory.store(&clock);
    let held = lease(&store).unwrap();
    assert_eq!(save(&store, held, "token"), SaveOutcome::Kept);
    let (file, whole) = (directory.token_file(), fs::read(directory.token_file()).unwrap());
    for bytes in [&b""[..], b"{}", &whole[..20], &vec![0; 2 << 20]] {
        fs::write(&file, bytes).unwrap();
        let error = store.load("tenant").wait().unwrap_err();
        assert_eq!(error.code(), "token_store_corrupt");
        assert!(error.to_string().contains(&*file.to_string_lossy()), "{error}");
    }
}

#[cfg(unix)]
mod permissions {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn files_belong_to_their_owner_alone() {
        let (directory, clock) = (Directory::new(), clock());
        let store = directory.store(&clock);
        let held = lease(&store).unwrap();
        assert_eq!(save(&store, held, "token"), SaveOutcome::Kept);
        assert_eq!(mode(&directory.0), 0o700);
        assert!(
            directory.files().iter().all(|file| mode(file) == 0o600),
            "{:?}",
            directory.files()
        );
    }

    #[test]
    fn what_others_can_open_is_refused() {
        let (directory, clock) = (Directory::new(), clock());
        let store = directory.store(&clock);
        let held = lease(&store).unwrap();
        assert_eq!(save(&store, held, "token"), SaveOutcome::Kept);
        set_mode(&directory.token_file(), 0o640);
        let error = store.load("tenant").wait().unwrap_err();
        assert_eq!(error.code(), "token_store_permissions");
        assert!(error.to_string().contains("chmod 600"), "{error}");
        for open in [0o755, 0o701, 0o770] {
            set_mode(&directory.0, open);
            let error = FileTokenStore::open(&directory.0, clock.clone()).unwrap_err();
            assert_eq!(error.code(), "token_store_permissions");
            assert!(error.to_string().contains("chmod 700"), "{error}");
        }
        set_mode(&directory.0, 0o700);
    }
}

#[test]
fn a_file_is_no_directory() {
    let directory = Directory::new();
    fs::create_dir_all(directory.0.parent().unwrap()).unwrap();
    fs::write(&directory.0, "a file").unwrap();
    let error = FileTokenStore::open(&directory.0, Timestamp::default()).unwrap_err();
    assert_eq!(error.code(), "token_store_directory");
}

#[test]
fn files_keep_every_promise_of_a_token_store() {
    for seal in [false, true] {
        let (directory, clock) = (Directory::new(), clock());
        let open = || if seal { directory.sealed(&clock, 1) } else { directory.store(&clock) };
        let broken = broken_promises_of_token_store(|| Box::new(open()), &clock);
        assert_eq!(broken, [""; 0]);
    }
}
