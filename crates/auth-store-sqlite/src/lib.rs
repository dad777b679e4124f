//! Credentials and tokens in SQLite, for the processes of one machine.
