//! What every handler shares, and the step before all of them.

use super::{account::Account, answers, transactions::Transactions};
use crate::{request::Whole, shared::Shared};
use auth_core::{Rejection, Result, TenantId, Verifier};
use auth_lifecycle::Admit;
use auth_net::AddressList;
use auth_webex::{WebexDoors, WebexFamily};
use axum::response::Response;
use http::StatusCode;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

pub(super) struct App {
    pub(super) account: Account,
    pub(super) doors: WebexDoors,
    pub(super) addresses: HashMap<WebexFamily, AddressList>,
    pub(super) transactions: Transactions,
    /// The services that events and webhooks are of, by their identifiers.
    pub(super) events: HashMap<Box<str>, Box<str>>,
    pub(super) webhooks: HashMap<Box<str>, Box<str>>,
    /// The webhooks that anybody calls.
    pub(super) open_webhooks: HashSet<Box<str>>,
    pub(super) events_of_others: EventsOfOthers,
    pub(super) shared: Shared,
}

/// What a handler answers: an error is the answer too, in the form of its family.
pub(super) type Answer = Result<Response, Response>;

/// What becomes of an event that a service sends and another one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EventsOfOthers {
    Refused,
    /// As the vendor documents it.
    AcceptedAndNotTriggered,
}

impl App {
    /// The principal of a request, if this door of a family takes it from its address; else the refusal.
    pub(super) async fn admit<V: Verifier>(
        &self,
        family: WebexFamily,
        door: Result<Admit<V>>,
        request: &Whole,
    ) -> Result<<Admit<V> as Verifier>::Principal, Response>
    where
        Admit<V>: Verifier,
    {
        let door = door.map_err(|error| answers::failed(family, &error))?;
        let door = match self.addresses.get(&family) {
            None => door,
            Some(list) => door.with_addresses(HashMap::<TenantId, _>::from([(
                self.account.tenant.clone(),
                Arc::new(list.clone()),
            )])),
        };
        match door.verify(request.view()).await {
            Ok(Ok(accepted)) => Ok(accepted.principal),
            Ok(Err(rejection)) => Err(self.refused(family, &rejection)),
            Err(error) => Err(answers::failed(family, &error)),
        }
    }

    /// As [`admit`](Self::admit), at the door of services; gives the Service ID, of which this is one more transaction.
    pub(super) async fn service(
        &self,
        family: WebexFamily,
        request: &Whole,
    ) -> Result<Arc<str>, Response> {
        let caller = match family {
            WebexFamily::Sandbox => self.admit(family, self.doors.sandbox(), request).await?,
            _ => self.admit(family, self.doors.service(), request).await?,
        };
        let service = caller.service.unwrap_or_else(|| Arc::from(""));
        self.transactions
            .begin(&service, self.shared.now())
            .map_err(|rejection| self.refused(family, &rejection))?;
        Ok(service)
    }

    pub(super) fn refused(&self, family: WebexFamily, rejection: &Rejection) -> Response {
        self.shared.record.count(|counts| counts.refused += 1);
        match self.shared.uuid() {
            Ok(transaction) => answers::refused(family, rejection, &transaction),
            Err(error) => answers::failed(family, &error),
        }
    }

    /// A request that is wrong, in the form of its family: a 400, and of Custom Event a 200 like its refusals.
    pub(super) fn wrong(&self, family: WebexFamily, code: &str, text: &str) -> Response {
        let status = match family {
            WebexFamily::CustomEvent => StatusCode::OK,
            _ => StatusCode::BAD_REQUEST,
        };
        match self.shared.uuid() {
            Ok(transaction) => answers::coded(family, status, code, text, &transaction),
            Err(error) => answers::failed(family, &error),
        }
    }
}
