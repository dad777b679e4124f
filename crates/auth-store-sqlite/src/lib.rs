//! Credentials and tokens in SQLite, for the processes of one machine.
//!
//! [`SqliteDatabase`] is one file that several processes may have open at a time: a server, its workers, a command line.
//!
//! [`SqliteDatabase::credentials`] is the [`LifecycleStore`](auth_lifecycle::LifecycleStore) of a platform that issues
//! credentials. Under a [`Registry`](auth_lifecycle::Registry), that is a whole platform: it makes keys, and knows them
//! again. No other service is needed, and no background but what the guide (`docs/guide/lifecycle.md`) calls each second.
//!
//! The directory of the file has to be there, owned by the user that the program runs as (or root), and writable by nobody
//! else: `install -d -m 700 -o platform /var/lib/platform`. The file is made when it is opened for the first time.
//!
//! ```
//! use auth_core::{Peer, RequestView, Secret, SystemClock, TenantId, Verifier};
//! use auth_lifecycle::{Actor, Kind, Registry, RegistryKeys, Role};
//! use auth_static::{ApiKeyVerifier, Placement};
//! use auth_store_sqlite::SqliteDatabase;
//! use http::{HeaderMap, HeaderValue, Method, Uri};
//!
//! # fn run(file: &std::path::Path, master: &Secret) -> Result<(), Box<dyn std::error::Error>> {
//! let database = SqliteDatabase::open(file, SystemClock)?;
//! let keys = RegistryKeys::from_master(master)?;
//! let registry = Registry::build(database.credentials(), keys).finish()?;
//!
//! // Alice makes a service. Its key is shown once.
//! let alice = Actor::new(TenantId::new("acme"), "alice", Role::Owner);
//! let made = registry.by(&alice).create_service("alerts").wait()??;
//! let key = made.key.secret.ok_or("a new key is shown")?;
//!
//! // The service calls, and its key is known.
//! let (hasher, tokens) = (registry.token_hasher(), registry.tokens(&[Kind::ServiceKey]));
//! let verifier = ApiKeyVerifier::new("messages", Placement::header("key")?, hasher, tokens)?;
//! let (uri, mut headers) = (Uri::from_static("/v1/messages"), HeaderMap::new());
//! headers.insert("key", HeaderValue::from_bytes(key.expose())?);
//! let request = RequestView::new(&Method::POST, &uri, &headers).with_peer(Peer::UNKNOWN);
//! let accepted = verifier.verify(request).wait()?.map_err(|_| "the key is good")?;
//! assert_eq!(*accepted.principal.caller().credential, *made.key.credential.id.as_str());
//! # Ok(())
//! # }
//! # let directory = std::env::temp_dir().join(format!("auth-store-sqlite-keys-{}", std::process::id()));
//! # std::fs::create_dir_all(&directory).unwrap();
//! # run(&directory.join("auth.db"), &Secret::new([7; 32])).unwrap();
//! # std::fs::remove_dir_all(&directory).unwrap();
//! ```
//!
//! [`SqliteDatabase::tokens`] gives the [`TokenStore`](auth_session::TokenStore) of one tenant, sealed by the key that it is
//! given: for a program that calls others, and whose processes share what they log in with.
//!
//! ```
//! use auth_core::{Secret, SystemClock, SystemRandom, TenantId};
//! use auth_session::{SaveOutcome, Sealer, TokenStore};
//! use auth_store_sqlite::SqliteDatabase;
//! use std::time::Duration;
//!
//! # fn open(file: &std::path::Path, key: &Secret) -> auth_core::Result<()> {
//! let database = SqliteDatabase::open(file, SystemClock)?;
//! let sealer = Sealer::new(key, SystemRandom::new())?;
//! let tokens = database.tokens(sealer, TenantId::new("acme"));
//! if let Some(lease) = tokens.lease("infobip", Duration::from_secs(60)).wait()? {
//!     let saved = tokens.save("infobip", lease, Some(&Secret::from("the token"))).wait()?;
//!     assert_eq!(saved, SaveOutcome::Kept);
//!     tokens.release("infobip", lease).wait()?;
//! }
//! # Ok(())
//! # }
//! # let directory = std::env::temp_dir().join(format!("auth-store-sqlite-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&directory).unwrap();
//! # open(&directory.join("auth.db"), &Secret::new([7; 32])).unwrap();
//! # std::fs::remove_dir_all(&directory).unwrap();
//! ```
//!
//! [`SqliteInbox`] is for receivers of webhooks: a table in the program's own database, whose handler has an effect once.
//!
//! # What a program can rely on
//!
//! - A change whose flow is done is on the disk: it outlives the process, and the machine's loss of power if its disk
//!   keeps what it was told to sync.
//! - A flow can be made and polled on any thread and in any runtime and blocks neither. A change that has begun is seen
//!   through though nobody polls its flow any more.
//! - Many changes that wait share one sync of the disk, and each of them fails alone.
//! - No more than a bounded number of calls wait; one beyond that gets `Error::Unavailable` with the code
//!   `sqlite_queue_full`.
//!
//! # What it does not do
//!
//! It is for one machine: a file on a network file system is not protected by the locks that SQLite needs. It makes no
//! backups: `sqlite3 auth.db ".backup copy.db"` makes one while servers run, and the master key is kept elsewhere. And a
//! process must not open the file in any other way while a database is open in it: closing such a file gives back the
//! locks of the whole process (POSIX), on which SQLite relies. To copy it, use another process.

mod column;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod crashes;
mod database;
mod fault;
mod inbox;
mod lifecycle;
mod tokens;

pub use database::SqliteDatabase;
pub use inbox::{SqliteInbox, TakenFromInbox};
pub use lifecycle::SqliteLifecycleStore;
/// The version of rusqlite whose connections a [`SqliteInbox`] takes.
pub use rusqlite;
pub use tokens::SqliteTokenStore;
