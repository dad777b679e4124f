//! How requests are signed.

use super::{PayloadSigning, SigV4};
use crate::{
    SessionTokenPlacement, SigningRules,
    signer::{Settings, Targets, Urls},
};
use arc_swap::ArcSwapOption;
use auth_core::{Error, Origin, Result};
use auth_session::LearnedClock;
use std::sync::Arc;

impl SigV4 {
    /// Puts the clock right when this origin refuses a request for its time: over https alone, by a day at most, once for
    /// a request, and for an hour. The rules are those of [`LearnedClock`].
    ///
    /// A refusal for its time is one that says `RequestTimeTooSkewed`, `RequestExpired` or another such code of AWS, in
    /// `x-amzn-errortype`, in XML or in the `__type` of JSON. A [`SigV4Verifier`](crate::SigV4Verifier) behind auth-tower
    /// says none of them, as its refusals say nothing: it puts no clock right.
    ///
    /// # Errors
    ///
    /// `Error::Config` when the origin is http: anybody on the way could set the clock.
    pub fn with_clock_learned_from(self, origin: Origin) -> Result<Self> {
        if !origin.is_encrypted() {
            let text = "clock would be learned from an http origin, where anybody on the way could set it; use https";
            return Err(Error::config("sigv4_clock_origin", text));
        }
        let learned = LearnedClock::new(Arc::clone(&self.clock), origin);
        Ok(Self { learned: Some(learned), ..self })
    }

    /// Does not sign bodies: `UNSIGNED-PAYLOAD`, for large ones over TLS that nobody wants to read twice. S3 takes it,
    /// most services do not.
    #[must_use]
    pub fn with_unsigned_payload(self) -> Self {
        Self { payload: PayloadSigning::Unsigned, ..self }
    }

    /// With other rules than those of the service: for services that follow the rules of S3 under a name of their own, or
    /// that have one rule of their own.
    ///
    /// ```
    /// use auth_sigv4::{AccessKey, AwsService, PayloadHashField, SigV4, SigningRules, SystemClock};
    /// # let key = || AccessKey::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    /// let outposts = SigV4::new(key()?, "eu-west-1", AwsService::named("s3-outposts"), SystemClock)?;
    /// let outposts = outposts.with_rules(AwsService::S3.rules());
    ///
    /// let glacier = AwsService::named("glacier");
    /// let rules = SigningRules { content_sha256: PayloadHashField::Sent, ..glacier.rules() };
    /// let glacier = SigV4::new(key()?, "eu-west-1", glacier, SystemClock)?.with_rules(rules);
    /// # let _ = (outposts, glacier);
    /// # Ok::<_, auth_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_rules(self, rules: SigningRules) -> Self {
        self.with_settings(|settings| settings.rules = rules)
    }

    /// With the session token of temporary keys added before or after signing.
    #[must_use]
    pub fn with_session_token(self, session_token: SessionTokenPlacement) -> Self {
        self.with_settings(|settings| settings.session_token = session_token)
    }

    /// Presigns with the key that is there, though it ends before the URL would: the URL is then dead with the key.
    #[must_use]
    pub fn allowing_urls_beyond_the_key(self) -> Self {
        self.with_settings(|settings| settings.urls = Urls::AsAsked)
    }

    /// Also signs targets that a handler could read in another way than they are signed:
    /// [`SigV4Signer::allowing_ambiguous_targets`](crate::SigV4Signer::allowing_ambiguous_targets) lists them.
    #[must_use]
    pub fn allowing_ambiguous_targets(self) -> Self {
        self.with_settings(|settings| settings.targets = Targets::Any)
    }

    /// The signer that was used last has the settings of before.
    fn with_settings(mut self, set: impl FnOnce(&mut Settings)) -> Self {
        set(&mut self.settings);
        Self { signer: ArcSwapOption::empty(), ..self }
    }
}
