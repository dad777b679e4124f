//! What a verifier expects of a request.

use crate::{
    AwsService, SigningRules,
    scope::check_scope_part,
    signer::{CONTENT_SHA256, DATE, SECURITY_TOKEN, Targets},
};
use auth_core::{Error, Result};
use http::HeaderName;
use std::time::Duration;

/// What is expected of every signed request, under any key: one policy for each kind of route.
///
/// `host` is always signed, and so is every `x-amz-` field, and `content-type` when there is one, except that a presigned
/// URL says nothing of it, as S3 has it.
///
/// # Security
///
/// A signature does not cover everything that a handler may read. It covers the method, the path, the parameters of the
/// query as a set, the fields that are named in `SignedHeaders`, and the payload unless it is unsigned. It does not cover
/// the order of parameters, not even of those of one name (`id=1&id=2` and `id=2&id=1` have one signature), whether a
/// parameter has an `=` without a value, how a character is escaped where that makes no difference, runs of white space in
/// fields, the version of HTTP, and every field that nobody asked to be signed: `cookie`, `range`, `content-encoding`,
/// `x-forwarded-for` and so on. Name those that matter to the handler with
/// [`with_required_field`](Self::with_required_field).
///
/// In a query `;` has the signature of `%3B`, `[` that of `%5B`, and so on: a handler that parts parameters at a raw `;`,
/// or to which `a[b]` is another name than `a%5Bb%5D`, has to refuse one of the two.
///
/// A target that a handler could read in another way than it was signed is refused, unless
/// [`allowing_ambiguous_targets`](Self::allowing_ambiguous_targets) takes it.
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
    pub(crate) unsigned: Vec<HeaderName>,
    pub(crate) targets: Targets,
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
            unsigned: Vec::new(),
            targets: Targets::Unambiguous,
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

    /// With other rules than those of the service, all of them or one: see [`SigV4::with_rules`](crate::SigV4::with_rules).
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

    /// Also if this field is there and not signed: `content-type`, which browsers add to what is fetched and some clients
    /// leave out, or an `x-amz-` field that a CDN adds on the way.
    ///
    /// # Errors
    ///
    /// `Error::Config` for a field that the verifier itself reads: it must be the one that was signed.
    ///
    /// # Security
    ///
    /// Anybody who can change a request on its way can then change this field: the handler must not act on it.
    pub fn allowing_unsigned_field(mut self, field: HeaderName) -> Result<Self> {
        const READ: [&str; 8] = [
            "authorization",
            "content-encoding",
            "host",
            CONTENT_SHA256,
            DATE,
            "x-amz-decoded-content-length",
            SECURITY_TOKEN,
            "x-amz-trailer",
        ];
        if READ.contains(&field.as_str()) {
            let text = format!(
                "field {field} is read by the verifier, expected one that may arrive unsigned"
            );
            return Err(Error::config("sigv4_unsigned_field", text));
        }
        self.unsigned.push(field);
        Ok(self)
    }

    /// Also for targets that a handler could read in another way than they were signed: all that AWS takes.
    ///
    /// Those are paths with an empty segment or one of dots, where the rules fold them (`/a//b`, `/x/../a/b` and `/a/b`
    /// have one signature), paths with a backslash, which is signed as `%5C` and which some frameworks read as a slash, and
    /// queries with a raw `+`, which is signed as `%2B` and which most frameworks read as a space.
    ///
    /// # Security
    ///
    /// One signature is then good for several targets, and anybody who has read a request can choose among
    /// them. Allow it only where the handler reads paths and queries exactly as they are signed.
    #[must_use]
    pub fn allowing_ambiguous_targets(self) -> Self {
        Self { targets: Targets::Any, ..self }
    }

    /// Also with the signature in the query, until `X-Amz-Expires` at most.
    ///
    /// # Security
    ///
    /// Anybody who has such a URL can use it until then: from a log, a history, a referrer.
    #[must_use]
    pub fn allowing_presigned(self) -> Self {
        Self { presigned: Allowed::Yes, ..self }
    }

    /// Also with `UNSIGNED-PAYLOAD`, and with a payload whose trailer has a checksum but no signature.
    ///
    /// # Security
    ///
    /// Anybody who can change a request on its way can then change its body.
    #[must_use]
    pub fn allowing_unsigned_payload(self) -> Self {
        Self { unsigned_payload: Allowed::Yes, ..self }
    }
}
