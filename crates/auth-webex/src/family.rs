//! Families of APIs.

/// A family of APIs: one host, one way to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WebexFamily {
    /// Messaging v1.
    MessagingV1,
    /// Messaging v2.
    MessagingV2,
    /// Custom Event v1.
    CustomEvent,
    /// Inbound webhooks.
    InboundWebhook,
    /// RCS capability look-up.
    RcsCapability,
    /// Profile v2.
    Profile,
    /// Contact Policy.
    ContactPolicy,
    /// Thread, Segment, Topic.
    Rtm,
    /// The sandbox.
    Sandbox,
}

impl WebexFamily {
    /// Every family.
    pub const ALL: [Self; 9] = [
        Self::MessagingV1,
        Self::MessagingV2,
        Self::CustomEvent,
        Self::InboundWebhook,
        Self::RcsCapability,
        Self::Profile,
        Self::ContactPolicy,
        Self::Rtm,
        Self::Sandbox,
    ];

    /// Its name in configurations and logs: `messaging_v1`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessagingV1 => "messaging_v1",
            Self::MessagingV2 => "messaging_v2",
            Self::CustomEvent => "custom_event",
            Self::InboundWebhook => "inbound_webhook",
            Self::RcsCapability => "rcs_capability",
            Self::Profile => "profile",
            Self::ContactPolicy => "contact_policy",
            Self::Rtm => "rtm",
            Self::Sandbox => "sandbox",
        }
    }
}
