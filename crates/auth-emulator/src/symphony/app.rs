//! What every handler shares.

use super::{
    datafeeds::Datafeeds,
    partners::{NewPartner, Partners},
    platform::{CommonJwts, Doors, Installation, LogIns},
    trust::Pairs,
};
use crate::{Faults, record::Record, tls::Authority};
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
    pub(super) faults: Faults,
    pub(super) record: Record,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
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
            faults: Faults::default(),
            record: Record::default(),
            installation,
            clock,
            random,
        }))
    }

    /// A new identifier: 32 hexadecimal digits.
    pub(super) fn identifier(&self) -> Result<String> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes)?;
        Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// Now, in milliseconds since 1970.
    pub(super) fn milliseconds(&self) -> u64 {
        self.clock.now().unix().saturating_mul(1000)
    }
}
