//! A credential as a store keeps it.

use super::{digest_from_hex, from_hex, read, to_hex, unreadable, write};
use crate::{Credential, CredentialId, Kept, Material, State};
use auth_core::{Result, Secret, Timestamp};
use auth_net::AddressList;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rest {
    v: u32,
    id: Box<str>,
    state: Box<str>,
    generation: u64,
    created: Moment,
    secret_since: Moment,
    created_by: Box<str>,
    not_before: Option<Moment>,
    expires: Option<Moment>,
    retire_at: Option<Moment>,
    idle_timeout_s: Option<u64>,
    ended: bool,
    notices_told: u8,
    rotation_told: bool,
    scopes: Vec<Box<str>>,
    allowed_addresses: Option<String>,
    label: Box<str>,
    dependants: Vec<Box<str>>,
    found_by: String,
    fingerprint: String,
    name: Option<Box<str>>,
    material: MaterialRest,
}

/// Seconds and nanoseconds since 1970, so that nothing is rounded.
#[derive(Serialize, Deserialize)]
struct Moment(u64, u32);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MaterialRest {
    Nothing,
    Sealed(String),
    PasswordHash(String),
    Public(String),
}

impl Credential {
    /// The credential as a store keeps it, without [`last_used`](Self::last_used), which is kept apart.
    ///
    /// # Security
    ///
    /// It holds keyed hashes, sealed secrets and hashes of passwords, and never a secret.
    #[must_use]
    pub fn to_rest(&self) -> String {
        write(&Rest {
            v: super::VERSION,
            id: self.id.as_str().into(),
            state: self.state.name().into(),
            generation: self.generation,
            created: self.created.into(),
            secret_since: self.secret_since.into(),
            created_by: (*self.created_by).into(),
            not_before: self.not_before.map(Into::into),
            expires: self.expires.map(Into::into),
            retire_at: self.retire_at.map(Into::into),
            idle_timeout_s: self.idle_timeout.map(|span| span.as_secs()),
            ended: self.ended,
            notices_told: self.notices_told,
            rotation_told: self.rotation_told,
            scopes: self.scopes.iter().map(Into::into).collect(),
            allowed_addresses: self.allowed_addresses.as_ref().map(ToString::to_string),
            label: (*self.label).into(),
            dependants: self.dependants.iter().map(|one| Box::from(&**one)).collect(),
            found_by: to_hex(self.kept.found_by.as_bytes()),
            fingerprint: to_hex(self.kept.fingerprint.as_bytes()),
            name: self.kept.name.as_deref().map(Into::into),
            material: (&self.kept.material).into(),
        })
    }

    /// Reads what [`to_rest`](Self::to_rest) wrote.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_stored_version` for what another version of the program wrote, and
    /// `lifecycle_stored_unreadable` for what was changed since.
    pub fn from_rest(text: &str) -> Result<Self> {
        read::<Rest>("credential", text)?.into_credential().ok_or_else(|| unreadable("credential"))
    }
}

impl Rest {
    fn into_credential(self) -> Option<Credential> {
        let allowed_addresses: Option<Result<AddressList, _>> =
            self.allowed_addresses.map(|text| text.parse());
        Some(Credential {
            id: CredentialId::new(self.id),
            state: State::from_name(&self.state)?,
            generation: self.generation,
            created: self.created.into(),
            secret_since: self.secret_since.into(),
            created_by: self.created_by.into(),
            not_before: self.not_before.map(Into::into),
            expires: self.expires.map(Into::into),
            retire_at: self.retire_at.map(Into::into),
            idle_timeout: self.idle_timeout_s.map(Duration::from_secs),
            last_used: None,
            ended: self.ended,
            notices_told: self.notices_told,
            rotation_told: self.rotation_told,
            scopes: self.scopes.into_iter().collect(),
            allowed_addresses: allowed_addresses.transpose().ok()?,
            label: self.label.into(),
            dependants: self.dependants.into_iter().map(Into::into).collect(),
            kept: Kept {
                found_by: digest_from_hex(&self.found_by)?,
                fingerprint: digest_from_hex(&self.fingerprint)?,
                name: self.name.map(Into::into),
                material: self.material.into_material()?,
            },
        })
    }
}

impl From<&Material> for MaterialRest {
    fn from(material: &Material) -> Self {
        match material {
            Material::Nothing => Self::Nothing,
            Material::Sealed(bytes) => Self::Sealed(to_hex(bytes)),
            Material::PasswordHash(hash) => Self::PasswordHash(to_hex(hash.expose())),
            Material::Public(bytes) => Self::Public(to_hex(bytes)),
        }
    }
}

impl MaterialRest {
    fn into_material(self) -> Option<Material> {
        Some(match self {
            Self::Nothing => Material::Nothing,
            Self::Sealed(hex) => Material::Sealed(from_hex(&hex)?.into()),
            Self::PasswordHash(hex) => {
                Material::PasswordHash(Arc::new(Secret::new(from_hex(&hex)?)))
            }
            Self::Public(hex) => Material::Public(from_hex(&hex)?.into()),
        })
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        let since = at.since_epoch();
        Self(since.as_secs(), since.subsec_nanos())
    }
}

impl From<Moment> for Timestamp {
    fn from(Moment(seconds, nanos): Moment) -> Self {
        Self::from_unix(seconds).after(Duration::from_nanos(nanos.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::credential;
    use auth_core::Scopes;

    fn full() -> Credential {
        let at = |seconds| Some(Timestamp::from_unix(seconds).after(Duration::from_nanos(7)));
        let plain = credential("c1", 1000);
        Credential {
            state: State::Inactive,
            generation: 3,
            not_before: at(1001),
            expires: at(2000),
            retire_at: at(1900),
            idle_timeout: Some(Duration::from_secs(60)),
            ended: true,
            notices_told: 2,
            rotation_told: true,
            scopes: Scopes::from_iter(["sms:send", "two \"words\""]),
            allowed_addresses: Some("198.51.100.0/24, 2001:db8::/32".parse().unwrap()),
            label: "büro\n".into(),
            dependants: vec!["nightly".into(), "hourly".into()],
            kept: Kept {
                name: Some("alice".into()),
                material: Material::PasswordHash(Arc::new(Secret::from("$argon2id$..."))),
                ..plain.kept.clone()
            },
            ..plain
        }
    }

    #[test]
    fn what_was_written_is_read_again_whole() {
        for material in [
            Material::Nothing,
            Material::Sealed([0, 255, 16].into()),
            Material::Public([1, 2].into()),
            full().kept.material,
        ] {
            let it = Credential { kept: Kept { material, ..full().kept }, ..full() };
            assert_eq!(Credential::from_rest(&it.to_rest()).unwrap(), it);
        }
        let plain = credential("c2", 1000);
        assert_eq!(Credential::from_rest(&plain.to_rest()).unwrap(), plain);
    }

    #[track_caller]
    fn check(from: &str, to: &str, code: &str) {
        let text = full().to_rest();
        assert!(text.contains(from), "{text}");
        assert_eq!(Credential::from_rest(&text.replace(from, to)).unwrap_err().code(), code);
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        check("\"v\":1", "\"v\":2", "lifecycle_stored_version");
        check("\"state\":\"inactive\"", "\"state\":\"other\"", "lifecycle_stored_unreadable");
        check("\"generation\":3", "\"generation\":-3", "lifecycle_stored_unreadable");
        check("198.51.100.0/24", "198.51.100.1/24", "lifecycle_stored_unreadable");
        check("\"found_by\":\"63", "\"found_by\":\"6", "lifecycle_stored_unreadable");
        check("\"ended\":true", "\"ended\":true,\"more\":1", "lifecycle_stored_unreadable");
    }
}
