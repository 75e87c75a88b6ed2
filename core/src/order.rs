//! Sorting by one piece of code, whatever is sorted. The standard library's is made anew for each type of item: that is
//! made for speed, and each copy weighs as much as the whole of a small parser in the wasm module.

/// The places 0 to `count - 1` in the order in which `before` puts them; of two that are equal, the earlier comes first.
pub(crate) fn places(count: usize, before: &dyn Fn(usize, usize) -> bool) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..count).collect();
    let mut merged = Vec::with_capacity(count);
    let mut width = 1;
    while width < count {
        for pair in sorted.chunks(width.saturating_mul(2)) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            // What comes in order, or in the opposite one, is common.
            if let (Some(last), Some(first)) = (left.last(), right.first())
                && !before(*first, *last)
            {
                merged.extend_from_slice(pair);
                continue;
            }
            if let (Some(first), Some(last)) = (left.first(), right.last())
                && before(*last, *first)
            {
                merged.extend_from_slice(right);
                merged.extend_from_slice(left);
                continue;
            }
            while let ([first, left_rest @ ..], [second, right_rest @ ..]) = (left, right) {
                if before(*second, *first) {
                    merged.push(*second);
                    right = right_rest;
                } else {
                    merged.push(*first);
                    left = left_rest;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(&mut sorted, &mut merged);
        merged.clear();
        width = width.saturating_mul(2);
    }
    sorted
}

/// Sorts by `before(a, b)`: a comes before b. Equal items keep their order.
pub(crate) fn sort<T>(items: &mut Vec<T>, before: impl Fn(&T, &T) -> bool) {
    let order = places(items.len(), &|a, b| before(&items[a], &items[b]));
    let mut taken: Vec<Option<T>> = std::mem::take(items).into_iter().map(Some).collect();
    items.extend(order.into_iter().filter_map(|place| taken[place].take()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_sorts_as_the_standard_library_does(items: Vec<(u8, u8)>) {
            let (mut ours, mut theirs) = (items.clone(), items);
            sort(&mut ours, |a, b| a.0 < b.0);
            theirs.sort_by_key(|item| item.0);
            prop_assert_eq!(ours, theirs);
        }
    }
}
