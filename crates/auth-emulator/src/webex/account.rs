//! The credentials of the one tenant, in a registry.

use auth_core::{Clock, Error, Random, Result, Secret, TenantId};
use auth_lifecycle::{
    Actor, CommandRefusal, Commands, CredentialId, Issued, Kind, MemoryLifecycleStore, NewSecret,
    Registry, RegistryKeys, Role, ServiceId, Wanted,
};
use std::{fmt, sync::Arc};

/// A service of the tenant, with the credentials that it was made with. `Debug` shows its id alone.
pub struct IssuedService {
    name: Box<str>,
    /// The Service ID, which its JWTs have in `iss`.
    pub id: Box<str>,
    /// The service key.
    pub key: Secret,
    /// The name of the service key, for commands of [`Webex::by`](crate::Webex::by).
    pub key_id: CredentialId,
    /// The secret that its JWTs are signed with, in Base64 as the platform shows it.
    pub jwt_secret: Secret,
    /// The name of that secret, for commands.
    pub jwt_secret_id: CredentialId,
}

/// An app of the tenant, with the secret that it was made with. `Debug` shows its id alone.
pub struct IssuedApp {
    name: Box<str>,
    /// The app's id, which its JWTs have in `appId`.
    pub id: Box<str>,
    /// The secret that its JWTs are signed with under HS256, in Base64.
    pub secret: Secret,
}

/// A public key of an app, for JWTs under RS256.
pub(super) struct AppKey {
    pub(super) app: Box<str>,
    pub(super) kid: Box<str>,
    pub(super) pem: Box<str>,
}

/// What an account is made with.
pub(super) struct NewAccount {
    pub(super) services: Vec<Box<str>>,
    pub(super) apps: Vec<Box<str>>,
    pub(super) app_keys: Vec<AppKey>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
}

/// The tenant, and what was issued to it.
pub(super) struct Account {
    pub(super) registry: Registry,
    pub(super) tenant: TenantId,
    pub(super) profile_key: Secret,
    services: Vec<IssuedService>,
    apps: Vec<IssuedApp>,
}

impl Account {
    pub(super) async fn open(new: NewAccount) -> Result<Self> {
        let NewAccount { services, apps, app_keys, clock, random } = new;
        let mut master = [0; 32];
        random.fill(&mut master)?;
        let keys = RegistryKeys::from_master(&Secret::new(master))?;
        let registry = Registry::build(MemoryLifecycleStore::new(), keys)
            .with_environment("emulated")
            .with_clock(clock)
            .with_random(random)
            .finish()?;
        let tenant = TenantId::new("tenant");
        let by = registry.by(&Actor::new(tenant.clone(), "system", Role::Owner));
        let profile = by.create(None, Kind::ProfileKey, Wanted::default()).await?;
        let profile_key = secret_of(profile.map_err(refused)?)?;
        let mut all =
            Self { registry, tenant, profile_key, services: Vec::new(), apps: Vec::new() };
        for name in services {
            let made = by.create_service(&name).await?.map_err(refused)?;
            let (key_id, jwt_secret_id) =
                (made.key.credential.id.clone(), made.jwt.credential.id.clone());
            let (key, jwt_secret) = (secret_of(made.key)?, secret_of(made.jwt)?);
            let id = made.service.id.as_str().into();
            all.services.push(IssuedService { name, id, key, key_id, jwt_secret, jwt_secret_id });
        }
        for name in apps {
            let made = by.create_service_with(&name, &[Kind::AppJwtSecret]).await?;
            let (service, first) = made.map_err(refused)?;
            let secret = first.into_iter().next().ok_or_else(missing).and_then(secret_of)?;
            all.apps.push(IssuedApp { name, id: service.id.as_str().into(), secret });
        }
        for key in app_keys {
            all.take_key(&by, key).await?;
        }
        Ok(all)
    }

    async fn take_key(&self, by: &Commands, key: AppKey) -> Result<()> {
        let AppKey { app, kid, pem } = key;
        let Some(of) = self.app(&app) else {
            let text = format!("key {kid:?} is of app {app:?}, which is not there; add it before");
            return Err(Error::config("emulator_webex_app", text));
        };
        let secret = NewSecret::PublicKey { name: (*kid).into(), key: pem.as_bytes().to_vec() };
        let wanted = Wanted { secret, ..Wanted::default() };
        let service = ServiceId::new(&*of.id);
        by.create(Some(&service), Kind::AppJwtKey, wanted).await?.map_err(refused)?;
        Ok(())
    }

    pub(super) fn service(&self, name: &str) -> Option<&IssuedService> {
        self.services.iter().find(|service| *service.name == *name)
    }

    pub(super) fn app(&self, name: &str) -> Option<&IssuedApp> {
        self.apps.iter().find(|app| *app.name == *name)
    }

    pub(super) fn by(&self, role: Role) -> Commands {
        self.registry.by(&Actor::new(self.tenant.clone(), "a person", role))
    }
}

fn secret_of(issued: Issued) -> Result<Secret> {
    issued.secret.ok_or_else(missing)
}

fn missing() -> Error {
    Error::config("emulator_webex", "the registry made no secret")
}

fn refused(refusal: CommandRefusal) -> Error {
    Error::config("emulator_webex", refusal)
}

impl fmt::Debug for IssuedService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedService({:?})", self.id)
    }
}

impl fmt::Debug for IssuedApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuedApp({:?})", self.id)
    }
}
