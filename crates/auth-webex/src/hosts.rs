//! Where the platform is.

use crate::WebexFamily;
use auth_core::{Error, Origin, Result};
use http::Uri;
use std::fmt;

/// A region of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Region {
    /// Canada.
    Ca,
    /// The European Union.
    Eu,
    /// The United Kingdom.
    Uk,
    /// The United States, in Oregon.
    Us,
    /// The United States, on Azure.
    Us1,
    /// India.
    In,
    /// Australia.
    Au,
}

impl Region {
    /// As it stands in host names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ca => "ca",
            Self::Eu => "eu",
            Self::Uk => "uk",
            Self::Us => "us",
            Self::Us1 => "us1",
            Self::In => "in",
            Self::Au => "au",
        }
    }

    /// The region of this name, as host names have it.
    ///
    /// # Errors
    ///
    /// `Error::Config` that lists the regions.
    pub fn named(name: &str) -> Result<Self> {
        let all = [Self::Ca, Self::Eu, Self::Uk, Self::Us, Self::Us1, Self::In, Self::Au];
        all.into_iter().find(|region| region.as_str() == name).ok_or_else(|| {
            let text = format!("region is {name:?}, expected ca, eu, uk, us, us1, in or au");
            Error::config("webex_region", text)
        })
    }
}

/// The base URL of each family of APIs.
///
/// The documentation prints some of them in two ways, and older hosts still work: each can be set.
#[derive(Clone)]
pub struct WebexHosts {
    api: Base,
    contact_policy: Base,
    rtm: Base,
    hooks: Base,
    sandbox: Base,
}

#[derive(Clone)]
pub(crate) struct Base {
    pub(crate) url: Box<str>,
    pub(crate) origin: Origin,
}

impl WebexHosts {
    /// The hosts of a region.
    ///
    /// # Errors
    ///
    /// None for these hosts: the signature is that of [`with_base`](Self::with_base).
    pub fn of(region: Region) -> Result<Self> {
        let region = region.as_str();
        let base = |host: &str| Base::read(&format!("https://{host}.{region}.webexconnect.io"));
        Ok(Self {
            api: base("api")?,
            contact_policy: base("contactpolicy")?,
            rtm: base("rtm")?,
            hooks: base("hooks")?,
            sandbox: Base::read("https://api-sandbox.imiconnect.io")?,
        })
    }

    /// With another base URL for a family: an older host, or an emulator.
    ///
    /// # Errors
    ///
    /// `Error::Config` when it is no URL of https, or of http on this machine, or has a query or a fragment.
    pub fn with_base(mut self, family: WebexFamily, url: &str) -> Result<Self> {
        *self.of_family_mut(family) = Base::read(url)?;
        Ok(self)
    }

    /// With one base URL for all families: an emulator.
    ///
    /// # Errors
    ///
    /// Those of [`with_base`](Self::with_base).
    pub fn at(url: &str) -> Result<Self> {
        let base = Base::read(url)?;
        let all = || base.clone();
        Ok(Self { api: all(), contact_policy: all(), rtm: all(), hooks: all(), sandbox: all() })
    }

    pub(crate) const fn of_family(&self, family: WebexFamily) -> &Base {
        match family {
            WebexFamily::ContactPolicy => &self.contact_policy,
            WebexFamily::Rtm => &self.rtm,
            WebexFamily::InboundWebhook => &self.hooks,
            WebexFamily::Sandbox => &self.sandbox,
            _ => &self.api,
        }
    }

    fn of_family_mut(&mut self, family: WebexFamily) -> &mut Base {
        match family {
            WebexFamily::ContactPolicy => &mut self.contact_policy,
            WebexFamily::Rtm => &mut self.rtm,
            WebexFamily::InboundWebhook => &mut self.hooks,
            WebexFamily::Sandbox => &mut self.sandbox,
            _ => &mut self.api,
        }
    }
}

impl Base {
    fn read(url: &str) -> Result<Self> {
        let url = url.trim_end_matches('/');
        if url.contains(['?', '#']) {
            let text = "base URL of Webex Connect has a query or a fragment; leave it out";
            return Err(Error::config("webex_base_url", text));
        }
        let wrong = |why: &dyn fmt::Display| {
            Error::config("webex_base_url", format!("base URL of Webex Connect: {why}"))
        };
        let uri: Uri = url.parse().map_err(|error| wrong(&error))?;
        let origin = Origin::of(&uri).map_err(|error| wrong(error.cause()))?;
        if !origin.is_confidential() {
            return Err(wrong(&"it is http, which anybody on the way can read; expected https"));
        }
        Ok(Self { url: url.into(), origin })
    }
}

impl fmt::Debug for WebexHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebexHosts({})", self.api.url)
    }
}
