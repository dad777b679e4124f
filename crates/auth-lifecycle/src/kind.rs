//! The kinds of credentials, and what holds for each.

use std::fmt;

/// What a credential is: what proves its owner, and how a verifier finds it.
///
/// Each kind has its own groups: two kinds of one service never share a count. What holds for a kind stands in one
/// table, [`KindRow`], and a kind without a row does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The key of a service, sent as it is (`sk_live_..`). It lasts until a command ends it, and roles may see it again.
    ServiceKey,
    /// The secret with which a service signs its JWTs (HS256).
    ServiceJwtSecret,
    /// The key of a tenant, which belongs to no service (`pk_live_..`).
    ProfileKey,
    /// The secret with which an application signs its JWTs (HS256).
    AppJwtSecret,
    /// The public key of an application that signs its JWTs itself (RS256), found by its `kid`.
    AppJwtKey,
    /// An API key (`ak_live_..`), shown once and never again. It ends after a year unless its policy or its creator says
    /// otherwise. A platform that gives its customers keys takes this kind, and [`ServiceKey`](Self::ServiceKey) only where
    /// people have to see a key again.
    ApiKey,
    /// The password of a user name.
    BasicPassword,
    /// What stands for a password under HTTP Digest: the hash of user name, realm and password.
    DigestHa1,
    /// The secret access key of an access key id (AWS Signature Version 4).
    SigV4Key,
    /// The token of an IBSSO session.
    IbssoSession,
    /// The session token of a Symphony pod.
    SymphonySession,
    /// The token of a Symphony key manager.
    KeyManagerToken,
    /// The public key that a bot logs in with.
    BotPublicKey,
    /// The secret with which a platform signs its webhooks.
    WebhookSecret,
}

/// What holds for every credential of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindRow {
    /// The name of the kind in events, views and [`Caller::kind`](auth_core::Caller::kind).
    pub name: &'static str,
    /// What tokens that the registry makes begin with; `None` where the registry makes no token.
    pub prefix: Option<&'static str>,
    /// What is kept of the secret.
    pub storage: StorageClass,
    /// What a verifier finds the credential by.
    pub found_by: FoundBy,
    /// Whose credentials of this kind are.
    pub owner: OwnerKind,
    /// Is the secret shown again after it was made?
    pub reveal: Reveal,
}

impl KindRow {
    /// Does the registry make the secret, and needs no name for it? Others are brought along: a password, a public key.
    pub(crate) const fn is_generated(&self) -> bool {
        matches!(
            self.found_by,
            FoundBy::Token | FoundBy::Issuer | FoundBy::Nothing | FoundBy::AccessKeyId
        )
    }
}

/// What is kept of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageClass {
    /// A keyed hash: for tokens of high entropy that are compared and never needed again.
    Hash,
    /// A keyed hash, and an encrypted copy for those who may see the secret again.
    HashAndSealed,
    /// An encrypted copy: the verifier computes with the secret.
    Sealed,
    /// A slow hash: the secret was chosen by a person.
    PasswordHash,
    /// The key as it is: it is public.
    Public,
}

/// What a verifier finds a credential by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// The keyed hash of the token itself.
    Token,
    /// The service that signed: all usable secrets of the service are tried.
    Issuer,
    /// The service that signed, and the `kid`.
    KeyId,
    /// A user name.
    UserName,
    /// A user name in a realm.
    RealmAndUserName,
    /// An access key id.
    AccessKeyId,
    /// Nothing that a caller sends: the platform itself signs with it.
    Nothing,
}

/// Whose credentials of a kind are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerKind {
    /// A service of a tenant: an application, a bot, a user account.
    Service,
    /// The tenant itself.
    Tenant,
}

/// Is a secret shown again after it was made?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reveal {
    /// To roles that may [reveal](crate::Role).
    ByRole,
    /// Never: it is shown once, or was made elsewhere.
    Never,
}

impl Kind {
    /// Every kind, in the order of the table.
    pub const ALL: [Self; 14] = [
        Self::ServiceKey,
        Self::ServiceJwtSecret,
        Self::ProfileKey,
        Self::AppJwtSecret,
        Self::AppJwtKey,
        Self::ApiKey,
        Self::BasicPassword,
        Self::DigestHa1,
        Self::SigV4Key,
        Self::IbssoSession,
        Self::SymphonySession,
        Self::KeyManagerToken,
        Self::BotPublicKey,
        Self::WebhookSecret,
    ];

    /// The kind's row of the table.
    #[must_use]
    pub const fn row(self) -> KindRow {
        use FoundBy::{AccessKeyId, Issuer, KeyId, Nothing, RealmAndUserName, Token, UserName};
        use OwnerKind::{Service, Tenant};
        use Reveal::{ByRole, Never};
        use StorageClass::{Hash, HashAndSealed, PasswordHash, Public, Sealed};
        let (name, prefix, storage, found_by, owner, reveal) = match self {
            Self::ServiceKey => ("service_key", Some("sk"), HashAndSealed, Token, Service, ByRole),
            Self::ServiceJwtSecret => ("service_jwt", None, Sealed, Issuer, Service, ByRole),
            Self::ProfileKey => ("profile_key", Some("pk"), HashAndSealed, Token, Tenant, ByRole),
            Self::AppJwtSecret => ("app_jwt_secret", None, Sealed, Issuer, Service, ByRole),
            Self::AppJwtKey => ("app_jwt_key", None, Public, KeyId, Service, Never),
            Self::ApiKey => ("api_key", Some("ak"), Hash, Token, Service, Never),
            Self::BasicPassword => ("basic_password", None, PasswordHash, UserName, Service, Never),
            Self::DigestHa1 => ("digest_ha1", None, Sealed, RealmAndUserName, Service, Never),
            Self::SigV4Key => ("sigv4_key", None, Sealed, AccessKeyId, Service, Never),
            Self::IbssoSession => ("ibsso_session", Some("is"), Hash, Token, Service, Never),
            Self::SymphonySession => ("symphony_session", Some("ss"), Hash, Token, Service, Never),
            Self::KeyManagerToken => ("key_manager_token", Some("km"), Hash, Token, Service, Never),
            Self::BotPublicKey => ("bot_public_key", None, Public, UserName, Service, Never),
            Self::WebhookSecret => ("webhook_secret", None, Sealed, Nothing, Service, ByRole),
        };
        KindRow { name, prefix, storage, found_by, owner, reveal }
    }

    /// The name of the kind, which never changes: `service_key`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_kinds_share_a_name_or_a_prefix() {
        let names: HashSet<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        let prefixes: Vec<_> = Kind::ALL.iter().filter_map(|kind| kind.row().prefix).collect();
        assert_eq!(prefixes.iter().collect::<HashSet<_>>().len(), prefixes.len());
    }

    #[test]
    fn is_found_by_its_name_and_by_no_other() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::from_name("service"), None);
    }

    #[test]
    fn what_is_found_by_itself_is_hashed_and_has_a_prefix() {
        for kind in Kind::ALL {
            let KindRow { prefix, storage, found_by, .. } = kind.row();
            let hashed = matches!(storage, StorageClass::Hash | StorageClass::HashAndSealed);
            assert_eq!(hashed, found_by == FoundBy::Token, "{kind}");
            assert_eq!(hashed, prefix.is_some(), "{kind}");
        }
    }

    #[test]
    fn what_is_revealed_has_a_sealed_copy() {
        for kind in Kind::ALL.into_iter().filter(|kind| kind.row().reveal == Reveal::ByRole) {
            let sealed = [StorageClass::Sealed, StorageClass::HashAndSealed];
            assert!(sealed.contains(&kind.row().storage), "{kind}");
        }
    }
}
