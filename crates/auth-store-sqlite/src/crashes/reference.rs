//! What there is after each command when nothing ever fails: from the store in memory.

use super::work::{STEPS, alice, give, key, registry};
use auth_lifecycle::{MemoryLifecycleStore, Registry, ServiceId, State};
use std::collections::HashMap;

pub(super) struct Reference {
    /// The names of the events of each command.
    pub(super) events: Vec<Vec<&'static str>>,
    /// The groups of its service after each command.
    pub(super) groups: Vec<Vec<Group>>,
}

/// A version, and state, generation and label of each credential.
pub(super) type Group = (u64, Vec<(State, u64, String)>);

impl Reference {
    pub(super) fn of(commands: usize) -> Self {
        let registry = registry(MemoryLifecycleStore::new());
        let (mut told, mut seen) = (Vec::new(), Vec::new());
        for n in 0..commands {
            told.push(give(&registry, &told, n).unwrap());
            seen.push(groups(&registry, service(&told, n)).unwrap());
        }
        let events = events(&registry).unwrap();
        Self { events: (0..commands).map(|n| events[&key(n)].clone()).collect(), groups: seen }
    }
}

/// The service that command `n` is about.
pub(super) fn service(told: &[String], n: usize) -> &str {
    told[n - n % STEPS].split(' ').next().unwrap()
}

pub(super) fn groups(registry: &Registry, service: &str) -> Result<Vec<Group>, String> {
    let views = registry.by(&alice()).list(Some(&ServiceId::new(service))).wait();
    let views = views.map_err(|error| error.to_string())?.map_err(|refusal| refusal.to_string())?;
    let group = |view: auth_lifecycle::GroupView| {
        let it = view.credentials.iter();
        (view.version, it.map(|it| (it.state, it.generation, it.label.to_string())).collect())
    };
    Ok(views.into_iter().map(group).collect())
}

/// By the key of their command.
pub(super) fn events(registry: &Registry) -> Result<HashMap<String, Vec<&'static str>>, String> {
    let events = registry.by(&alice()).events(0, usize::MAX).wait();
    let (events, _) = events.map_err(|error| error.to_string())?.unwrap();
    let mut by_key: HashMap<_, Vec<_>> = HashMap::new();
    for event in events {
        by_key.entry(event.what.cause.to_string()).or_default().push(event.what.name.name());
    }
    Ok(by_key)
}
