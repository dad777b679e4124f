//! Symphony: pod, key manager and agent.

mod agent;
mod answers;
mod app;
mod build;
mod certificates;
mod datafeeds;
mod gate;
mod log_in;
mod partners;
mod platform;
mod pod;
mod trust;

pub use build::SymphonyBuilder;

use crate::{Counts, Faults, IssuedCertificate, Recorded, Running, gate::gate};
use app::App;
use auth_core::{Error, Result, Secret};
use axum::{Router, middleware::from_fn_with_state};
use platform::Role;
use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
};

/// A [`Symphony`] that listens on loopback until it is stopped or dropped.
pub type RunningSymphony = Running<Symphony>;

/// A Symphony installation in memory: pod, key manager and agent, told apart by their paths. A clone is the same one.
///
/// [`start`](SymphonyBuilder::start) makes one that listens; [`build`](SymphonyBuilder::build) makes one whose
/// [`router`](Self::router) is called in the process itself.
#[derive(Clone)]
pub struct Symphony(Arc<App>);

impl Symphony {
    /// An emulator that is to be set up.
    pub fn builder() -> SymphonyBuilder {
        SymphonyBuilder::new()
    }

    /// The paths of all components.
    ///
    /// Faults that drop a connection answer a 503 with [`ConnectionDropped`](crate::ConnectionDropped) in its extensions
    /// where there is none to drop.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(log_in::routes(&self.0))
            .merge(certificates::routes(&self.0))
            .merge(trust::routes())
            .merge(pod::routes(&self.0))
            .merge(agent::routes(&self.0))
            .merge(partners::routes())
            .layer(from_fn_with_state(Arc::clone(&self.0), gate::<App>))
            .with_state(Arc::clone(&self.0))
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

    /// Gives a bot or an app another public key, in PEM. The one that it had is good for 72 hours more.
    ///
    /// # Errors
    ///
    /// `Error::Config` when there is no such bot or app, the key is not RSA in PEM or was its key before, or a key is being
    /// replaced already.
    pub async fn replace_public_key(&self, name: &str, public_key: &str) -> Result<()> {
        self.0.installation.replace_key(name, public_key).await
    }

    /// The authority whose certificate the port for log-ins by certificate shows, and which issues those of clients: one for
    /// each emulator, in PEM. A client trusts it, beside others if need be.
    #[must_use]
    pub fn authority(&self) -> String {
        self.0.authority.pem()
    }

    /// A certificate that the port for log-ins by certificate takes, with this common name: the name of a bot, the id of an
    /// app, or a name of nobody.
    ///
    /// # Errors
    ///
    /// `Error::Config` when no key can be made, or no certificate can have the name.
    pub fn issue_certificate(&self, common_name: &str) -> Result<IssuedCertificate> {
        self.0.authority.client(common_name)
    }

    /// What the client of a user hands this app: a JWT that is signed by the key of the pod's certificate, good for five
    /// minutes.
    ///
    /// # Errors
    ///
    /// `Error::Config` when there is no such app or user.
    pub fn user_jwt(&self, app_id: &str, user_id: i64) -> Result<Secret> {
        let accounts = &self.0.installation.accounts;
        match (accounts.named(Role::App, app_id), accounts.user(user_id)) {
            (Some(app), Some(user)) => platform::user_jwt(&app.name, user, self.0.shared.now()),
            _ => {
                let text = format!("there is no app {app_id:?}, or no user {user_id}");
                Err(Error::config("emulator_account", text))
            }
        }
    }

    /// The Symphony token that answers this token of an app, which the client of a user would give the app's front end; `None`
    /// if the circle of trust was not begun with it.
    #[must_use]
    pub fn symphony_token(&self, app_token: &[u8]) -> Option<Secret> {
        self.0.pairs.symphony_token(app_token)
    }

    /// Switches off the endpoint that is deprecated, `POST /agent/v4/datafeed/create`: it is a 410 from now on.
    pub fn switch_off_deprecated(&self) {
        self.0.switched_off.store(true, Ordering::SeqCst);
    }
}

impl RunningSymphony {
    /// Where the port for log-ins by certificate listens, which has all other paths too: `https://127.0.0.1:PORT`, without a
    /// slash at the end.
    #[must_use]
    pub fn certificate_url(&self) -> String {
        self.certificates().map(|address| format!("https://{address}")).unwrap_or_default()
    }
}

impl fmt::Debug for Symphony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Symphony").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
