//! An address space that several processes run in: [`AddressSpace::share`], and how each follows what the others do to it.
//!
//! Each process has a window of its own, with the same memory at the same addresses. [`share`](AddressSpace::share) moves what
//! is private, and was or can be written, to [`Commons`]; a host fork then makes the second process. Private mappings of
//! files that nobody may write stay what they are until somebody may. A change of the mappings is made under the lock of the
//! commons ([`AddressSpace::change`]): first what others have told is done here too, then the change, and then this process
//! tells. The others follow at their next system call, and at a fault, which is what whoever uses new memory first makes
//! ([`AddressSpace::catch_up`]). A file that only its mapper can open is inaccessible memory to the others.
//!
//! Source: clone(2) `CLONE_VM`.

use std::fs::{File, OpenOptions};
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, MutexGuard};

use super::address_space::{AddressSpace, State};
use super::commons::{Commons, Told, ToldBacking, ToldFile, ToldMapping};
use super::differences::differences;
use super::mapper::Prot;
use super::vma::{Attributes, MappedFile, Vma, VmaBacking, VmaFlags};
use crate::abi::{Errno, GuestAddr, GuestRange, PAGE_SIZE};
use crate::host::memory::{PageState, page_states};
use crate::host::process::own_pid;

const PAGE_LEN: usize = PAGE_SIZE as usize;

/// Pages that are looked at at once.
const PAGES_AT_ONCE: usize = 512;

/// Offset and length of common pages.
type Extent = (u64, u64);

/// What an address space knows of the others of the same memory.
#[derive(Clone)]
pub(super) struct Membership {
    commons: Arc<Commons>,
    /// The version of the mappings that it has.
    version: u64,
}

/// The state while this process, and no other of the same memory, changes the mappings.
pub(super) struct Change<'space> {
    state: MutexGuard<'space, State>,
    /// The commons, and which of its pages were mapped before.
    held: Option<(Arc<Commons>, Vec<Extent>)>,
    is_changed: bool,
}

impl Deref for Change<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Change<'_> {
    fn deref_mut(&mut self) -> &mut State {
        self.is_changed = true;
        &mut self.state
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        let Some((commons, before)) = self.held.take() else { return };
        // Memory that has been left meanwhile is the others' affair.
        if self.is_changed && self.state.membership.is_some() {
            self.state.tell(&commons);
            let after = self.state.common_pages();
            // What is mapped nowhere any more is given back once everybody can know. What cannot be stays until all end.
            for (offset, len) in missing_from(&after, &before) {
                let _kept = commons.discard(offset, len);
            }
        }
        commons.unlock();
    }
}

impl AddressSpace {
    /// True where other processes run in this memory, or did.
    #[must_use]
    pub fn is_common(&self) -> bool {
        self.is_common.load(Acquire)
    }

    /// The state, to be changed.
    ///
    /// # Errors
    /// `ENOMEM` where another process of the same memory does not let go of the mappings.
    pub(super) fn change(&self) -> Result<Change<'_>, Errno> {
        let mut state = self.lock();
        let commons = state.membership.as_ref().map(|membership| membership.commons.clone());
        let Some(commons) = commons else { return Ok(Change { state, held: None, is_changed: false }) };
        commons.lock()?;
        self.follow(&mut state, &commons);
        let before = state.common_pages();
        Ok(Change { state, held: Some((commons, before)), is_changed: false })
    }

    /// Does what other processes of the same memory have told since; true where that was anything.
    pub fn catch_up(&self) -> bool {
        if !self.is_common() {
            return false;
        }
        self.mapper.see_code_changes();
        let mut state = self.lock();
        let Some(Membership { commons, version }) = state.membership.clone() else { return false };
        if commons.version() == version || commons.lock().is_err() {
            return false;
        }
        let has_changed = self.follow(&mut state, &commons);
        commons.unlock();
        has_changed
    }

    /// Makes the memory one that other processes can run in too. The world must stand still, and a host fork is to follow.
    ///
    /// # Errors
    /// `ENOMEM`, or the host's errno. What has been moved by then stays moved, which nobody sees.
    pub fn share(&self) -> Result<(), Errno> {
        if self.is_common() {
            // What others have told meanwhile is for the new process too.
            self.catch_up();
            return Ok(());
        }
        let commons = Commons::new()?;
        let mut state = self.lock();
        let vmas: Vec<Vma> = state.vmas.iter().map(|(range, attributes)| attributes.vma(range)).collect();
        for vma in vmas.iter().filter(|vma| vma.prot.contains(Prot::WRITE) || vma.is_anonymous()) {
            if is_private(vma.flags) {
                self.move_to(&mut state, &commons, vma)?;
            }
        }
        self.mapper.count_code_changes(Some(commons.code_counter()));
        state.membership = Some(Membership { commons: commons.clone(), version: 0 });
        commons.lock()?;
        state.tell(&commons);
        commons.unlock();
        self.is_common.store(true, Release);
        Ok(())
    }

    /// Goes away from the other processes of the same memory, for execve(2). The mappings are to be cleared next.
    pub fn leave(&self) {
        let mut state = self.lock();
        self.is_common.store(false, Release);
        self.mapper.count_code_changes(None);
        state.membership = None;
    }

    /// Moves what a private mapping shows to the commons.
    fn move_to(&self, state: &mut State, commons: &Arc<Commons>, vma: &Vma) -> Result<(), Errno> {
        let offset = commons.allocate(vma.range.len())?;
        self.copy_pages(commons, vma, offset)?;
        let moved = Attributes { backing: common_backing(commons, vma, offset), ..vma.attributes() };
        self.mapper.map(vma.range, vma.prot, moved.vma(vma.range).mapper_backing())?;
        state.vmas.insert(vma.range, moved);
        Ok(())
    }

    /// Copies the pages of a mapping as the guest would read them.
    fn copy_pages(&self, commons: &Commons, vma: &Vma, to: u64) -> Result<(), Errno> {
        let contents = File::open("/proc/self/mem")?;
        let host = self.memory().host_range(vma.range.start, vma.range.len())?;
        let is_anonymous = matches!(vma.backing, VmaBacking::Anonymous);
        let pages = (vma.range.len() / PAGE_SIZE) as usize;
        for first in (0..pages).step_by(PAGES_AT_ONCE) {
            let mut states = [PageState::default(); PAGES_AT_ONCE];
            let states = &mut states[..PAGES_AT_ONCE.min(pages - first)];
            page_states(host.wrapping_add(first * PAGE_LEN), states)?;
            for (index, page_state) in (first..).zip(states.iter()) {
                if is_anonymous && !page_state.is_present && !page_state.is_swapped {
                    continue;
                }
                let mut page = [0; PAGE_LEN];
                // Behind the end of a file there is nothing to read.
                let was_read = contents.read_exact_at(&mut page, (host.addr() + index * PAGE_LEN) as u64).is_ok();
                if was_read && page.iter().any(|byte| *byte != 0) {
                    commons.fill(to + (index * PAGE_LEN) as u64, &page)?;
                }
            }
        }
        Ok(())
    }

    /// Before a private mapping may be written: it has to be common memory then.
    pub(super) fn make_writable(&self, state: &mut State, vma: &Vma) -> Result<(), Errno> {
        let Some(Membership { commons, .. }) = state.membership.clone() else { return Ok(()) };
        if is_private(vma.flags) && !matches!(vma.backing, VmaBacking::Common { .. }) {
            self.move_to(state, &commons, vma)?;
        }
        Ok(())
    }

    /// Makes the mappings what others say they are. Under the lock of the commons.
    fn follow(&self, state: &mut State, commons: &Arc<Commons>) -> bool {
        let is_behind = state.membership.as_ref().is_some_and(|membership| membership.version != commons.version());
        let Some((version, told)) = is_behind.then(|| commons.told()).flatten() else { return false };
        let before: Vec<Vma> = state.vmas.iter().map(|(range, attributes)| attributes.vma(range)).collect();
        let after: Vec<Vma> = told.mappings.iter().flat_map(|mapping| understand(mapping, commons, &before)).collect();
        for (range, _, after) in differences(&before, &after) {
            // What the host refuses here is a fault of who uses it, and tried again with the next change.
            let _refused = match after {
                None => self.release(state, range),
                Some(vma) => self.show(state, before.as_slice(), &vma.over(range)),
            };
        }
        state.brk.set(GuestAddr(told.brk.0), GuestAddr(told.brk.1));
        if let Some(membership) = &mut state.membership {
            membership.version = version;
        }
        true
    }

    /// Maps what another process has mapped, or gives it other rights.
    fn show(&self, state: &mut State, before: &[Vma], vma: &Vma) -> Result<(), Errno> {
        let at = before.partition_point(|old| old.range.end <= vma.range.start);
        let is_there = before.get(at).is_some_and(|old| old.range.start <= vma.range.start && old.shows_as(vma));
        if is_there {
            self.mapper.protect(vma.range, vma.prot)?;
        } else {
            self.mapper.map(vma.range, vma.prot, vma.mapper_backing())?;
        }
        state.vmas.insert(vma.range, vma.attributes());
        Ok(())
    }
}

impl State {
    /// A new private mapping as one that the other processes of the same memory see.
    pub(super) fn for_all(&self, attributes: Attributes, range: GuestRange) -> Result<Attributes, Errno> {
        let Some(Membership { commons, .. }) = &self.membership else { return Ok(attributes) };
        if !is_private(attributes.flags) {
            return Ok(attributes);
        }
        let vma = attributes.vma(range);
        let offset = commons.allocate(range.len())?;
        if let VmaBacking::File { file, offset: from } = &vma.backing {
            copy_file(file, *from, commons, offset, range.len())?;
        }
        Ok(Attributes { backing: common_backing(commons, &vma, offset), ..attributes })
    }

    /// The host's descriptors of the commons.
    pub(super) fn common_descriptors(&self) -> impl Iterator<Item = std::os::fd::RawFd> {
        self.membership.iter().flat_map(|membership| membership.commons.descriptors())
    }

    /// Offset and length of the common pages that are mapped.
    fn common_pages(&self) -> Vec<Extent> {
        let pages = self.vmas.iter().filter_map(|(range, attributes)| match &attributes.backing {
            VmaBacking::Common { offset, .. } => Some((*offset, range.len())),
            VmaBacking::Anonymous | VmaBacking::File { .. } | VmaBacking::Segment { .. } => None,
        });
        let mut pages: Vec<Extent> = pages.collect();
        pages.sort_unstable();
        pages
    }

    /// Tells the others what is mapped. Under the lock of the commons. What cannot be told is told with the next change.
    fn tell(&mut self, commons: &Commons) {
        let (start, current) = self.brk.area();
        let mappings = self.vmas.iter().map(|(range, attributes)| ToldMapping {
            start: range.start.0,
            end: range.end.0,
            prot: attributes.prot.bits(),
            flags: attributes.flags.bits(),
            backing: tell_of(attributes),
        });
        let told = Told { brk: (start.0, current.0), mappings: mappings.collect() };
        if let (Ok(version), Some(membership)) = (commons.tell(&told), &mut self.membership) {
            membership.version = version;
        }
    }
}

/// True for memory that nobody but the processes of this address space sees. The clock page is nobody's to write.
fn is_private(flags: VmaFlags) -> bool {
    !flags.intersects(VmaFlags::SHARED | VmaFlags::VVAR | VmaFlags::ELSEWHERE)
}

fn common_backing(commons: &Arc<Commons>, vma: &Vma, offset: u64) -> VmaBacking {
    let name: Arc<[u8]> = match &vma.backing {
        VmaBacking::File { file, .. } => file.name.as_slice().into(),
        VmaBacking::Common { name, .. } => name.clone(),
        VmaBacking::Anonymous | VmaBacking::Segment { .. } => Arc::default(),
    };
    VmaBacking::Common { commons: commons.clone(), offset, name }
}

/// Fills a new mapping with what its file holds.
fn copy_file(file: &MappedFile, mut from: u64, commons: &Commons, mut to: u64, len_bytes: u64) -> Result<(), Errno> {
    let source = File::from(file.fd.try_clone()?);
    let mut bytes = vec![0; 1 << 16];
    let mut left = len_bytes;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let count = source.read_at(&mut bytes[..most], from)?;
        if count == 0 {
            return Ok(());
        }
        commons.fill(to, &bytes[..count])?;
        (from, to, left) = (from + count as u64, to + count as u64, left - count as u64);
    }
    Ok(())
}

fn tell_of(attributes: &Attributes) -> ToldBacking {
    if attributes.flags.contains(VmaFlags::ELSEWHERE) {
        return ToldBacking::Unknown;
    }
    match &attributes.backing {
        // There is none that is not common, but for what could not be moved.
        VmaBacking::Anonymous => ToldBacking::Unknown,
        VmaBacking::Common { offset, name, .. } => ToldBacking::Common { offset: *offset, name: name.to_vec() },
        VmaBacking::Segment { segment, offset } => {
            ToldBacking::Segment { segment: segment.as_ref().clone(), offset: *offset }
        }
        VmaBacking::File { file, offset } => {
            let file = ToldFile {
                device: file.device,
                inode: file.inode,
                name: file.name.clone(),
                is_writable: file.is_writable,
                pid: own_pid().0,
                number: file.fd.as_raw_fd(),
            };
            ToldBacking::File { file, offset: *offset }
        }
    }
}

/// What a told mapping is here; several where this process has more than one thing at a place that the teller cannot map.
fn understand(told: &ToldMapping, commons: &Arc<Commons>, own: &[Vma]) -> Vec<Vma> {
    let range = GuestRange { start: GuestAddr(told.start), end: GuestAddr(told.end) };
    let (prot, flags) = (Prot::from_bits_truncate(told.prot), VmaFlags::from_bits_truncate(told.flags));
    let backing = match &told.backing {
        ToldBacking::Common { offset, name } => {
            Some(VmaBacking::Common { commons: commons.clone(), offset: *offset, name: name.as_slice().into() })
        }
        ToldBacking::Segment { segment, offset } => {
            Some(VmaBacking::Segment { segment: Arc::new(segment.clone()), offset: *offset })
        }
        ToldBacking::File { file, offset } => {
            find_file(file, own).map(|file| VmaBacking::File { file, offset: *offset })
        }
        ToldBacking::Unknown => return keep_own(range, own),
    };
    match backing {
        Some(backing) => vec![Vma { range, prot, flags: flags - VmaFlags::ELSEWHERE, backing }],
        None => vec![elsewhere(range)],
    }
}

/// What only another process can map.
fn elsewhere(range: GuestRange) -> Vma {
    Vma { range, prot: Prot::empty(), flags: VmaFlags::ELSEWHERE, backing: VmaBacking::Anonymous }
}

/// What this process has in a range, and in gaps what only another has.
fn keep_own(range: GuestRange, own: &[Vma]) -> Vec<Vma> {
    let mut parts = Vec::new();
    let mut reached = range.start;
    for vma in own.iter().filter(|vma| vma.range.overlaps(range)) {
        let part = GuestRange { start: vma.range.start.max(range.start), end: vma.range.end.min(range.end) };
        if reached < part.start {
            parts.push(elsewhere(GuestRange { start: reached, end: part.start }));
        }
        parts.push(vma.over(part));
        reached = part.end;
    }
    if reached < range.end {
        parts.push(elsewhere(GuestRange { start: reached, end: range.end }));
    }
    parts
}

/// A file that another process maps: one of this process's mappings, or opened by way of the other's descriptor.
fn find_file(told: &ToldFile, own: &[Vma]) -> Option<Arc<MappedFile>> {
    let is_it =
        |file: &MappedFile| (file.device, file.inode, file.is_writable) == (told.device, told.inode, told.is_writable);
    let known = own.iter().find_map(|vma| match &vma.backing {
        VmaBacking::File { file, .. } if is_it(file) => Some(file.clone()),
        VmaBacking::File { .. } | VmaBacking::Anonymous | VmaBacking::Segment { .. } | VmaBacking::Common { .. } => {
            None
        }
    });
    known.or_else(|| {
        let path = format!("/proc/{}/fd/{}", told.pid, told.number);
        let file = OpenOptions::new().read(true).write(told.is_writable).open(path).ok()?;
        let file = MappedFile::new(Arc::new(OwnedFd::from(file)), told.name.clone()).ok()?;
        is_it(&file).then(|| Arc::new(file))
    })
}

/// The parts of `all` that are not in `kept`; both in order, and without overlaps.
fn missing_from(kept: &[Extent], all: &[Extent]) -> Vec<Extent> {
    let mut missing = Vec::new();
    for (start, len) in all {
        let (mut at, end) = (*start, start + len);
        for (kept_start, kept_len) in kept.iter().filter(|(other, len)| *other < end && other + len > *start) {
            if *kept_start > at {
                missing.push((at, kept_start - at));
            }
            at = at.max(kept_start + kept_len);
        }
        if at < end {
            missing.push((at, end - at));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_no_more_is_found() {
        let all = [(0, 10), (20, 10), (40, 10)];
        assert_eq!(missing_from(&all, &all), []);
        assert_eq!(missing_from(&[(0, 4), (22, 2), (26, 4)], &all), [(4, 6), (20, 2), (24, 2), (40, 10)]);
        assert_eq!(missing_from(&[(25, 40)], &all), [(0, 10), (20, 5)]);
    }
}
