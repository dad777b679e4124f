//! Why a signature is refused.

use auth_core::Reason;

pub(super) const MISSING: Reason =
    Reason::new("webhook_signature_missing", "there is no signature in its field");
pub(super) const MALFORMED: Reason =
    Reason::new("webhook_signature_malformed", "signature is not written as its form says");
pub(super) const WRONG: Reason =
    Reason::new("webhook_signature_wrong", "no key of the sender has made this signature");
pub(super) const STALE: Reason =
    Reason::new("webhook_signature_stale", "signature is older or newer than five minutes");
pub(super) const ID: Reason =
    Reason::new("webhook_id", "id is missing, longer than 128 bytes, or has a dot or a blank");
pub(super) const TIME: Reason =
    Reason::new("webhook_timestamp", "timestamp is missing or no whole number of seconds");
pub(super) const SEVERAL: Reason =
    Reason::new("webhook_signatures_several", "there are more than sixteen signatures");
pub(super) const BODY: Reason = Reason::new("webhook_body", "body is none that this form can sign");
pub(super) const BODY_HASH: Reason =
    Reason::new("webhook_body_hash", "bodySHA256 is missing or not that of the body");
