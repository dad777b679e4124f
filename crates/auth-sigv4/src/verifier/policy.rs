//! What a verifier expects of a request.

use crate::{AwsService, SigningRules, scope::check_scope_part};
use auth_core::Result;
use http::HeaderName;
use std::time::Duration;

/// What is expected of a signed request, whoever signed it: one for each kind of route.
///
/// `host` is always signed, and so is every `x-amz-` field, and `content-type` when there is one.
///
/// ```
/// use auth_sigv4::{SigV4Policy, AwsService};
/// let webhooks = SigV4Policy::new(AwsService::ExecuteApi, "eu-west-1")?;
/// let uploads = SigV4Policy::new(AwsService::S3, "eu-west-1")?.allowing_presigned().allowing_unsigned_payload();
/// # Ok::<_, auth_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SigV4Policy {
    pub(crate) service: AwsService,
    pub(crate) rules: SigningRules,
    pub(crate) regions: Vec<Box<str>>,
    pub(crate) skew: Duration,
    pub(crate) signed: Vec<HeaderName>,
    pub(crate) presigned: Allowed,
    pub(crate) unsigned_payload: Allowed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    Yes,
    No,
}

impl SigV4Policy {
    /// Requests to one service in one region, at most 15 minutes old or early, with their payload signed.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the region or the service is not a name of letters, digits, `-`, `_` and `.`.
    pub fn new(service: AwsService, region: &str) -> Result<Self> {
        let policy = Self {
            rules: service.rules(),
            regions: Vec::new(),
            skew: Duration::from_secs(15 * 60),
            signed: Vec::new(),
            presigned: Allowed::No,
            unsigned_payload: Allowed::No,
            service,
        };
        check_scope_part("service", policy.service.name())?;
        policy.with_region(region)
    }

    /// Also in this region.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is not a name of letters, digits, `-`, `_` and `.`.
    pub fn with_region(mut self, region: &str) -> Result<Self> {
        check_scope_part("region", region)?;
        self.regions.push(region.into());
        Ok(self)
    }

    /// With other rules than those of the service.
    #[must_use]
    pub fn with_rules(self, rules: SigningRules) -> Self {
        Self { rules, ..self }
    }

    /// With another difference between the clocks: 15 minutes unless set, which is also the most.
    #[must_use]
    pub fn with_skew(self, skew: Duration) -> Self {
        Self { skew: skew.min(Duration::from_secs(15 * 60)), ..self }
    }

    /// Only if this field is signed as well, when it is there.
    #[must_use]
    pub fn with_required_field(mut self, field: HeaderName) -> Self {
        self.signed.push(field);
        self
    }

    /// Also with the signature in the query, until `X-Amz-Expires` at most.
    ///
    /// # Security
    ///
    /// Whoever has such a URL can use it until then: from a log, a history, a referrer.
    #[must_use]
    pub fn allowing_presigned(self) -> Self {
        Self { presigned: Allowed::Yes, ..self }
    }

    /// Also with `UNSIGNED-PAYLOAD`, and with a payload whose trailer has a checksum but no signature.
    ///
    /// # Security
    ///
    /// Whoever can change a request on its way can then change its body.
    #[must_use]
    pub fn allowing_unsigned_payload(self) -> Self {
        Self { unsigned_payload: Allowed::Yes, ..self }
    }
}
