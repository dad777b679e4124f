//! What a scope allows.

use auth_core::Scopes;

/// What a role has that allows everything. It is no scope of Infobip's, which does not list those of a role.
pub const EVERY_SCOPE: &str = "*";

/// What a key's permissions are kept as, among its scopes.
pub(super) const PERMISSION: &str = "permission:";

const PUBLIC_API: &str = "permission:PUBLIC_API";

/// Does one of the granted scopes allow what needs one of these?
///
/// A scope is `product:resource:action` or `product:manage`, which is the broadest of its product. `message:send` is that of
/// every channel, and so is `inbound-message:read`. A key that is for clients alone, by its permissions, allows nothing of
/// the public API whatever its scopes are.
pub(super) fn covers(granted: &Scopes, needed: &[&str]) -> bool {
    if !is_of_public_api(granted.iter()) {
        return false;
    }
    needed.iter().any(|needed| granted.iter().any(|granted| allows(granted, needed)))
}

fn allows(granted: &str, needed: &str) -> bool {
    if granted == needed || granted == EVERY_SCOPE {
        return true;
    }
    let Some((product, rest)) = needed.split_once(':') else { return false };
    if is_of_all_channels(needed) {
        return false;
    }
    granted.strip_suffix(":manage") == Some(product)
        || (is_of_all_channels(granted) && granted == rest)
}

/// Is it of every channel, and so of no product that could be managed?
fn is_of_all_channels(scope: &str) -> bool {
    matches!(scope, "message:send" | "inbound-message:read")
}

/// Do the granted scopes allow all that a key has, so that its power may be given on?
pub(super) fn cover_all<'a>(granted: &Scopes, mut of_key: impl Iterator<Item = &'a str>) -> bool {
    of_key.all(|scope| covers(granted, &[scope]))
}

/// Is it a key of the public API, by its permissions?
pub(super) fn is_of_public_api<'a>(of_key: impl Iterator<Item = &'a str>) -> bool {
    let mut permissions = of_key.filter(|one| one.starts_with(PERMISSION)).peekable();
    permissions.peek().is_none() || permissions.any(|one| one == PUBLIC_API)
}

/// Has it the form of a scope: two parts or more, each of letters, digits and `-`?
pub(super) fn is_scope(text: &str) -> bool {
    let is_part = |part: &str| {
        let of_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !part.is_empty() && part.bytes().all(of_part)
    };
    text.contains(':') && text.split(':').all(is_part) && !text.starts_with(PERMISSION)
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
        check(&[EVERY_SCOPE], &send, true);
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
        check(&["message:manage"], &["message:send"], false);
        check(&["inbound-message:manage"], &["inbound-message:read"], false);
        check(&["SMS:MANAGE"], &send, false);
        check(&[":manage"], &send, false);
        check(&["sms:manage"], &["sms"], false);
        check(&["sms:manage"], &[], false);
        check(&["logs:read"], &["sms:logs:read"], false);
    }

    #[test]
    fn a_key_for_clients_alone_allows_nothing_of_the_public_api() {
        let send = ["sms:message:send"];
        check(&["sms:manage", "permission:WEB_SDK"], &send, false);
        check(&[EVERY_SCOPE, "permission:2FA_CLIENT"], &send, false);
        check(&["sms:manage", "permission:2FA_CLIENT", "permission:PUBLIC_API"], &send, true);
        check(&["permission:PUBLIC_API"], &send, false);
    }

    #[test]
    fn knows_the_form_of_a_scope() {
        for scope in ["sms:message:send", "2fa:manage", "web:sdk", "mobile-app-messaging:sdk"] {
            assert!(is_scope(scope), "{scope}");
        }
        for text in ["", "*", "sms", "sms:", ":manage", "a::b", "a b:c", "permission:WEB_SDK"] {
            assert!(!is_scope(text), "{text}");
        }
    }
}
