//! Deliveries that take effect once, in the handler's own transaction.

use auth_core::{Timestamp, Unique};
use rusqlite::{Connection, Transaction, params};

/// The identifiers of deliveries that have taken effect, in the database of the handler itself.
///
/// A webhook comes at least once: its sender repeats it when no answer came, and the process may have died in between. The
/// handler takes its identifier in the transaction in which it writes the effect. So either both are there, or neither is,
/// and a repetition finds the identifier.
///
/// It is a table of the program's own database, `auth_inbox`, which nothing else of this crate touches.
///
/// ```
/// use auth_core::{Clock, SystemClock, Unique};
/// use auth_store_sqlite::{SqliteInbox, TakenFromInbox, rusqlite::Connection};
/// use std::time::Duration;
///
/// let mut orders = Connection::open_in_memory()?;
/// orders.execute("CREATE TABLE orders (id INTEGER)", [])?;
/// let inbox = SqliteInbox::create(&orders)?;
///
/// // What a receiver of auth-webhook calls `delivery.unique()`.
/// let delivery = Unique::new("webhook", b"receipts", b"4711", SystemClock.now().after(Duration::from_secs(80 * 3600)));
/// for expected in [TakenFromInbox::First, TakenFromInbox::Again] {
///     let transaction = orders.transaction()?;
///     let taken = inbox.take(&transaction, &delivery)?;
///     if taken == TakenFromInbox::First {
///         transaction.execute("INSERT INTO orders VALUES (4711)", [])?;
///     }
///     transaction.commit()?;
///     assert_eq!(taken, expected);
/// }
/// let orders: u32 = orders.query_row("SELECT count(*) FROM orders", [], |row| row.get(0))?;
/// assert_eq!(orders, 1);
/// # Ok::<_, auth_store_sqlite::rusqlite::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SqliteInbox(());

/// Had the delivery taken effect before?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenFromInbox {
    /// No: write its effect now, and commit.
    First,
    /// Yes: there is nothing to do.
    Again,
}

impl SqliteInbox {
    /// Makes the table, if it is not there.
    ///
    /// # Errors
    ///
    /// Those of SQLite.
    pub fn create(connection: &Connection) -> rusqlite::Result<Self> {
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS auth_inbox (
                tenant TEXT NOT NULL,
                scheme TEXT NOT NULL,
                owner BLOB NOT NULL,
                id BLOB NOT NULL,
                until INTEGER NOT NULL,
                PRIMARY KEY (tenant, scheme, owner, id)
            ) STRICT, WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS auth_inbox_until ON auth_inbox (until);",
        )?;
        Ok(Self(()))
    }

    /// Takes the identifier of a delivery. Of two transactions that take the same, the second one waits for the first and
    /// finds what it committed.
    ///
    /// # Errors
    ///
    /// Those of SQLite. Roll back, and answer with a 5xx: the delivery comes again.
    pub fn take(
        &self,
        transaction: &Transaction<'_>,
        delivery: &Unique,
    ) -> rusqlite::Result<TakenFromInbox> {
        let tenant = delivery.tenant().map_or("", |tenant| tenant.as_str());
        let row = params![
            tenant,
            delivery.scheme(),
            delivery.owner(),
            delivery.id(),
            seconds(delivery.until())
        ];
        let text = "INSERT INTO auth_inbox VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        Ok(match transaction.prepare_cached(text)?.execute(row)? {
            0 => TakenFromInbox::Again,
            _ => TakenFromInbox::First,
        })
    }

    /// Forgets the identifiers that are remembered until before `now`; how many.
    ///
    /// # Errors
    ///
    /// Those of SQLite.
    pub fn purge(&self, connection: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
        connection.execute("DELETE FROM auth_inbox WHERE until < ?1", [seconds(now)])
    }
}

fn seconds(moment: Timestamp) -> i64 {
    i64::try_from(moment.unix()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::TenantId;
    use std::{path::PathBuf, thread, time::Duration};

    struct Stage(PathBuf);

    impl Stage {
        fn new(name: &str) -> Self {
            let file =
                std::env::temp_dir().join(format!("auth-inbox-{name}-{}", std::process::id()));
            let _ = std::fs::remove_file(&file);
            let stage = Self(file);
            let connection = stage.open();
            connection.execute("CREATE TABLE effects (id INTEGER)", []).unwrap();
            SqliteInbox::create(&connection).unwrap();
            stage
        }

        fn open(&self) -> Connection {
            let connection = Connection::open(&self.0).unwrap();
            connection.busy_timeout(Duration::from_secs(20)).unwrap();
            connection
        }

        fn effects(&self) -> u32 {
            self.open().query_row("SELECT count(*) FROM effects", [], |row| row.get(0)).unwrap()
        }
    }

    impl Drop for Stage {
        fn drop(&mut self) {
            for end in ["", "-wal", "-shm", "-journal"] {
                let _ = std::fs::remove_file(format!("{}{end}", self.0.display()));
            }
        }
    }

    fn delivery(tenant: &str, owner: &str, id: &str) -> Unique {
        let unique =
            Unique::new("webhook", owner.as_bytes(), id.as_bytes(), Timestamp::from_unix(1000));
        unique.with_tenant(TenantId::new(tenant))
    }

    /// The steps of a handler; it dies after so many.
    fn handle(stage: &Stage, unique: &Unique, steps: u32) {
        let mut connection = stage.open();
        let transaction = connection.transaction().unwrap();
        if steps < 1 {
            return;
        }
        let taken = SqliteInbox(()).take(&transaction, unique).unwrap();
        if steps < 2 {
            return;
        }
        if taken == TakenFromInbox::First {
            transaction.execute("INSERT INTO effects VALUES (1)", []).unwrap();
        }
        if steps < 3 {
            return;
        }
        transaction.commit().unwrap();
        // From here on it dies before its reply.
    }

    #[test]
    fn a_handler_that_dies_at_any_step_has_its_effect_once() {
        for died_after in 0..=3 {
            let stage = Stage::new(&format!("step-{died_after}"));
            let unique = delivery("acme", "receipts", "4711");
            handle(&stage, &unique, died_after);
            assert_eq!(stage.effects(), u32::from(died_after == 3));
            handle(&stage, &unique, 3);
            handle(&stage, &unique, 3);
            assert_eq!(stage.effects(), 1);
        }
    }

    #[test]
    fn of_many_that_take_one_delivery_at_once_one_is_first() {
        let stage = Stage::new("threads");
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut connection = stage.open();
                    for id in 0..50 {
                        let behavior = rusqlite::TransactionBehavior::Immediate;
                        let transaction = connection.transaction_with_behavior(behavior).unwrap();
                        let unique = delivery("acme", "receipts", &id.to_string());
                        if SqliteInbox(()).take(&transaction, &unique).unwrap()
                            == TakenFromInbox::First
                        {
                            transaction.execute("INSERT INTO effects VALUES (1)", []).unwrap();
                        }
                        transaction.commit().unwrap();
                    }
                });
            }
        });
        assert_eq!(stage.effects(), 50);
    }

    #[test]
    fn deliveries_are_told_apart_by_all_their_parts_and_forgotten_in_time() {
        let mut connection = Connection::open_in_memory().unwrap();
        let inbox = SqliteInbox::create(&connection).unwrap();
        let mut take = |unique: &Unique| {
            let transaction = connection.transaction().unwrap();
            let taken = inbox.take(&transaction, unique).unwrap();
            transaction.commit().unwrap();
            taken
        };
        for (tenant, owner, id) in
            [("a", "bc", "d"), ("ab", "c", "d"), ("a", "b", "cd"), ("a", "bcd", "")]
        {
            assert_eq!(
                take(&delivery(tenant, owner, id)),
                TakenFromInbox::First,
                "{tenant} {owner} {id}"
            );
            assert_eq!(take(&delivery(tenant, owner, id)), TakenFromInbox::Again);
        }
        // Two minutes beyond the last moment at which it is taken.
        assert_eq!(inbox.purge(&connection, Timestamp::from_unix(1120)).unwrap(), 0);
        assert_eq!(inbox.purge(&connection, Timestamp::from_unix(1121)).unwrap(), 4);
    }
}
