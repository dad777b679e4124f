//! A disk that is full, and one that cannot be written: a file system of the test's own, in a process of its own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use auth_core::{Error, Peer, RequestView, Secret, SystemClock, TenantId, Verifier};
use auth_lifecycle::{
    Actor, Commands, CredentialId, Kind, LifecycleStore, NewService, Registry, RegistryKeys, Role,
    Update,
};
use auth_session::TokenStore as _;
use auth_static::{ApiKeyVerifier, Placement};
use auth_store_sqlite::{SqliteDatabase, SqliteLifecycleStore};
use common::{Directory, close, tokens};
use http::{HeaderMap, HeaderValue, Method, Uri};
use std::{
    env, fs,
    fs::{File, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Where the file system of the test is, in the process that has it.
const DISK: &str = "AUTH_STORE_SQLITE_DISK";

/// Gives the directory on a small disk where this is the process that has it; else starts that process, and gives nothing.
fn on_a_small_disk(test: &str) -> Option<PathBuf> {
    if let Some(disk) = env::var_os(DISK) {
        return Some(disk.into());
    }
    let directory = Directory::new();
    let started = |what: &str| {
        let mut unshare = Command::new("unshare");
        // Its root is bound by permissions, as every other user is.
        let all = format!("mount -t tmpfs -o size=2m,mode=700 tmpfs \"${DISK}\" && {what}");
        unshare.args(["--map-root-user", "--mount", "sh", "-c", &all, "sh"]);
        unshare.arg(env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]);
        unshare.env(DISK, &directory.0).output()
    };
    let bound = "exec setpriv --bounding-set=-dac_override,-dac_read_search";
    if !started(&format!("{bound} true")).is_ok_and(|ended| ended.status.success()) {
        // Past the capture of output: a test that is skipped says so.
        let why = "skipped: unshare, setpriv or a mount of tmpfs is missing or not allowed\n";
        io::stderr().write_all(why.as_bytes()).unwrap();
        return None;
    }
    let ended = started(&format!("{bound} \"$@\"")).unwrap();
    let said = [ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(ended.status.success(), "{}", said.concat());
    assert!(said[0].contains("1 passed"), "{}", said.concat());
    None
}

/// A platform with one service, whose key is known.
struct Platform {
    store: SqliteLifecycleStore,
    registry: Registry,
    key: CredentialId,
    token: Secret,
    file: PathBuf,
}

impl Platform {
    fn open(disk: &Path) -> Self {
        let file = disk.join("auth.db");
        let store = SqliteDatabase::open(&file, SystemClock).unwrap().credentials();
        let keys = RegistryKeys::from_master(&Secret::new([7; 32])).unwrap();
        let registry = Registry::build(store.clone(), keys).finish().unwrap();
        let alice = Actor::new(TenantId::new("acme"), "alice", Role::Owner);
        let NewService { key, .. } =
            registry.by(&alice).create_service("alerts").wait().unwrap().unwrap();
        let (id, token) = (key.credential.id, key.secret.unwrap());
        Self { store, registry, key: id, token, file }
    }

    fn by(&self) -> Commands {
        self.registry.by(&Actor::new(TenantId::new("acme"), "alice", Role::Owner))
    }

    /// Is the caller with this token let in?
    fn lets_in(&self, token: &Secret) -> bool {
        let placement = Placement::header("key").unwrap();
        let (hasher, tokens) =
            (self.registry.token_hasher(), self.registry.tokens(&[Kind::ServiceKey]));
        let verifier = ApiKeyVerifier::new("messages", placement, hasher, tokens).unwrap();
        let door = self.registry.admit(verifier);
        let (uri, mut headers) = (Uri::from_static("/v1/messages"), HeaderMap::new());
        headers.insert("key", HeaderValue::from_bytes(token.expose()).unwrap());
        let peer = Peer { address: "192.0.2.7".parse().ok(), ..Peer::UNKNOWN };
        let request = RequestView::new(&Method::POST, &uri, &headers).with_peer(peer);
        door.verify(request).wait().unwrap().is_ok()
    }

    fn label(&self, label: &str) -> Result<(), Error> {
        let update = Update { label: Some(label.into()), ..Update::default() };
        self.by().once(label).update(&self.key, update).wait().map(|answer| drop(answer.unwrap()))
    }

    fn version(&self) -> u64 {
        self.by().dry_run(&self.key).wait().unwrap().unwrap().version
    }

    fn position(&self) -> u64 {
        self.store.position().wait().unwrap()
    }

    #[track_caller]
    fn check_refused(&self, error: &Error, code: &str, says: &str) {
        let (text, file) = (error.to_string(), self.file.to_string_lossy());
        assert_eq!(error.code(), code, "{text}");
        assert!(text.contains(&*file) && text.contains(says), "{text}");
    }
}

/// Takes all the room that is left.
fn fill(file: &Path) {
    let mut file = File::create(file).unwrap();
    for size in [4096, 1] {
        loop {
            match file.write_all(&vec![1; size]) {
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                written => written.unwrap(),
            }
        }
    }
}

/// "Audit sink full / read-only disk: state change refused, verification goes on."
#[test]
fn an_audit_sink_that_is_full_refuses_changes_of_state_and_verification_goes_on() {
    let test = "an_audit_sink_that_is_full_refuses_changes_of_state_and_verification_goes_on";
    let Some(disk) = on_a_small_disk(test) else { return };
    let platform = Platform::open(&disk);
    for round in 0..3 {
        let filler = disk.join("filler");
        fill(&filler);
        // What was written ahead is written anew in its place, as long as there is some.
        let refused = (0..1000).find_map(|n| {
            let before = (platform.position(), platform.version());
            let error = platform.label(&format!("{round} {n}")).err()?;
            Some((before, n, error))
        });
        let (before, n, error) = refused.unwrap();
        platform.check_refused(&error, "sqlite_disk_full", "make room");
        for _ in 0..3 {
            let error = platform.label(&format!("{round} {n}")).unwrap_err();
            platform.check_refused(&error, "sqlite_disk_full", "make room");
            let error = platform.by().reveal(&platform.key).wait().unwrap_err();
            platform.check_refused(&error, "sqlite_disk_full", "make room");
            assert!(platform.lets_in(&platform.token));
            assert!(!platform.lets_in(&Secret::from("a-key-that-nobody-has")));
        }
        // It is small, and may find room in what was left.
        if let Err(error) = platform.registry.flush_uses().wait() {
            platform.check_refused(&error, "sqlite_disk_full", "make room");
        }
        assert_eq!((platform.position(), platform.version()), before, "nothing is half done");
        fs::remove_file(filler).unwrap();
        // There is room, and the same command is done, once.
        for _ in 0..2 {
            platform.label(&format!("{round} {n}")).unwrap();
            assert_eq!((platform.position(), platform.version()), (before.0 + 1, before.1 + 1));
        }
        platform.registry.flush_uses().wait().unwrap();
        assert_eq!(platform.store.uses(&platform.key).wait().unwrap().len(), 1);
        platform.registry.verify_chain().wait().unwrap();
    }
}

/// A token of a new name: whether it is written, or why not.
fn write(database: &SqliteDatabase, name: &str) -> Result<(), Error> {
    tokens(database, "acme", 1).lease(name, Duration::from_secs(60)).wait().map(|lease| {
        assert!(lease.is_some(), "{name} was written before");
    })
}

#[track_caller]
fn check_named(what: &str, path: &Path, error: &Error, code: &str, says: &str) {
    let text = error.to_string();
    assert_eq!(error.code(), code, "{what}: {text}");
    assert!(text.contains(&*path.to_string_lossy()) && text.contains(says), "{what}: {text}");
}

/// What there is of it can be read where SQLite can read it; nothing is written, and nothing is left where none was.
#[test]
fn a_read_only_disk_refuses_changes_of_state_by_the_name_of_the_file() {
    let test = "a_read_only_disk_refuses_changes_of_state_by_the_name_of_the_file";
    let Some(disk) = on_a_small_disk(test) else { return };
    let directory = std::mem::ManuallyDrop::new(Directory(disk.clone()));
    let (file, none) = (disk.join("auth.db"), disk.join("none.db"));
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let mount = |how| {
        assert!(Command::new("mount").args(["-o", how]).arg(&disk).status().unwrap().success());
    };
    let refuse: [(&str, &dyn Fn()); 3] = [
        ("a file", &|| set(&file, 0o400)),
        ("a directory", &|| set(&disk, 0o500)),
        ("a disk", &|| mount("remount,ro")),
    ];
    for (what, refuse) in refuse {
        let database = SqliteDatabase::open(&file, SystemClock).unwrap();
        write(&database, what).unwrap();
        close(database, &directory);
        assert_eq!(directory.files(), std::slice::from_ref(&file), "{what}");
        refuse();
        match SqliteDatabase::open(&file, SystemClock) {
            Ok(database) => {
                for _ in 0..2 {
                    let error = write(&database, "refused").unwrap_err();
                    check_named(what, &file, &error, "sqlite_read_only", "make it writable");
                    assert_eq!(database.credentials().position().wait().unwrap(), 0);
                }
                close(database, &directory);
            }
            Err(error) => {
                check_named(what, &file, &error, "sqlite_read_only", "make it writable");
                assert_eq!(directory.files(), std::slice::from_ref(&file), "{what}");
            }
        }
        if what != "a file" {
            let error = SqliteDatabase::open(&none, SystemClock).unwrap_err();
            check_named(what, &none, &error, "sqlite_file", "writable");
        }
        if what == "a disk" {
            mount("remount,rw");
        }
        set(&file, 0o600);
        set(&disk, 0o700);
    }
    let database = SqliteDatabase::open(&file, SystemClock).unwrap();
    write(&database, "refused").unwrap();
}

#[test]
fn a_file_is_not_made_by_half_on_a_full_disk_and_made_once_there_is_room() {
    let test = "a_file_is_not_made_by_half_on_a_full_disk_and_made_once_there_is_room";
    let Some(disk) = on_a_small_disk(test) else { return };
    let directory = std::mem::ManuallyDrop::new(Directory(disk.clone()));
    let filler = disk.join("filler");
    fill(&filler);
    for room in (0..40).rev() {
        let length = fs::metadata(&filler).unwrap().len();
        let opened = SqliteDatabase::open(&directory.file(), SystemClock);
        let error = match opened {
            Err(error) => error,
            Ok(database) => {
                assert!(room < 39, "it was made on a full disk");
                fs::remove_file(filler).unwrap();
                return write(&database, "name").unwrap();
            }
        };
        check_named("a new file", &directory.file(), &error, "sqlite_disk_full", "make room");
        let aside = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "new");
        assert!(!directory.files().iter().any(aside), "{:?}", directory.files());
        File::options().write(true).open(&filler).unwrap().set_len(length - 4096).unwrap();
    }
    panic!("it was never made");
}
