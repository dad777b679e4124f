//! What outbound webhooks bring: receipts of messages and of voice calls.

use serde::{Deserialize, Serialize};

/// A receipt of a message or of a voice call.
///
/// Platforms write receipts in many ways; this is what all of them say. A handler of one platform reads the body as that
/// platform documents it.
///
/// ```
/// use auth_webhook::{Receipt, ReceiptChannel};
/// let body = r#"{ "channel": "voice", "transaction_id": "4711", "status": "answered" }"#;
/// let receipt: Receipt = serde_json::from_str(body).unwrap();
/// assert_eq!(receipt.channel, ReceiptChannel::Voice);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Receipt {
    /// Of what it is.
    pub channel: ReceiptChannel,
    /// The identifier that the platform gave the message or the call.
    pub transaction_id: String,
    /// What has become of it, in the platform's own word: `delivered`, `answered`, `failed`.
    pub status: String,
}

/// Of what a receipt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReceiptChannel {
    /// A message.
    Message,
    /// A voice call.
    Voice,
}
