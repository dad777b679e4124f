//! Receiving webhooks: who sent one, and that it takes effect once.

mod inbound;
mod once;
mod receipt;
mod receiver;

pub use inbound::{InboundAuthorization, InboundLookUps, InboundVerifier};
pub use once::OncePerDelivery;
pub use receipt::{Receipt, ReceiptChannel};
pub use receiver::{Delivery, WebhookReceiver};

#[cfg(test)]
mod tests;
