//! The last step of a verification: from where, and that the credential was used.

use super::{Known, Registry, clock::moment};
use auth_core::{
    Accepted, Caller, Flow, Lookup, Need, Outcome, Presence, Reason, Rejection, RequestView,
    Result, TenantId, Verifier,
};
use auth_net::AddressList;
use std::{fmt, sync::Arc};

/// A verifier whose principal is the [`Caller`], or has it: see [`Registry::admit`].
pub struct Admit<V> {
    verifier: V,
    registry: Registry,
    addresses: Option<Arc<dyn Lookup<TenantId, Found = Arc<AddressList>>>>,
}

impl Registry {
    /// Admits the callers that a verifier has proved: checks from where they may call, notes the use of the credential and
    /// gives the [`Caller`].
    ///
    /// The verifier looks credentials up in this registry. The one of JWTs gives the claims beside the caller; where they are
    /// not wanted, `map(|proven| proven.caller)` takes the caller out.
    #[must_use]
    pub fn admit<V: Verifier<Principal: Proven>>(&self, verifier: V) -> Admit<V> {
        Admit { verifier, registry: self.clone(), addresses: None }
    }

    /// Told of a use of a credential that was discarded, once a minute: its caller is one that somebody forgot.
    pub(super) fn inactive_used(&self, known: &Known, now: u64) {
        if !known.note_forgotten(now) {
            return;
        }
        let caller = known.caller();
        self.0.observer.observe(auth_core::Event::InactiveCredentialUsed {
            tenant: &caller.tenant,
            credential: &caller.credential,
        });
    }
}

impl<V> Admit<V> {
    /// With the addresses from which callers of each tenant may call this door: a tenant that the look-up does not know
    /// has not turned its list on. Give each family of APIs a door, and a look-up, of its own.
    ///
    /// # Security
    ///
    /// Where a list is on, a caller whose address is not known is rejected. The address is the one that the server layer
    /// found, behind proxies by the fields that trusted ones wrote.
    #[must_use]
    pub fn with_addresses(
        self,
        addresses: impl Lookup<TenantId, Found = Arc<AddressList>> + 'static,
    ) -> Self {
        Self { addresses: Some(Arc::new(addresses)), ..self }
    }

    fn admitted<P: Proven>(
        &self,
        proven: P,
        request: RequestView<'_>,
    ) -> Result<P::Admitted, Rejection> {
        let known = proven.known();
        let source = request.peer.address;
        if !known.allows(source) {
            return Err(Rejection::forbidden(ADDRESS));
        }
        // The look-up has read the clock a moment ago.
        let now = self.registry.0.clock.coarse();
        if known.note_use(now, source) {
            self.registry.0.uses.note(known, moment(now), source);
        }
        let caller = known.caller().clone();
        Ok(proven.admitted(caller))
    }

    fn judged<P: Proven>(
        &self,
        accepted: Accepted<P>,
        request: RequestView<'_>,
    ) -> Outcome<P::Admitted> {
        accepted.try_map(|proven| self.admitted(proven, request))
    }
}

/// What a verifier has proved by a credential of a registry: the principal that [`Registry::admit`] takes.
///
/// It is a [`Known`] credential, or for JWTs the claims and the credential whose key signed them.
pub trait Proven: Send + 'static {
    /// What is left for the program: the [`Caller`], beside anything else that was proved.
    type Admitted: Send + 'static;

    /// The credential.
    fn known(&self) -> &Known;

    /// The caller, which is that of the credential, in place of it.
    fn admitted(self, caller: Caller) -> Self::Admitted;
}

impl Proven for Known {
    type Admitted = Caller;

    fn known(&self) -> &Known {
        self
    }

    fn admitted(self, caller: Caller) -> Caller {
        caller
    }
}

#[cfg(feature = "jwt")]
impl Proven for auth_jwt::JwtPrincipal<Known> {
    type Admitted = auth_jwt::JwtPrincipal<Caller>;

    fn known(&self) -> &Known {
        &self.caller
    }

    fn admitted(self, caller: Caller) -> Self::Admitted {
        self.map_caller(|_| caller)
    }
}

impl<V: Verifier<Principal: Proven>> Verifier for Admit<V> {
    type Principal = <V::Principal as Proven>::Admitted;

    fn presence(&self, head: RequestView<'_>) -> Presence {
        self.verifier.presence(head)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.verifier.needs(head)
    }

    fn verify<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Outcome<Self::Principal>> {
        self.verifier.verify(request).and_then(move |outcome| match outcome {
            Err(rejection) => Flow::ready(Err(rejection)),
            Ok(accepted) => match &self.addresses {
                None => Flow::ready(self.judged(accepted, request)),
                Some(addresses) => {
                    let tenant = &accepted.principal.known().caller().tenant;
                    addresses.lookup(tenant).map(move |list| match (list, request.peer.address) {
                        (None, _) => self.judged(accepted, request),
                        (Some(list), Some(source)) if list.contains(source) => {
                            self.judged(accepted, request)
                        }
                        (Some(_), _) => Err(Rejection::forbidden(ADDRESS)),
                    })
                }
            },
        })
    }
}

const ADDRESS: Reason = Reason::new(
    "lifecycle_address",
    "caller is at an address that its tenant's list, or its credential's, does not have, or that is not known",
);

impl<V: fmt::Debug> fmt::Debug for Admit<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admit").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}
