//! A credential as a store keeps it.

use super::{Fields, VERSION, digest_from_hex, from_hex, from_moment, moment, text, to_hex, write};
use crate::{Credential, CredentialId, Kept, Material, State};
use auth_core::{Result, Secret};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

impl Credential {
    /// The credential as a store keeps it, without [`last_used`](Self::last_used), which is kept apart.
    ///
    /// # Security
    ///
    /// It holds keyed hashes, sealed secrets and hashes of passwords, and never a secret.
    #[must_use]
    pub fn to_rest(&self) -> String {
        write(&[
            ("v", json!(VERSION)),
            ("id", json!(self.id.as_str())),
            ("state", json!(self.state.name())),
            ("generation", json!(self.generation)),
            ("created", json!(from_moment(self.created))),
            ("secret_since", json!(from_moment(self.secret_since))),
            ("created_by", json!(&*self.created_by)),
            ("not_before", json!(self.not_before.map(from_moment))),
            ("expires", json!(self.expires.map(from_moment))),
            ("retire_at", json!(self.retire_at.map(from_moment))),
            ("idle_timeout_s", json!(self.idle_timeout.map(|span| span.as_secs()))),
            ("ended", json!(self.ended)),
            ("notices_told", json!(self.notices_told)),
            ("rotation_told", json!(self.rotation_told)),
            ("scopes", json!(self.scopes.iter().collect::<Vec<_>>())),
            ("allowed_addresses", json!(self.allowed_addresses.as_ref().map(ToString::to_string))),
            ("label", json!(&*self.label)),
            ("dependants", json!(self.dependants.iter().map(|one| &**one).collect::<Vec<_>>())),
            ("found_by", json!(to_hex(self.kept.found_by.as_bytes()))),
            ("fingerprint", json!(to_hex(self.kept.fingerprint.as_bytes()))),
            ("name", json!(self.kept.name.as_deref())),
            ("material", json!(from_material(&self.kept.material))),
        ])
    }

    /// Reads what [`to_rest`](Self::to_rest) wrote.
    ///
    /// # Errors
    ///
    /// `Error::Config` with the code `lifecycle_stored_version` for what another version of the program wrote, and
    /// `lifecycle_stored_unreadable`, with the name of the field, for what was changed since.
    pub fn from_rest(rest: &str) -> Result<Self> {
        let mut fields = Fields::read("credential", rest)?;
        let kept = Kept {
            found_by: fields.named("found_by", digest_from_hex)?,
            fingerprint: fields.named("fingerprint", digest_from_hex)?,
            name: fields.maybe_text("name")?,
            material: fields.take("material", material)?,
        };
        let it = Self {
            id: CredentialId::new(fields.text::<String>("id")?),
            state: fields.named("state", State::from_name)?,
            generation: fields.number("generation")?,
            created: fields.take("created", moment)?,
            secret_since: fields.take("secret_since", moment)?,
            created_by: fields.text("created_by")?,
            not_before: fields.maybe("not_before", moment)?,
            expires: fields.maybe("expires", moment)?,
            retire_at: fields.maybe("retire_at", moment)?,
            idle_timeout: fields.maybe("idle_timeout_s", Value::as_u64)?.map(Duration::from_secs),
            last_used: None,
            ended: fields.take("ended", Value::as_bool)?,
            notices_told: fields.take("notices_told", |told| told.as_u64()?.try_into().ok())?,
            rotation_told: fields.take("rotation_told", Value::as_bool)?,
            scopes: fields.take("scopes", texts::<Box<str>>)?.into_iter().collect(),
            allowed_addresses: fields
                .maybe("allowed_addresses", |list| list.as_str()?.parse().ok())?,
            label: fields.text("label")?,
            dependants: fields.take("dependants", texts)?,
            kept,
        };
        fields.finish(it)
    }
}

fn texts<T: From<String>>(value: &Value) -> Option<Vec<T>> {
    value.as_array()?.iter().map(text).collect()
}

/// The sort of the material and its bytes.
fn from_material(material: &Material) -> Value {
    match material {
        Material::Nothing => Value::Null,
        Material::Sealed(bytes) => json!(["sealed", to_hex(bytes)]),
        Material::PasswordHash(hash) => json!(["password_hash", to_hex(hash.expose())]),
        Material::Public(bytes) => json!(["public", to_hex(bytes)]),
    }
}

fn material(value: &Value) -> Option<Material> {
    if value.is_null() {
        return Some(Material::Nothing);
    }
    let [sort, hex] = value.as_array()?.as_slice() else { return None };
    let bytes = from_hex(hex.as_str()?)?;
    Some(match sort.as_str()? {
        "sealed" => Material::Sealed(bytes.into()),
        "password_hash" => Material::PasswordHash(Arc::new(Secret::new(bytes))),
        "public" => Material::Public(bytes.into()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::credential;
    use auth_core::{Scopes, Timestamp};

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
