//! The platform documents, statement by statement: the tests are in `tests/`, the wording in `statements.tsv`.
