//! What leaves a credential in its state: shown, updated, bound to what depends on it.

use super::{
    Work,
    bounds::{MOST_BYTES, check_expires, check_label, check_scopes},
};
use crate::{CommandRefusal, Credential, EventName, Material, Reveal, State, Status, Update};
use std::sync::Arc;

/// No credential has more dependants, and no name of one more bytes.
const MOST_DEPENDANTS: usize = 100;

impl Work<'_> {
    pub(super) fn reveal(&mut self, it: &Credential) -> Result<(), CommandRefusal> {
        let sealed = matches!(it.kept.material, Material::Sealed(_));
        if self.before.id.kind.row().reveal == Reveal::Never || !sealed {
            return Err(CommandRefusal::NotRecoverable);
        }
        let states = Some((it.state, it.state));
        self.tell(Some(it.id.clone()), EventName::Revealed, states, String::new(), Vec::new());
        Ok(())
    }

    pub(super) fn update(
        &mut self,
        mut it: Credential,
        update: &Update,
    ) -> Result<(), CommandRefusal> {
        self.still_to_be_used(&it)?;
        let invalid = |field, expected| Err(CommandRefusal::Invalid { field, expected });
        update.label.as_deref().map_or(Ok(()), check_label)?;
        update.scopes.as_ref().map_or(Ok(()), check_scopes)?;
        let (before, mut fields) = (it.clone(), Vec::new());
        it.label = update.label.clone().unwrap_or(it.label);
        it.scopes = update.scopes.clone().unwrap_or(it.scopes);
        update.allowed_addresses.apply(&mut it.allowed_addresses);
        update.expires.apply(&mut it.expires);
        if it.expires != before.expires {
            check_expires(it.expires)?;
            let starts = it.starts();
            let latest = self.policy.longest_lifetime.map(|life| starts.after(life));
            if it.expires.is_some_and(|end| end <= self.now) {
                return invalid(
                    "expires",
                    "a moment that is yet to come; revoke ends a credential now",
                );
            }
            if it.expires.is_some_and(|end| end <= starts) {
                return invalid("expires", "a moment after the beginning");
            }
            if latest.is_some_and(|latest| it.expires.is_none_or(|end| end > latest)) {
                return invalid("expires", "a moment within the longest lifetime of the policy");
            }
            it.notices_told = 0;
            fields.push("expires");
        }
        if it.label != before.label {
            fields.push("label");
        }
        if it.scopes != before.scopes {
            fields.push("scopes");
        }
        if it.allowed_addresses != before.allowed_addresses {
            fields.push("allowed_addresses");
        }
        if fields.is_empty() {
            return Ok(());
        }
        self.put(it, EventName::Updated, fields.join(", "));
        self.guard()
    }

    /// What depends on a credential uses no other one of the group.
    pub(super) fn bind(
        &mut self,
        mut it: Credential,
        dependant: &Arc<str>,
    ) -> Result<(), CommandRefusal> {
        if it.status(self.now) != Status::Usable {
            return Err(self.wrong_state(&it));
        }
        if dependant.is_empty() || dependant.len() > MOST_BYTES {
            let (field, expected) = ("dependant", "a name of 1 to 200 bytes");
            return Err(CommandRefusal::Invalid { field, expected });
        }
        if it.dependants.contains(dependant) {
            return Ok(());
        }
        if it.dependants.len() >= MOST_DEPENDANTS {
            let (field, expected) = ("dependant", "at most 100 of one credential");
            return Err(CommandRefusal::Invalid { field, expected });
        }
        for other in &self.before.credentials {
            if other.dependants.contains(dependant) {
                self.take_off(other.clone(), dependant);
            }
        }
        it.dependants.push(Arc::clone(dependant));
        self.put(it, EventName::Bound, dependant.to_string());
        Ok(())
    }

    pub(super) fn unbind(
        &mut self,
        it: Credential,
        dependant: &Arc<str>,
    ) -> Result<(), CommandRefusal> {
        if it.state == State::Deleted {
            return Err(self.wrong_state(&it));
        }
        if it.dependants.contains(dependant) {
            self.take_off(it, dependant);
        }
        Ok(())
    }

    fn take_off(&mut self, mut it: Credential, dependant: &Arc<str>) {
        it.dependants.retain(|one| one != dependant);
        self.put(it, EventName::Unbound, dependant.to_string());
    }
}
