//! Tokens kept through storms and outages: one log-in for all callers, renewed ahead of time, served while it lives.
//!
//! For programs that call an API with tokens that expire. A scheme obtains them ([`TokenSource`]) and
//! says what an answer means for them ([`PresentableToken`]); a [`Session`] keeps them, and is an
//! [`Authenticator`] for async and blocking callers alike.
//!
//! | | |
//! |---|---|
//! | [`Session`] | keeps the token of one source, for everybody who shares it |
//! | [`SessionPool`] | one session for each of many keys, in bounded memory of which each tenant has a share |
//! | [`Flight`], [`FlightWatch`] | work that is done once for all callers that wait for it |
//! | [`Stored`], [`TokenStore`], [`StorableToken`], [`Intent`] | tokens that outlive the process and are shared by several |
//! | [`Sealer`] | encrypts what a store keeps |
//! | [`LearnedClock`] | a clock that a server may put right |
//! | [`retry_after`] | the pause that a peer asks for |
//!
//! # What it does not do
//!
//! It knows no scheme and no status code, opens no connection, and spawns nothing: what is to run in the background is
//! handed to the [`Transport`], and where there is none one caller carries it.
//!
//! ```
//! use auth_core::{Answer, Authenticator, Context, Credentials, Flow, Lifespan, PresentableToken, Refusal, Renewal, RequestView};
//! use auth_core::{Result, Token, TokenSource, bearer_token_refusal};
//! use auth_session::Session;
//!
//! #[derive(Clone)]
//! struct Ticket(&'static str);
//!
//! impl Token for Ticket {
//!     fn lifespan(&self) -> Lifespan {
//!         Lifespan::Unknown // until it is refused
//!     }
//! }
//!
//! impl PresentableToken for Ticket {
//!     fn credentials(&self) -> Result<Credentials> {
//!         let (name, value) = (http::HeaderName::from_static("ticket"), http::HeaderValue::from_static(self.0));
//!         Credentials::header(name, value)
//!     }
//!
//!     fn refusal(answer: Answer<'_>) -> Option<Refusal> {
//!         bearer_token_refusal(answer)
//!     }
//! }
//!
//! struct Office;
//!
//! impl TokenSource for Office {
//!     type Token = Ticket;
//!
//!     fn token<'a>(&'a self, _: &'a Context, _: Renewal<Ticket>) -> Flow<'a, Ticket> {
//!         Flow::ready(Ticket("one")) // in real life an exchange over the context's transport
//!     }
//! }
//!
//! # fn with(transport: impl auth_core::Transport + 'static) -> Result<()> {
//! let session = Session::new(Office, Context::new(transport)).with_name("office");
//! # let _: &dyn Authenticator = &session;
//! # Ok(())
//! # }
//! ```

mod flight;
mod kept_token;
mod learned;
mod obtain;
mod pool;
mod present;
mod refusers;
mod remaining;
mod retry_after;
mod schedule;
mod sealer;
mod session;
mod state;
mod store;
mod stored;
mod sync;
mod uses;

// What the signatures of this crate need of `auth-core`, so that a program can depend on this crate alone.
pub use auth_core::{
    Answer, Authenticator, Cause, Clock, ConnectionId, Context, Credentials, Error, Event,
    Exchange, Flow, Lifespan, Need, Observer, Origin, OriginBound, PresentableToken, Random,
    Refusal, Renewal, RequestView, Result, Secret, Stack, Stamp, Succession, SystemClock,
    SystemRandom, TenantId, Timestamp, Token, TokenSource, Transport, Verdict, send,
};

pub use flight::{Flight, FlightWatch};
pub use learned::{ClockLesson, LearnedClock};
pub use pool::SessionPool;
pub use retry_after::retry_after;
pub use sealer::{SealedFor, Sealer};
pub use session::{CurrentToken, Session};
pub use store::{
    Intent, Lease, MemoryTokenStore, SaveOutcome, SessionHeldElsewhere, StorableToken, StoredEntry,
    TokenStore,
};
pub use stored::{Stored, StoredToken, TokenNotSaved};
