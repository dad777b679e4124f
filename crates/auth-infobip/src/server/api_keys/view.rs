//! Keys as the platform's API shows them.

use super::fields::KeyFilter;
use crate::server::{
    dates,
    scopes::{EVERY_SCOPE, PERMISSION},
};
use auth_core::{Secret, Timestamp};
use auth_lifecycle::{CredentialView, State};
use serde::Serialize;

/// A key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyView {
    id: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_secret: Option<Box<str>>,
    account_id: Box<str>,
    name: Box<str>,
    #[serde(rename = "allowedIPs")]
    allowed_ips: Vec<String>,
    valid_from: Option<String>,
    valid_to: Option<String>,
    enabled: bool,
    permissions: Vec<Box<str>>,
    /// Left out where the key has all scopes of a role that allows everything: Infobip does not list those.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_guids: Option<Vec<Box<str>>>,
}

/// One page of keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyPage {
    api_keys: Vec<KeyView>,
    paging: Paging,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Paging {
    page: usize,
    page_size: usize,
    order_direction: &'static str,
    order_by: &'static str,
    total_count: usize,
    total_pages: usize,
}

impl KeyView {
    pub(super) fn of(seen: &CredentialView) -> Self {
        let scopes = || seen.scopes.iter();
        let permissions: Vec<Box<str>> =
            scopes().filter_map(|one| one.strip_prefix(PERMISSION)).map(Into::into).collect();
        let is_public = permissions.is_empty();
        let own = scopes().filter(|one| !one.starts_with(PERMISSION));
        let has_all = scopes().any(|one| one == EVERY_SCOPE);
        let addresses = seen.allowed_addresses.as_ref().map(ToString::to_string);
        let from = seen.not_before.unwrap_or(seen.created);
        Self {
            id: seen.id.as_str().into(),
            api_key_secret: None,
            account_id: seen.group.tenant.as_str().into(),
            name: (*seen.label).into(),
            allowed_ips: addresses
                .iter()
                .flat_map(|list| list.split(", "))
                .map(Into::into)
                .collect(),
            valid_from: dates::format(from),
            valid_to: seen.expires.and_then(dates::format),
            enabled: seen.state == State::Active,
            permissions: if is_public { vec!["PUBLIC_API".into()] } else { permissions },
            scope_guids: (!has_all).then(|| own.map(Into::into).collect()),
        }
    }

    pub(super) fn with_secret(self, secret: &Secret) -> Self {
        Self { api_key_secret: secret.expose_text().map(Into::into), ..self }
    }
}

impl KeyPage {
    pub(super) fn of(all: Vec<KeyView>, filter: &KeyFilter) -> Self {
        let KeyFilter { name, enabled, page, size } = filter;
        let left: Vec<_> = all
            .into_iter()
            .filter(|key| name.as_deref().is_none_or(|name| *key.name == *name))
            .filter(|key| enabled.is_none_or(|enabled| key.enabled == enabled))
            .collect();
        let total_count = left.len();
        let api_keys = left.into_iter().skip(page.saturating_mul(*size)).take(*size).collect();
        let paging = Paging {
            page: *page,
            page_size: *size,
            order_direction: "ASC",
            order_by: "created",
            total_count,
            total_pages: total_count.div_ceil((*size).max(1)),
        };
        Self { api_keys, paging }
    }
}

/// When a key begins, in whole seconds.
pub(super) fn begins(seen: &CredentialView) -> Timestamp {
    Timestamp::from_unix(seen.not_before.unwrap_or(seen.created).unix())
}
