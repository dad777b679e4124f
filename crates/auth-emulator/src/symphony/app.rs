//! What every handler shares.

use super::{
    datafeeds::Datafeeds,
    partners::{NewPartner, Partners},
    platform::{CommonJwts, Doors, Installation, LogIns},
    trust::Pairs,
};
use crate::{shared::Shared, tls::Authority};
use auth_core::{Clock, Random, Result};
use std::sync::{Arc, atomic::AtomicBool};

pub(super) struct App {
    pub(super) installation: Installation,
    pub(super) log_ins: LogIns,
    pub(super) common: CommonJwts,
    pub(super) doors: Doors,
    pub(super) datafeeds: Datafeeds,
    pub(super) pairs: Pairs,
    pub(super) authority: Authority,
    pub(super) partners: Partners,
    /// Are the endpoints that are deprecated switched off?
    pub(super) switched_off: AtomicBool,
    pub(super) shared: Shared,
}

impl App {
    pub(super) fn new(
        installation: Installation,
        partners: Vec<NewPartner>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Arc<Self>> {
        let common = CommonJwts::new(installation.clone(), Arc::clone(&clock))?;
        Ok(Arc::new(Self {
            log_ins: LogIns::new(&installation, &clock, Arc::clone(&random))?,
            doors: Doors::new(&installation, &common)?,
            common,
            datafeeds: Datafeeds::default(),
            pairs: Pairs::default(),
            authority: Authority::new()?,
            partners: Partners::new(partners),
            switched_off: AtomicBool::new(false),
            installation,
            shared: Shared::new(clock, random),
        }))
    }

    /// Now, in milliseconds since 1970.
    pub(super) fn milliseconds(&self) -> u64 {
        self.shared.now().unix().saturating_mul(1000)
    }
}
