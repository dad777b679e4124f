//! An emulator that listens.

use crate::{
    faults_api::{self, Switches},
    listen::{Listening, Protection},
};
use auth_core::Result;
use axum::Router;
use std::{net::SocketAddr, ops::Deref};

/// A platform that listens on loopback until it is stopped or dropped.
#[derive(Debug)]
pub struct Running<P> {
    platform: P,
    listening: Listening,
    /// The port that asks for certificates, of a platform that has one.
    certificates: Option<Listening>,
    faults: Listening,
}

/// Where a platform and its faults listen; port 0 is any that is free.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ports {
    pub(crate) platform: u16,
    pub(crate) certificates: u16,
    pub(crate) faults: u16,
}

impl<P> Running<P> {
    pub(crate) async fn begin(
        platform: P,
        router: Router,
        switches: Switches,
        ports: Ports,
    ) -> Result<Self> {
        let plain = Protection::None;
        let listening = Listening::begin(ports.platform, "the platform", router, plain.clone());
        let listening = listening.await?;
        let faults = faults_api::router(switches);
        let faults = Listening::begin(ports.faults, "the faults", faults, plain).await?;
        Ok(Self { platform, listening, certificates: None, faults })
    }

    /// Serves this router on a further port too, which is protected in this way.
    pub(crate) async fn with_certificates(
        self,
        port: u16,
        router: Router,
        protection: Protection,
    ) -> Result<Self> {
        let listening = Listening::begin(port, "log-ins by certificate", router, protection);
        Ok(Self { certificates: Some(listening.await?), ..self })
    }

    /// Where the port for log-ins by certificate listens.
    pub(crate) fn certificates(&self) -> Option<SocketAddr> {
        self.certificates.as_ref().map(Listening::address)
    }

    /// Where the platform listens: `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.listening.address())
    }

    /// Where the API of faults listens, without a slash at the end.
    #[must_use]
    pub fn faults_url(&self) -> String {
        format!("http://{}", self.faults.address())
    }

    /// Accepts no more requests, and waits up to five seconds for those that are under way.
    pub async fn stop(self) {
        let Self { listening, certificates, faults, .. } = self;
        listening.stop().await;
        if let Some(certificates) = certificates {
            certificates.stop().await;
        }
        faults.stop().await;
    }
}

impl<P> Deref for Running<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.platform
    }
}
