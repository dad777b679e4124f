//! Names of services, credentials and groups.

use crate::Kind;
use auth_core::{Random, Result, TenantId};
use std::{fmt, sync::Arc};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier that a store kept, or that a caller names.
            pub fn new(id: impl Into<Arc<str>>) -> Self {
                Self(id.into())
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A new identifier of 128 random bits, which nobody chooses.
            ///
            /// # Errors
            ///
            /// Those of `random`.
            pub fn random(random: &dyn Random) -> Result<Self> {
                random_text($letter, random).map(|text| Self(text.into()))
            }

            pub(crate) fn to_arc(&self) -> Arc<str> {
                Arc::clone(&self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), &*self.0)
            }
        }
    };
}

id! {
    /// Names a service of a tenant: an application, a bot, a user account. It is what a JWT names as its issuer (`iss`).
    ///
    /// The registry makes it, and no two services of one store share one, whoever owns them: a tenant that could choose
    /// its own could sign as the service of another tenant.
    ServiceId, 's'
}

id! {
    /// Names a credential for as long as there is an audit. It is no secret, and it is never used again.
    CredentialId, 'c'
}

/// A letter and 128 random bits in hexadecimal.
fn random_text(letter: char, random: &dyn Random) -> Result<String> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    Ok(format!("{letter}{:032x}", u128::from_be_bytes(bytes)))
}

/// Names a group: the credentials of one kind that one service has, or the tenant itself.
///
/// A group is what commands are decided over and what a store compares and sets: its version grows with every change of
/// any of its credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId {
    /// The tenant that owns the credentials.
    pub tenant: TenantId,
    /// The service that has them; `None` for those of the tenant itself.
    pub service: Option<ServiceId>,
    /// Their kind.
    pub kind: Kind,
}

impl ServiceId {
    /// No service is called this: stores keep what is the tenant's own under the empty name.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl GroupId {
    /// The group of a service.
    #[must_use]
    pub const fn of_service(tenant: TenantId, service: ServiceId, kind: Kind) -> Self {
        Self { tenant, service: Some(service), kind }
    }

    /// The group of the tenant itself.
    #[must_use]
    pub const fn of_tenant(tenant: TenantId, kind: Kind) -> Self {
        Self { tenant, service: None, kind }
    }

    /// Is it a group of a service whose name is empty? No service has such a name, and stores keep nothing of it: the empty
    /// name stands for the tenant itself there.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        self.service.as_ref().is_some_and(ServiceId::is_empty)
    }

    /// The service as text; empty for a group of the tenant itself, since no service has an empty name.
    #[must_use]
    pub fn service_text(&self) -> &str {
        self.service.as_ref().map_or("", ServiceId::as_str)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.service {
            Some(service) => write!(f, "{} of service {service}", self.kind),
            None => write!(f, "{} of the tenant", self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::SystemRandom;

    #[test]
    fn identifiers_are_random_and_say_what_they_name() {
        let random = SystemRandom::new();
        let (one, other) =
            (ServiceId::random(&random).unwrap(), ServiceId::random(&random).unwrap());
        assert_ne!(one, other);
        assert_eq!(one.as_str().len(), 33);
        assert!(one.as_str().starts_with('s'));
        assert!(CredentialId::random(&random).unwrap().as_str().starts_with('c'));
    }
}
