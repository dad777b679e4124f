//! The public keys of bots and apps: saved, revoked and extended, as an administrator of the pod does.

use super::{Account, Installation, installation::refused};
use auth_core::{Error, Result, Timestamp};
use auth_lifecycle::{
    CommandRefusal, CredentialId, CredentialView, FieldChange, Kind, NewSecret, RevokeGuard,
    Status, Update, Wanted,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What becomes of the keys of an account.
pub(in crate::symphony) enum KeyChange<'a> {
    /// This one, in PEM, is the current key, and the one that was is the previous key.
    Save(&'a str),
    /// The current key ends. A previous key that is good takes its place.
    RevokeCurrent,
    /// The previous key ends.
    RevokePrevious,
    /// The previous key is good for 72 hours more.
    ExtendPrevious,
}

/// The keys of an account that are good.
#[derive(Default)]
pub(in crate::symphony) struct AccountKeys {
    pub(in crate::symphony) current: Option<AccountKey>,
    pub(in crate::symphony) previous: Option<AccountKey>,
}

/// A key, as it was saved.
pub(in crate::symphony) struct AccountKey {
    pub(in crate::symphony) pem: Box<str>,
    pub(in crate::symphony) expires: Option<Timestamp>,
}

/// The previous key is good for so long, and for so long again each time that it is extended.
const OVERLAP: Duration = Duration::from_secs(72 * 60 * 60);

impl Installation {
    /// Changes the keys of an account. The inner error says why the pod refuses that.
    ///
    /// Each step leaves keys behind that are good: a caller that hangs up in the middle takes none away.
    pub(in crate::symphony) async fn change_keys(
        &self,
        account: &Account,
        change: KeyChange<'_>,
    ) -> Result<Result<(), String>> {
        let _one_at_a_time = self.saved.changes.lock().await;
        let (current, previous) = self.key_views(account).await?;
        let done = match change {
            KeyChange::Save(pem) => return self.save(account, pem, current.as_ref()).await,
            KeyChange::RevokeCurrent => {
                let Some(current) = current else {
                    return Ok(Err("there is no current key".into()));
                };
                let promoted = match &previous {
                    Some(previous) => self.set_end(previous, None).await?,
                    None => Ok(()),
                };
                match promoted {
                    Ok(()) => self.revoke(account, &current).await?,
                    refusal => refusal,
                }
            }
            KeyChange::RevokePrevious => match previous {
                Some(previous) => self.revoke(account, &previous).await?,
                None => return Ok(Err("there is no previous key".into())),
            },
            KeyChange::ExtendPrevious => {
                let Some(previous) = previous else {
                    return Ok(Err("there is no previous key".into()));
                };
                let Some(end) = end(&previous) else {
                    return Ok(Err("the previous key has no end".into()));
                };
                self.set_end(&previous, Some(end.after(OVERLAP))).await?
            }
        };
        Ok(done.map_err(|refusal| refusal.to_string()))
    }

    /// The keys of an account that are good now.
    pub(in crate::symphony) async fn keys_of(&self, account: &Account) -> Result<AccountKeys> {
        let (current, previous) = self.key_views(account).await?;
        let shown =
            |it: CredentialView| AccountKey { pem: self.saved.pem(&it.id), expires: end(&it) };
        Ok(AccountKeys { current: current.map(shown), previous: previous.map(shown) })
    }

    /// Gives an account that logs in another public key. The one that it had is good for 72 hours more.
    pub(in crate::symphony) async fn replace_key(&self, name: &str, key: &str) -> Result<()> {
        let account = self.accounts.iter().find(|it| *it.name == *name);
        let account = account.ok_or_else(|| no_account(format!("there is no account {name:?}")))?;
        if !account.role.logs_in() {
            return Err(no_account(format!("account {name:?} does not log in")));
        }
        if account.has_certificate {
            return Err(no_account(format!("account {name:?} has no public key")));
        }
        let saved = self.change_keys(account, KeyChange::Save(key)).await?;
        saved.map_err(|refusal| wrong_key(name, refusal))
    }

    async fn save(
        &self,
        account: &Account,
        pem: &str,
        current: Option<&CredentialView>,
    ) -> Result<Result<(), String>> {
        let by = self.by();
        let wanted = public_key(&account.name, pem);
        let saved = match current {
            Some(current) => by.rotate(&current.id, OVERLAP, wanted).await?,
            None => by.create(Some(&account.service), Kind::BotPublicKey, wanted).await?,
        };
        Ok(saved.map(|it| self.saved.note(&it.credential.id, pem)).map_err(|it| it.to_string()))
    }

    /// The current key and the previous one. What time has ended is revoked: it makes room.
    async fn key_views(
        &self,
        account: &Account,
    ) -> Result<(Option<CredentialView>, Option<CredentialView>)> {
        let by = self.by();
        let mut good = Vec::new();
        for key in self.alive(&by, &account.service, &[Kind::BotPublicKey]).await? {
            if key.status == Status::Usable {
                good.push(key);
            } else {
                by.revoke(&key.id, RevokeGuard::KeepLast).await?.map_err(refused)?;
            }
        }
        Ok((good.pop(), good.pop()))
    }

    /// Ends a key for good, and what was logged in to with the keys of the account.
    async fn revoke(
        &self,
        account: &Account,
        key: &CredentialView,
    ) -> Result<Result<(), CommandRefusal>> {
        let revoked = self.by().revoke(&key.id, RevokeGuard::BreakGlass).await?.map(drop);
        if revoked.is_ok() {
            self.end(&account.service, &[Kind::SymphonySession, Kind::KeyManagerToken]).await?;
        }
        Ok(revoked)
    }

    /// The key ends at this moment in place of that of its rotation.
    async fn set_end(
        &self,
        key: &CredentialView,
        end: Option<Timestamp>,
    ) -> Result<Result<(), CommandRefusal>> {
        let by = self.by();
        let expires = end.map_or(FieldChange::Clear, FieldChange::Set);
        let update = Update { expires, ..Update::default() };
        match by.update(&key.id, update).await? {
            Ok(changed) if changed.retire_at.is_some() => {
                Ok(by.cancel_retire(&key.id).await?.map(drop))
            }
            other => Ok(other.map(drop)),
        }
    }
}

/// The first of both ends that a key may have.
fn end(key: &CredentialView) -> Option<Timestamp> {
    [key.expires, key.retire_at].into_iter().flatten().min()
}

/// The keys as their owner saved them, and the order of the changes. A clone shares both.
#[derive(Clone, Debug, Default)]
pub(super) struct SavedKeys {
    pems: Arc<Mutex<HashMap<CredentialId, Box<str>>>>,
    changes: Arc<tokio::sync::Mutex<()>>,
}

impl SavedKeys {
    pub(super) fn note(&self, id: &CredentialId, pem: &str) {
        let mut pems = self.pems.lock().unwrap_or_else(PoisonError::into_inner);
        pems.insert(id.clone(), pem.into());
    }

    fn pem(&self, id: &CredentialId) -> Box<str> {
        let pems = self.pems.lock().unwrap_or_else(PoisonError::into_inner);
        pems.get(id).cloned().unwrap_or_default()
    }
}

pub(super) fn public_key(name: &str, key: &str) -> Wanted {
    let secret = NewSecret::PublicKey { name: name.into(), key: key.as_bytes().into() };
    Wanted { secret, label: name.into(), ..Wanted::default() }
}

pub(super) fn wrong_key(name: &str, refusal: impl std::fmt::Display) -> Error {
    Error::config("emulator_public_key", format!("public key of {name:?} is refused: {refusal}"))
}

fn no_account(text: String) -> Error {
    Error::config("emulator_account", text)
}
