//! Infobip: sessions, OAuth tokens, API keys and the APIs of messages.

mod answers;
mod app;
mod build;
mod gate;
mod messages;
mod passwords;
mod sessions;
mod settings;
mod token;
mod tokens;

pub use build::InfobipBuilder;

use crate::{Counts, Faults, Recorded, Running, gate::gate, request::MOST_BODY_BYTES};
use app::App;
use auth_core::Secret;
use auth_ibsso::SESSION_PATH;
use axum::{Router, extract::DefaultBodyLimit, middleware::from_fn_with_state, routing::post};
use std::{fmt, sync::Arc};

const TOKEN_PATH: &str = "/auth/1/oauth2/token";

/// An [`Infobip`] that listens on loopback until it is stopped or dropped.
pub type RunningInfobip = Running<Infobip>;

/// Infobip in memory. A clone is the same one.
///
/// [`start`](InfobipBuilder::start) makes one that listens; [`build`](InfobipBuilder::build) makes one whose
/// [`router`](Self::router) is called in the process itself.
#[derive(Clone)]
pub struct Infobip {
    app: Arc<App>,
    key: Arc<Secret>,
}

impl Infobip {
    /// An emulator that is to be set up.
    pub fn builder() -> InfobipBuilder {
        InfobipBuilder::new()
    }

    /// The platform's paths.
    ///
    /// Where it is called without a connection, a session is bound to the address in the extension
    /// `ConnectInfo<SocketAddr>` of its request: without that only sessions with `unsafe` can be created. Faults that drop a
    /// connection answer a 503 with [`ConnectionDropped`](crate::ConnectionDropped) in its extensions.
    pub fn router(&self) -> Router {
        let session = post(sessions::create).delete(sessions::destroy);
        Router::new()
            .route(SESSION_PATH, session)
            .route(TOKEN_PATH, post(token::token))
            .merge(messages::routes(&self.app.door))
            .merge(settings::routes(&self.app.door))
            .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
            .layer(from_fn_with_state(Arc::clone(&self.app), gate::<App>))
            .with_state(Arc::clone(&self.app))
    }

    /// The fault switches.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.app.shared.faults
    }

    /// The API key that the account has by itself, for `Authorization: App`. It is good for a year.
    #[must_use]
    pub fn api_key(&self) -> &Secret {
        &self.key
    }

    /// The identifier of the account.
    #[must_use]
    pub fn account_id(&self) -> &str {
        self.app.account.as_str()
    }

    /// How often what happened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.app.shared.record.counts()
    }

    /// The last 10,000 requests, in the order in which they were answered.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.app.shared.record.requests()
    }
}

impl fmt::Debug for Infobip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Infobip").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
