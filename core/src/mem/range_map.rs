//! [`RangeMap`]: non-overlapping ranges of guest addresses with a value each, which split and merge by themselves.
//!
//! The VMA map and the software machine's map of executable pages are both of this kind.

use std::collections::BTreeMap;

use crate::abi::{GuestAddr, GuestRange};

/// A value that covers a range and can be cut.
pub trait Segment: Clone {
    /// The value of the part that begins `offset_bytes` into the range.
    #[must_use]
    fn tail(&self, offset_bytes: u64) -> Self;

    /// True when `next` directly behind `len_bytes` of this value is the same as one longer value.
    fn continues(&self, len_bytes: u64, next: &Self) -> bool;
}

/// Ranges by start address. Empty ranges are never kept.
#[derive(Clone, Debug)]
pub struct RangeMap<V> {
    /// Start to end and value.
    ranges: BTreeMap<u64, (u64, V)>,
}

impl<V> Default for RangeMap<V> {
    fn default() -> Self {
        Self { ranges: BTreeMap::new() }
    }
}

impl<V: Segment> RangeMap<V> {
    /// An empty map.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of ranges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// True without any range.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The range that holds `addr`.
    #[must_use]
    pub fn get(&self, addr: GuestAddr) -> Option<(GuestRange, &V)> {
        self.overlapping(GuestRange { start: addr, end: GuestAddr(addr.0.checked_add(1)?) }).next()
    }

    /// The ranges that share an address with `range`, whole, in order.
    pub fn overlapping(&self, range: GuestRange) -> impl DoubleEndedIterator<Item = (GuestRange, &V)> {
        let first = match self.ranges.range(..=range.start.0).next_back() {
            Some((&start, &(end, _))) if end > range.start.0 => start,
            Some(_) | None => range.start.0,
        };
        let wanted = if range.is_empty() { first..first } else { first..range.end.0.max(first) };
        self.ranges.range(wanted).map(|(&start, (end, value))| (span(start, *end), value))
    }

    /// All ranges in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (GuestRange, &V)> {
        self.ranges.iter().map(|(&start, (end, value))| (span(start, *end), value))
    }

    /// Gives `range` a value, replacing what was there.
    pub fn insert(&mut self, range: GuestRange, value: V) {
        if range.is_empty() {
            return;
        }
        self.remove(range);
        self.ranges.insert(range.start.0, (range.end.0, value));
        self.merge_at(range.start.0);
        self.merge_at(range.end.0);
    }

    /// Removes what lies in `range`, cutting ranges that reach out of it, and returns what was removed.
    pub fn remove(&mut self, range: GuestRange) -> Vec<(GuestRange, V)> {
        if range.is_empty() {
            return Vec::new();
        }
        self.cut(range.start.0);
        self.cut(range.end.0);
        let starts: Vec<u64> = self.ranges.range(range.start.0..range.end.0).map(|(&start, _)| start).collect();
        let take = |start| self.ranges.remove(&start).map(|(end, value)| (span(start, end), value));
        starts.into_iter().filter_map(take).collect()
    }

    /// Changes the values that lie in `range`, cutting ranges that reach out of it.
    pub fn update(&mut self, range: GuestRange, mut change: impl FnMut(&mut V)) {
        if range.is_empty() {
            return;
        }
        self.cut(range.start.0);
        self.cut(range.end.0);
        let mut borders = vec![range.end.0];
        for (&start, (_, value)) in self.ranges.range_mut(range.start.0..range.end.0) {
            change(value);
            borders.push(start);
        }
        for border in borders {
            self.merge_at(border);
        }
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.ranges.clear();
    }

    /// Makes `at` a border between two ranges if it lies inside of one.
    fn cut(&mut self, at: u64) {
        let Some((&start, entry)) = self.ranges.range_mut(..at).next_back() else { return };
        if entry.0 > at {
            let tail = (entry.0, entry.1.tail(at - start));
            entry.0 = at;
            self.ranges.insert(at, tail);
        }
    }

    /// Joins the two ranges that meet at `border` if they are one.
    fn merge_at(&mut self, border: u64) {
        let Some((next_end, next)) = self.ranges.get(&border) else { return };
        let Some((&start, (end, value))) = self.ranges.range(..border).next_back() else { return };
        if *end == border && value.continues(border - start, next) {
            let merged_end = *next_end;
            self.ranges.remove(&border);
            if let Some(entry) = self.ranges.get_mut(&start) {
                entry.0 = merged_end;
            }
        }
    }
}

fn span(start: u64, end: u64) -> GuestRange {
    GuestRange { start: GuestAddr(start), end: GuestAddr(end) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A value that counts on through its range, as file offsets do.
    #[derive(Clone, PartialEq, Debug)]
    struct Counting(u64);

    impl Segment for Counting {
        fn tail(&self, offset_bytes: u64) -> Self {
            Self(self.0 + offset_bytes)
        }

        fn continues(&self, len_bytes: u64, next: &Self) -> bool {
            self.0 + len_bytes == next.0
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64, u64, u64),
        Remove(u64, u64),
        Update(u64, u64, u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let place = (0..40_u64, 0..20_u64);
        prop_oneof![
            (place.clone(), 0..3_u64).prop_map(|((start, len), value)| Step::Insert(
                start,
                start + len,
                value * 100 + start
            )),
            place.clone().prop_map(|(start, len)| Step::Remove(start, start + len)),
            (place, 0..50_u64).prop_map(|((start, len), by)| Step::Update(start, start + len, by)),
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_an_array(steps in prop::collection::vec(step(), 1..60)) {
            let mut map = RangeMap::new();
            let mut model = [None; 64];
            for step in steps {
                match step {
                    Step::Insert(start, end, value) => {
                        map.insert(span(start, end), Counting(value));
                        (start..end).for_each(|at| model[at as usize] = Some(value + (at - start)));
                    }
                    Step::Remove(start, end) => {
                        map.remove(span(start, end));
                        (start..end).for_each(|at| model[at as usize] = None);
                    }
                    Step::Update(start, end, by) => {
                        map.update(span(start, end), |value| value.0 += by);
                        (start..end).for_each(|at| model[at as usize] = model[at as usize].map(|value| value + by));
                    }
                }
                for (at, expected) in model.iter().enumerate() {
                    let found = map.get(GuestAddr(at as u64)).map(|(range, value)| value.0 + (at as u64 - range.start.0));
                    prop_assert_eq!(found, *expected, "at {}", at);
                }
                // Neighbours that are one value are one range.
                let ranges: Vec<_> = map.iter().collect();
                for pair in ranges.windows(2) {
                    let ((left, left_value), (right, right_value)) = (pair[0], pair[1]);
                    prop_assert!(left.end <= right.start);
                    prop_assert!(left.end < right.start || !left_value.continues(left.len(), right_value));
                }
            }
        }

        #[test]
        fn overlapping_finds_exactly_the_overlapping(
            inserts in prop::collection::vec((0..60_u64, 1..8_u64), 0..10), start in 0..64_u64, len in 0..20_u64,
        ) {
            let mut map = RangeMap::new();
            for (at, (place, len)) in inserts.into_iter().enumerate() {
                map.insert(span(place, place + len), Counting(1000 * at as u64));
            }
            let wanted = span(start, start + len);
            let found: Vec<_> = map.overlapping(wanted).map(|(range, _)| range).collect();
            let all = map.iter().map(|(range, _)| range);
            let expected: Vec<_> = all.filter(|range| range.overlaps(wanted) && !wanted.is_empty()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
