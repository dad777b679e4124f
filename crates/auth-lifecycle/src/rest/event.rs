//! What happened, as the ledger keeps it and the chain covers it.

use super::{read, unreadable, write};
use crate::{CredentialId, EventName, GroupId, Happening, Kind, Role, ServiceId, State};
use auth_core::{Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rest {
    v: u32,
    at: (u64, u32),
    tenant: Box<str>,
    service: Option<Box<str>>,
    kind: Option<Box<str>>,
    group_version: Option<u64>,
    credential: Option<Box<str>>,
    name: Box<str>,
    actor: Box<str>,
    role: Box<str>,
    cause: Box<str>,
    before: Option<Box<str>>,
    after: Option<Box<str>>,
    detail: Box<str>,
}

impl Happening {
    /// The text that the ledger keeps and its chain covers: all but [`touched`](Self::touched).
    #[must_use]
    pub fn to_text(&self) -> String {
        let since = self.at.since_epoch();
        let group = self.group.as_ref();
        write(&Rest {
            v: super::VERSION,
            at: (since.as_secs(), since.subsec_nanos()),
            tenant: self.tenant.as_str().into(),
            service: self.service.as_ref().map(|id| id.as_str().into()),
            kind: group.map(|(id, _)| id.kind.name().into()),
            group_version: group.map(|(_, version)| *version),
            credential: self.credential.as_ref().map(|id| id.as_str().into()),
            name: self.name.name().into(),
            actor: (*self.actor).into(),
            role: self.role.name().into(),
            cause: (*self.cause).into(),
            before: self.states.map(|(before, _)| before.name().into()),
            after: self.states.map(|(_, after)| after.name().into()),
            detail: (*self.detail).into(),
        })
    }

    /// Reads what [`to_text`](Self::to_text) wrote. Nothing is [`touched`](Self::touched) then.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_stored_version` for what another version of the program wrote, and
    /// `lifecycle_stored_unreadable` for what was changed since.
    pub fn from_text(text: &str) -> Result<Self> {
        read::<Rest>("event", text)?.into_happening().ok_or_else(|| unreadable("event"))
    }
}

impl Rest {
    fn into_happening(self) -> Option<Happening> {
        let tenant = TenantId::new(self.tenant);
        let service = self.service.map(ServiceId::new);
        let group = match (self.kind, self.group_version) {
            (Some(kind), Some(version)) => {
                let (kind, service) = (Kind::from_name(&kind)?, service.clone());
                Some((GroupId { tenant: tenant.clone(), service, kind }, version))
            }
            (None, None) => None,
            _ => return None,
        };
        let states = match (self.before, self.after) {
            (Some(before), Some(after)) => {
                Some((State::from_name(&before)?, State::from_name(&after)?))
            }
            (None, None) => None,
            _ => return None,
        };
        let (seconds, nanos) = self.at;
        Some(Happening {
            tenant,
            service,
            group,
            credential: self.credential.map(CredentialId::new),
            name: EventName::from_name(&self.name)?,
            at: Timestamp::from_unix(seconds).after(Duration::from_nanos(nanos.into())),
            actor: Arc::from(self.actor),
            role: Role::from_name(&self.role)?,
            cause: Arc::from(self.cause),
            states,
            detail: self.detail.into(),
            touched: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::happening;

    #[test]
    fn what_was_written_is_read_again_whole() {
        let plain = happening("c1", EventName::Created);
        let group = GroupId::of_tenant(plain.tenant.clone(), Kind::ProfileKey);
        let full = Happening {
            group: Some((group, 7)),
            states: Some((State::Active, State::Inactive)),
            cause: "a \"quoted\" cause\n".into(),
            detail: "used by nightly".into(),
            ..plain.clone()
        };
        for it in [plain, full] {
            let read = Happening::from_text(&it.to_text()).unwrap();
            assert_eq!(read, it);
            assert_eq!(read.to_text(), it.to_text());
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let text = happening("c1", EventName::Created).to_text();
        let code = |text: &str| Happening::from_text(text).unwrap_err().code();
        assert_eq!(code(&text.replace("\"v\":1", "\"v\":2")), "lifecycle_stored_version");
        assert_eq!(code(&text.replace("created", "made")), "lifecycle_stored_unreadable");
        assert_eq!(code(&text.replace("owner", "king")), "lifecycle_stored_unreadable");
        assert_eq!(code("{"), "lifecycle_stored_unreadable");
    }
}
