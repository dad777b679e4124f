//! The log-in, session and API ends of messaging platforms, for tests without a network or an account.
//!
//! For tests of programs that call Infobip, Symphony or Webex Connect: the emulator issues and ends sessions, tokens and keys,
//! accepts messages that it never sends, and goes wrong on demand. It verifies with the same verifiers that this project offers to
//! platforms.
//!
//! ```
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! use auth_emulator::{Endpoint, Fault, Infobip, Secret};
//!
//! let infobip = Infobip::builder().with_user("acme", Secret::new("pa55:word")).start().await?;
//! infobip.faults().arm(Fault::ExpireNow, Endpoint::Messages, 1);
//! // A program sends to `infobip.base_url()`, and finds its session ended once.
//! assert_eq!(infobip.counts().sessions_created, 0);
//! infobip.stop().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(test()).unwrap();
//! ```
//!
//! # In a test
//!
//! - One `auth_testing::ManualClock` is given to both: [`with_clock`](InfobipBuilder::with_clock) here, and
//!   `Context::with_clock` in the program.
//! - The transport of the program's session needs `allowing_loopback()`; its client does not.
//! - After a 429 and after a lost answer a session waits for as long as it was told and up to a tenth more, at random:
//!   move the clock by so much before the next attempt, or by 67 minutes after a lost answer.
//! - Before a client creates another session, it destroys the old one. If that had ended, it is one 401 more.
//!
//! | | |
//! |---|---|
//! | [`Infobip`], [`InfobipBuilder`], [`RunningInfobip`] | a platform: in the process, or listening on loopback |
//! | [`Symphony`], [`SymphonyBuilder`], [`RunningSymphony`] | another one: pod, key manager and agent, told apart by their paths |
//! | [`Webex`], [`WebexBuilder`], [`RunningWebex`] | a third one: every family of APIs of a tenant of Webex Connect |
//! | [`IssuedCertificate`] | what a bot with a certificate logs in with |
//! | [`Faults`], [`Fault`], [`Endpoint`] | what goes wrong with the next requests, and where |
//! | [`Counts`], [`Recorded`] | what arrived, without secrets |
//!
//! # The program
//!
//! `cargo run -p auth-emulator -- infobip --port 8081 --faults-port 8082` (in the project's own repository also
//! `cargo xtask emulate infobip`) is the same for tests in other languages and by
//! hand. It prints its user, password and API key. `symphony --bot NAME --public-key FILE` is the other platform: without a
//! key it says how one is made, and `--certificates FOLDER` in place of the key has the bot log in by certificate. `webex` is
//! the third. The faults are an API on the second port, which needs no credentials:
//!
//! ```sh
//! curl -d '{"fault":"slow","endpoint":"messages","requests":2,"seconds":1.5}' http://127.0.0.1:8082/faults
//! curl http://127.0.0.1:8082/faults              # what is armed
//! curl -X DELETE http://127.0.0.1:8082/faults    # nothing is any more
//! curl http://127.0.0.1:8082/counts              # sessions created, messages accepted, requests refused
//! curl http://127.0.0.1:8082/requests            # the last 10,000, without secrets
//! ```
//!
//! | `fault` | what it does |
//! |---|---|
//! | `expire_now` | all sessions and tokens end before the request is judged |
//! | `expire_sessions` | sessions alone do, and of Symphony the common JWTs with them |
//! | `expire_key_manager_tokens` | Symphony's key manager tokens alone do |
//! | `unauthorized` | a 401, whatever the credentials are |
//! | `forbidden` | a 403 |
//! | `slow` | nothing is done for so many `seconds`; it is done then, though the client has given up |
//! | `reset` | the connection is dropped, and nothing was done |
//! | `lost_answer` | the connection is dropped after the work was done |
//! | `too_many_requests` | a 429 with so many `seconds` in `Retry-After` |
//!
//! `endpoint` is of Infobip `create_session`, `destroy_session`, `token`, `settings` (the API keys) or `messages`; of Symphony
//! `session_log_in`, `key_manager_log_in` (by a key and by certificate alike), `pod`, `agent`, and of its partners `token` or
//! `partner`; of Webex Connect `messaging_v1`, `messaging_v2`, `custom_event`, `inbound_webhook`, `rcs_capability`, `profile`,
//! `contact_policy`, `rtm` or `sandbox`. A fault of Webex Connect is told as its family does it: `unauthorized` is code 7001,
//! `forbidden` 7010 and `too_many_requests` 7020, and of Custom Event each comes with a 200. It keeps no sessions and no
//! tokens, so that the three that end some are not for it.
//!
//! # What there is of Infobip
//!
//! | path | |
//! |---|---|
//! | `POST`, `DELETE /auth/1/session` | sessions (IBSSO): one of a user at a time, bound to an address unless `unsafe` |
//! | `POST /auth/1/oauth2/token` | OAuth tokens, for `client_credentials` |
//! | `GET`, `POST /settings/2/api-keys`, `GET`, `PUT /settings/2/api-keys/{id}` | API keys |
//! | `POST /sms/3/messages`, `POST /sms/2/text/advanced`, `POST /whatsapp/1/message/text` | messages, which are not sent |
//! | `GET /sms/1/logs`, `GET /sms/1/inbox/reports` | always empty |
//!
//! The last two rows, and API keys, are called with `App`, `IBSSO`, `Basic` or `Bearer`; no API key manages API keys.
//!
//! # What there is of Symphony
//!
//! | path | |
//! |---|---|
//! | `POST /login/pubkey/authenticate`, `/relay/pubkey/authenticate` | session token and key manager token of a bot, two weeks long |
//! | `POST /login/pubkey/app/authenticate` | the session of an extension app |
//! | `POST /login/pubkey/app/username/{name}/authenticate`, `.../user/{id}/authenticate` | a session on behalf of a user |
//! | `POST /login/v1/pubkey/app/authenticate/extensionApp`, `GET /pod/v1/podcert` | the circle of trust |
//! | `POST /login/idm/tokens`, `GET /login/idm/keys` | the common JWT, five minutes long |
//! | `GET /pod/v2/sessioninfo` | whose the session is |
//! | `POST /pod/v2/admin/user/{uid}/update` | the keys of a bot: saved, revoked, and the previous one extended |
//! | `GET /agent/v1/info` | the version, 24.12: bots need a key manager token |
//! | `POST /agent/v4/stream/{sid}/message/create` | messages, which are not sent |
//! | `POST`, `GET /agent/v5/datafeeds`, `POST .../{id}/read`, `DELETE .../{id}` | datafeeds, which are empty and outlive sessions |
//! | `POST /agent/v4/datafeed/create` | deprecated: it warns, until it is [switched off](Symphony::switch_off_deprecated) |
//! | `POST /partner/oauth/token`, `GET /partner/v1/status` | tokens of partners, an hour long, and what they open |
//!
//! Log-ins by certificate are on a port of their own, over https, which has all paths above too
//! ([`certificate_url`](RunningSymphony::certificate_url)). It shows a certificate of the emulator's own authority, which also
//! issues those of clients, and takes clients without one: they get a 401.
//!
//! | path | |
//! |---|---|
//! | `POST /sessionauth/v1/authenticate`, `/keyauth/v1/authenticate` | session token and key manager token of the bot whose name is the certificate's common name |
//! | `POST /sessionauth/v1/app/authenticate` | the session of an extension app |
//! | `POST /sessionauth/v1/app/username/{name}/authenticate`, `.../user/{id}/authenticate` | a session on behalf of a user |
//! | `POST /sessionauth/v1/authenticate/extensionApp`, `GET /sessionauth/v1/app/pod/certificate` | the circle of trust |
//!
//! Log-outs are not there.
//!
//! # What there is of Webex Connect
//!
//! | path | credential |
//! |---|---|
//! | `POST /resources/v1/messaging`, `POST /v2/messages`, `GET /v2/messages/{id}`, `/v1/rcs` | service key or service JWT |
//! | `POST /resources/v1/events/externalevent` | the same, of the service that has the event |
//! | `POST /events/{id}` | the same, of the service that has the webhook, or [nobody's](WebexBuilder::with_open_inbound_webhook) |
//! | `/resources/v2/customerprofile`, `.../customerappprofile/{app}`, `.../profile/status/{id}` | profile key in `key` |
//! | `/v1/groups` | profile key as Bearer |
//! | `/rtmsAPI/api/v1/apps/{app}/threads`, `.../segments`, `.../topics` | JWT of the app |
//! | `POST /v1/sms/messages`, the sandbox | service key or service JWT, either as Bearer |
//!
//! Credentials are of a registry: [`Webex::by`] rotates, discards and reactivates them while a program calls.
//!
//! # Where Infobip does not say
//!
//! - A session lives 60 minutes from its creation, or from its last use: the vendor says both, and
//!   [`with_session_lifetime`](InfobipBuilder::with_session_lifetime) chooses.
//! - A second session while one is alive is a 400; the vendor says only that it cannot be created.
//! - A session that is used from another address than that of its creation is a 401. So is an API key.
//! - A challenge (`WWW-Authenticate`) goes with each 401, as HTTP has it; the vendor documents none.
//! - Two things are not the vendor's: the member `replace` of a creation ends the session that is alive in the same step,
//!   and the header field `idempotency-key` repeats a creation whose answer was lost.
//! - Authorization codes are refused with a 400: the vendor does not say where a user would get one.
//! - Of API keys: the secret is shown at the creation alone. 40 are created in any 24 hours; the one that the account has
//!   by itself is not counted, and neither are updates, which the vendor also limits to 40 a day. A year is 365 days.
//!   Ranges of addresses are CIDR, and an empty list is everywhere. An API key that is used to manage API keys is a 403.
//!   A user gives a key no scope that its own role has not. `validFrom` cannot be moved by an update, a list is in the
//!   order of creation whatever is asked for, and `platform` is refused unless it is empty. A key for `WEB_SDK` or
//!   `2FA_CLIENT` without `PUBLIC_API` opens none of these paths.
//! - The scopes of `GET /sms/1/logs` and `GET /sms/1/inbox/reports` are `sms:logs:read` and `sms:inbound-message:read`.
//! - Answers to messages have the identifiers and the status of the vendor's, and no more.
//! - Keys are read from `Authorization` alone: the vendor has them in the query as well, and does not name the parameter.
//!   [`allowing_key_in_query`](InfobipBuilder::allowing_key_in_query) names one.
//! - Errors are JSON, also for clients that ask for XML.
//! - Rates are not limited, except to 40 API keys a day: [`Fault::TooManyRequests`] answers a 429 on demand.
//!
//! # Where Symphony does not say
//!
//! - A signed token of a log-in is good once at each component; pods take it again until it ends.
//! - A 401 has the message `login failed` or `Invalid session`, and a challenge, as HTTP has it.
//! - The session of an app opens the log-ins of users. Anywhere else it is a 403, and that of anybody else is a 401 there.
//! - A common JWT ends with the sessions that a fault ends, and not with one that ends by its time.
//! - An account has any number of sessions; beyond 1,000 that are alive the oldest ends.
//! - An account logs in with a key or by certificate: a certificate of one that has a key is a 403, one of nobody a 401. A
//!   log-in by certificate that has a body or a content type is a 400.
//! - The log-in of a user by certificate wants the certificate of the app whose session it is. The emulator answers with a
//!   404 where nobody has that user's id or name, and with a 401 where the user has not installed the app.
//! - Keys of a bot: a request for what cannot be is a 400, and 72 more hours begin where the last ones end. To revoke either
//!   key ends every session of the bot. The keys of an app change by [`Symphony::replace_public_key`] alone.
//! - The token endpoint of partners takes a JSON object with `grant_type`, `client_id`, `client_secret` and `audience`, and
//!   answers without `expires_in`; its path, and that of the one API that its tokens open, are the emulator's own.
//! - A datafeed that the bot has not, or has no more, is a 400.
//! - `authorizationToken` does not come with a log-in, and session tokens are no JWTs, so there is no simplified key delivery.
//! - Rates are not limited: [`Fault::TooManyRequests`] answers a 429 on demand.
//!
//! # Where Webex Connect does not say
//!
//! - A refusal of Messaging v1 is a 400, of Custom Event a 200 and of the sandbox a 403, as pages of the vendor have it. Of any
//!   other family it is a 401, or a 403 where the address or the app is another one.
//! - An event of another service is a 7001, and a webhook of another service too:
//!   [`accepting_events_of_other_services`](WebexBuilder::accepting_events_of_other_services) answers as the vendor has it.
//!   An event that nobody has is a 7008, and a webhook that nobody has is accepted.
//! - The limit of transactions counts calls of a service in a minute of the clock, at the APIs of services.
//! - The JWT of an app needs an `exp`, which the vendor lets be left out. `userId` is answered, and compared with nothing.
//! - A JSON body, and in messages the member `to`, is wanted where the table has `POST`; no other member is looked at, and
//!   neither are `Idempotency-Key` and the signatures of inbound webhooks.
//! - All hosts of the vendor are one base URL here.
//!
//! # Security
//!
//! It is a test tool and not for production: everything is in memory and is lost when it ends, it
//! listens without TLS, except for log-ins by certificate, its
//! API of faults needs no credentials, passwords that were right once are checked by a fast hash, the program prints
//! its password and its key, and the pod signs with a key that stands in the source code.

mod faults;
mod faults_api;
mod gate;
mod infobip;
mod listen;
mod record;
mod request;
mod running;
mod shared;
mod symphony;
mod tls;
mod webex;

// What the signatures of this crate need of other crates of ours, so that a test can depend on this crate alone.
pub use auth_core::{Clock, Error, Random, Result, Secret, SystemClock, SystemRandom, Timestamp};
pub use auth_ibsso::SessionLifetime;
pub use auth_lifecycle;
pub use auth_net::AddressList;
pub use auth_symphony::TokenLifetime;
pub use auth_webex::WebexFamily;

pub use faults::{Armed, Endpoint, Fault, Faults};
pub use infobip::{Infobip, InfobipBuilder, RunningInfobip};
pub use listen::ConnectionDropped;
pub use record::{Counts, Recorded};
pub use running::Running;
pub use symphony::{RunningSymphony, Symphony, SymphonyBuilder};
pub use tls::IssuedCertificate;
pub use webex::{IssuedApp, IssuedService, RunningWebex, Webex, WebexBuilder};
