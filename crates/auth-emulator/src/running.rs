//! An emulator that listens.

use crate::{
    faults_api::{self, Switches},
    listen::Listening,
};
use auth_core::Result;
use axum::Router;
use std::ops::Deref;

/// A platform that listens on loopback until it is stopped or dropped.
#[derive(Debug)]
pub struct Running<P> {
    platform: P,
    listening: Listening,
    faults: Listening,
}

/// Where a platform and its faults listen; port 0 is any that is free.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ports {
    pub(crate) platform: u16,
    pub(crate) faults: u16,
}

impl<P> Running<P> {
    pub(crate) async fn begin(
        platform: P,
        router: Router,
        switches: Switches,
        ports: Ports,
    ) -> Result<Self> {
        let listening = Listening::begin(ports.platform, "the platform", router).await?;
        let faults = faults_api::router(switches);
        let faults = Listening::begin(ports.faults, "the faults", faults).await?;
        Ok(Self { platform, listening, faults })
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
        let Self { listening, faults, .. } = self;
        listening.stop().await;
        faults.stop().await;
    }
}

impl<P> Deref for Running<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.platform
    }
}
