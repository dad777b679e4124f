//! What the door to the threads promises.

use super::{
    SqliteDatabase,
    queue::MOST_WAITING,
    schema::{APPLICATION_ID, VERSION},
};
use crate::fault::Fault;
use auth_core::{Error, Flow, SystemClock};
use rusqlite::Connection;
use std::{
    fs,
    future::Future,
    path::PathBuf,
    pin::Pin,
    process,
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering},
        mpsc::{self, Sender},
    },
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};

type Told<T> = Flow<'static, Result<T, Fault>>;

/// A database in a directory that is gone when it is dropped, with a table of numbers.
struct Tried {
    database: SqliteDatabase,
    directory: PathBuf,
}

impl Tried {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("auth-store-sqlite-unit-{}-{number}", process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory).unwrap();
        let database = SqliteDatabase::open(&directory.join("auth.db"), SystemClock).unwrap();
        Self::with_table(database, directory)
    }

    fn in_memory() -> Self {
        Self::with_table(SqliteDatabase::in_memory(SystemClock).unwrap(), PathBuf::new())
    }

    fn with_table(database: SqliteDatabase, directory: PathBuf) -> Self {
        let table = "CREATE TABLE numbers (n INTEGER PRIMARY KEY, bytes BLOB)";
        database
            .write(|transaction| Ok(transaction.execute_batch(table)?))
            .wait()
            .unwrap()
            .unwrap();
        Self { database, directory }
    }

    fn insert(&self, n: i64) -> Told<()> {
        self.database.write(move |transaction| insert(transaction, n))
    }

    fn numbers(&self) -> Vec<i64> {
        self.database.read(numbers).wait().unwrap().unwrap()
    }

    /// Keeps the thread that writes busy until something is sent.
    fn hold_writer(&self) -> (Sender<()>, Told<()>) {
        let (open, gate) = mpsc::channel();
        let (began, begun) = mpsc::channel();
        let held = begin(self.database.write(move |_| {
            began.send(()).unwrap();
            gate.recv().unwrap();
            Ok(())
        }));
        begun.recv().unwrap();
        (open, held)
    }
}

impl Drop for Tried {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn insert(transaction: &Connection, n: i64) -> Result<(), Fault> {
    transaction.execute("INSERT INTO numbers (n) VALUES (?)", [n])?;
    Ok(())
}

fn numbers(connection: &Connection) -> Result<Vec<i64>, Fault> {
    let mut select = connection.prepare("SELECT n FROM numbers ORDER BY n")?;
    let found = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(found)
}

/// Polled once.
fn begin<T>(mut flow: Told<T>) -> Told<T> {
    let polled = Pin::new(&mut flow).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    flow
}

/// What a caller was told: its value, or the code of the error.
fn told<T>(flow: Told<T>) -> Result<T, &'static str> {
    let path = PathBuf::from("auth.db");
    flow.wait().unwrap().map_err(|fault| fault.into_error(&path).code())
}

fn own_fault() -> Fault {
    Error::config("own", "the work itself fails").into()
}

#[test]
fn nobody_is_told_of_a_change_before_it_is_committed() {
    let tried = Tried::new();
    let (open_first, held) = tried.hold_writer();
    let mut inserted = begin(tried.insert(1));
    let (open_last, gate) = mpsc::channel::<()>();
    let (began, begun) = mpsc::channel();
    let last = begin(tried.database.write(move |transaction| {
        began.send(numbers(transaction)?).unwrap();
        gate.recv().unwrap();
        Ok(())
    }));
    open_first.send(()).unwrap();
    assert_eq!(begun.recv().unwrap(), [1], "the last shares the transaction of the first");
    assert_eq!(tried.numbers(), [0; 0], "and others see nothing of it");
    let polled = Pin::new(&mut inserted).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    open_last.send(()).unwrap();
    assert_eq!((told(inserted), told(held), told(last)), (Ok(()), Ok(()), Ok(())));
    assert_eq!(tried.numbers(), [1]);
}

#[test]
fn what_fails_is_rolled_back_alone() {
    for tried in [Tried::new(), Tried::in_memory()] {
        let (open, held) = tried.hold_writer();
        let [first, last] = [1, 5].map(|n| begin(tried.insert(n)));
        let fails = begin(tried.database.write(|transaction| {
            insert(transaction, 2)?;
            Err::<(), _>(own_fault())
        }));
        let panics = begin(tried.database.write(|transaction| -> Result<(), Fault> {
            insert(transaction, 3)?;
            panic!("a bug")
        }));
        let twice = begin(tried.database.write(|transaction| {
            insert(transaction, 4)?;
            insert(transaction, 1)
        }));
        open.send(()).unwrap();
        assert_eq!(
            [told(held), told(first), told(fails), told(panics), told(twice), told(last)],
            [Ok(()), Ok(()), Err("own"), Err("sqlite_panicked"), Err("sqlite_statement"), Ok(())]
        );
        assert_eq!(tried.numbers(), [1, 5]);
    }
}

/// Whatever was told before it, since it may have read what then was not committed.
#[test]
fn a_commit_that_fails_is_unknown_to_all_who_share_it_and_to_nobody_else() {
    let tried = Tried::new();
    let deferred =
        "CREATE TABLE deferred (n INTEGER REFERENCES numbers DEFERRABLE INITIALLY DEFERRED)";
    let made = tried.database.write(|transaction| Ok(transaction.execute_batch(deferred)?));
    assert_eq!(told(made), Ok(()));
    let (open, held) = tried.hold_writer();
    let shares = begin(tried.insert(1));
    let fails = begin(tried.database.write(|transaction| {
        transaction.execute("INSERT INTO deferred VALUES (9)", [])?;
        Ok(())
    }));
    let own = begin(tried.database.write(|_| Err::<(), _>(own_fault())));
    open.send(()).unwrap();
    for flow in [held, shares, fails, own] {
        assert_eq!(told(flow), Err("sqlite_commit_unknown"));
    }
    assert_eq!(tried.numbers(), [0; 0]);
    assert_eq!(told(tried.insert(2)), Ok(()));
}

#[test]
fn as_many_wait_as_may_and_the_next_is_told_when_to_come_again() {
    let tried = Tried::new();
    let (open, held) = tried.hold_writer();
    let waiting: Vec<_> =
        (0..MOST_WAITING).map(|n| begin(tried.insert(i64::try_from(n).unwrap()))).collect();
    let refused = tried.insert(-1).wait().unwrap().unwrap_err();
    let error = refused.into_error(tried.database.path());
    assert!(
        matches!(&error, Error::Unavailable { retry_after: Some(after), .. } if !after.is_zero()),
        "{error}"
    );
    assert_eq!(error.code(), "sqlite_queue_full");
    assert_eq!(tried.numbers(), [0; 0], "who reads has a queue of its own");
    open.send(()).unwrap();
    assert_eq!(told(held), Ok(()));
    assert!(waiting.into_iter().all(|flow| told(flow).is_ok()));
    assert_eq!(tried.numbers().len(), MOST_WAITING);
}

#[test]
fn what_was_begun_is_done_though_nobody_waits_and_what_was_not_is_not() {
    let tried = Tried::new();
    let (open, held) = tried.hold_writer();
    drop(tried.insert(1));
    drop(begin(tried.insert(2)));
    open.send(()).unwrap();
    drop(held);
    assert_eq!(told(tried.insert(3)), Ok(()));
    assert_eq!(tried.numbers(), [2, 3]);
}

/// The last handle is gone before the thread comes to the work.
#[test]
fn what_was_begun_is_done_though_the_database_is_dropped() {
    let tried = Tried::new();
    let path = tried.database.path().to_owned();
    let (open, held) = tried.hold_writer();
    drop((begin(tried.insert(1)), held));
    let database = SqliteDatabase::open(&path, SystemClock).unwrap();
    let tried = Tried { directory: tried.directory.clone(), database };
    // The first one's directory went with it, unless it was still open: so look through the second.
    open.send(()).unwrap();
    let began = Instant::now();
    while tried.database.read(numbers).wait().unwrap().map_or(true, |numbers| numbers != [1]) {
        assert!(began.elapsed() < Duration::from_secs(10), "it was never done");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_flow_may_go_from_thread_to_thread_and_blocks_none() {
    let tried = Tried::new();
    let (open, held) = tried.hold_writer();
    let began = Instant::now();
    let polled = begin(tried.insert(1));
    assert!(began.elapsed() < Duration::from_secs(1));
    let waiting = thread::spawn(|| told(polled));
    open.send(()).unwrap();
    assert_eq!(waiting.join().unwrap(), Ok(()));
    assert_eq!(told(held), Ok(()));
}

#[test]
fn work_that_panics_stops_no_thread() {
    for tried in [Tried::new(), Tried::in_memory()] {
        for n in 0..8 {
            let reads = tried.database.read(|_| -> Result<(), Fault> { panic!("a bug") });
            assert_eq!(told(reads), Err("sqlite_panicked"));
            let writes = tried.database.write(|_| -> Result<(), Fault> { panic!("a bug") });
            assert_eq!(told(writes), Err("sqlite_panicked"));
            assert_eq!(told(tried.insert(n)), Ok(()));
        }
        assert_eq!(tried.numbers().len(), 8);
    }
}

#[test]
fn who_reads_sees_one_moment_and_changes_nothing() {
    let tried = Tried::new();
    let (open, gate) = mpsc::channel::<()>();
    let (began, begun) = mpsc::channel();
    let reads = begin(tried.database.read(move |connection| {
        let before = numbers(connection)?;
        began.send(()).unwrap();
        gate.recv().unwrap();
        Ok((before, numbers(connection)?))
    }));
    begun.recv().unwrap();
    assert_eq!(told(tried.insert(1)), Ok(()));
    assert_eq!(tried.numbers(), [1], "another reader sees it at once");
    open.send(()).unwrap();
    assert_eq!(told(reads), Ok((vec![], vec![])));
    let changes = tried.database.read(|connection| insert(connection, 2));
    assert_eq!(told(changes), Err("sqlite_read_only"));
}

/// Another connection has the lock, as another process would.
#[test]
fn a_lock_is_waited_for_and_not_for_ever() {
    let tried = Tried::new();
    let other = Connection::open(tried.database.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waits = begin(tried.insert(1));
    assert_eq!(tried.numbers(), [0; 0], "who reads does not wait");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(told(waits), Ok(()));
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    assert_eq!(told(tried.insert(2)), Err("sqlite_busy"));
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(told(tried.insert(3)), Ok(()));
    assert_eq!(tried.numbers(), [1, 3]);
}

/// Each has a connection of its own, as two processes have.
#[test]
fn who_writes_without_end_leaves_their_turn_to_others() {
    let tried = Tried::new();
    let other = SqliteDatabase::open(tried.database.path(), SystemClock).unwrap();
    let is_over = AtomicBool::new(false);
    let slowest = thread::scope(|scope| {
        // Their queue is never empty.
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let n = |connection: &Connection| {
                    connection.execute("INSERT INTO numbers DEFAULT VALUES", [])?;
                    Ok(())
                };
                let mut flow = tried.database.write(n);
                let polled = Pin::new(&mut flow).poll(&mut Context::from_waker(Waker::noop()));
                if polled.is_ready() {
                    thread::yield_now();
                }
            }
        });
        while tried.numbers().is_empty() {
            thread::yield_now();
        }
        let turns = (0..40).map(|n| {
            let began = Instant::now();
            assert_eq!(told(other.write(move |connection| insert(connection, -1 - n))), Ok(()));
            began.elapsed()
        });
        let slowest = turns.max().unwrap();
        is_over.store(true, Ordering::Relaxed);
        slowest
    });
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

/// Told that it is kept if and only if it is, also by those that share the transaction.
#[test]
fn a_full_disk_and_a_file_that_cannot_be_written_are_told_apart() {
    let tried = Tried::new();
    let set = |pragma: &'static str| {
        told(
            tried
                .database
                .write(move |connection| connection.query_row(pragma, [], |_| Ok(())).or(Ok(()))),
        )
    };
    assert_eq!(set("PRAGMA max_page_count = 8"), Ok(()));
    let (open, held) = tried.hold_writer();
    let before = begin(tried.insert(1));
    let large = begin(tried.database.write(|transaction| {
        let sql = "INSERT INTO numbers VALUES (2, zeroblob(1000000))";
        transaction.execute(sql, [])?;
        Ok(())
    }));
    let after = begin(tried.insert(3));
    open.send(()).unwrap();
    assert_eq!(told(large), Err("sqlite_disk_full"));
    let kept: Vec<_> = [(before, 1), (after, 3)]
        .into_iter()
        .filter_map(|(flow, n)| told(flow).is_ok().then_some(n))
        .collect();
    assert_eq!(tried.numbers(), kept);
    drop(held);
    assert_eq!(set("PRAGMA max_page_count = 10000"), Ok(()));
    assert_eq!(set("PRAGMA query_only = on"), Ok(()));
    assert_eq!(told(tried.insert(4)), Err("sqlite_read_only"));
}

#[test]
fn every_connection_is_told_all_settings() {
    let settings = |connection: &Connection| {
        let names = [
            "application_id",
            "user_version",
            "synchronous",
            "secure_delete",
            "foreign_keys",
            "trusted_schema",
            "cell_size_check",
            "mmap_size",
            "fullfsync",
            "checkpoint_fullfsync",
            "temp_store",
        ];
        let value = |name| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0));
        let mode =
            connection.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0))?;
        Ok((mode, names.map(value).into_iter().collect::<Result<Vec<i64>, _>>()?))
    };
    let tried = Tried::new();
    let expected =
        (String::from("wal"), vec![APPLICATION_ID.into(), VERSION, 2, 1, 1, 0, 1, 0, 1, 1, 2]);
    assert_eq!(told(tried.database.read(settings)), Ok(expected.clone()));
    assert_eq!(told(tried.database.write(settings)), Ok(expected));
}
