//! [`AddressSpace`]: the guest's VMA map and the policy of mmap(2), munmap(2) and mprotect(2) over a [`Mapper`].
//!
//! One lock guards the map and is held while the back end changes the mappings, so that both always agree. brk(2),
//! mremap(2) and madvise(2) with its kin are in sibling files. Sources: the man pages, and `mm/mmap.c`, `mm/mprotect.c` of
//! Linux for the order of the checks.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::brk::BrkArea;
use super::layout::{Layout, MMAP_MIN_ADDR};
use super::mapper::{Backing, Mapper, Prot};
use super::range_map::RangeMap;
use super::sharing::Membership;
use super::vma::{Attributes, MappedFile, Vma, VmaBacking, VmaFlags};
use crate::abi::mman::{MapFlags, MapType, PROT_GROWSDOWN, PROT_GROWSUP, PROT_SEM};
use crate::abi::{Errno, GuestAddr, GuestRange, PAGE_SIZE};
use crate::host;

/// Pages that Linux keeps free below a growing-down mapping (`stack_guard_gap`), in bytes.
const STACK_GUARD_GAP_BYTES: u64 = 256 * PAGE_SIZE;

/// Most mappings that a process may have (`vm.max_map_count`).
const MAX_MAP_COUNT: usize = 65_530;

/// The arguments of mmap(2), the descriptor resolved to a file.
#[derive(Clone, Debug)]
pub struct MmapRequest {
    /// Address or hint.
    pub addr: GuestAddr,
    /// Length in bytes.
    pub len_bytes: u64,
    /// `PROT_*`; unknown bits are ignored, as Linux does.
    pub prot: u32,
    /// `MAP_*`, type included.
    pub flags: u32,
    /// The file, `None` for an anonymous mapping.
    pub file: Option<Arc<MappedFile>>,
    /// Offset into the file in bytes.
    pub offset: u64,
}

impl MmapRequest {
    /// A private anonymous mapping of `len_bytes` at a place of our choice.
    #[must_use]
    pub fn anonymous(len_bytes: u64, prot: Prot) -> Self {
        let flags = MapFlags::ANONYMOUS.bits() | 2;
        Self { addr: GuestAddr::NULL, len_bytes, prot: prot.bits().into(), flags, file: None, offset: 0 }
    }

    /// The same at exactly `addr`, replacing what is there.
    #[must_use]
    pub fn at(self, addr: GuestAddr) -> Self {
        Self { addr, flags: self.flags | MapFlags::FIXED.bits(), ..self }
    }
}

/// The address space of the guest process.
pub struct AddressSpace {
    pub(super) mapper: Arc<dyn Mapper>,
    /// Guards the map, and orders changes of the mappings themselves.
    state: Mutex<State>,
    /// Other processes run in the same memory, or did ([`share`](Self::share)).
    pub(super) is_common: AtomicBool,
}

/// What the lock guards.
pub(super) struct State {
    pub(super) vmas: RangeMap<Attributes>,
    pub(super) layout: Layout,
    pub(super) brk: BrkArea,
    /// `RLIMIT_AS`.
    pub(super) most_bytes: u64,
    /// What is known of other processes in the same memory.
    pub(super) membership: Option<Membership>,
}

impl AddressSpace {
    /// An empty address space over `mapper`, with the fixed layout.
    #[must_use]
    pub fn new(mapper: Arc<dyn Mapper>) -> Self {
        let layout = Layout::fixed(mapper.address_space_len());
        let (vmas, brk) = (RangeMap::new(), BrkArea::default());
        let state = State { vmas, layout, brk, most_bytes: u64::MAX, membership: None };
        Self { mapper, state: Mutex::new(state), is_common: AtomicBool::new(false) }
    }

    /// The accessor of guest memory.
    #[must_use]
    pub fn memory(&self) -> super::GuestMemory {
        self.mapper.memory()
    }

    /// The back end's view of the mappings.
    #[must_use]
    pub fn mapper(&self) -> &Arc<dyn Mapper> {
        &self.mapper
    }

    /// The fixed points in use.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.lock().layout
    }

    /// Takes another layout: before anything is mapped.
    pub fn set_layout(&self, layout: Layout) {
        self.lock().layout = layout;
    }

    /// mmap(2).
    ///
    /// # Errors
    /// As mmap(2): `EINVAL`, `ENOMEM`, `EEXIST`, `EACCES`, `EPERM` (sealed mappings among others), `ENODEV`, `EOVERFLOW`,
    /// `EOPNOTSUPP`.
    pub fn mmap(&self, request: &MmapRequest) -> Result<GuestAddr, Errno> {
        if !request.offset.is_multiple_of(PAGE_SIZE) || request.len_bytes == 0 {
            return Err(Errno::EINVAL);
        }
        let len = page_align(request.len_bytes).ok_or(Errno::ENOMEM)?;
        if request.offset.checked_add(len).is_none() {
            return Err(Errno::EOVERFLOW);
        }
        let mut state = self.change()?;
        if state.vmas.len() >= MAX_MAP_COUNT {
            return Err(Errno::ENOMEM);
        }
        let range = state.place(request, len)?;
        state.check_unsealed(range)?;
        let attributes = attributes_of(request, len)?;
        state.check_growth(range)?;
        let attributes = state.for_all(attributes, range)?;
        let vma = attributes.vma(range);
        let backing = vma.mapper_backing();
        self.mapper.map(range, vma.prot, backing)?;
        state.vmas.insert(range, attributes);
        drop(state);
        if MapFlags::from_bits_retain(request.flags).intersects(MapFlags::POPULATE | MapFlags::LOCKED) {
            let _best_effort = self.populate(&vma);
        }
        Ok(range.start)
    }

    /// munmap(2). A tag on the address is ignored.
    ///
    /// # Errors
    /// `EINVAL`, `EPERM` where a mapping is sealed (nothing is unmapped then), or the host's errno.
    pub fn munmap(&self, addr: GuestAddr, len_bytes: u64) -> Result<(), Errno> {
        let mut state = self.change()?;
        let range = state.checked_range(addr.untagged(), len_bytes, Errno::EINVAL)?;
        if range.is_empty() {
            return Err(Errno::EINVAL);
        }
        state.check_unsealed(range)?;
        self.release(&mut state, range)
    }

    /// mprotect(2). A tag on the address is ignored.
    ///
    /// # Errors
    /// `EINVAL`, `ENOMEM` for a gap (what lies before it is changed, as on Linux), `EACCES` for write access to a shared
    /// view of a read-only file, `EPERM` for a sealed mapping.
    pub fn mprotect(&self, addr: GuestAddr, len_bytes: u64, prot: u32) -> Result<(), Errno> {
        let grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
        let rights = prot & !grows;
        if grows == PROT_GROWSDOWN | PROT_GROWSUP || rights & !(PROT_SEM | u32::from(Prot::all().bits())) != 0 {
            return Err(Errno::EINVAL);
        }
        let prot = Prot::from_bits_truncate(rights as u8);
        let mut state = self.change()?;
        let mut range = state.checked_range(addr.untagged(), len_bytes, Errno::ENOMEM)?;
        if range.is_empty() {
            return Ok(());
        }
        if grows != 0 {
            let (first, attributes) = state.vmas.get(range.start).ok_or(Errno::ENOMEM)?;
            if grows == PROT_GROWSUP || !attributes.flags.contains(VmaFlags::GROWSDOWN) {
                return Err(Errno::EINVAL);
            }
            range.start = first.start;
        }
        let (mapped, is_complete) = state.mapped_part(range);
        for vma in &mapped {
            if prot.contains(Prot::WRITE) && !vma.may_write() || vma.flags.contains(VmaFlags::ELSEWHERE) {
                return Err(Errno::EACCES);
            }
            state.check_unsealed(vma.range)?;
            if prot.contains(Prot::WRITE) {
                self.make_writable(&mut state, vma)?;
            }
            self.mapper.protect(vma.range, prot)?;
            state.vmas.update(vma.range, |attributes| attributes.prot = prot);
        }
        if is_complete { Ok(()) } else { Err(Errno::ENOMEM) }
    }

    /// All mappings in order of address, for /proc/self/maps, the crash report and fork.
    #[must_use]
    pub fn vmas(&self) -> Vec<Vma> {
        self.lock().vmas.iter().map(|(range, attributes)| attributes.vma(range)).collect()
    }

    /// The mapping that holds `addr`.
    #[must_use]
    pub fn lookup(&self, addr: GuestAddr) -> Option<Vma> {
        self.lock().vmas.get(addr).map(|(range, attributes)| attributes.vma(range))
    }

    /// True when something is mapped at `addr` or anywhere above it (Linux `find_vma`).
    #[must_use]
    pub fn has_mapping_after(&self, addr: GuestAddr) -> bool {
        self.lock().vmas.iter().next_back().is_some_and(|(last, _)| addr < last.end)
    }

    /// True where other processes may see the memory at `addr`: a shared mapping.
    #[must_use]
    pub fn is_shared(&self, addr: GuestAddr) -> bool {
        self.lock().vmas.get(addr).is_some_and(|(_, attributes)| attributes.flags.contains(VmaFlags::SHARED))
    }

    /// Puts a described mapping at its place, replacing what is there: the loader's named mappings, and a fork child's
    /// rebuild. `contents` shows other pages than the description says (a fork image); the mapping is then marked so that
    /// `MADV_DONTNEED` does not bring them back.
    ///
    /// # Errors
    /// `EINVAL` for a range off page boundaries or outside the address space, or the host's errno.
    pub fn insert(&self, vma: &Vma, contents: Option<Backing<'_>>) -> Result<(), Errno> {
        let mut state = self.change()?;
        let range = state.checked_range(vma.range.start, vma.range.len(), Errno::EINVAL)?;
        if range != vma.range || range.is_empty() {
            return Err(Errno::EINVAL);
        }
        let mut attributes = vma.attributes();
        attributes.flags.set(VmaFlags::IMAGE, contents.is_some() || attributes.flags.contains(VmaFlags::IMAGE));
        self.mapper.map(range, vma.prot, contents.unwrap_or_else(|| vma.mapper_backing()))?;
        state.vmas.insert(range, attributes);
        Ok(())
    }

    /// Removes all mappings and forgets the brk area, for execve(2).
    ///
    /// # Errors
    /// The host's errno; the address space is then unusable.
    pub fn clear(&self) -> Result<(), Errno> {
        let mut state = self.lock();
        let everything: Vec<GuestRange> = state.vmas.iter().map(|(range, _)| range).collect();
        for range in everything {
            self.release(&mut state, range)?;
        }
        state.brk = BrkArea::default();
        Ok(())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // The map is changed after the mapper has succeeded: a panic in between leaves it usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unmaps what is mapped in `range`.
    pub(super) fn release(&self, state: &mut State, range: GuestRange) -> Result<(), Errno> {
        if state.vmas.overlapping(range).next().is_some() {
            self.mapper.unmap(range)?;
            state.vmas.remove(range);
        }
        Ok(())
    }

    /// Faults the pages of a mapping in, as far as possible; true when all are there. MAP_POPULATE reports no errors.
    pub(super) fn populate(&self, vma: &Vma) -> bool {
        let advice = if vma.prot.contains(Prot::WRITE) {
            crate::abi::mman::Advice::PopulateWrite
        } else {
            crate::abi::mman::Advice::PopulateRead
        };
        match self.mapper.advise(vma.range, advice.raw()) {
            // A host that does not know the advice: they come when they are touched.
            Err(Errno::EINVAL) => true,
            answer => !vma.prot.is_empty() && answer.is_ok(),
        }
    }
}

impl State {
    /// The page-aligned range of a call's address and length; `too_far` is what the call answers past the end of the
    /// address space.
    pub(super) fn checked_range(&self, addr: GuestAddr, len_bytes: u64, too_far: Errno) -> Result<GuestRange, Errno> {
        if !addr.is_page_aligned() {
            return Err(Errno::EINVAL);
        }
        let len = page_align(len_bytes).ok_or(too_far)?;
        match GuestRange::new(addr, len) {
            Ok(range) if range.end.0 <= self.layout.task_size => Ok(range),
            Ok(_) | Err(_) => Err(too_far),
        }
    }

    /// The mappings in `range`, cut to it, up to the first gap; true when there is none.
    pub(super) fn mapped_part(&self, range: GuestRange) -> (Vec<Vma>, bool) {
        let mut reached = range.start;
        let mut parts = Vec::new();
        for vma in self.parts(range) {
            if vma.range.start != reached {
                break;
            }
            reached = vma.range.end;
            parts.push(vma);
        }
        (parts, reached == range.end)
    }

    /// The mappings in `range`, cut to it.
    pub(super) fn parts(&self, range: GuestRange) -> Vec<Vma> {
        let cut = |(whole, attributes): (GuestRange, &Attributes)| {
            let part = GuestRange { start: whole.start.max(range.start), end: whole.end.min(range.end) };
            attributes.vma(whole).over(part)
        };
        self.vmas.overlapping(range).map(cut).collect()
    }

    /// Where a mapping of `len` bytes goes (`get_unmapped_area`).
    pub(super) fn place(&self, request: &MmapRequest, len: u64) -> Result<GuestRange, Errno> {
        let flags = MapFlags::from_bits_retain(request.flags);
        if len > self.layout.task_size {
            return Err(Errno::ENOMEM);
        }
        if !flags.intersects(MapFlags::FIXED | MapFlags::FIXED_NOREPLACE) {
            return self.find_place(request.addr, len);
        }
        let range = GuestRange::new(request.addr, len).map_err(|_| Errno::ENOMEM)?;
        if range.end.0 > self.layout.task_size {
            return Err(Errno::ENOMEM);
        }
        if !range.start.is_page_aligned() {
            return Err(Errno::EINVAL);
        }
        if range.start < MMAP_MIN_ADDR {
            return Err(Errno::EPERM);
        }
        if flags.contains(MapFlags::FIXED_NOREPLACE) && !self.is_free(range) {
            return Err(Errno::EEXIST);
        }
        Ok(range)
    }

    /// A free place for `len` bytes: at the hint if it is free, otherwise the highest below the mmap base, otherwise
    /// the lowest above a quarter of the address space.
    pub(super) fn find_place(&self, hint: GuestAddr, len: u64) -> Result<GuestRange, Errno> {
        let hint = hint.page_floor();
        if !hint.is_null() {
            let wanted = GuestRange::new(hint.max(MMAP_MIN_ADDR), len);
            if let Some(range) = wanted.ok().filter(|range| self.is_free(*range)) {
                return Ok(range);
            }
        }
        let mut top = self.layout.mmap_base;
        let below = GuestRange { start: MMAP_MIN_ADDR, end: top };
        for (range, attributes) in self.vmas.overlapping(below).rev() {
            if top.0.saturating_sub(range.end.0) >= len {
                break;
            }
            top = GuestAddr(top.0.min(range.start.0.saturating_sub(guard_gap(attributes))));
        }
        if top.0.saturating_sub(len) >= MMAP_MIN_ADDR.0 {
            return GuestRange::new(GuestAddr(top.0 - len), len);
        }
        let mut bottom = GuestAddr(self.layout.task_size / 4).page_floor();
        let above = GuestRange { start: bottom, end: GuestAddr(self.layout.task_size) };
        for (range, attributes) in self.vmas.overlapping(above) {
            if range.start.0.saturating_sub(bottom.0) >= len.saturating_add(guard_gap(attributes)) {
                break;
            }
            bottom = bottom.max(range.end);
        }
        match GuestRange::new(bottom, len) {
            Ok(range) if range.end.0 <= self.layout.task_size => Ok(range),
            Ok(_) | Err(_) => Err(Errno::ENOMEM),
        }
    }

    /// True when nothing is mapped in a range inside the address space.
    pub(super) fn is_free(&self, range: GuestRange) -> bool {
        range.end.0 <= self.layout.task_size && self.vmas.overlapping(range).next().is_none()
    }
}

/// Bytes to keep free below a mapping.
fn guard_gap(attributes: &Attributes) -> u64 {
    if attributes.flags.contains(VmaFlags::GROWSDOWN) { STACK_GUARD_GAP_BYTES } else { 0 }
}

/// Checks type, flags and file of a request (`do_mmap`) and makes the attributes of its mapping.
fn attributes_of(request: &MmapRequest, len: u64) -> Result<Attributes, Errno> {
    let prot = Prot::from_bits_truncate(request.prot as u8);
    let map_type = MapType::from_flags(request.flags).ok_or(Errno::EINVAL)?;
    let map_flags = MapFlags::from_bits_truncate(request.flags);
    if map_flags.contains(MapFlags::HUGETLB) {
        // What Linux answers where no huge pages are set aside.
        return Err(Errno::ENOMEM);
    }
    let is_shared = map_type != MapType::Private;
    let grows = map_flags.contains(MapFlags::GROWSDOWN);
    let mut flags = VmaFlags::empty();
    flags.set(VmaFlags::SHARED, is_shared);
    flags.set(VmaFlags::GROWSDOWN, grows);
    flags.set(VmaFlags::NORESERVE, map_flags.contains(MapFlags::NORESERVE));
    flags.set(VmaFlags::LOCKED, map_flags.contains(MapFlags::LOCKED));
    let Some(file) = &request.file else {
        if map_type == MapType::SharedValidate || is_shared && grows {
            return Err(Errno::EINVAL);
        }
        let backing = if is_shared { shared_memory(len)? } else { VmaBacking::Anonymous };
        return Ok(Attributes { prot, flags, backing });
    };
    // MAP_SYNC needs a DAX file, which no host here has.
    let known = MapFlags::all() - MapFlags::SYNC;
    if map_type == MapType::SharedValidate && request.flags & !(known.bits() | crate::abi::mman::MAP_TYPE) != 0 {
        return Err(Errno::EOPNOTSUPP);
    }
    if !file.is_readable || is_shared && prot.contains(Prot::WRITE) && !file.is_writable {
        return Err(Errno::EACCES);
    }
    if grows {
        return Err(Errno::EINVAL);
    }
    let backing = VmaBacking::File { file: Arc::clone(file), offset: request.offset };
    Ok(Attributes { prot, flags, backing })
}

/// A memory file for a shared anonymous mapping: other processes of the guest can map it too.
fn shared_memory(len: u64) -> Result<VmaBacking, Errno> {
    let fd = Arc::new(host::memory::memory_file(c"elfuse-shared", len)?);
    let file = MappedFile::new(fd, b"/dev/zero (deleted)".to_vec())?;
    Ok(VmaBacking::File { file: Arc::new(file), offset: 0 })
}

/// The next multiple of the page size, `None` past 2^64.
pub(super) fn page_align(len_bytes: u64) -> Option<u64> {
    len_bytes.checked_next_multiple_of(PAGE_SIZE)
}
