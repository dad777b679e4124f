//! What a repetition of a command gets: the same answer, without doing it twice.

use super::{Inner, secrets::parts_hash};
use crate::{Actor, CredentialId, EnvelopePlace, RememberedAnswer, Sealed};
use auth_core::{Error, KeyDigest, Result, Secret, Timestamp};
use std::{sync::Arc, time::Duration};

/// A command whose repetition is recognized.
#[derive(Clone)]
pub(super) struct Asked {
    /// The keyed hash of the tenant, the actor and the key.
    pub(super) name: KeyDigest,
    /// The keyed hash of the command.
    command: KeyDigest,
    remembered_for: Duration,
}

/// What a command made: for each credential its name, and the secret that was shown once.
pub(super) type Made = Vec<(CredentialId, Option<Secret>)>;

impl Inner {
    /// How long the answer to a command with an idempotency key is remembered, its secret included.
    const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

    /// How long that of a command without one is: as long as the registry itself may ask again.
    const REMEMBERED_BRIEFLY: Duration = Duration::from_secs(10 * 60);

    /// Names a command. Without a key of the actor's it gets one of its own, so that a commit of which nobody knows whether
    /// it was written can be asked for again.
    pub(super) fn asked(
        &self,
        actor: &Actor,
        key: Option<&Arc<str>>,
        command: &[u8],
    ) -> Result<Asked> {
        let mut random = [0; 16];
        let (name, remembered_for) = match key {
            Some(key) => (key.as_bytes(), Self::REMEMBERED),
            None => {
                self.random.fill(&mut random)?;
                (random.as_slice(), Self::REMEMBERED_BRIEFLY)
            }
        };
        let (tenant, actor) = (actor.tenant.as_str().as_bytes(), actor.id.as_bytes());
        let hasher = &self.hashers.answers;
        let sort: &[u8] = if key.is_some() { b"key" } else { b"random" };
        let name = parts_hash(hasher, &[b"name", sort, tenant, actor, name]);
        Ok(Asked { name, command: parts_hash(hasher, &[b"command", command]), remembered_for })
    }

    pub(super) async fn remember(
        &self,
        actor: &Actor,
        asked: &Asked,
        made: &Made,
        now: Timestamp,
    ) -> Result<RememberedAnswer> {
        let mut bytes = Vec::new();
        for (id, secret) in made {
            let secret = secret.as_ref().map(Secret::expose).unwrap_or_default();
            for part in [id.as_str().as_bytes(), secret] {
                bytes.extend_from_slice(
                    &u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes(),
                );
                bytes.extend_from_slice(part);
            }
        }
        let name = hex(&asked.name);
        let sealed = self.sealer.seal(place(actor, &name), &Secret::new(bytes)).await?;
        let Asked { name, command, remembered_for } = *asked;
        let until = now.after(remembered_for);
        Ok(RememberedAnswer { name, command, answer: sealed.to_bytes(), now, until })
    }

    /// A name for a commit that nobody but the registry itself repeats, with no answer to give.
    pub(super) fn nothing_to_remember(&self, now: Timestamp) -> Result<RememberedAnswer> {
        let mut random = [0; 16];
        self.random.fill(&mut random)?;
        let name = parts_hash(&self.hashers.answers, &[b"name", b"nothing", &random]);
        let until = now.after(Self::REMEMBERED_BRIEFLY);
        Ok(RememberedAnswer { name, command: name, answer: Vec::new(), now, until })
    }

    /// What the command made the first time; `None` when it was another command.
    pub(super) async fn recall(
        &self,
        actor: &Actor,
        asked: &Asked,
        answer: &RememberedAnswer,
    ) -> Result<Option<Made>> {
        if answer.command != asked.command {
            return Ok(None);
        }
        let (name, sealed) = (hex(&asked.name), Sealed::from_bytes(&answer.answer)?);
        let opened = self.sealer.open(place(actor, &name), &sealed).await?;
        read(opened.expose()).map(Some).ok_or_else(|| {
            let text = "a remembered answer cannot be read: it was changed outside of this program";
            Error::config("lifecycle_stored_unreadable", text)
        })
    }
}

fn read(mut bytes: &[u8]) -> Option<Made> {
    let mut part = || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (part, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        Some(part)
    };
    let mut made = Vec::new();
    while let Some(id) = part() {
        let secret = part()?;
        let secret = (!secret.is_empty()).then(|| Secret::new(secret));
        made.push((CredentialId::new(std::str::from_utf8(id).ok()?), secret));
    }
    Some(made)
}

fn hex(digest: &KeyDigest) -> String {
    crate::rest::to_hex(digest.as_bytes())
}

fn place<'a>(actor: &'a Actor, name: &'a str) -> EnvelopePlace<'a> {
    let tenant = &actor.tenant;
    EnvelopePlace {
        tenant,
        group: &["answers"],
        credential: name,
        generation: 0,
        purpose: "answer",
    }
}
