//! What requests are signed for, whatever the key.

use crate::{AwsService, SigningRules, scope::check_scope_part};
use auth_core::Result;

/// What [`SigV4Signer`](crate::SigV4Signer) and [`SigV4`](crate::SigV4) are both told.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) region: Box<str>,
    pub(crate) service: AwsService,
    pub(crate) rules: SigningRules,
    pub(crate) session_token: SessionTokenPlacement,
    pub(crate) urls: Urls,
    pub(crate) targets: Targets,
}

/// When the session token of a temporary key joins the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionTokenPlacement {
    /// Before it is signed, as nearly all services want it.
    #[default]
    Signed,
    /// Afterwards, as a few do (IoT).
    AppendedUnsigned,
}

/// How long presigned URLs may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urls {
    WithinTheKey,
    AsAsked,
}

/// Which targets are signed and accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Targets {
    /// Those that a handler reads as they were signed.
    Unambiguous,
    /// All that AWS takes.
    Any,
}

impl Settings {
    pub(crate) fn new(region: &str, service: AwsService) -> Result<Self> {
        check_scope_part("region", region)?;
        check_scope_part("service", service.name())?;
        let (region, rules) = (region.into(), service.rules());
        let (session_token, urls) = (SessionTokenPlacement::Signed, Urls::WithinTheKey);
        Ok(Self { region, service, rules, session_token, urls, targets: Targets::Unambiguous })
    }
}
