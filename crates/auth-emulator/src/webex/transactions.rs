//! The limit of transactions: code 7020.

use auth_core::{Reason, Rejection, Timestamp};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Counts the transactions of each service in each minute of the clock.
#[derive(Default)]
pub(super) struct Transactions {
    most: Option<u32>,
    begun: Mutex<HashMap<Arc<str>, Minute>>,
}

#[derive(Clone, Copy, Default)]
struct Minute {
    number: u64,
    transactions: u32,
}

impl Transactions {
    pub(super) fn at_most(most: Option<u32>) -> Self {
        Self { most, begun: Mutex::default() }
    }

    /// One more of this service, or the refusal that says when there may be.
    pub(super) fn begin(&self, service: &Arc<str>, now: Timestamp) -> Result<(), Rejection> {
        let Some(most) = self.most else { return Ok(()) };
        let number = now.unix() / 60;
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = begun.entry(Arc::clone(service)).or_default();
        if minute.number != number {
            *minute = Minute { number, transactions: 0 };
        }
        if minute.transactions >= most {
            let left = 60_u64.saturating_sub(now.unix() % 60);
            return Err(Rejection::throttled(MANY, Duration::from_secs(left)));
        }
        minute.transactions = minute.transactions.saturating_add(1);
        Ok(())
    }
}

const MANY: Reason =
    Reason::new("emulator_transactions", "service has had its transactions of this minute");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_transactions_of_each_minute() {
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let transactions = Transactions::at_most(Some(2));
        let begun = |service, second| {
            let begun = transactions.begin(service, Timestamp::from_unix(second));
            begun.map_err(|it| it.retry_after().unwrap_or_default().as_secs())
        };
        assert_eq!([begun(&one, 60), begun(&one, 61), begun(&one, 70)], [Ok(()), Ok(()), Err(50)]);
        assert_eq!([begun(&other, 70), begun(&one, 120)], [Ok(()), Ok(())]);
        let endless = Transactions::default();
        assert!((0..100).all(|_| endless.begin(&one, Timestamp::from_unix(60)).is_ok()));
    }
}
