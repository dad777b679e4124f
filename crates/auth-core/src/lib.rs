//! The shapes of authentication on both ends of the wire, without I/O.
//!
//! For authors of schemes, adapters and stores. A program that only wants to authenticate requests starts with a
//! scheme's own crate, or with the facade `messaging-auth`.
//!
//! There is one idea: a scheme performs no I/O. It reads a [`RequestView`] and returns a [`Flow`], a future that may
//! already be done. Where it needs an exchange it was given a [`Transport`]. So one implementation serves async and
//! blocking callers, and a test plays the server with the specification's own dialogue.
//!
//! Two laws. The client: source, present, assess ([`TokenSource`], [`Authenticator`]). The server: parse, look up,
//! check ([`Authorization`], [`Lookup`], [`Verifier`]).
//!
//! What this crate does not do: it knows no scheme and no platform, opens no connection, reads no file, spawns nothing
//! and keeps no global state.
//!
//! # The modules, in reading order
//!
//! | | |
//! |---|---|
//! | flow, finish_even_if_dropped | work that may already be done; work that goes on though its caller goes away |
//! | transport, workers | the doors: to the network and to time passing, to long computations |
//! | request, request_memory, authority | what a scheme may read of a request, and remember of it between two attempts |
//! | credentials, stamp | what is added to a request, and by which state of which scheme |
//! | client, stack, origin_bound, origin, redirect | what adds them, what an answer means, and where one sends a request |
//! | route_settings | how an origin is reached, as the configuration of an operator says it |
//! | authenticate, answer_body_limit, send | the law that all client adapters share, and the client's whole loop over a transport |
//! | token, secret_source | what is obtained and expires; secrets that a configuration names |
//! | server, choice, once | what verifies, what is still to be checked or done then, several schemes at one door |
//! | challenge, challenges, parameter, authorization | the fields of RFC 9110 section 11, written and read |
//! | scan, scanner, reasons | looking at many bytes in each step; the grammar of fields; a list of reasons for refusals |
//! | bearer | what every scheme that is sent as Bearer reads and answers |
//! | rejection, error, text_for_log | the caller's fault; ours or the peer's; what a peer says of it |
//! | lookup, candidates, caller, tenant | what is known: the secrets that prove a caller, the caller, and its tenant |
//! | keyed_hash, limits, replay | finding keys that are not kept; how often one may guess; what was seen before |
//! | secret, clock, random, observer | bytes to hide; time and chance as values; what the owner sees |

mod already_hashed;
mod answer_body_limit;
mod authenticate;
mod authority;
mod authorization;
mod bearer;
mod caller;
mod candidates;
mod challenge;
mod challenges;
mod choice;
mod client;
mod clock;
mod credentials;
mod encode;
mod error;
mod finish_even_if_dropped;
mod flow;
mod keyed_hash;
mod limits;
mod lookup;
mod observer;
mod once;
mod origin;
mod origin_bound;
mod parameter;
mod random;
mod reasons;
mod redirect;
mod rejection;
mod replay;
mod request;
mod request_memory;
mod route_settings;
pub mod scan;
mod scanner;
mod secret;
mod secret_source;
mod send;
mod server;
mod stack;
mod stamp;
mod tenant;
mod text_for_log;
mod token;
mod transport;
mod workers;

pub use answer_body_limit::AnswerBodyLimit;
pub use authenticate::{PlainHttp, authenticate};
pub use authorization::{Authorization, one_field};
pub use bearer::{BearerRealm, bearer_token_refusal};
pub use caller::{Caller, Scopes};
pub use candidates::{Candidate, Candidates};
pub use challenge::{Challenge, ChallengeBuilder};
pub use challenges::{ChallengeView, Challenges};
pub use choice::{AnyOf, Precedence};
pub use client::{Answer, Authenticator, NextStep, RetryBudget, Verdict};
pub use clock::{Clock, SystemClock, Timestamp};
pub use credentials::{Credentials, UseCounter};
pub use error::{Cause, Error, Result};
pub use finish_even_if_dropped::finish_even_if_dropped;
pub use flow::Flow;
pub use keyed_hash::{KeyDigest, KeyHasher};
pub use limits::{
    Attempt, AttemptKey, AttemptLimit, AttemptOutcome, AttemptRate, Limits, MemoryAttemptLimits,
};
pub use lookup::Lookup;
pub use observer::{Event, HorizonOwner, Observer};
pub use once::{Once, ReplayRejections, SingleUse};
pub use origin::Origin;
pub use origin_bound::OriginBound;
pub use parameter::{Parameter, ParameterValue, Parameters};
pub use random::{Random, SystemRandom};
pub use redirect::{Redirect, Redirects};
pub use rejection::{Reason, Rejection, retry_after_seconds};
pub use replay::{
    MemoryReplayStore, ReplayOutcome, ReplayStore, ReservationOutcome, ReservationTicket, Unique,
};
pub use request::{Body, Hop, Need, Peer, RequestView};
pub use request_memory::RequestMemory;
pub use route_settings::RouteSettings;
pub use scanner::SyntaxError;
pub use secret::Secret;
pub use secret_source::SecretSource;
pub use send::send;
pub use server::{
    Accepted, AllOf, BodyCheck, CheckedContent, CheckedVerifier, Completion, HandlerReply, Map,
    Obligations, Outcome, Presence, ReleasedBytes, Verifier, VerifierFn, verifier_fn,
};
pub use stack::Stack;
pub use stamp::{Stamp, Stamper};
pub use tenant::{ConnectionId, TenantId};
pub use text_for_log::text_for_log;
pub use token::{Lifespan, PresentableToken, Refusal, Renewal, Succession, Token, TokenSource};
pub use transport::{Context, Exchange, Transport};
pub use workers::{InlineWorkers, Workers};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/own-scheme.md")]
mod own_scheme {}
