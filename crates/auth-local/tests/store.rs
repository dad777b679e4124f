//! What the files promise, with real files.

#![allow(clippy::unwrap_used)]

use auth_core::{Secret, Timestamp};
use auth_local::FileTokenStore;
use auth_session::{Lease, Saved, TokenStore};
use auth_testing::{ManualClock, SeededRandom};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
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
        let key = Secret::new(vec![key; 32]);
        self.store(clock).encrypted(&key, SeededRandom::new(1)).unwrap()
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

fn save(store: &FileTokenStore, lease: Lease, token: &str) -> Saved {
    store.save("tenant", lease, &Secret::from(token)).wait().unwrap()
}

/// The token, or the code of the error.
fn load(store: &FileTokenStore) -> Result<Option<(String, u64)>, &'static str> {
    let entry = store.load("tenant").wait().map_err(|error| error.code())?;
    let text =
        |entry: &auth_session::Entry| String::from_utf8(entry.token.expose().to_vec()).unwrap();
    Ok(entry.map(|entry| (text(&entry), entry.fence)))
}

#[test]
fn a_token_outlives_the_store() {
    let (directory, clock) = (Directory::new(), clock());
    let store = directory.store(&clock);
    assert_eq!(load(&store), Ok(None));
    let first = lease(&store).unwrap();
    assert_eq!(load(&store), Ok(None), "a lease is no token");
    assert_eq!(save(&store, first, "one"), Saved::Kept);
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
    assert_eq!(save(&other, next, "two"), Saved::Kept);
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
    assert_eq!(save(&slow, lost, "slow"), Saved::Lost);
    assert_eq!(save(&quick, held, "quick"), Saved::Kept);
    assert_eq!(save(&slow, lost, "slow"), Saved::Lost);
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
        assert_eq!(save(&store, held, "token"), Saved::Kept);
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
    assert_eq!(save(&sealed, held, "very secret"), Saved::Kept);
    assert_eq!(load(&sealed), Ok(Some(("very secret".into(), held.fence))));
    let bytes = fs::read(directory.token_file()).unwrap();
    assert!(!bytes.windows(6).any(|part| part == b"secret"));
    assert_eq!(load(&directory.sealed(&clock, 2)), Err("token_store_sealed"));
    assert_eq!(load(&directory.store(&clock)), Err("token_store_sealed"));
    for at in 33..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(directory.token_file(), changed).unwrap();
        assert_eq!(load(&sealed), Err("token_store_sealed"), "changed at {at}");
    }
    let key = Secret::new(vec![1; 16]);
    let short = directory.store(&clock).encrypted(&key, SeededRandom::new(1)).unwrap_err();
    assert_eq!(short.code(), "token_store_key");
}

/// Neither is a file of another name, nor one that was not encrypted when a key is given.
#[test]
fn what_is_encrypted_is_bound_to_its_name() {
    let (directory, clock) = (Directory::new(), clock());
    let sealed = directory.sealed(&clock, 1);
    let held = sealed.lease("other", HOLD).wait().unwrap().unwrap();
    sealed.save("other", held, &Secret::from("token")).wait().unwrap();
    let other = directory.token_file();
    fs::copy(&other, other.with_file_name("tenant.token")).unwrap();
    assert_eq!(load(&sealed), Err("token_store_sealed"));
    fs::remove_file(other.with_file_name("tenant.token")).unwrap();
    let plain = directory.store(&clock);
    let held = lease(&plain).unwrap();
    assert_eq!(save(&plain, held, "plain"), Saved::Kept);
    assert_eq!(load(&sealed), Err("token_store_sealed"));
}

#[test]
fn a_file_that_is_none_is_named() {
    let (directory, clock) = (Directory::new(), clock());
    let store = directory.store(&clock);
    let held = lease(&store).unwrap();
    assert_eq!(save(&store, held, "token"), Saved::Kept);
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

    fn open_up(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn files_belong_to_their_owner_alone() {
        let (directory, clock) = (Directory::new(), clock());
        let store = directory.store(&clock);
        let held = lease(&store).unwrap();
        assert_eq!(save(&store, held, "token"), Saved::Kept);
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
        assert_eq!(save(&store, held, "token"), Saved::Kept);
        open_up(&directory.token_file(), 0o640);
        let error = store.load("tenant").wait().unwrap_err();
        assert_eq!(error.code(), "token_store_permissions");
        assert!(error.to_string().contains("chmod 600"), "{error}");
        for open in [0o755, 0o701, 0o770] {
            open_up(&directory.0, open);
            let error = FileTokenStore::open(&directory.0, clock.clone()).unwrap_err();
            assert_eq!(error.code(), "token_store_permissions");
            assert!(error.to_string().contains("chmod 700"), "{error}");
        }
        open_up(&directory.0, 0o700);
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
