//! An emulator that listens.

use super::Infobip;
use crate::{faults_api, listen::Listening};
use auth_core::Result;
use std::ops::Deref;

/// An [`Infobip`] that listens on loopback until it is stopped or dropped.
#[derive(Debug)]
pub struct RunningInfobip {
    infobip: Infobip,
    platform: Listening,
    faults: Listening,
}

impl RunningInfobip {
    pub(super) async fn begin(infobip: Infobip, port: u16, faults_port: u16) -> Result<Self> {
        let platform = Listening::begin(port, "the platform", infobip.router()).await?;
        let state = (infobip.faults().clone(), infobip.app.record.clone());
        let faults = Listening::begin(faults_port, "the faults", faults_api::router(state)).await?;
        Ok(Self { infobip, platform, faults })
    }

    /// Where the platform listens: `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.platform.address())
    }

    /// Where the API of faults listens, without a slash at the end.
    #[must_use]
    pub fn faults_url(&self) -> String {
        format!("http://{}", self.faults.address())
    }

    /// Accepts no more requests, and waits up to five seconds for those that are under way.
    pub async fn stop(self) {
        let Self { platform, faults, .. } = self;
        platform.stop().await;
        faults.stop().await;
    }
}

impl Deref for RunningInfobip {
    type Target = Infobip;

    fn deref(&self) -> &Infobip {
        &self.infobip
    }
}
