//! Families of APIs.

/// A family of APIs: one host, one way to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
