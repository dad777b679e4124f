//! Keys in the order in which they were last wanted.

/// A list of keys, linked by their places in a vector. Each step takes the same time however many keys there are.
pub(super) struct Queue<K> {
    nodes: Vec<Node<K>>,
    /// Places whose keys were removed.
    free: Vec<usize>,
    oldest: Option<usize>,
    newest: Option<usize>,
}

struct Node<K> {
    /// Gone while its place is free.
    key: Option<K>,
    older: Option<usize>,
    newer: Option<usize>,
}

impl<K> Queue<K> {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), free: Vec::new(), oldest: None, newest: None }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len().saturating_sub(self.free.len())
    }

    /// The keys, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &K> {
        let mut next = self.oldest;
        std::iter::from_fn(move || {
            let node = self.nodes.get(next?)?;
            next = node.newer;
            node.key.as_ref()
        })
    }

    /// Adds a key as the newest, and says at which place it is until it is removed.
    pub(super) fn push(&mut self, key: K) -> usize {
        let node = Node { key: Some(key), older: None, newer: None };
        let place = self.free.pop().unwrap_or(self.nodes.len());
        match self.nodes.get_mut(place) {
            Some(free) => *free = node,
            None => self.nodes.push(node),
        }
        self.link(place);
        place
    }

    pub(super) fn remove(&mut self, place: usize) -> Option<K> {
        let key = self.nodes.get_mut(place)?.key.take()?;
        self.unlink(place);
        self.free.push(place);
        Some(key)
    }

    /// Makes a key the newest. It keeps its place.
    pub(super) fn renew(&mut self, place: usize) {
        if self.newest != Some(place)
            && self.nodes.get(place).is_some_and(|node| node.key.is_some())
        {
            self.unlink(place);
            self.link(place);
        }
    }

    fn link(&mut self, place: usize) {
        let older = self.newest.replace(place);
        self.after(older, Some(place));
        if let Some(node) = self.nodes.get_mut(place) {
            (node.older, node.newer) = (older, None);
        }
    }

    fn unlink(&mut self, place: usize) {
        let Some(node) = self.nodes.get(place) else { return };
        let (older, newer) = (node.older, node.newer);
        self.after(older, newer);
        match newer.and_then(|newer| self.nodes.get_mut(newer)) {
            Some(newer) => newer.older = older,
            None => self.newest = older,
        }
    }

    /// What comes after this place; the oldest of all if that is no place.
    fn after(&mut self, place: Option<usize>, next: Option<usize>) {
        match place.and_then(|place| self.nodes.get_mut(place)) {
            Some(node) => node.newer = next,
            None => self.oldest = next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push,
        Remove(usize),
        Renew(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => Just(Step::Push),
            2 => any::<usize>().prop_map(Step::Remove),
            2 => any::<usize>().prop_map(Step::Renew),
        ];
        prop::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn is_a_list_in_which_what_is_renewed_goes_to_the_end(steps in steps()) {
            let (mut queue, mut model) = (Queue::new(), Vec::<(usize, usize)>::new());
            let mut most = 0;
            for (key, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Push => model.push((key, queue.push(key))),
                    Step::Remove(n) | Step::Renew(n) if model.is_empty() => {
                        queue.renew(n);
                        prop_assert_eq!(queue.remove(n), None);
                    }
                    Step::Remove(n) => {
                        let (key, place) = model.remove(n % model.len());
                        prop_assert_eq!(queue.remove(place), Some(key));
                        prop_assert_eq!(queue.remove(place), None);
                    }
                    Step::Renew(n) => {
                        let renewed = model.remove(n % model.len());
                        queue.renew(renewed.1);
                        model.push(renewed);
                    }
                }
                most = most.max(model.len());
                prop_assert_eq!(queue.len(), model.len());
                let keys: Vec<_> = queue.iter().copied().collect();
                prop_assert_eq!(keys, model.iter().map(|(key, _)| *key).collect::<Vec<_>>());
            }
            prop_assert!(queue.nodes.len() == most, "free places are not used again");
        }
    }
}
