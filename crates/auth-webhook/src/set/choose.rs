//! What one delivery is sent under.

use super::{SlotName, TenantAuthorizations, slots::Slot};
use crate::{
    FieldValue, OutboundAuthorization, RuleUrls, Subscription, built::Built, subscription,
};
use auth_core::{
    Answer, Authenticator, Context, Credentials, Error, Flow, Need, OriginBound, RequestView,
    Result, Secret, Transport, Verdict,
};
use auth_static::NoAuth;
use http::{HeaderMap, HeaderName, StatusCode};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What one delivery is sent under: an authenticator bound to the receiver, the header fields that were typed, and the
/// transport. It is an [`Authenticator`] itself.
///
/// Choose anew for each attempt: what was edited, deleted or reloaded meanwhile is respected then.
pub struct Chosen {
    found: Found,
    built: Option<Arc<Built>>,
    authenticator: OriginBound<Arc<dyn Authenticator>>,
    fields: HeaderMap,
    context: Context,
    /// What became of the credentials of the last request.
    asked: Mutex<Asked>,
}

/// What became of credentials that were asked for.
enum Asked {
    /// They were given, or nobody has asked yet.
    Given,
    /// They have to come from elsewhere and are not there yet. It stays at that where whoever asked gives up.
    Waiting,
    /// There are none, for this reason.
    Failed(Error),
}

/// Why an authorization is that of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchedBy {
    /// The subscription names it.
    Name,
    /// A rule for its URL names it.
    Rule(RuleUrls),
    /// Nothing names one: nothing is added.
    Nothing,
}

/// What has been found in the set for one delivery.
pub(crate) struct Found {
    pub(super) subscription: Arc<Subscription>,
    pub(super) authorization: Option<(Arc<str>, Arc<Slot>)>,
    pub(super) matched_by: MatchedBy,
    pub(crate) slot: SlotName,
}

impl TenantAuthorizations {
    /// What this delivery to this subscription is sent under, with the secrets that its sources give now.
    ///
    /// # Errors
    ///
    /// `Error::Config` with `webhook_subscription_unknown`, those of the sources, and those of fields that are found to be
    /// wrong with what they gave. Nothing is sent then.
    pub fn choose(&self, subscription: &str, delivery: &str) -> Flow<'static, Chosen> {
        let found = match self.find(subscription, delivery) {
            Ok(found) => found,
            Err(error) => return Flow::failed(error),
        };
        let of = self.clone();
        let typed = of.typed(&found.subscription);
        let built = match &found.authorization {
            Some((name, slot)) => slot.built(self, name).map(Some),
            None => Flow::ready(None),
        };
        built.and_then(move |built| {
            typed.and_then(move |fields| of.chosen(found, built, fields).into())
        })
    }

    pub(crate) fn find(&self, name: &str, delivery: &str) -> Result<Found> {
        let (subscription, matched_by, slots) = self.look(|tenant| {
            let subscription = tenant.subscriptions.get(name).ok_or_else(|| {
                let text = format!("there is no subscription of the name {name:?}; save it first");
                Error::config("webhook_subscription_unknown", text)
            })?;
            let matched_by = match &subscription.authorization {
                Some(_) => MatchedBy::Name,
                None => tenant
                    .rules
                    .choose(&subscription.url)
                    .map_or(MatchedBy::Nothing, |rule| MatchedBy::Rule(rule.urls.clone())),
            };
            let slots = tenant.authorization_for(subscription)?;
            let slots = slots.map(|(slots, name)| (Arc::from(name), slots.clone()));
            Ok((Arc::clone(subscription), matched_by, slots))
        })?;
        let (slot, authorization) = match slots {
            Some((name, slots)) => {
                let (slot, chosen) = slots.for_delivery(&self.set, delivery);
                (slot, Some((name, chosen)))
            }
            None => (SlotName::Current, None),
        };
        Ok(Found { subscription, authorization, matched_by, slot })
    }

    /// The header fields that were typed, with what their sources give now.
    fn typed(&self, subscription: &Subscription) -> Flow<'static, HeaderMap> {
        let headers: Vec<(HeaderName, FieldValue)> = subscription.headers().to_vec();
        if headers.is_empty() {
            return Flow::ready(HeaderMap::new());
        }
        let set = Arc::clone(&self.set);
        Flow::new(async move {
            let mut values: Vec<Arc<Secret>> = Vec::with_capacity(headers.len());
            for (name, value) in &headers {
                values.push(value.resolve(&format!("header {name:?}"), &set.sources).await?);
            }
            subscription::fields(
                headers.iter().map(|(name, _)| name).zip(values.iter().map(|it| &**it)),
            )
        })
    }

    fn chosen(&self, found: Found, built: Option<Arc<Built>>, fields: HeaderMap) -> Result<Chosen> {
        let configured = found.authorization.as_ref().map(|(_, slot)| &slot.authorization);
        let certificate = configured.and_then(|it| it.client_certificate.as_deref());
        let authenticator = match &built {
            Some(built) => Arc::clone(&built.authenticator),
            None => Arc::new(NoAuth),
        };
        Ok(Chosen {
            authenticator: OriginBound::new(
                [found.subscription.url.origin().clone()],
                authenticator,
            ),
            context: self.context(certificate)?,
            found,
            built,
            fields,
            asked: Mutex::new(Asked::Given),
        })
    }
}

impl Chosen {
    /// The name of the authorization; `None` where nothing is added.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        self.found.authorization.as_ref().map(|(name, _)| &**name)
    }

    /// Why it is this one.
    #[must_use]
    pub const fn matched_by(&self) -> &MatchedBy {
        &self.found.matched_by
    }

    /// Which of its slots it is.
    #[must_use]
    pub const fn slot(&self) -> SlotName {
        self.found.slot
    }

    /// The subscription.
    #[must_use]
    pub fn subscription(&self) -> &Subscription {
        &self.found.subscription
    }

    /// The header fields that were typed, for the request.
    #[must_use]
    pub const fn fields(&self) -> &HeaderMap {
        &self.fields
    }

    /// Why the last request that was to be sent got no credentials, and so was not sent: no token, for example.
    #[must_use]
    pub fn credentials_error(&self) -> Option<Error> {
        match &*self.asked() {
            Asked::Given => None,
            Asked::Waiting => Some(late("no token came in time; try again later")),
            Asked::Failed(error) => Some(error.clone()),
        }
    }

    /// The configuration of the authorization, and what it was made into.
    pub(super) fn configured(&self) -> Option<(&OutboundAuthorization, &Built)> {
        let (_, slot) = self.found.authorization.as_ref()?;
        Some((&slot.authorization, self.built.as_deref()?))
    }

    /// Are its credentials fetched from elsewhere than the receiver?
    fn has_tokens(&self) -> bool {
        self.built.as_ref().is_some_and(|built| built.connection.is_some())
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The transport that requests under this authorization go over.
    #[must_use]
    pub fn transport(&self) -> &dyn Transport {
        &*self.context.transport
    }
}

/// Credentials that are not there yet.
pub(crate) fn late(text: &'static str) -> Error {
    Error::unavailable("webhook_credentials_late", None, text)
}

impl Authenticator for Chosen {
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        let made = self.authenticator.credentials(request);
        if self.has_tokens() && !made.is_ready() {
            *self.asked() = Asked::Waiting;
        }
        made.then(|made| {
            *self.asked() = match &made {
                Ok(_) => Asked::Given,
                Err(error) => Asked::Failed(error.clone()),
            };
            made.into()
        })
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.authenticator.assess(sent, answer)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.authenticator.needs(head)
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        self.authenticator.reads(status, headers)
    }
}

impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chosen({:?}, slot {})", self.authorization(), self.slot())
    }
}
