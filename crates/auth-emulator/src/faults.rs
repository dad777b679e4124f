//! Faults that a test arms: what goes wrong with the next requests to an endpoint.

use auth_webex::WebexFamily;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// All sessions and tokens end, and then the request is judged: they end behind the back of their clients.
    ExpireNow,
    /// As [`ExpireNow`](Self::ExpireNow), of sessions alone: of Symphony also the common JWTs.
    ExpireSessions,
    /// As [`ExpireNow`](Self::ExpireNow), of Symphony's key manager tokens alone.
    ExpireKeyManagerTokens,
    /// The answer is a 401, though the credentials may be good. Nothing is done, and every session lives on. Webex Connect
    /// answers code 7001, with the status that its family has for it.
    Unauthorized,
    /// The answer is a 403. Nothing is done. Webex Connect answers code 7010, with the status that its family has for it.
    Forbidden,
    /// The request waits for so long before anything is done. It is done then, though its client has given up.
    Slow(Duration),
    /// The connection is dropped before anything is done.
    Reset,
    /// The work is done, and the connection is dropped in place of the answer.
    LostAnswer,
    /// The answer is a 429 with this long in `Retry-After`, rounded up to whole seconds. Nothing is done. Webex Connect
    /// answers code 7020, with the status that its family has for it.
    TooManyRequests(Duration),
}

/// Where a fault is aimed at, and what requests are recorded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Infobip: the creation of a session.
    CreateSession,
    /// Infobip: the destruction of a session.
    DestroySession,
    /// The token endpoint of OAuth: of Infobip, and of Symphony's partners.
    Token,
    /// Infobip: what an account manages, API keys.
    Settings,
    /// Infobip: the APIs of messages.
    Messages,
    /// Symphony: log-ins at the pod, of bots, of apps and on behalf of users (`/login`, `/sessionauth`).
    SessionLogIn,
    /// Symphony: log-ins at the key manager (`/relay`, `/keyauth`).
    KeyManagerLogIn,
    /// Symphony: the APIs of the pod (`/pod`).
    Pod,
    /// Symphony: the APIs of the agent (`/agent`).
    Agent,
    /// Symphony: the APIs of partners (`/partner`).
    Partner,
    /// Webex Connect: the APIs of this family.
    Webex(WebexFamily),
}

/// A fault, and how many requests are still to meet it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Armed {
    /// What goes wrong.
    pub fault: Fault,
    /// With requests to which endpoint.
    pub endpoint: Endpoint,
    /// With so many more of them.
    pub requests: u32,
}

/// The fault switches of one emulator. A clone is the same switches.
///
/// Each request meets one fault at most: the one of its endpoint that was armed first and is not used up.
///
/// ```
/// use auth_emulator::{Endpoint, Fault, Faults};
/// let faults = Faults::default();
/// faults.arm(Fault::LostAnswer, Endpoint::CreateSession, 1);
/// assert_eq!(faults.armed().len(), 1);
/// faults.clear();
/// assert!(faults.armed().is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Armed>>>);

impl Faults {
    /// No more faults than this are armed at once; arming another one is without effect then.
    pub const MOST_ARMED: usize = 1000;

    /// Arms a fault for the next so many requests to an endpoint, behind those that are armed already.
    pub fn arm(&self, fault: Fault, endpoint: Endpoint, requests: u32) {
        let mut armed = self.lock();
        if requests > 0 && armed.len() < Self::MOST_ARMED {
            armed.push(Armed { fault, endpoint, requests });
        }
    }

    /// What is armed, in its order.
    #[must_use]
    pub fn armed(&self) -> Vec<Armed> {
        self.lock().clone()
    }

    /// Disarms everything, and tells what no request has met.
    pub fn clear(&self) -> Vec<Armed> {
        std::mem::take(&mut *self.lock())
    }

    /// The fault that a request to this endpoint meets, which is used up by it.
    pub(crate) fn take(&self, endpoint: Endpoint) -> Option<Fault> {
        let mut armed = self.lock();
        let at = armed.iter().position(|one| one.endpoint == endpoint)?;
        let one = armed.get_mut(at)?;
        let fault = one.fault;
        one.requests = one.requests.saturating_sub(1);
        if one.requests == 0 {
            armed.remove(at);
        }
        Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    /// Its name in the API of faults: `expire_now`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExpireNow => "expire_now",
            Self::ExpireSessions => "expire_sessions",
            Self::ExpireKeyManagerTokens => "expire_key_manager_tokens",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Slow(_) => "slow",
            Self::Reset => "reset",
            Self::LostAnswer => "lost_answer",
            Self::TooManyRequests(_) => "too_many_requests",
        }
    }

    /// The fault of this name, with this span where it has one.
    #[must_use]
    pub fn from_name(name: &str, span: Duration) -> Option<Self> {
        Self::all(span).into_iter().find(|fault| fault.name() == name)
    }

    /// Every fault, with this span where it has one.
    pub(crate) const fn all(span: Duration) -> [Self; 9] {
        [
            Self::ExpireNow,
            Self::ExpireSessions,
            Self::ExpireKeyManagerTokens,
            Self::Unauthorized,
            Self::Forbidden,
            Self::Slow(span),
            Self::Reset,
            Self::LostAnswer,
            Self::TooManyRequests(span),
        ]
    }

    /// How long it holds a request up, or tells the client to wait.
    #[must_use]
    pub const fn span(self) -> Option<Duration> {
        match self {
            Self::Slow(span) | Self::TooManyRequests(span) => Some(span),
            _ => None,
        }
    }
}

impl Endpoint {
    /// Every endpoint of every platform. Those that two platforms have are there twice.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::INFOBIP.into_iter().chain(Self::SYMPHONY).chain(Self::WEBEX)
    }

    /// Those of Infobip.
    pub const INFOBIP: [Self; 5] =
        [Self::CreateSession, Self::DestroySession, Self::Token, Self::Settings, Self::Messages];

    /// Those of Symphony.
    pub const SYMPHONY: [Self; 6] = [
        Self::SessionLogIn,
        Self::KeyManagerLogIn,
        Self::Pod,
        Self::Agent,
        Self::Token,
        Self::Partner,
    ];

    /// Those of Webex Connect.
    pub const WEBEX: [Self; 9] = [
        Self::Webex(WebexFamily::MessagingV1),
        Self::Webex(WebexFamily::MessagingV2),
        Self::Webex(WebexFamily::CustomEvent),
        Self::Webex(WebexFamily::InboundWebhook),
        Self::Webex(WebexFamily::RcsCapability),
        Self::Webex(WebexFamily::Profile),
        Self::Webex(WebexFamily::ContactPolicy),
        Self::Webex(WebexFamily::Rtm),
        Self::Webex(WebexFamily::Sandbox),
    ];

    /// Its name in the API of faults: `create_session`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreateSession => "create_session",
            Self::DestroySession => "destroy_session",
            Self::Token => "token",
            Self::Settings => "settings",
            Self::Messages => "messages",
            Self::SessionLogIn => "session_log_in",
            Self::KeyManagerLogIn => "key_manager_log_in",
            Self::Pod => "pod",
            Self::Agent => "agent",
            Self::Partner => "partner",
            Self::Webex(family) => family.name(),
        }
    }

    /// The endpoint of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|endpoint| endpoint.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Endpoint::{Messages, Token};

    #[test]
    fn each_request_meets_the_fault_that_was_armed_first_for_its_endpoint() {
        let faults = Faults::default();
        faults.arm(Fault::Reset, Messages, 2);
        faults.arm(Fault::Unauthorized, Messages, 1);
        faults.arm(Fault::LostAnswer, Token, 1);
        faults.arm(Fault::Reset, Token, 0);
        let taken: Vec<_> = (0..4).map(|_| faults.take(Messages)).collect();
        let expected = [Some(Fault::Reset), Some(Fault::Reset), Some(Fault::Unauthorized), None];
        assert_eq!(taken, expected);
        let left = Armed { fault: Fault::LostAnswer, endpoint: Token, requests: 1 };
        assert_eq!(faults.armed(), [left]);
        assert_eq!(faults.take(Token), Some(Fault::LostAnswer));
        assert_eq!(faults.take(Token), None);
    }

    #[test]
    fn no_more_are_armed_than_memory_is_kept_for() {
        let faults = Faults::default();
        (0..=Faults::MOST_ARMED).for_each(|_| faults.arm(Fault::Reset, Messages, 1));
        assert_eq!(faults.armed().len(), Faults::MOST_ARMED);
    }

    #[test]
    fn faults_and_endpoints_are_found_by_their_names() {
        let span = Duration::from_secs(3);
        for fault in Fault::all(span) {
            assert_eq!(Fault::from_name(fault.name(), span), Some(fault));
        }
        assert_eq!(Fault::from_name("none", span), None);
        for endpoint in Endpoint::all() {
            assert_eq!(Endpoint::from_name(endpoint.name()), Some(endpoint));
        }
        assert_eq!(Endpoint::from_name("none"), None);
    }
}
