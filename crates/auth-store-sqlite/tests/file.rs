//! Which files are opened, which are refused, and what is left of those.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use auth_core::{Secret, SystemClock, TenantId, Timestamp};
use auth_lifecycle::{Commit, EventName, Happening, LifecycleStore, Role};
use auth_session::TokenStore;
use auth_store_sqlite::SqliteDatabase;
use common::{Directory, bytes, close, foreign, open_files, tokens, wait_until};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::Barrier,
    thread,
    time::Duration,
};

const HOLD: Duration = Duration::from_secs(60);

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut beside = file.as_os_str().to_owned();
    beside.push(ending);
    beside.into()
}

/// A database that has been used, and is closed.
fn used() -> Directory {
    let directory = Directory::new();
    let database = directory.open(SystemClock);
    tokens(&database, "acme", 1).lease("name", HOLD).wait().unwrap();
    close(database, &directory);
    directory
}

#[track_caller]
fn check_refused(directory: &Directory, code: &str, says: &str) {
    let (refused, text) = directory.refused();
    assert_eq!(refused, code, "{text}");
    assert!(text.contains(says) && text.contains(&*directory.0.to_string_lossy()), "{text}");
    wait_until("it is closed", || open_files(&directory.0) == 0);
}

#[test]
fn all_files_of_a_database_belong_to_their_owner_alone() {
    let directory = Directory::new();
    let database = directory.open(SystemClock);
    tokens(&database, "acme", 1).lease("name", HOLD).wait().unwrap();
    let mut modes = directory.files();
    modes.sort();
    let names: Vec<_> =
        modes.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["auth.db", "auth.db-shm", "auth.db-wal"]);
    assert!(modes.iter().all(|file| mode(file) == 0o600), "{modes:?}");
}

/// And so is what SQLite would read as a part of it.
#[test]
fn a_file_that_others_can_open_is_refused() {
    let directory = used();
    for open in [0o640, 0o604, 0o660, 0o601] {
        set_mode(&directory.file(), open);
        check_refused(&directory, "sqlite_permissions", "chmod 600");
    }
    set_mode(&directory.file(), 0o600);
    for ending in ["-wal", "-shm", "-journal"] {
        let beside = beside(&directory.file(), ending);
        fs::write(&beside, "").unwrap();
        set_mode(&beside, 0o644);
        check_refused(&directory, "sqlite_permissions", ending);
        fs::remove_file(&beside).unwrap();
        symlink(directory.0.join("elsewhere"), &beside).unwrap();
        check_refused(&directory, "sqlite_symlink", ending);
        fs::remove_file(&beside).unwrap();
    }
    directory.open(SystemClock);
}

#[test]
fn a_directory_in_which_others_can_put_files_is_refused() {
    let directory = used();
    for open in [0o770, 0o722, 0o1777] {
        set_mode(&directory.0, open);
        check_refused(&directory, "sqlite_directory_permissions", "chmod go-w");
    }
    set_mode(&directory.0, 0o755);
    directory.open(SystemClock);
}

#[test]
fn a_symbolic_link_and_what_is_no_file_are_refused() {
    let directory = used();
    let elsewhere = directory.0.join("elsewhere.db");
    fs::rename(directory.file(), &elsewhere).unwrap();
    symlink(&elsewhere, directory.file()).unwrap();
    check_refused(&directory, "sqlite_symlink", "symbolic link");
    fs::remove_file(&elsewhere).unwrap();
    check_refused(&directory, "sqlite_symlink", "symbolic link");
    assert!(!elsewhere.exists(), "nothing is made behind a link");
    fs::remove_file(directory.file()).unwrap();
    fs::create_dir(directory.file()).unwrap();
    check_refused(&directory, "sqlite_no_file", "no file");
}

#[test]
fn the_file_and_the_directory_of_another_user_are_refused() {
    let directory = used();
    if chown(directory.file(), Some(12_345), None).is_err() {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    check_refused(&directory, "sqlite_owner", "belongs to user 12345");
    let directory = used();
    chown(&directory.0, Some(12_345), None).unwrap();
    check_refused(&directory, "sqlite_directory_owner", "belongs to user 12345");
}

#[test]
fn a_path_without_a_directory_or_a_name_is_refused() {
    let directory = Directory::new();
    for path in [directory.0.join("missing/auth.db"), directory.0.join("..")] {
        let error = SqliteDatabase::open(&path, SystemClock).unwrap_err();
        assert!(["sqlite_file", "sqlite_no_file_name"].contains(&error.code()), "{error}");
    }
}

/// SQLite takes a name that begins with `file:` for a URI, and a question mark in one for its settings.
#[test]
fn any_name_is_the_name_of_a_file() {
    let directory = Directory::new();
    for name in ["file:memory?mode=memory", "a b%41#?immutable=1", ":memory:", "\u{1f511}'.db"] {
        let path = directory.0.join(name);
        let database = SqliteDatabase::open(&path, SystemClock).unwrap();
        tokens(&database, "acme", 1).lease("name", HOLD).wait().unwrap();
        assert!(path.is_file(), "{name}");
        close(database, &directory);
        let again = SqliteDatabase::open(&path, SystemClock).unwrap();
        let lease = tokens(&again, "acme", 1).lease("name", HOLD).wait().unwrap();
        assert!(lease.is_none(), "it is the same file: {name}");
        close(again, &directory);
    }
}

/// Neither its bytes nor what lies beside it change, whatever was left there.
#[test]
fn a_file_that_is_not_ours_is_refused_and_not_touched() {
    type Made = (&'static str, fn(&Path));
    let make: [Made; 6] = [
        ("another program", |file| {
            foreign(file).execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
        }),
        ("another program", |file| {
            let sql = "PRAGMA application_id = 7; PRAGMA journal_mode = wal; CREATE TABLE t (x)";
            foreign(file).execute_batch(sql).unwrap();
        }),
        ("another program", |file| {
            // Written ahead, and left there by a program that was killed.
            let connection = foreign(file);
            connection.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (x)").unwrap();
            let written = [file.to_owned(), beside(file, "-wal")].map(|file| (bytes(&file), file));
            drop(connection);
            for (bytes, file) in written {
                fs::write(&file, bytes).unwrap();
                set_mode(&file, 0o600);
            }
        }),
        ("another program", |file| fs::write(file, "").unwrap()),
        ("no database", |file| fs::write(file, "a letter of a hundred bytes ".repeat(4)).unwrap()),
        ("no database", |file| fs::write(file, [0; 8192]).unwrap()),
    ];
    for (says, make) in make {
        let directory = Directory::new();
        make(&directory.file());
        set_mode(&directory.file(), 0o600);
        let all = || {
            let mut files: Vec<_> =
                directory.files().into_iter().map(|file| (bytes(&file), file)).collect();
            files.sort();
            files
        };
        let before = all();
        check_refused(&directory, "sqlite_foreign", says);
        assert_eq!(all(), before);
    }
}

/// The machine stopped while what was written ahead was brought into the file: the file alone is not whole, and both are.
#[test]
fn a_file_is_opened_whose_checkpoint_was_cut_off() {
    let damage: [fn(&mut Vec<u8>); 4] = [
        |_| (),
        |file| file.truncate(4096),
        |file| file[..4096].fill(0),
        |file| file[4096..].fill(0x5a),
    ];
    for (case, damage) in damage.into_iter().enumerate() {
        let (directory, cut) = (Directory::new(), Directory::new());
        let database = directory.open(SystemClock);
        let store = tokens(&database, "acme", 1);
        let lease = store.lease("name", HOLD).wait().unwrap().unwrap();
        let token = Secret::new([7; 20_000]);
        store.save("name", lease, Some(&token)).wait().unwrap();
        for ending in ["", "-wal"] {
            let mut bytes = bytes(&beside(&directory.file(), ending));
            if ending.is_empty() {
                damage(&mut bytes);
            }
            let copy = beside(&cut.file(), ending);
            fs::write(&copy, bytes).unwrap();
            set_mode(&copy, 0o600);
        }
        let entry = tokens(&cut.open(SystemClock), "acme", 1).load("name").wait().unwrap().unwrap();
        assert!(entry.token.unwrap().matches(token.expose()), "case {case}");
    }
}

#[test]
fn a_newer_schema_is_refused_by_name() {
    let directory = used();
    let connection = foreign(&directory.file());
    connection.execute_batch("PRAGMA user_version = 7; DROP TABLE tokens").unwrap();
    drop(connection);
    let before = bytes(&directory.file());
    check_refused(&directory, "sqlite_schema_newer", "schema version 7");
    assert_eq!(bytes(&directory.file()), before);
}

/// One that runs on neither reads nor writes tables that it does not know.
/// As the first version of this library left it: with the table of tokens alone.
#[test]
fn a_file_of_an_older_version_is_brought_up_to_date_and_keeps_what_it_has() {
    let directory = Directory::new();
    let database = directory.open(SystemClock);
    let store = tokens(&database, "acme", 1);
    let lease = store.lease("name", HOLD).wait().unwrap().unwrap();
    store.save("name", lease, Some(&Secret::from("kept"))).wait().unwrap();
    drop(store);
    close(database, &directory);
    let connection = foreign(&directory.file());
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'tokens'";
    let mut select = connection.prepare(sql).unwrap();
    let tables: Vec<String> =
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(!tables.is_empty());
    for table in tables {
        let sql = format!("PRAGMA foreign_keys = off; DROP TABLE {table}; PRAGMA user_version = 1");
        connection.execute_batch(&sql).unwrap();
    }
    drop(select);
    drop(connection);
    let database = directory.open(SystemClock);
    assert_eq!(database.credentials().position().wait().unwrap(), 0);
    let kept = tokens(&database, "acme", 1).load("name").wait().unwrap().unwrap();
    assert!(kept.token.unwrap().matches(b"kept"));
}

/// As the second version left it: a ledger in which no tenant's events are numbered.
#[test]
fn the_events_of_each_tenant_are_numbered_in_a_file_that_had_them_before() {
    let directory = Directory::new();
    let database = directory.open(SystemClock);
    let store = database.credentials();
    for tenant in ["acme", "globex", "acme", "acme \"the other\"", "acme"] {
        let commit = Commit { events: vec![event(tenant)], ..Commit::default() };
        store.commit(commit).wait().unwrap();
    }
    let read = |store: &dyn LifecycleStore| {
        let of = |tenant| store.events_of(&TenantId::new(tenant), 0, 9).wait().unwrap();
        ["acme", "globex", "acme \"the other\""].map(of)
    };
    let before = read(&store);
    assert_eq!(before.each_ref().map(Vec::len), [3, 1, 1]);
    drop(store);
    close(database, &directory);
    let connection = foreign(&directory.file());
    let sql = "PRAGMA foreign_keys = off; DROP TABLE tenant_events; PRAGMA user_version = 2";
    connection.execute_batch(sql).unwrap();
    drop(connection);
    let store = directory.open(SystemClock).credentials();
    assert_eq!(read(&store), before);
    // The next event of a tenant goes on with its numbers.
    let commit = Commit { events: vec![event("acme")], ..Commit::default() };
    store.commit(commit).wait().unwrap();
    let last = store.events_of(&TenantId::new("acme"), 3, 9).wait().unwrap();
    assert_eq!(last.iter().map(|event| event.number).collect::<Vec<_>>(), [4]);
}

fn event(tenant: &str) -> Happening {
    Happening {
        tenant: TenantId::new(tenant),
        service: None,
        group: None,
        credential: None,
        name: EventName::ActedAsService,
        at: Timestamp::from_unix(1),
        actor: "alice".into(),
        role: Role::Owner,
        cause: "".into(),
        states: None,
        detail: String::new(),
        touched: Vec::new(),
    }
}

#[test]
fn a_program_stops_when_a_newer_one_has_changed_the_schema() {
    let directory = Directory::new();
    let database = directory.open(SystemClock);
    let store = tokens(&database, "acme", 1);
    assert!(store.lease("name", HOLD).wait().unwrap().is_some());
    // By another process, since this one must not open the file twice.
    let newer =
        "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA user_version = 7')";
    let changed = Command::new("python3").args(["-c", newer]).arg(directory.file()).status();
    if !changed.is_ok_and(|status| status.success()) {
        eprintln!("skipped: python3 with sqlite3 is not installed");
        return;
    }
    let code = |error: auth_core::Error| error.code();
    assert_eq!(store.load("name").wait().map(drop).map_err(code), Err("sqlite_schema_newer"));
    assert_eq!(store.lease("name", HOLD).wait().map_err(code), Err("sqlite_schema_newer"));
}

#[test]
fn a_damaged_file_is_named() {
    let directory = used();
    let whole = bytes(&directory.file());
    // The first page of the tables, and the table of all tables.
    for (at, until) in [(100, 4096), (4096, whole.len())] {
        let mut damaged = whole.clone();
        damaged[at..until].fill(0x5a);
        fs::write(directory.file(), &damaged).unwrap();
        let opened = SqliteDatabase::open(&directory.file(), SystemClock);
        let used = opened.and_then(|database| {
            let loaded = tokens(&database, "acme", 1).load("name").wait().map(drop);
            close(database, &directory);
            loaded
        });
        let error = used.unwrap_err();
        assert_eq!(error.code(), "sqlite_corrupt", "{error}");
        assert!(error.to_string().contains("auth.db"), "{error}");
    }
}

#[test]
fn a_file_that_is_replaced_while_it_is_open_is_not_written_any_more() {
    let directory = Directory::new();
    let database = directory.open(SystemClock);
    let store = tokens(&database, "acme", 1);
    let lease = store.lease("name", HOLD).wait().unwrap().unwrap();
    let kept = directory.0.join("kept");
    fs::rename(directory.file(), &kept).unwrap();
    for _ in 0..2 {
        let error = store.release("name", lease).wait().unwrap_err();
        assert_eq!(error.code(), "sqlite_replaced");
        let error = store.load("name").wait().unwrap_err();
        assert_eq!(error.code(), "sqlite_replaced");
        fs::write(directory.file(), "").unwrap();
    }
    fs::rename(&kept, directory.file()).unwrap();
    store.release("name", lease).wait().unwrap();
}

/// Twice in one process, and closed once: the locks of the other hold.
#[test]
fn many_who_open_a_new_file_at_once_have_the_same_database() {
    for _ in 0..10 {
        let (directory, barrier) = (Directory::new(), Barrier::new(4));
        let open = || {
            barrier.wait();
            let database = directory.open(SystemClock);
            tokens(&database, "acme", 1).lease("name", HOLD).wait().unwrap()
        };
        let leases: Vec<_> = thread::scope(|scope| {
            let opening: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            opening.into_iter().map(|opening| opening.join().unwrap()).collect()
        });
        assert_eq!(leases.iter().flatten().count(), 1, "{leases:?}");
        wait_until("all are closed", || open_files(&directory.0) == 0);
        let aside = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "new");
        assert!(!directory.files().iter().any(aside), "{:?}", directory.files());
    }
}

/// So a copy of that file is a copy of all of it.
#[test]
fn a_database_that_is_closed_is_one_file() {
    let directory = Directory::new();
    for n in 0..50 {
        let database = directory.open(SystemClock);
        let store = tokens(&database, "acme", 1);
        store.lease(&n.to_string(), HOLD).wait().unwrap();
        drop(store);
        close(database, &directory);
        assert_eq!(directory.files(), [directory.file()]);
    }
}

/// Threads and files end with the last handle, and what was begun is done before.
#[test]
fn nothing_is_left_of_a_database_that_is_dropped() {
    let directory = Directory::new();
    for _ in 0..20 {
        let database = directory.open(SystemClock);
        let other = database.clone();
        let store = tokens(&other, "acme", 1);
        drop((database, other));
        store.lease("name", HOLD).wait().unwrap();
        assert!(open_files(&directory.0) > 0, "a store is a handle too");
        drop(store);
    }
    wait_until("all are closed", || open_files(&directory.0) == 0);
}
