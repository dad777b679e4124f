//! What every platform has: its clock and its randomness, its faults and its record.

use crate::{Endpoint, Faults, faults_api::Switches, record::Record};
use auth_core::{Clock, Random, Result, Timestamp};
use std::sync::Arc;

/// What the handlers of a platform, its gate and its API of faults share.
pub(crate) struct Shared {
    pub(crate) faults: Faults,
    pub(crate) record: Record,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl Shared {
    pub(crate) fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { faults: Faults::default(), record: Record::default(), clock, random }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the API of faults is given, of a platform with these endpoints.
    pub(crate) fn switches(&self, endpoints: &'static [Endpoint]) -> Switches {
        (self.faults.clone(), self.record.clone(), endpoints)
    }

    /// A new identifier: 32 hexadecimal digits.
    pub(crate) fn identifier(&self) -> Result<String> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes)?;
        Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// A new identifier in the form of a UUID.
    pub(crate) fn uuid(&self) -> Result<String> {
        let digits = self.identifier()?;
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        Ok([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::{SystemClock, SystemRandom};

    #[test]
    fn a_uuid_has_its_digits_in_five_parts() {
        let shared = Shared::new(Arc::new(SystemClock), Arc::new(SystemRandom::new()));
        let (one, other) = (shared.uuid().unwrap(), shared.uuid().unwrap());
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{one}");
        assert!(one.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit()), "{one}");
        assert_ne!(one, other);
    }
}
