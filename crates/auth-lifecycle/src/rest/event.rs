//! What happened, as the ledger keeps it and the chain covers it.

use super::{Fields, VERSION, from_moment, moment, write};
use crate::{CredentialId, EventName, GroupId, Happening, Kind, Role, ServiceId, State};
use auth_core::{Result, TenantId};
use serde_json::{Value, json};

impl Happening {
    /// The text that the ledger keeps and its chain covers: all but [`touched`](Self::touched).
    #[must_use]
    pub fn to_text(&self) -> String {
        let group = self.group.as_ref();
        write(&[
            ("v", json!(VERSION)),
            ("at", json!(from_moment(self.at))),
            ("tenant", json!(self.tenant.as_str())),
            ("service", json!(self.service.as_ref().map(ServiceId::as_str))),
            ("kind", json!(group.map(|(id, _)| id.kind.name()))),
            ("group_version", json!(group.map(|(_, version)| *version))),
            ("credential", json!(self.credential.as_ref().map(CredentialId::as_str))),
            ("name", json!(self.name.name())),
            ("actor", json!(&*self.actor)),
            ("role", json!(self.role.name())),
            ("cause", json!(&*self.cause)),
            ("before", json!(self.states.map(|(before, _)| before.name()))),
            ("after", json!(self.states.map(|(_, after)| after.name()))),
            ("detail", json!(&*self.detail)),
        ])
    }

    /// Reads what [`to_text`](Self::to_text) wrote. Nothing is [`touched`](Self::touched) then.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_stored_version` for what another version of the program wrote, and
    /// `lifecycle_stored_unreadable`, with the name of the field, for what was changed since.
    pub fn from_text(text: &str) -> Result<Self> {
        let mut fields = Fields::read("event", text)?;
        let tenant = TenantId::new(fields.text::<String>("tenant")?);
        let service = fields.maybe_text::<String>("service")?.map(ServiceId::new);
        let kind = fields.maybe("kind", |kind| Kind::from_name(kind.as_str()?))?;
        let version = fields.maybe("group_version", Value::as_u64)?;
        let group = kind.zip(version).map(|(kind, version)| {
            (GroupId { tenant: tenant.clone(), service: service.clone(), kind }, version)
        });
        let state = |value: &Value| State::from_name(value.as_str()?);
        let (before, after) = (fields.maybe("before", state)?, fields.maybe("after", state)?);
        let it = Self {
            tenant,
            service,
            group,
            credential: fields.maybe_text::<String>("credential")?.map(CredentialId::new),
            name: fields.named("name", EventName::from_name)?,
            at: fields.take("at", moment)?,
            actor: fields.text("actor")?,
            role: fields.named("role", Role::from_name)?,
            cause: fields.text("cause")?,
            states: before.zip(after),
            detail: fields.text("detail")?,
            touched: Vec::new(),
        };
        fields.finish(it)
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
