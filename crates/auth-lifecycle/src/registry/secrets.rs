//! New secrets: made here or brought along, and what is kept of them.

mod digests;
mod plain;

use super::{
    CredentialView, Inner,
    look_up::{self, RawSecret},
};
use crate::{
    CommandName, CommandRefusal, CredentialId, EnvelopePlace, FoundBy, GroupId, Kept, Material,
    Sealed, StorageClass,
};
use auth_core::{KeyDigest, KeyHasher, Result, Scopes, Secret, Timestamp};
use auth_net::AddressList;
pub(super) use plain::Unprepared;
use plain::{Plain, wrong};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// What a new credential is to be.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Its secret.
    pub secret: NewSecret,
    /// What people call it.
    pub label: Arc<str>,
    /// It is good from this moment on; `None` at once.
    pub not_before: Option<Timestamp>,
    /// It is good strictly before this moment; `None` for the lifetime of the policy.
    pub expires: Option<Timestamp>,
    /// What it may be used for.
    pub scopes: Scopes,
    /// From where it may be used; `None` from everywhere.
    pub allowed_addresses: Option<AddressList>,
}

/// The secret of a new credential: made by the registry, or brought along.
///
/// Each kind takes the forms that name it below; another form is refused as `lifecycle_invalid`, with the field `secret`.
#[derive(Default)]
pub enum NewSecret {
    /// Made by the registry, of at least 192 random bits: of the kinds [`ServiceKey`](crate::Kind::ServiceKey),
    /// [`ProfileKey`](crate::Kind::ProfileKey), [`ApiKey`](crate::Kind::ApiKey), [`IbssoSession`](crate::Kind::IbssoSession),
    /// [`SymphonySession`](crate::Kind::SymphonySession) and [`KeyManagerToken`](crate::Kind::KeyManagerToken) a token; of
    /// [`ServiceJwtSecret`](crate::Kind::ServiceJwtSecret), [`AppJwtSecret`](crate::Kind::AppJwtSecret) and
    /// [`WebhookSecret`](crate::Kind::WebhookSecret) the Base64 text of 32 bytes; of [`SigV4Key`](crate::Kind::SigV4Key) an access key id
    /// and a secret access key.
    #[default]
    Generated,
    /// For the same kinds but [`SigV4Key`](crate::Kind::SigV4Key): a token in a form of the platform's own, of 16 to 4096 visible
    /// ASCII characters, taken as it is; or the Base64 text of an HMAC secret of at least 32 bytes.
    Given(Secret),
    /// For the kinds whose secret is a token: the SHA-256 of one that callers have already, from a registry that kept no
    /// more.
    Sha256([u8; 32]),
    /// For [`BasicPassword`](crate::Kind::BasicPassword): a password of this user, as a hash in the form that starts with `$`.
    /// It is Argon2id; an import also takes bcrypt, with the feature `import`.
    Password {
        /// The name of the user, which no other service of the store has.
        user: Arc<str>,
        /// The hash.
        hash: Secret,
    },
    /// For [`DigestHa1`](crate::Kind::DigestHa1): what stands for a password under HTTP Digest.
    Ha1 {
        /// The name of the user.
        user: Arc<str>,
        /// The realm.
        realm: Arc<str>,
        /// The hash function and the hash, as `MD5:` or `SHA-256:` and hexadecimal digits.
        ha1: Secret,
    },
    /// For [`SigV4Key`](crate::Kind::SigV4Key): an access key id and its secret access key.
    AccessKey {
        /// The access key id.
        id: Arc<str>,
        /// The secret access key.
        secret: Secret,
    },
    /// For [`AppJwtKey`](crate::Kind::AppJwtKey) and [`BotPublicKey`](crate::Kind::BotPublicKey): a public key.
    PublicKey {
        /// What it is found by: the `kid` of the tokens that it verifies, or the user name of a bot.
        name: Arc<str>,
        /// The key, in PEM.
        key: Vec<u8>,
    },
}

/// A credential that was made, and its secret, which is shown this once.
#[derive(Debug)]
pub struct Issued {
    /// The credential.
    pub credential: CredentialView,
    /// The secret that the registry made; `None` where it was brought along.
    pub secret: Option<Secret>,
}

/// What is kept of a new secret, and what is shown of it once.
pub(super) struct Prepared {
    pub(super) kept: Kept,
    pub(super) shown: Option<Secret>,
}

impl Inner {
    /// Makes what is kept of a new secret; what is to be sealed is sealed for this credential and generation.
    pub(super) async fn prepare(
        &self,
        group: &GroupId,
        id: &CredentialId,
        generation: u64,
        secret: &NewSecret,
    ) -> Result<Prepared, Unprepared> {
        let kind = group.kind;
        let row = kind.row();
        let plain = self.plain(kind, secret)?;
        if let Some(value) = &plain.value {
            // What no verifier could read would be an error with every caller that names it.
            let name = plain.name.as_ref();
            let raw = RawSecret { kind, id, name, secret: value };
            look_up::parse(&raw).map_err(|_| wrong(kind))?;
        }
        let (found_by, fingerprint) = self.digests(group, &plain)?;
        let material = match (row.storage, &plain.value) {
            (StorageClass::Hash, _) | (StorageClass::HashAndSealed, None) => Material::Nothing,
            (StorageClass::HashAndSealed | StorageClass::Sealed, Some(value)) => {
                let parts = [group.service_text(), kind.name()];
                let place = place(group, &parts, id, generation);
                Material::Sealed(self.sealer.seal(place, value).await?.to_bytes().into())
            }
            (StorageClass::PasswordHash, Some(value)) => {
                Material::PasswordHash(Arc::new(Secret::new(value.expose())))
            }
            (StorageClass::Public, Some(value)) => Material::Public(value.expose().into()),
            (_, None) => return Err(wrong(kind)),
        };
        let shown = if plain.is_new { plain.value } else { None };
        let kept = Kept { found_by, fingerprint, name: plain.name, material };
        Ok(Prepared { kept, shown })
    }

    /// Opens what was sealed of a credential.
    pub(super) async fn open(
        &self,
        group: &GroupId,
        id: &CredentialId,
        generation: u64,
        sealed: &[u8],
    ) -> Result<Secret> {
        let parts = [group.service_text(), group.kind.name()];
        let place = place(group, &parts, id, generation);
        self.sealer.open(place, &Sealed::from_bytes(sealed)?).await
    }

    /// What it is found by, and what tells it from all others.
    fn digests(
        &self,
        group: &GroupId,
        plain: &Plain,
    ) -> Result<(KeyDigest, KeyDigest), Unprepared> {
        let kind = group.kind;
        let name = plain.name.as_deref().unwrap_or_default();
        let found_by = match kind.row().found_by {
            FoundBy::Token => return self.hashers.token(plain).ok_or_else(|| wrong(kind)),
            FoundBy::Issuer | FoundBy::Nothing => self.hashers.name(kind, &[group.service_text()]),
            FoundBy::KeyId => self.hashers.name(kind, &[group.service_text(), name]),
            FoundBy::UserName | FoundBy::AccessKeyId => self.hashers.name(kind, &[name]),
            FoundBy::RealmAndUserName => {
                self.hashers.name(kind, &[plain.realm.as_deref().unwrap_or_default(), name])
            }
        };
        // The same password of two users, or the same key of two bots, are two secrets.
        let value = plain.value.as_ref().map(Secret::expose).unwrap_or_default();
        let about = if plain.name.is_some() { found_by.as_bytes().as_slice() } else { b"" };
        let fingerprint = self.hashers.fingerprint(kind.row().storage, about, value);
        Ok((found_by, fingerprint))
    }
}

/// A keyed hash of parts, each with its length, so that no two lists are written alike.
pub(super) fn parts_hash(hasher: &KeyHasher, parts: &[&[u8]]) -> KeyDigest {
    // Room for all at once: a buffer that grows leaves copies behind, which nobody wipes.
    let all = parts.iter().map(|part| part.len().saturating_add(size_of::<u64>())).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(all));
    for part in parts {
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    hasher.hash(&bytes)
}

fn place<'a>(
    group: &'a GroupId,
    parts: &'a [&'a str],
    id: &'a CredentialId,
    generation: u64,
) -> EnvelopePlace<'a> {
    let (tenant, credential) = (&group.tenant, id.as_str());
    EnvelopePlace { tenant, group: parts, credential, generation, purpose: "secret" }
}

impl StorageClass {
    pub(super) const fn name(self) -> &'static [u8] {
        match self {
            Self::Hash => b"hash",
            Self::HashAndSealed => b"hash and sealed",
            Self::Sealed => b"sealed",
            Self::PasswordHash => b"password hash",
            Self::Public => b"public",
        }
    }
}

impl NewSecret {
    /// The public names that came along; empty where there is none.
    pub(super) fn names(&self) -> [&str; 2] {
        match self {
            Self::Generated | Self::Given(_) | Self::Sha256(_) => ["", ""],
            Self::Password { user, .. } => [user, ""],
            Self::Ha1 { user, realm, .. } => [user, realm],
            Self::AccessKey { id, .. } => [id, ""],
            Self::PublicKey { name, .. } => [name, ""],
        }
    }

    /// Hashes of other programs are taken over by an import alone, and an import takes over what there is.
    pub(super) fn check_for(&self, command: CommandName) -> Result<(), CommandRefusal> {
        match self {
            Self::Generated if command == CommandName::Import => {
                let expected = "what callers have already; create makes a new one";
                Err(CommandRefusal::Invalid { field: "secret", expected })
            }
            Self::Password { hash, .. }
                if command != CommandName::Import && !hash.expose().starts_with(b"$argon2id$") =>
            {
                let expected = "a hash that begins with $argon2id$; import takes over hashes of other programs";
                Err(CommandRefusal::Invalid { field: "secret", expected })
            }
            _ => Ok(()),
        }
    }

    /// What was brought along.
    pub(super) fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Generated => None,
            Self::Given(secret) | Self::AccessKey { secret, .. } => Some(secret.expose()),
            Self::Sha256(hash) => Some(hash),
            Self::Password { hash, .. } => Some(hash.expose()),
            Self::Ha1 { ha1, .. } => Some(ha1.expose()),
            Self::PublicKey { key, .. } => Some(key),
        }
    }
}

/// Shows the form, never the secret.
impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Generated => "Generated",
            Self::Given(_) => "Given(..)",
            Self::Sha256(_) => "Sha256(..)",
            Self::Password { .. } => "Password(..)",
            Self::Ha1 { .. } => "Ha1(..)",
            Self::AccessKey { .. } => "AccessKey(..)",
            Self::PublicKey { .. } => "PublicKey(..)",
        })
    }
}
