//! The rules of a group: how many credentials, for how long, and how they end.

use crate::Kind;
use auth_core::{Error, Result};
use std::time::Duration;

/// The rules of one group of credentials: those of one kind that one service has.
///
/// One value describes two keys in rotation, keys with an end, a session that is alone, and sessions of two weeks.
/// Begin with the policy that is nearest and set what differs; [`check`](Self::check) refuses what no group could keep.
///
/// ```
/// use auth_lifecycle::GroupPolicy;
/// let three_keys = GroupPolicy { max_total: 3, ..GroupPolicy::two_in_rotation() };
/// three_keys.check()?;
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPolicy {
    /// No command leaves fewer lasting credentials than this. A credential is lasting while it is usable, nothing retires
    /// it, and it does not end within the [`guard_horizon`](Self::guard_horizon).
    pub min_active: u16,
    /// At most so many are inactive at once.
    pub max_inactive: u16,
    /// At most so many are there at once, active and inactive.
    pub max_total: u16,
    /// Keys, or sessions.
    pub holds: Holds,
    /// How long a credential lives from its creation; `None` until somebody ends it.
    pub lifetime: Option<Duration>,
    /// The longest life that a creator may ask for; `None` without a bound.
    pub longest_lifetime: Option<Duration>,
    /// A credential ends when it is not used for so long, plus [`USE_GRAIN`](Self::USE_GRAIN); `None` if never.
    pub idle_timeout: Option<Duration>,
    /// At most so many creations in any 24 hours; `None` without a bound.
    pub creations_a_day: Option<u16>,
    /// A credential that ends within this span does not count as lasting.
    pub guard_horizon: Duration,
    /// After this age a credential is due for rotation; `None` if never.
    pub rotate_every: Option<Duration>,
    /// How long before its end the owner of a credential is told, the longest first.
    pub notices: Vec<Duration>,
    /// What is done with a credential that somebody reports as leaked.
    pub when_leaked: WhenLeaked,
}

/// Keys, or sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Keys: discarded, reactivated, deleted, regenerated, rotated.
    Keys,
    /// Sessions: they end by themselves or are destroyed, and what has ended makes room for the next.
    Sessions,
    /// One session at a time: the next is created when the one before was destroyed or has ended.
    OneSession,
}

/// What is done with a credential that somebody reports as leaked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenLeaked {
    /// It is revoked, unless it is the last lasting one of its group: then its owner is alarmed.
    Revoke,
    /// Its owner is alarmed.
    Alarm,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl GroupPolicy {
    /// The moment of the last use is recorded this coarsely, so an idle timeout is judged this much later.
    pub const USE_GRAIN: Duration = Duration::from_secs(60);

    /// No group has more credentials that are not deleted than this.
    pub const MOST: u16 = 1000;

    /// Two keys, of which one is active and one at most inactive (Webex Connect's service keys and JWT credentials).
    #[must_use]
    pub fn two_in_rotation() -> Self {
        Self {
            min_active: 1,
            max_inactive: 1,
            max_total: 2,
            holds: Holds::Keys,
            lifetime: None,
            longest_lifetime: None,
            idle_timeout: None,
            creations_a_day: None,
            guard_horizon: DAY,
            rotate_every: None,
            notices: Vec::new(),
            when_leaked: WhenLeaked::Revoke,
        }
    }

    /// Keys that end after a year, disabled one by one, 40 creations a day (Infobip's API keys).
    #[must_use]
    pub fn keys_with_an_end() -> Self {
        Self {
            min_active: 0,
            max_inactive: 100,
            max_total: 100,
            lifetime: Some(DAY * 365),
            creations_a_day: Some(40),
            notices: vec![DAY * 30, DAY * 20, DAY * 10],
            ..Self::two_in_rotation()
        }
    }

    /// One session of an hour at a time, destroyed before the next is created (Infobip's IBSSO).
    #[must_use]
    pub fn one_session() -> Self {
        Self { holds: Holds::OneSession, max_total: 1, ..Self::sessions(DAY / 24) }
    }

    /// Sessions of this life.
    #[must_use]
    pub fn sessions(lifetime: Duration) -> Self {
        Self {
            min_active: 0,
            max_inactive: 0,
            max_total: 100,
            holds: Holds::Sessions,
            lifetime: Some(lifetime),
            longest_lifetime: Some(lifetime),
            guard_horizon: Duration::ZERO,
            ..Self::two_in_rotation()
        }
    }

    /// Sessions of a Symphony pod, which last from one hour to two weeks.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_session_lifetime` for another lifetime.
    pub fn symphony_sessions(lifetime: Duration) -> Result<Self> {
        if lifetime < DAY / 24 || lifetime > DAY * 14 {
            let text = format!(
                "lifetime of sessions is {} s, expected one hour to two weeks (3600 to 1209600 s)",
                lifetime.as_secs()
            );
            return Err(Error::config("lifecycle_session_lifetime", text));
        }
        Ok(Self::sessions(lifetime))
    }

    /// The policy of a kind for which the platform sets none.
    #[must_use]
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::ApiKey => Self::keys_with_an_end(),
            Kind::IbssoSession => Self::one_session(),
            Kind::SymphonySession | Kind::KeyManagerToken => Self::sessions(DAY * 14),
            Kind::ServiceKey
            | Kind::ServiceJwtSecret
            | Kind::ProfileKey
            | Kind::AppJwtSecret
            | Kind::AppJwtKey
            | Kind::BasicPassword
            | Kind::DigestHa1
            | Kind::SigV4Key
            | Kind::BotPublicKey
            | Kind::WebhookSecret => Self::two_in_rotation(),
        }
    }

    /// Could a group keep these rules?
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_policy`, which names the field.
    pub fn check(&self) -> Result<()> {
        let sessions = self.holds != Holds::Keys;
        let wrong = if self.max_total == 0 || self.max_total > Self::MOST {
            Some("max_total has to be from 1 to 1000")
        } else if self.min_active > self.max_total {
            Some("min_active has to be at most max_total")
        } else if self.min_active > 0 && sessions {
            Some("min_active has to be 0 for sessions, which end by themselves")
        } else if self.holds == Holds::OneSession && self.max_total != 1 {
            Some("max_total has to be 1 for one session at a time")
        } else if sessions && self.max_inactive > 0 {
            Some("max_inactive has to be 0 for sessions, which are destroyed")
        } else if self.lifetime > self.longest_lifetime.or(self.lifetime) {
            Some("lifetime has to be at most longest_lifetime")
        } else if self.lifetime == Some(Duration::ZERO) || self.idle_timeout == Some(Duration::ZERO)
        {
            Some("lifetime and idle_timeout have to be longer than zero")
        } else if self.min_active > 0
            && [self.lifetime, self.longest_lifetime]
                .into_iter()
                .flatten()
                .any(|life| life <= self.guard_horizon)
        {
            Some("guard_horizon has to be shorter than lifetime: nothing would be lasting")
        } else if self.notices.len() > 100 {
            Some("notices has to have at most 100 spans")
        } else if !self.notices.windows(2).all(|two| two.first() > two.last()) {
            Some("notices have to be in descending order")
        } else {
            None
        };
        wrong.map_or(Ok(()), |text| Err(Error::config("lifecycle_policy", text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_policy_that_a_group_can_keep() {
        for kind in Kind::ALL {
            GroupPolicy::of(kind).check().unwrap();
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut GroupPolicy), field: &str) {
        let mut policy = GroupPolicy::two_in_rotation();
        change(&mut policy);
        let error = policy.check().unwrap_err();
        assert_eq!(error.code(), "lifecycle_policy");
        assert!(error.to_string().contains(field), "{error}");
    }

    #[test]
    fn refuses_what_no_group_could_keep() {
        check(|policy| policy.max_total = 0, "max_total");
        check(|policy| policy.max_total = 1001, "max_total");
        check(|policy| policy.min_active = 3, "min_active");
        check(
            |policy| (*policy = GroupPolicy::sessions(DAY), policy.min_active = 1).1,
            "min_active",
        );
        check(|policy| policy.notices = vec![DAY, DAY], "notices");
        check(|policy| policy.notices = (0..101).rev().map(|days| DAY * days).collect(), "notices");
        check(|policy| policy.lifetime = Some(DAY), "guard_horizon");
        check(|policy| policy.longest_lifetime = Some(DAY), "guard_horizon");
        check(|policy| policy.idle_timeout = Some(Duration::ZERO), "idle_timeout");
        let sessions = |policy: &mut GroupPolicy| *policy = GroupPolicy::sessions(DAY);
        check(|policy| (sessions(policy), policy.max_inactive = 1).1, "max_inactive");
        check(|policy| (sessions(policy), policy.holds = Holds::OneSession).1, "max_total");
        check(|policy| (sessions(policy), policy.lifetime = Some(DAY * 2)).1, "longest_lifetime");
    }

    #[test]
    fn a_symphony_session_lasts_from_an_hour_to_two_weeks() {
        let minute = Duration::from_secs(60);
        assert!(GroupPolicy::symphony_sessions(minute * 59).is_err());
        assert!(GroupPolicy::symphony_sessions(minute * 60).is_ok());
        assert!(GroupPolicy::symphony_sessions(DAY * 14).is_ok());
        assert!(GroupPolicy::symphony_sessions(DAY * 15).is_err());
    }
}
