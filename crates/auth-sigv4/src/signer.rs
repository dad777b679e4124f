//! Signing, as plain functions of a request and a moment.

mod presign;
mod settings;
mod signed;

pub(crate) use presign::{
    PARAMETER_ALGORITHM, PARAMETER_CREDENTIAL, PARAMETER_DATE, PARAMETER_EXPIRES,
    PARAMETER_SECURITY_TOKEN, PARAMETER_SIGNATURE, PARAMETER_SIGNED_HEADERS,
};
pub use settings::SessionTokenPlacement;
pub(crate) use settings::{Settings, Targets, Urls};
pub use signed::SignedFields;

use crate::{
    AccessKey, AmzDate, AwsService, CredentialScope, DerivedKey, Payload, RawRequest, SigningRules,
    canonical::{Canonical, Fields, Parameters, encoded_path, is_folded, split, to_sign},
    request::Said,
    service::PayloadHashField,
};
use arc_swap::ArcSwapOption;
use auth_core::{Error, Result, Timestamp};
use smallvec::SmallVec;
use std::{fmt, sync::Arc};

pub(crate) const DATE: &str = "x-amz-date";
pub(crate) const CONTENT_SHA256: &str = "x-amz-content-sha256";
pub(crate) const SECURITY_TOKEN: &str = "x-amz-security-token";

/// Signs with one access key, for one region and service.
///
/// It computes and does nothing else: no clock, no key is fetched. [`SigV4`](crate::SigV4) is an authenticator over it.
/// The key of the day is derived once and kept.
///
/// ```
/// use auth_core::Timestamp;
/// use auth_sigv4::{AccessKey, Payload, RawRequest, AwsService, SigV4Signer};
///
/// let key = AccessKey::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let signer = SigV4Signer::new(key, "us-east-1", AwsService::named("service"))?;
/// let request = RawRequest {
///     method: "GET",
///     target: b"/?Param2=value2&Param1=value1",
///     headers: &[("host", b"example.amazonaws.com")],
///     payload: Payload::Bytes(b""),
/// };
/// let signed = signer.sign(&request, Timestamp::from_unix(1_440_938_160))?;
/// assert!(signed.authorization.to_str().unwrap().ends_with(
///     "SignedHeaders=host;x-amz-date, \
///      Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
/// ));
/// # Ok::<_, auth_core::Error>(())
/// ```
pub struct SigV4Signer {
    key: AccessKey,
    settings: Settings,
    derived: ArcSwapOption<Derived>,
}

/// The key of one day.
struct Derived {
    day: [u8; 8],
    key: DerivedKey,
}

impl SigV4Signer {
    /// A signer.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the region or the service is not a name of letters, digits, `-`, `_` and `.`.
    pub fn new(key: AccessKey, region: &str, service: AwsService) -> Result<Self> {
        Settings::new(region, service).map(|settings| Self::with(key, settings))
    }

    pub(crate) const fn with(key: AccessKey, settings: Settings) -> Self {
        Self { key, settings, derived: ArcSwapOption::const_empty() }
    }

    /// With other rules than those of the service: for servers that have their own.
    #[must_use]
    pub fn with_rules(mut self, rules: SigningRules) -> Self {
        self.settings.rules = rules;
        self
    }

    /// With the session token added before or after signing.
    #[must_use]
    pub fn with_session_token(mut self, session_token: SessionTokenPlacement) -> Self {
        self.settings.session_token = session_token;
        self
    }

    /// Also presigns URLs that a temporary key does not last for: they are dead before their time, with the key.
    #[must_use]
    pub fn allowing_urls_beyond_the_key(mut self) -> Self {
        self.settings.urls = Urls::AsAsked;
        self
    }

    /// Also signs targets that a handler could read in another way than they are signed: for servers that take what AWS
    /// takes.
    ///
    /// Those are paths with an empty segment or one of dots, where the rules fold them, and queries with a raw `+`, which
    /// is signed as `%2B` and which most servers read as a space.
    #[must_use]
    pub fn allowing_ambiguous_targets(mut self) -> Self {
        self.settings.targets = Targets::Any;
        self
    }

    /// The access key.
    #[must_use]
    pub const fn key(&self) -> &AccessKey {
        &self.key
    }

    /// The header fields that sign this request, dated `now`.
    ///
    /// All fields of the request are signed, and so are those that are added: `x-amz-date`, with a temporary key
    /// `x-amz-security-token`, and `x-amz-content-sha256` where the service or the payload wants it. What the request
    /// has of these already is an error. A path for S3 is best sent as [`SignedFields::path`] has it.
    ///
    /// # Errors
    ///
    /// `Error::Config` when there is no `host`, when there are more than 61 fields, or one that is added here; and when
    /// a handler could read the target in another way than it is signed, unless
    /// [`allowing_ambiguous_targets`](Self::allowing_ambiguous_targets) allows it.
    pub fn sign(&self, request: &RawRequest<'_>, now: Timestamp) -> Result<SignedFields> {
        let fields = request.headers.iter().copied();
        self.sign_fields(request.method, request.target, fields, request.payload, now)
    }

    pub(crate) fn sign_fields<'a>(
        &self,
        method: &str,
        target: &[u8],
        fields: impl Iterator<Item = (&'a str, &'a [u8])>,
        payload: Payload<'_>,
        now: Timestamp,
    ) -> Result<SignedFields> {
        self.sign_all(method, target, fields, payload, now).map(|(signed, ..)| signed)
    }

    pub(crate) fn sign_all<'a>(
        &self,
        method: &str,
        target: &[u8],
        fields: impl Iterator<Item = (&'a str, &'a [u8])>,
        payload: Payload<'_>,
        now: Timestamp,
    ) -> Result<(SignedFields, [u8; 64], SmallVec<[u8; 256]>)> {
        let (date, said) = (AmzDate::from(now), payload.said());
        let mut fields = Fields::of(fields);
        check(&fields)?;
        let sends_hash =
            self.settings.rules.content_sha256 == PayloadHashField::Sent || payload.must_be_sent();
        let token = self.key.session_token().map(auth_core::Secret::expose);
        fields.add(DATE, date.as_bytes());
        if sends_hash {
            fields.add(CONTENT_SHA256, said.as_bytes());
        }
        if let (Some(token), SessionTokenPlacement::Signed) = (token, self.settings.session_token) {
            fields.add(SECURITY_TOKEN, token);
        }
        fields.sort();
        let (path, query) = split(target);
        let query = Parameters::of(query);
        self.check_target(path, &query)?;
        let canonical = Canonical {
            method,
            path,
            query,
            fields,
            payload: said.as_bytes(),
            rules: self.settings.rules,
        };
        let scope = self.scope(&date);
        let text = to_sign(date.as_bytes(), scope, &canonical.hash());
        let signature = self.signature(&date, &text);
        let sent = sends_hash.then_some(&said).map(Said::as_bytes);
        let id = self.key.id();
        let signed =
            SignedFields::new(id, scope, &canonical.fields, &signature, &date, sent, token)?;
        let signed = SignedFields { path: encoded_path(path, self.settings.rules), ..signed };
        Ok((signed, signature, text))
    }

    /// Refuses what a handler could read in another way than it is signed.
    fn check_target(&self, path: &[u8], query: &Parameters<'_>) -> Result<()> {
        if self.settings.targets == Targets::Any {
            return Ok(());
        }
        if is_folded(path, self.settings.rules) {
            let text = "path has an empty segment or one of dots, which the rules of the service fold; \
                        remove it or allow it with allowing_ambiguous_targets";
            return Err(Error::config("sigv4_ambiguous_target", text));
        }
        if query.has_plus() {
            let text = "query has a raw +, which is signed as %2B and which servers may read as a space; \
                        write %20 or %2B, or allow it with allowing_ambiguous_targets";
            return Err(Error::config("sigv4_ambiguous_target", text));
        }
        Ok(())
    }

    fn signature(&self, date: &AmzDate, string_to_sign: &[u8]) -> [u8; 64] {
        match &*self.derived.load() {
            Some(derived) if derived.day == day_of(date) => derived.key.sign(string_to_sign),
            _ => self.derive(date).sign(string_to_sign),
        }
    }

    /// The key of the day, for what goes on with it.
    #[cfg(feature = "aws-chunked")]
    pub(crate) fn derived(&self, date: &AmzDate) -> DerivedKey {
        match &*self.derived.load() {
            Some(derived) if derived.day == day_of(date) => derived.key.clone(),
            _ => self.derive(date),
        }
    }

    /// The key of another day than the last one.
    #[cold]
    fn derive(&self, date: &AmzDate) -> DerivedKey {
        let key = self.key.derive(self.scope(date));
        self.derived.store(Some(Arc::new(Derived { day: day_of(date), key: key.clone() })));
        key
    }

    pub(crate) fn scope<'a>(&'a self, date: &'a AmzDate) -> CredentialScope<'a> {
        CredentialScope::new(date.day(), &self.settings.region, self.settings.service.name())
    }
}

fn day_of(date: &AmzDate) -> [u8; 8] {
    let [y0, y1, y2, y3, m0, m1, d0, d1, ..] = *date.as_bytes();
    [y0, y1, y2, y3, m0, m1, d0, d1]
}

fn check(fields: &Fields<'_>) -> Result<()> {
    if fields.len() + 3 > Fields::MOST {
        let text =
            format!("request has {} header fields to sign, expected at most 61", fields.len());
        return Err(Error::config("sigv4_many_fields", text));
    }
    if !fields.has("host") {
        let text = "request has no host field, expected one: it is always signed";
        return Err(Error::config("sigv4_no_host", text));
    }
    for name in [DATE, CONTENT_SHA256, SECURITY_TOKEN, "authorization"] {
        if fields.has(name) {
            return Err(taken(name));
        }
    }
    Ok(())
}

pub(crate) fn taken(name: &str) -> Error {
    let text = format!("field {name} is there already, expected it to be set by the signer");
    Error::config("sigv4_field_taken", text)
}

impl fmt::Debug for SigV4Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { region, service, .. } = &self.settings;
        write!(f, "SigV4Signer({}, {region}, {})", self.key.id(), service.name())
    }
}
