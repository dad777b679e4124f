//! Webex Connect: every family of APIs, over the credentials of one tenant.

mod account;
mod answers;
mod app;
mod apps;
mod build;
mod events;
mod gate;
mod services;
mod tenant;
mod transactions;

pub use account::{IssuedApp, IssuedService};
pub use build::WebexBuilder;

use crate::{Counts, Faults, Recorded, Running, gate::gate, request::MOST_BODY_BYTES};
use app::App;
use auth_core::Secret;
use auth_lifecycle::{Commands, Role};
use axum::{Router, extract::DefaultBodyLimit, middleware::from_fn_with_state};
use std::{fmt, sync::Arc};

/// A [`Webex`] that listens on loopback until it is stopped or dropped.
pub type RunningWebex = Running<Webex>;

/// Webex Connect in memory, with one tenant. A clone is the same one.
///
/// [`start`](WebexBuilder::start) makes one that listens; [`build`](WebexBuilder::build) makes one whose
/// [`router`](Self::router) is called in the process itself.
#[derive(Clone)]
pub struct Webex(Arc<App>);

impl Webex {
    /// An emulator that is to be set up.
    pub fn builder() -> WebexBuilder {
        WebexBuilder::new()
    }

    /// The platform's paths, of all its hosts: in a program all families have this one base URL.
    ///
    /// Where it is called without a connection, allow lists judge the address in the extension `ConnectInfo<SocketAddr>` of
    /// its request. Faults that drop a connection answer a 503 with [`ConnectionDropped`](crate::ConnectionDropped) in its
    /// extensions.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(services::routes())
            .merge(events::routes())
            .merge(tenant::routes())
            .merge(apps::routes())
            .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
            .layer(from_fn_with_state(Arc::clone(&self.0), gate::<App>))
            .with_state(Arc::clone(&self.0))
    }

    /// The service of this name, with the credentials that it was made with.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&IssuedService> {
        self.0.account.service(name)
    }

    /// The app of this name.
    #[must_use]
    pub fn app(&self, name: &str) -> Option<&IssuedApp> {
        self.0.account.app(name)
    }

    /// The profile key of the tenant.
    #[must_use]
    pub fn profile_key(&self) -> &Secret {
        &self.0.account.profile_key
    }

    /// What somebody of the tenant with this role does with its credentials: rotate, discard, reactivate, regenerate. The
    /// platform's doors follow at once.
    #[must_use]
    pub fn by(&self, role: Role) -> Commands {
        self.0.account.by(role)
    }

    /// The fault switches.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.shared.faults
    }

    /// How often what happened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.shared.record.counts()
    }

    /// The last 10,000 requests, in the order in which they were answered.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.0.shared.record.requests()
    }
}

impl fmt::Debug for Webex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webex").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
