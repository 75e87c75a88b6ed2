//! What is under way, by its number: a handful of entries at a time, for which a sorted list is as quick as a tree and a
//! tenth of its code.

/// Entries in the order of their keys.
#[derive(Clone, Debug)]
pub(crate) struct Slots<K, V>(Vec<(K, V)>);

impl<K, V> Default for Slots<K, V> {
    fn default() -> Slots<K, V> {
        Slots(Vec::new())
    }
}

impl<K: Ord, V> Slots<K, V> {
    pub(crate) fn new() -> Slots<K, V> {
        Slots::default()
    }

    fn place(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(key))
    }

    /// Puts a value in its place; one that was there is gone.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(at) => self.0[at] = (key, value),
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.place(key).ok().map(|at| &self.0[at].1)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.place(key).ok().map(|at| &mut self.0[at].1)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.place(key).ok().map(|at| self.0.remove(at).1)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.place(key).is_ok()
    }

    /// The first key that is not before this one.
    pub(crate) fn key_from(&self, key: K) -> Option<K>
    where
        K: Copy,
    {
        let at = self.place(&key).unwrap_or_else(|at| at);
        self.0.get(at).map(|(key, _)| *key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(crate) fn into_keys(self) -> impl Iterator<Item = K> {
        self.0.into_iter().map(|(key, _)| key)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stand_in_the_order_of_their_keys_and_replace_each_other() {
        let mut slots = Slots::new();
        for (key, value) in [(3, 'c'), (1, 'a'), (2, 'x'), (2, 'b')] {
            slots.insert(key, value);
        }
        assert_eq!(slots.values().collect::<String>(), "abc");
        assert_eq!((slots.key_from(0), slots.key_from(2), slots.key_from(4)), (Some(1), Some(2), None));
        assert_eq!((slots.remove(&2), slots.remove(&2), slots.get(&3), slots.len()), (Some('b'), None, Some(&'c'), 2));
        assert!(slots.contains_key(&1) && !slots.contains_key(&2));
        assert_eq!(slots.key_from(2), Some(3));
        assert_eq!(slots.into_keys().collect::<Vec<_>>(), [1, 3]);
    }
}
