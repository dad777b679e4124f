//! The input is a configuration file of Symphony's kits.

use auth_symphony::{BdkConfig, BdkIdentity};

/// What it says is read alike each time, goes to nobody in the clear, and is bounded.
pub fn symphony_bdk(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let variable = |name: &str| (name == "HOME").then(|| "home".to_owned());
    match BdkConfig::parse(text, variable) {
        Ok(config) => {
            let again = BdkConfig::parse(text, variable).expect("it was read a moment ago");
            assert_eq!(format!("{config:?}"), format!("{again:?}"));
            let routes =
                config.routes(config.bot.as_ref(), |_| Ok("-----BEGIN CERTIFICATE-----".into()));
            let routes = routes.unwrap_or_default();
            assert!(routes.iter().all(|route| route.origin.is_confidential()));
            assert!(config.warnings.len() <= text.len() + 8, "a warning is for a member");
            if let Some(BdkIdentity::Key { name, .. }) = &config.bot {
                assert!(name.len() <= text.len() + 4 * text.len(), "more than there was");
            }
        }
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(shown.len() < 4096 + 16 * text.len(), "more than a message");
        }
    }
}
