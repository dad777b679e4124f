//! What the bodies and queries of the API of keys say.

use super::{refusal::KeyRefusal, view::begins};
use crate::server::{
    dates,
    scopes::{PERMISSION, cover_all, is_of_public_api, is_scope},
};
use auth_core::{Caller, Scopes, Timestamp};
use auth_lifecycle::CredentialView;
use auth_net::AddressList;
use serde::Deserialize;
use serde_json::Value;
use std::{collections::HashSet, sync::Arc};

/// The members of a body, for a new key and for an update. What the platform's API does not know is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct KeyFields {
    pub(super) name: Option<String>,
    pub(super) enabled: Option<bool>,
    account_id: Option<String>,
    #[serde(rename = "allowedIPs")]
    allowed_ips: Option<Vec<String>>,
    valid_from: Option<String>,
    valid_to: Option<String>,
    permissions: Option<Vec<String>>,
    scope_guids: Option<Vec<String>>,
    platform: Option<Vec<Value>>,
}

/// What a list is asked for.
#[derive(Debug)]
pub(super) struct KeyFilter {
    pub(super) name: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) page: usize,
    pub(super) size: usize,
}

/// No page has more keys.
const MOST_KEYS: usize = 100;

impl KeyFilter {
    /// What a query asks for. The order is that of creation, whatever is asked for.
    pub(super) fn read(query: &str) -> Result<Self, KeyRefusal> {
        let mut filter = Self { name: None, enabled: None, page: 0, size: MOST_KEYS };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let number = |property, least: usize| {
                let violation = format!("must be a number from {least} to {MOST_KEYS}");
                let read = value.parse().ok().filter(|it| (least..=MOST_KEYS).contains(it));
                read.ok_or_else(|| KeyRefusal::invalid(property, violation))
            };
            match &*name {
                "name" => filter.name = Some(value.into_owned()),
                "enabled" => {
                    let invalid = || KeyRefusal::invalid("enabled", "must be true or false");
                    filter.enabled = Some(value.parse().map_err(|_| invalid())?);
                }
                "page" => filter.page = number("page", 0)?,
                "size" => filter.size = number("size", 1)?,
                _ => {}
            }
        }
        Ok(filter)
    }
}

/// What a new key is to be.
pub(super) struct NewKey {
    pub(super) name: Arc<str>,
    pub(super) given: Given,
    pub(super) from: Option<Timestamp>,
}

/// What was given of what a key may be used for, and it was right.
#[derive(Default)]
pub(super) struct Given {
    /// The inner `None` is from everywhere.
    pub(super) addresses: Option<Option<AddressList>>,
    pub(super) until: Option<Timestamp>,
    permissions: Option<Vec<Box<str>>>,
    scopes: Option<Vec<Box<str>>>,
}

const PERMISSIONS: [&str; 3] = ["PUBLIC_API", "2FA_CLIENT", "WEB_SDK"];

impl KeyFields {
    pub(super) fn new_key(self, caller: &Caller, now: Timestamp) -> Result<NewKey, KeyRefusal> {
        let name = self.name.as_deref().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| KeyRefusal::invalid("name", "must not be empty"))?.into();
        let from = date("validFrom", self.valid_from.as_deref())?;
        if from.is_some_and(|from| from.unix() < now.unix()) {
            return Err(KeyRefusal::invalid("validFrom", "must not be before the creation"));
        }
        let mut given = self.given(caller)?;
        // A new key without scopes has all of its creator's.
        given.scopes = given.scopes.filter(|scopes| !scopes.is_empty());
        Ok(NewKey { name, given, from })
    }

    pub(super) fn changes(
        self,
        caller: &Caller,
        seen: &CredentialView,
    ) -> Result<Given, KeyRefusal> {
        if self.name.as_deref() == Some("") {
            return Err(KeyRefusal::invalid("name", "must not be empty"));
        }
        let from = date("validFrom", self.valid_from.as_deref())?;
        if from.is_some_and(|from| from.unix() != begins(seen).unix()) {
            return Err(KeyRefusal::invalid("validFrom", "cannot be moved"));
        }
        let given = self.given(caller)?;
        if given.opens_public_api(seen) && !cover_all(&caller.scopes, own_scopes(&seen.scopes)) {
            return Err(BEYOND);
        }
        Ok(given)
    }

    fn given(self, caller: &Caller) -> Result<Given, KeyRefusal> {
        let account = self.account_id.as_deref();
        if account.is_some_and(|account| account != caller.tenant.as_str()) {
            return Err(KeyRefusal::Forbidden("the account is not that of the caller"));
        }
        if self.platform.is_some_and(|platform| !platform.is_empty()) {
            return Err(KeyRefusal::invalid(
                "platform",
                "must be empty: no platforms are kept here",
            ));
        }
        Ok(Given {
            addresses: self.allowed_ips.map(addresses).transpose()?,
            until: date("validTo", self.valid_to.as_deref())?,
            permissions: self.permissions.map(permissions).transpose()?,
            scopes: self.scope_guids.map(|scopes| scopes_of(caller, scopes)).transpose()?,
        })
    }
}

impl Given {
    pub(super) const fn changes_scopes(&self) -> bool {
        self.permissions.is_some() || self.scopes.is_some()
    }

    /// Does a key that was for clients alone get to use the scopes that it has?
    fn opens_public_api(&self, seen: &CredentialView) -> bool {
        let permissions = self.permissions.iter().flatten().map(|one| &**one);
        let opens = self.permissions.is_some() && is_of_public_api(permissions);
        opens && self.scopes.is_none() && !is_of_public_api(seen.scopes.iter())
    }

    /// What was given in place of what there is. Permissions are kept among the scopes.
    pub(super) fn scopes<'a>(&self, there: impl Iterator<Item = &'a str>) -> Scopes {
        let (kept, scopes): (Vec<_>, Vec<_>) =
            there.map(Box::<str>::from).partition(|one| one.starts_with(PERMISSION));
        let scopes = self.scopes.clone().unwrap_or(scopes);
        let permissions = self.permissions.clone().unwrap_or(kept);
        scopes.into_iter().chain(permissions).collect()
    }
}

/// What a key has beside its permissions.
fn own_scopes(scopes: &Scopes) -> impl Iterator<Item = &str> {
    scopes.iter().filter(|one| !one.starts_with(PERMISSION))
}

const BEYOND: KeyRefusal =
    KeyRefusal::Forbidden("a key must not have scopes that its creator has not");

fn date(property: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, KeyRefusal> {
    let Some(text) = text else { return Ok(None) };
    let expected = "must be a date such as 2023-09-01T10:00:00";
    dates::parse(text).map(Some).ok_or_else(|| KeyRefusal::invalid(property, expected))
}

/// No addresses are no restriction. Infobip does not say how it writes a range: here it is CIDR.
fn addresses(list: Vec<String>) -> Result<Option<AddressList>, KeyRefusal> {
    if list.is_empty() {
        return Ok(None);
    }
    let read = AddressList::new(list);
    read.map(Some).map_err(|error| KeyRefusal::invalid("allowedIPs", error.to_string()))
}

/// None stands for `PUBLIC_API` alone.
fn permissions(list: Vec<String>) -> Result<Vec<Box<str>>, KeyRefusal> {
    let invalid = |violation| Err(KeyRefusal::invalid("permissions", violation));
    if list.iter().any(|one| !PERMISSIONS.contains(&one.as_str())) {
        return invalid("must be PUBLIC_API, 2FA_CLIENT or WEB_SDK");
    }
    let has = |name| list.iter().any(|one| one == name);
    if has("PUBLIC_API") && has("WEB_SDK") {
        return invalid("PUBLIC_API must not be combined with WEB_SDK");
    }
    if list.iter().all(|one| one == "PUBLIC_API") {
        return Ok(Vec::new());
    }
    let names = PERMISSIONS.into_iter().filter(|name| has(name));
    Ok(names.map(|name| format!("{PERMISSION}{name}").into()).collect())
}

/// Infobip does not say whether a user may give a key what its own role has not: here it may not.
fn scopes_of(caller: &Caller, list: Vec<String>) -> Result<Vec<Box<str>>, KeyRefusal> {
    let invalid = |violation| Err(KeyRefusal::invalid("scopeGuids", violation));
    if list.iter().collect::<HashSet<_>>().len() < list.len() {
        return invalid("must be unique");
    }
    if !list.iter().all(|scope| is_scope(scope)) {
        return invalid("must be scopes such as sms:message:send");
    }
    if !cover_all(&caller.scopes, list.iter().map(String::as_str)) {
        return Err(BEYOND);
    }
    Ok(list.into_iter().map(String::into_boxed_str).collect())
}
