//! That an actor has proved anew who it is.

use super::{Inner, secrets::parts_hash};
use crate::{Actor, CommandName, CredentialId, StepUp};
use auth_core::{Flow, KeyDigest, Secret, Timestamp};
use std::{fmt, sync::Arc};
use subtle::ConstantTimeEq;

/// Checks the password of an actor: the platform knows its users.
///
/// # Security
///
/// Limit wrong attempts, as at any log-in: an attacker that has got hold of an actor's session guesses here.
pub trait StepUpCheck: Send + Sync {
    /// Is this the actor's password?
    ///
    /// # Errors
    ///
    /// When nobody could tell.
    fn confirms(&self, actor: &Actor, password: &Secret) -> Flow<'_, bool>;
}

/// A proof that an actor gave its password, for one command on one credential. It is good for five minutes, on every
/// process of the registry.
///
/// A deletion succeeds once, so its proof is good once.
#[derive(Clone)]
pub struct StepUpProof {
    proof: StepUp,
    tag: KeyDigest,
}

impl Inner {
    pub(super) fn sign(
        &self,
        actor: &Actor,
        credential: &CredentialId,
        command: CommandName,
    ) -> StepUpProof {
        let (actor_id, at) = (Arc::clone(&actor.id), self.clock.read().moment());
        let proof = StepUp { actor: actor_id, credential: credential.clone(), command, at };
        let tag = self.tag(actor, &proof);
        StepUpProof { proof, tag }
    }

    /// What the proof says, if this registry signed it for this actor.
    pub(super) fn proven(&self, actor: &Actor, proof: Option<&StepUpProof>) -> Option<StepUp> {
        let StepUpProof { proof, tag } = proof?;
        let right: bool = self.tag(actor, proof).as_bytes().ct_eq(tag.as_bytes()).into();
        right.then(|| proof.clone())
    }

    fn tag(&self, actor: &Actor, proof: &StepUp) -> KeyDigest {
        let at = proof.at.since_epoch().as_nanos().to_be_bytes();
        parts_hash(
            &self.hashers.proofs,
            &[
                actor.tenant.as_str().as_bytes(),
                proof.actor.as_bytes(),
                proof.credential.as_str().as_bytes(),
                proof.command.name().as_bytes(),
                &at,
            ],
        )
    }
}

impl StepUpProof {
    /// The form in which a browser brings it back: text that is good for five minutes.
    #[must_use]
    pub fn to_text(&self) -> String {
        use fmt::Write;
        let since = self.proof.at.since_epoch();
        let mut text = format!("{}.{:09}.", since.as_secs(), since.subsec_nanos());
        for byte in self.tag.as_bytes() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Reads [`to_text`](Self::to_text), for the actor, credential and command that the request is about; `None` for
    /// other text. Whether it proves anything is seen when the command is given.
    #[must_use]
    pub fn from_text(
        text: &str,
        actor: &Actor,
        credential: &CredentialId,
        command: CommandName,
    ) -> Option<Self> {
        let mut parts = text.split('.');
        let (seconds, nanos, tag) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let nanos: u32 = nanos.parse().ok()?;
        let at = Timestamp::from_unix(seconds.parse().ok()?)
            .after(std::time::Duration::from_nanos(nanos.into()));
        let proof =
            StepUp { actor: Arc::clone(&actor.id), credential: credential.clone(), command, at };
        Some(Self { proof, tag: crate::rest::digest_from_hex(tag)? })
    }
}

impl fmt::Debug for StepUpProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StepUpProof({} of {})", self.proof.command, self.proof.credential)
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<C: StepUpCheck + ?Sized> StepUpCheck for $pointer<C> {
            fn confirms(&self, actor: &Actor, password: &Secret) -> Flow<'_, bool> {
                (**self).confirms(actor, password)
            }
        }
    )*};
}

forward!(Arc, Box);
