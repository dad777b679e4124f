//! What is kept of a secret.

use auth_core::{KeyDigest, Secret};
use std::{fmt, sync::Arc};

/// What is kept of a secret: how it is found, how it is told from all others, and what a verifier needs of it.
///
/// It is all that stores see. None of it is the secret: a store, its backups and its logs prove nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// What a verifier looks it up by: the keyed hash of the token, or of the name that comes with it (an issuer, a user
    /// name, an access key id).
    pub found_by: KeyDigest,
    /// The keyed hash of the secret itself, which no other credential of the store ever has or had.
    pub fingerprint: KeyDigest,
    /// The public name that belongs to it: a user name, a `kid`, an access key id; `None` where there is none.
    pub name: Option<Arc<str>>,
    /// What a verifier, or an actor that may see the secret, needs of it.
    pub material: Material,
}

/// What a verifier, or an actor that may see the secret, needs of it.
#[derive(Clone)]
pub enum Material {
    /// Nothing: the keyed hash is enough.
    Nothing,
    /// The secret, [sealed](crate::EnvelopeSealer).
    Sealed(Arc<[u8]>),
    /// A slow hash of a password.
    PasswordHash(Arc<Secret>),
    /// A public key.
    Public(Arc<[u8]>),
}

/// Two of them are the same when their bytes are; none of them is compared with what a caller sent.
impl PartialEq for Material {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::Sealed(one), Self::Sealed(other)) | (Self::Public(one), Self::Public(other)) => {
                one == other
            }
            (Self::PasswordHash(one), Self::PasswordHash(other)) => one.matches(other.expose()),
            _ => false,
        }
    }
}

impl Eq for Material {}

impl Kept {
    /// What is left when the credential is deleted: how it was told from all others, so that it never returns.
    #[must_use]
    pub fn without_secret(&self) -> Self {
        Self { material: Material::Nothing, ..self.clone() }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Sealed(_) => "Sealed(..)",
            Self::PasswordHash(_) => "PasswordHash(..)",
            Self::Public(_) => "Public(..)",
        })
    }
}
