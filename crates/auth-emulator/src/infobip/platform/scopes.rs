//! What a scope allows.

use auth_core::Scopes;

/// The scopes of a user whose role allows everything that the emulator has.
///
/// The vendor does not list the scopes of a role; these are the broadest of each product.
pub(in crate::infobip) const FULL_ROLE: [&str; 6] = [
    "account-management:manage",
    "message:send",
    "inbound-message:read",
    "sms:manage",
    "whatsapp:manage",
    "2fa:manage",
];

/// Does one of the granted scopes allow what needs one of these?
///
/// A scope is `product:resource:action` or `product:manage`, which is the broadest of its product. `message:send` is that of
/// every channel, and so is `inbound-message:read`.
pub(in crate::infobip) fn covers(granted: &Scopes, needed: &[&str]) -> bool {
    needed.iter().any(|needed| granted.iter().any(|granted| allows(granted, needed)))
}

fn allows(granted: &str, needed: &str) -> bool {
    if granted == needed {
        return true;
    }
    let Some((product, rest)) = needed.split_once(':') else { return false };
    let is_of_all_channels = matches!(granted, "message:send" | "inbound-message:read");
    granted.strip_suffix(":manage") == Some(product) || (is_of_all_channels && granted == rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(granted: &[&str], needed: &[&str], expected: bool) {
        let scopes = granted.iter().copied().collect();
        assert_eq!(covers(&scopes, needed), expected, "{granted:?} {needed:?}");
    }

    #[test]
    fn a_scope_allows_itself_what_its_product_has_or_what_all_channels_have() {
        let send = ["sms:message:send"];
        check(&["sms:message:send"], &send, true);
        check(&["sms:manage"], &send, true);
        check(&["message:send"], &send, true);
        check(&["message:send"], &["whatsapp:message:send"], true);
        check(&["inbound-message:read"], &["sms:inbound-message:read"], true);
        check(&["2fa:manage", "sms:manage"], &send, true);
        check(&["sms:manage"], &["2fa:manage", "sms:logs:read"], true);
    }

    #[test]
    fn a_scope_allows_nothing_else() {
        let send = ["sms:message:send"];
        check(&[], &send, false);
        check(&["whatsapp:manage"], &send, false);
        check(&["whatsapp:message:send"], &send, false);
        check(&["inbound-message:read"], &send, false);
        check(&["message:send"], &["sms:logs:read"], false);
        check(&["message:send"], &["sms:manage"], false);
        check(&["sms:message"], &send, false);
        check(&["SMS:MANAGE"], &send, false);
        check(&[":manage"], &send, false);
        check(&["sms:manage"], &["sms"], false);
        check(&["sms:manage"], &[], false);
        check(&["logs:read"], &["sms:logs:read"], false);
    }
}
