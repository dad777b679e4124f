//! No statement of a store reads a whole table, however many rows there are.

use crate::{SqliteDatabase, fault::Fault};
use auth_core::SystemClock;
use rusqlite::params_from_iter;

/// The files that hold statements.
const SOURCES: [&str; 7] = [
    include_str!("commit.rs"),
    include_str!("commit/taken.rs"),
    include_str!("find.rs"),
    include_str!("lease.rs"),
    include_str!("ledger.rs"),
    include_str!("load.rs"),
    include_str!("uses.rs"),
];

/// What stands between quotes and begins like a statement that looks for rows.
fn statements() -> Vec<&'static str> {
    let quoted = |source: &'static str| source.split('"').skip(1).step_by(2);
    let looks =
        |text: &&str| ["SELECT ", "UPDATE ", "DELETE "].iter().any(|verb| text.starts_with(verb));
    SOURCES.into_iter().flat_map(quoted).filter(looks).collect()
}

#[test]
fn no_statement_reads_a_whole_table_or_sorts() {
    let statements = statements();
    assert!(statements.len() > 20, "{statements:?}");
    let database = SqliteDatabase::in_memory(SystemClock).unwrap();
    for sql in statements {
        let plan = database.read(move |connection| {
            let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let nulls = std::iter::repeat_n(None::<i64>, explain.parameter_count());
            let steps =
                explain.query_map(params_from_iter(nulls), |row| row.get::<_, String>(3))?;
            Ok::<_, Fault>(steps.collect::<Result<Vec<_>, _>>()?)
        });
        let plan = plan.wait().unwrap().unwrap();
        // The end of the ledger is the end of its table.
        let is_the_end = sql.ends_with("FROM events ORDER BY seq DESC LIMIT 1");
        let is_searched = plan.iter().all(|step| step.starts_with("SEARCH"));
        assert!(is_searched || is_the_end, "{sql}: {plan:?}");
    }
}
