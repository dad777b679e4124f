//! IBSSO sessions in a registry: one of a user is alive, bound to the address that created it.

use super::accounts::{PAGE, by_system};
use auth_core::{Caller, Error, Flow, Lookup, Result, Secret, TenantId};
use auth_ibsso::{CreateOutcome, NewSession, Sessions};
use auth_lifecycle::{
    Actor, CommandRefusal, Issued, Kind, Known, Registry, Role, ServiceId, Status, Wanted,
};
use auth_net::AddressList;

/// The sessions of the users of a platform: one of a user is alive.
///
/// [`InfobipPlatform::session_endpoint`](crate::InfobipPlatform::session_endpoint) creates and destroys them. A platform that
/// counts sessions, or ends them, takes these and stands around them.
///
/// # Security
///
/// The address that a session is bound to is the allowed address of its credential: [`InfobipDoor`](crate::InfobipDoor)
/// compares it, and so does [`Registry::admit`] around a verifier of your own.
#[derive(Clone, Debug)]
pub struct RegistrySessions {
    registry: Registry,
}

impl RegistrySessions {
    pub(super) const fn new(registry: Registry) -> Self {
        Self { registry }
    }

    /// Ends every session of every user of an account.
    ///
    /// # Errors
    ///
    /// Those of the registry: some sessions may have ended then.
    pub fn end_all(&self, account: &TenantId) -> Flow<'_, ()> {
        let by = by_system(&self.registry, account);
        Flow::new(async move {
            let mut after = None;
            loop {
                let services = by.services(after.as_ref(), PAGE).await?.map_err(unexpected)?;
                let Some(last) = services.last() else { return Ok(()) };
                after = Some(last.id.clone());
                for service in &services {
                    let groups = by.list(Some(&service.id)).await?.map_err(unexpected)?;
                    let sessions =
                        groups.iter().filter(|group| group.id.kind == Kind::IbssoSession);
                    for session in sessions.flat_map(|group| &group.credentials) {
                        // One that has ended meanwhile is as it should be.
                        let _ = by.destroy(&session.id).await?;
                    }
                }
            }
        })
    }
}

impl Sessions for RegistrySessions {
    type User = Caller;
    type Principal = Known;

    fn create(&self, user: Caller, new: NewSession) -> Flow<'_, CreateOutcome> {
        Flow::new(async move {
            let service = user.service.ok_or_else(no_service)?;
            let mut by =
                self.registry.by(&Actor::new(user.tenant, service.clone(), Role::FullAccess));
            if let Some(key) = new.idempotency_key {
                by = by.once(&*key);
            }
            let bound_to = new.bound_to.map(|address| AddressList::new([address.to_string()]));
            let wanted = Wanted {
                scopes: user.scopes,
                allowed_addresses: bound_to.transpose().map_err(unreadable)?,
                ..Wanted::default()
            };
            // Whether a session was left unused for too long is decided by the uses that are written down.
            self.registry.flush_uses().await?;
            let service = ServiceId::new(service);
            let made = match new.replaces {
                true => by.replace_session(&service, Kind::IbssoSession, wanted).await,
                false => by.create(Some(&service), Kind::IbssoSession, wanted).await,
            };
            outcome(made.map_err(told)?)
        })
    }

    fn find(&self, token: &[u8]) -> Flow<'_, Option<Known>> {
        let digest = self.registry.token_hasher().hash(token);
        let tokens = self.registry.tokens(&[Kind::IbssoSession]);
        Flow::new(
            async move { Ok(tokens.lookup(&digest).await?.and_then(|found| found.principal(0))) },
        )
    }

    fn destroy(&self, token: &[u8]) -> Flow<'_, bool> {
        let destroyed = self.registry.destroy_session(&Secret::new(token));
        destroyed.then(|destroyed| destroyed.map(|done| done.is_ok()).map_err(told).into())
    }
}

fn outcome(made: Result<Issued, CommandRefusal>) -> Result<CreateOutcome> {
    match made {
        Ok(Issued { credential, secret: Some(token) }) if credential.status == Status::Usable => {
            Ok(CreateOutcome::Created(token))
        }
        // The session that this key made has ended since: its token is worth nothing any more.
        Ok(_) | Err(CommandRefusal::Unknown | CommandRefusal::IdempotencyKeyReused) => {
            Ok(CreateOutcome::KeyReused)
        }
        Err(CommandRefusal::SessionAlreadyActive) => Ok(CreateOutcome::AlreadyAlive),
        Err(refusal) => Err(unexpected(refusal)),
    }
}

/// The registry has one kind of error for what was not done and for what nobody knows; a client must not take one for the
/// other.
fn told(error: Error) -> Error {
    match error.code() {
        "lifecycle_commit_unknown" => Error::transport("lifecycle_commit_unknown", error),
        _ => error,
    }
}

fn no_service() -> Error {
    Error::config("infobip_user", "the user who logs in is no service of the registry")
}

fn unreadable(error: impl std::error::Error) -> Error {
    Error::config("infobip_address", error.to_string())
}

fn unexpected(refusal: CommandRefusal) -> Error {
    Error::config("infobip_refused", refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_not_done_is_unavailable() {
        for (code, is_undone) in
            [("lifecycle_contended", true), ("lifecycle_commit_unknown", false)]
        {
            let error = told(Error::unavailable(code, None, "later"));
            assert_eq!(error.code(), code);
            assert_eq!(matches!(error, Error::Unavailable { .. }), is_undone);
        }
    }
}
