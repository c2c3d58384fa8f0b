//! [`CodePages`]: which guest pages may be executed, which have been decoded, and which ranges have changed since.
//!
//! Every vCPU keeps decoded blocks of its own. It marks a page here *before* it reads instructions from it, and compares
//! [`CodePages::generation`] with the one it has seen before it enters a block: a changed generation means that decoded
//! code may be stale, and [`CodePages::changes_since`] tells which ranges to drop. Changes of pages that nobody
//! has decoded cost nothing.
//!
//! The order is what makes this sound: a writer stores the new instruction, then invalidates; a reader marks, then reads.
//! Either the invalidation finds the mark and the generation moves, or the mark comes later and the read sees the store
//! (the lock orders the two).
//!
//! `IC IVAU` names the address that is executed. Guests that invalidate through another view of shared memory (the
//! writable alias of a JIT's dual mapping), as PIPT instruction caches allow, are covered too: an invalidation in a shared
//! mapping that is not executable drops the decoded code of all shared mappings. Source: Arm ARM B2.7.4, D7.5.9.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::abi::{GuestAddr, GuestRange};
use crate::mem::{CodeCounter, Prot, RangeMap, Segment};
use crate::vcpu::AbortCause;

/// Changes that are remembered; who is further behind drops everything.
const REMEMBERED_CHANGES: usize = 256;

/// What the machine knows of a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Region {
    pub(super) prot: Prot,
    pub(super) is_shared: bool,
}

impl Segment for Region {
    fn tail(&self, _offset_bytes: u64) -> Self {
        *self
    }

    fn continues(&self, _len_bytes: u64, next: &Self) -> bool {
        self == next
    }
}

/// What to drop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CodeChanges {
    /// Only what overlaps these ranges.
    Ranges(Vec<GuestRange>),
    /// All decoded code: too much has changed to tell.
    Everything,
}

/// The code side of the guest's mappings; shared by all vCPUs.
#[derive(Default)]
pub struct CodePages {
    /// Moves whenever decoded code may have become stale.
    generation: AtomicU64,
    /// Other processes run in the same memory.
    has_others: AtomicBool,
    inner: Mutex<Inner>,
}

/// [`CodePages`] that nobody else changes.
pub(super) struct HeldCode<'pages> {
    _inner: MutexGuard<'pages, Inner>,
}

#[derive(Default)]
struct Inner {
    /// The mappings as the host has them.
    regions: RangeMap<Region>,
    /// Start addresses of pages that somebody has decoded.
    decoded: BTreeSet<u64>,
    /// The last changes, oldest first; the newest made the present generation.
    changes: VecDeque<GuestRange>,
    /// Counts what the guest changes, in all processes that run in the same memory, and what has been seen of that.
    others: Option<(CodeCounter, u64)>,
}

impl CodePages {
    /// The number of changes so far. To be read before each block (acquire order).
    #[inline]
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The address of the generation, for generated code that compares it.
    #[must_use]
    pub fn generation_cell(&self) -> &AtomicU64 {
        &self.generation
    }

    /// Marks the page of `pc` as decoded, and returns its rights. Instructions may be read from it afterwards.
    ///
    /// # Errors
    /// `Translation` where nothing is mapped, `Permission` where execution is not allowed.
    pub fn mark_decoded(&self, pc: GuestAddr) -> Result<Prot, AbortCause> {
        let mut inner = self.lock();
        match inner.regions.get(pc) {
            None => Err(AbortCause::Translation),
            Some((_, region)) if !region.prot.contains(Prot::EXEC) => Err(AbortCause::Permission),
            Some((_, region)) => {
                let prot = region.prot;
                inner.decoded.insert(pc.page_floor().0);
                Ok(prot)
            }
        }
    }

    /// What has changed after generation `seen`, and the generation that this brings the caller to.
    #[must_use]
    pub fn changes_since(&self, seen: u64) -> (u64, CodeChanges) {
        let inner = self.lock();
        let now = self.generation.load(Ordering::Acquire);
        let missed = usize::try_from(now.wrapping_sub(seen)).unwrap_or(usize::MAX);
        let changes = if missed <= inner.changes.len() {
            CodeChanges::Ranges(inner.changes.range(inner.changes.len() - missed..).copied().collect())
        } else {
            CodeChanges::Everything
        };
        (now, changes)
    }

    /// Says that instructions in `range` may differ from what was decoded (`IC IVAU`).
    pub fn invalidate(&self, range: GuestRange) {
        let mut inner = self.lock();
        let is_alias = |(_, region): (GuestRange, &Region)| region.is_shared && !region.prot.contains(Prot::EXEC);
        if inner.regions.overlapping(range).any(is_alias) {
            let shared: Vec<GuestRange> =
                inner.regions.iter().filter(|(_, region)| region.is_shared).map(|(range, _)| range).collect();
            for range in shared {
                self.note_change(&mut inner, range);
            }
        }
        self.note_change(&mut inner, range);
    }

    /// Has changes by the guest counted for other processes.
    pub(super) fn count_for_others(&self, counter: Option<CodeCounter>) {
        self.has_others.store(counter.is_some(), Ordering::Release);
        self.lock().others = counter.map(|counter| (counter, 0));
    }

    /// Counts a change that the guest has made.
    pub(super) fn tell_others(&self) {
        if !self.has_others.load(Ordering::Acquire) {
            return;
        }
        if let Some((counter, _)) = &self.lock().others {
            counter.count();
        }
    }

    /// Drops decoded code that another process may have changed.
    pub(super) fn see_others(&self) {
        if !self.has_others.load(Ordering::Acquire) {
            return;
        }
        let mut inner = self.lock();
        let Some((counter, seen)) = &mut inner.others else { return };
        let now = counter.seen();
        if std::mem::replace(seen, now) == now {
            return;
        }
        let shared: Vec<GuestRange> =
            inner.regions.iter().filter(|(_, region)| region.is_shared).map(|(range, _)| range).collect();
        for range in shared {
            self.note_change(&mut inner, range);
        }
    }

    /// Why the guest could not access `addr`: nothing is there, or the rights forbid it.
    #[must_use]
    pub fn abort_cause(&self, addr: GuestAddr) -> AbortCause {
        match self.lock().regions.get(addr) {
            Some(_) => AbortCause::Permission,
            None => AbortCause::Translation,
        }
    }

    /// `range` has been mapped.
    pub(super) fn mapped(&self, range: GuestRange, region: Region) {
        let mut inner = self.lock();
        inner.regions.insert(range, region);
        self.note_change(&mut inner, range);
    }

    /// The rights of `range` have changed.
    pub(super) fn protected(&self, range: GuestRange, prot: Prot) {
        let mut inner = self.lock();
        inner.regions.update(range, |region| region.prot = prot);
        self.note_change(&mut inner, range);
    }

    /// `range` has been released; returns what was there.
    pub(super) fn unmapped(&self, range: GuestRange) -> Vec<(GuestRange, Region)> {
        let mut inner = self.lock();
        let removed = inner.regions.remove(range);
        self.note_change(&mut inner, range);
        removed
    }

    /// Moves the generation if decoded pages are concerned.
    fn note_change(&self, inner: &mut Inner, range: GuestRange) {
        let first = range.start.page_floor().0;
        if range.is_empty() || inner.decoded.range(first..range.end.0).next().is_none() {
            return;
        }
        // Pages that changed as a whole are no longer decoded by anyone; a line of a page leaves the others as they are.
        let whole = range.start.page_ceil().map_or(u64::MAX, |start| start.0)..range.end.page_floor().0;
        if whole.start < whole.end {
            let gone: Vec<u64> = inner.decoded.range(whole).copied().collect();
            for page in gone {
                inner.decoded.remove(&page);
            }
        }
        inner.changes.push_back(range);
        if inner.changes.len() > REMEMBERED_CHANGES {
            inner.changes.pop_front();
        }
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Keeps everybody else out until the answer is dropped: for a host fork.
    pub(super) fn hold(&self) -> HeldCode<'_> {
        HeldCode { _inner: self.lock() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXEC: Region = Region { prot: Prot::READ.union(Prot::EXEC), is_shared: false };
    const DATA: Region = Region { prot: Prot::READ.union(Prot::WRITE), is_shared: false };

    fn range(start: u64, end: u64) -> GuestRange {
        GuestRange { start: GuestAddr(start), end: GuestAddr(end) }
    }

    /// Two pages of code at 0x1000, one of data behind them; the first page is decoded.
    fn pages() -> CodePages {
        let pages = CodePages::default();
        pages.mapped(range(0x1000, 0x3000), EXEC);
        pages.mapped(range(0x3000, 0x4000), DATA);
        pages.mark_decoded(GuestAddr(0x1ffc)).unwrap();
        pages
    }

    #[test]
    fn only_executable_pages_are_decoded() {
        let pages = pages();
        assert_eq!(pages.mark_decoded(GuestAddr(0x2000)), Ok(EXEC.prot));
        assert_eq!(pages.mark_decoded(GuestAddr(0x3000)), Err(AbortCause::Permission));
        assert_eq!(pages.mark_decoded(GuestAddr(0x4000)), Err(AbortCause::Translation));
        assert_eq!(pages.abort_cause(GuestAddr(0x3000)), AbortCause::Permission);
        assert_eq!(pages.abort_cause(GuestAddr(0xfff)), AbortCause::Translation);
    }

    #[test]
    fn changes_of_pages_that_nobody_decoded_are_free() {
        let pages = pages();
        let before = pages.generation();
        pages.mapped(range(0x8000, 0x9000), EXEC);
        pages.invalidate(range(0x2000, 0x2040));
        pages.protected(range(0x2000, 0x4000), Prot::READ);
        pages.unmapped(range(0x2000, 0x4000));
        assert_eq!(pages.generation(), before);
        pages.invalidate(range(0x1fc0, 0x2000));
        assert_eq!(pages.generation(), before + 1);
        assert_eq!(pages.changes_since(before), (before + 1, CodeChanges::Ranges(vec![range(0x1fc0, 0x2000)])));
    }

    #[test]
    fn a_line_leaves_the_page_decoded_and_a_page_does_not() {
        let pages = pages();
        let before = pages.generation();
        pages.invalidate(range(0x1000, 0x1040));
        pages.invalidate(range(0x1000, 0x1040));
        assert_eq!(pages.generation(), before + 2);
        pages.protected(range(0x1000, 0x2000), Prot::READ);
        assert_eq!(pages.generation(), before + 3);
        pages.mapped(range(0x1000, 0x2000), EXEC);
        assert_eq!(pages.generation(), before + 3, "nobody has decoded it since");
        let seen = pages.changes_since(before + 1);
        assert_eq!(seen, (before + 3, CodeChanges::Ranges(vec![range(0x1000, 0x1040), range(0x1000, 0x2000)])));
        assert_eq!(pages.changes_since(before + 3), (before + 3, CodeChanges::Ranges(Vec::new())));
    }

    #[test]
    fn who_is_far_behind_drops_everything() {
        let pages = pages();
        let before = pages.generation();
        for _ in 0..=REMEMBERED_CHANGES {
            pages.invalidate(range(0x1000, 0x1040));
        }
        let now = before + REMEMBERED_CHANGES as u64 + 1;
        assert_eq!(pages.changes_since(before), (now, CodeChanges::Everything));
        assert!(
            matches!(pages.changes_since(before + 1), (_, CodeChanges::Ranges(all)) if all.len() == REMEMBERED_CHANGES)
        );
    }

    #[test]
    fn the_writable_alias_of_shared_code_counts() {
        let pages = CodePages::default();
        pages.mapped(range(0x1000, 0x2000), Region { is_shared: true, ..EXEC });
        pages.mapped(range(0x5000, 0x6000), Region { is_shared: true, ..DATA });
        pages.mapped(range(0x8000, 0x9000), EXEC);
        pages.mark_decoded(GuestAddr(0x1000)).unwrap();
        pages.mark_decoded(GuestAddr(0x8000)).unwrap();
        let before = pages.generation();
        pages.invalidate(range(0x5000, 0x5040));
        assert_eq!(pages.changes_since(before), (before + 1, CodeChanges::Ranges(vec![range(0x1000, 0x2000)])));
    }

    /// A writer changes a word and invalidates; a reader that has seen no change must hold the newest word that was
    /// there when the invalidation ended.
    #[test]
    fn no_change_is_missed_between_mark_and_read() {
        let pages = pages();
        let (word, published) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for value in 1..=20_000 {
                    word.store(value, Ordering::Relaxed);
                    // A whole page, which takes the mark away.
                    pages.invalidate(range(0x1000, 0x2000));
                    published.store(value, Ordering::SeqCst);
                }
            });
            let (mut seen, mut decoded) = (pages.generation(), None);
            while published.load(Ordering::SeqCst) < 20_000 {
                let newest = published.load(Ordering::SeqCst);
                if pages.generation() != seen {
                    (seen, decoded) = (pages.changes_since(seen).0, None);
                }
                let held = *decoded.get_or_insert_with(|| {
                    pages.mark_decoded(GuestAddr(0x1000)).unwrap();
                    word.load(Ordering::Relaxed)
                });
                assert!(held >= newest, "holds {held}, {newest} was published");
            }
        });
    }
}
