//! The APIs, by the credential that they take.

use crate::WebexFamily;

/// An API that takes a service key or a service JWT. Inbound webhooks are another: see
/// [`inbound_webhook`](crate::WebexService::inbound_webhook).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceApi {
    /// `POST /resources/v1/messaging`.
    MessagingV1,
    /// `POST /v2/messages`; what is at a message's own URL is below it.
    MessagingV2,
    /// `POST /resources/v1/events/externalevent`.
    CustomEvent,
    /// The look-up of what a phone can do, below `/v1/rcs`.
    RcsCapability,
    /// The sandbox: `POST /v1/sms/messages`, where the credential is a Bearer token in either form.
    Sandbox,
}

/// An API that takes the profile key of the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantApi {
    /// `/resources/v2/customerprofile`, with the profile key in `key`.
    Profile,
    /// `/v1/groups` of Contact Policy, with the profile key as Bearer.
    ContactPolicy,
}

/// An API that takes the JWT of an app: all are below `/rtmsAPI/api/v1/apps/{appId}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppApi {
    /// `threads`.
    Threads,
    /// `segments`.
    Segments,
    /// `topics`.
    Topics,
}

impl ServiceApi {
    pub(crate) const fn family(self) -> WebexFamily {
        match self {
            Self::MessagingV1 => WebexFamily::MessagingV1,
            Self::MessagingV2 => WebexFamily::MessagingV2,
            Self::CustomEvent => WebexFamily::CustomEvent,
            Self::RcsCapability => WebexFamily::RcsCapability,
            Self::Sandbox => WebexFamily::Sandbox,
        }
    }

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::MessagingV1 => "/resources/v1/messaging",
            Self::MessagingV2 => "/v2/messages",
            Self::CustomEvent => "/resources/v1/events/externalevent",
            Self::RcsCapability => "/v1/rcs",
            Self::Sandbox => "/v1/sms/messages",
        }
    }
}

impl TenantApi {
    pub(crate) const fn family(self) -> WebexFamily {
        match self {
            Self::Profile => WebexFamily::Profile,
            Self::ContactPolicy => WebexFamily::ContactPolicy,
        }
    }

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Profile => "/resources/v2/customerprofile",
            Self::ContactPolicy => "/v1/groups",
        }
    }
}

impl AppApi {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Threads => "threads",
            Self::Segments => "segments",
            Self::Topics => "topics",
        }
    }
}
