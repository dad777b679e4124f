//! HTTP Digest on both ends: RFC 7616, and RFC 2617 and 2069 before it.
//!
//! For programs that call a server which asks for Digest, and for servers and webhook receivers that ask for it: where a
//! peer wants it, or where a password must not be sent and neither side can have keys.
//!
//! | | |
//! |---|---|
//! | [`Digest`], [`ChallengePolicy`], [`DigestPreset`] | the client: answers challenges, and from then on before it is asked |
//! | [`DigestVerifier`], [`DigestAccounts`], [`Nonces`] | the server: asks, and verifies what it is answered |
//! | [`DigestQuery`], [`DigestUserRecord`] | what a look-up of your own is asked, and what it may answer: an authority gives one session |
//! | [`DigestChallenge`], [`DigestResponse`], [`AuthenticationInfo`] | the three fields, read and written |
//! | [`Ha1`], [`SessionHa1`], [`DigestMessage`], [`BodyHash`] | the arithmetic, for programs that use neither our client nor our server |
//!
//! # What it does not do
//!
//! It encrypts nothing: an attacker between client and server can read what a request says and, under `auth`, change its
//! body. So it belongs under TLS. It never falls back to Basic. It does not normalize names and passwords to NFC
//! (RFC 7616 section 4): give them as the other side has them. It knows no hash functions but MD5 and SHA-2. Requests
//! under a `-sess` algorithm each have the cnonce of their session, as the other implementations do it.
//!
//! # The client's end
//!
//! ```
//! use auth_core::{Answer, Authenticator, Credentials, RequestView, SystemRandom};
//! use auth_digest::Digest;
//! use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header::WWW_AUTHENTICATE};
//!
//! let digest = Digest::new("Mufasa", "Circle of Life", SystemRandom::new())?;
//!
//! // What a client adapter does: the first answer is a 401, and `assess` says to try again.
//! let (mut uri, mut headers) = (Uri::from_static("https://www.example.org/dir/index.html"), HeaderMap::new());
//! let request = RequestView::new(&Method::GET, &uri, &headers);
//! let asked = HeaderMap::from_iter([(
//!     WWW_AUTHENTICATE,
//!     HeaderValue::from_static(r#"Digest realm="http-auth@example.org", qop="auth", algorithm=SHA-256, nonce="7ypf/xlj""#),
//! )]);
//! digest.assess(&Credentials::none(), Answer::new(request, StatusCode::UNAUTHORIZED, &asked));
//! let credentials = digest.credentials(request).wait()?;
//! credentials.commit(&mut uri, &mut headers)?;
//! assert!(headers["authorization"].to_str().unwrap().starts_with(r#"Digest username="Mufasa""#));
//! # Ok::<_, auth_core::Error>(())
//! ```
//!
//! # The server's end
//!
//! ```
//! use auth_core::{MemoryReplayStore, RequestView, SystemClock, SystemRandom, Verifier as _};
//! use auth_digest::{DigestAccounts, HashFunction, Nonces, DigestVerifier};
//! use http::{HeaderMap, Method, Uri};
//!
//! let accounts = DigestAccounts::from_htdigest(
//!     HashFunction::Sha256,
//!     "alice:realm1:63e9ca155d5c785cfa7872bd0bba959c7bb7b07f26cb3a265284b777330de2fd",
//! )?;
//! let nonces = Nonces::of_this_process(SystemRandom::new(), SystemClock)?;
//! let replay = MemoryReplayStore::new(SystemClock);
//! let door = DigestVerifier::new("realm1", accounts, nonces, replay)?;
//!
//! // What a server adapter does for every request; this one has no credentials.
//! let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
//! let rejection = door.verify(RequestView::new(&Method::GET, &uri, &headers)).wait()?.unwrap_err();
//! assert_eq!(rejection.status(), 401);
//! assert!(rejection.challenges()[0].to_string().starts_with(r#"Digest realm="realm1", nonce=""#));
//! # Ok::<_, auth_core::Error>(())
//! ```
//!
//! # The modules, in reading order
//!
//! | | |
//! |---|---|
//! | algorithm, qop | what there is to choose |
//! | hash, ha1, response | the arithmetic |
//! | parameters, username | lists of parameters; names outside ASCII |
//! | user, target | names and passwords, and targets of requests, as both ends take them |
//! | challenge, authorization, info, reason | the three fields, and why one is refused |
//! | client | choice, sessions by protection space, what an answer means |
//! | nonce, verifier | nonces that need no memory; the order of checks |

mod algorithm;
mod authorization;
mod challenge;
mod client;
mod ha1;
mod hash;
mod info;
mod nonce;
mod parameters;
mod qop;
mod reason;
mod response;
mod target;
mod user;
mod username;
mod verifier;

// What the signatures of this crate need of `auth-core`, so that a program can depend on this crate alone.
pub use auth_core::{
    Accepted, Answer, AttemptLimit, Authenticator, Body, Caller, Candidate, Candidates, Challenge,
    ChallengeView, Challenges, Clock, Credentials, Error, Flow, Lookup, MemoryAttemptLimits,
    MemoryReplayStore, Need, Once, OriginBound, Outcome, Presence, Random, Reason, Rejection,
    ReplayStore, RequestView, Result, Secret, SystemClock, SystemRandom, TenantId, Transport,
    Verdict, Verifier,
};

pub use algorithm::{DigestAlgorithm, HashFunction, Md5Allowed};
pub use authorization::{DigestResponse, PresentedNonceUse, Username};
pub use challenge::{DigestChallenge, NamedAlgorithm};
pub use client::{ChallengePolicy, ClientNonceCounting, Digest, DigestPreset};
pub use ha1::{Ha1, SessionHa1};
pub use hash::HexDigest;
pub use info::AuthenticationInfo;
pub use nonce::Nonces;
pub use qop::{NonceCount, OfferedQop, Qop};
pub use reason::{DigestRefusalKind, DigestRefused};
pub use response::{BodyHash, BodyHasher, DigestMessage, DigestProtection, NonceUse, userhash};
pub use verifier::{
    DigestAccounts, DigestPrincipal, DigestQuery, DigestUserName, DigestUserRecord, DigestVerifier,
    UserSecret,
};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide/digest.md")]
mod guide {}
