//! `maps`, `smaps` and `smaps_rollup`: the guest's mappings. Source: proc_pid_maps(5), proc_pid_smaps(5).

use std::fmt::Write;

use super::Subject;
use crate::abi::{Errno, PAGE_SIZE, stat};
use crate::host::memory::{PageState, page_states};
use crate::mem::{AddressSpace, Prot, Vma, VmaBacking, VmaFlags};

/// Where names begin in a line.
const NAME_COLUMN: usize = 73;

/// The device of files that Linux keeps for itself, shared memory segments among them.
const KERNEL_MOUNT: u64 = 1;

fn line(vma: &Vma) -> Vec<u8> {
    let right = |right, letter| if vma.prot.contains(right) { letter } else { '-' };
    let shared = if vma.flags.contains(VmaFlags::SHARED) { 's' } else { 'p' };
    let (offset, device, inode) = match &vma.backing {
        VmaBacking::Anonymous | VmaBacking::Common { .. } => (0, 0, 0),
        // What Linux makes without a file has none here either.
        VmaBacking::File { file, .. } if file.name.starts_with(b"[") => (0, 0, 0),
        VmaBacking::File { file, offset } => (*offset, file.device, file.inode),
        VmaBacking::Segment { segment, offset } => (*offset, KERNEL_MOUNT, u64::from(segment.id.cast_unsigned())),
    };
    let (major, minor) = (stat::major(device), stat::minor(device));
    let start = format!(
        "{:08x}-{:08x} {}{}{}{shared} {offset:08x} {major:02x}:{minor:02x} {inode} ",
        vma.range.start.0,
        vma.range.end.0,
        right(Prot::READ, 'r'),
        right(Prot::WRITE, 'w'),
        right(Prot::EXEC, 'x'),
    );
    named(start, vma.name())
}

/// The line that begins so, with a name.
pub(super) fn named(mut start: String, name: &[u8]) -> Vec<u8> {
    if !name.is_empty() {
        while start.len() < NAME_COLUMN {
            start.push(' ');
        }
    }
    // A newline in a name would look like a mapping.
    let mut bytes = start.into_bytes();
    for byte in name {
        if *byte == b'\n' { bytes.extend_from_slice(b"\\012") } else { bytes.push(*byte) }
    }
    bytes.push(b'\n');
    bytes
}

pub(super) fn maps(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    Ok(subject.ctx.process().space().vmas().iter().flat_map(line).collect())
}

/// What a mapping takes, in bytes.
#[derive(Clone, Copy, Default)]
struct Usage {
    size: u64,
    /// Of this process alone, and of several.
    private: Pages,
    shared: Pages,
    anonymous: u64,
    locked: u64,
}

/// Pages that are in memory, by what would become of them.
#[derive(Clone, Copy, Default)]
struct Pages {
    clean: u64,
    dirty: u64,
}

impl Usage {
    fn of(subject: &Subject<'_>, vma: &Vma) -> Self {
        let mut usage = Self { size: vma.range.len(), ..Self::default() };
        for_each_page(subject, vma, |page| {
            // Of a spawned child also anonymous memory is a file's to the host.
            let is_anonymous = vma.is_anonymous() || !page.is_file;
            let owner = if page.is_exclusive { &mut usage.private } else { &mut usage.shared };
            *(if is_anonymous { &mut owner.dirty } else { &mut owner.clean }) += PAGE_SIZE;
            usage.anonymous += if is_anonymous { PAGE_SIZE } else { 0 };
        });
        usage.locked = if vma.flags.contains(VmaFlags::LOCKED) { usage.resident() } else { 0 };
        usage
    }

    const fn resident(&self) -> u64 {
        self.private.clean + self.private.dirty + self.shared.clean + self.shared.dirty
    }

    fn add(self, other: Self) -> Self {
        let sum =
            |own: Pages, theirs: Pages| Pages { clean: own.clean + theirs.clean, dirty: own.dirty + theirs.dirty };
        Self {
            size: self.size + other.size,
            private: sum(self.private, other.private),
            shared: sum(self.shared, other.shared),
            anonymous: self.anonymous + other.anonymous,
            locked: self.locked + other.locked,
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, bytes) in [
            ("Rss", self.resident()),
            ("Pss", self.resident()),
            ("Shared_Clean", self.shared.clean),
            ("Shared_Dirty", self.shared.dirty),
            ("Private_Clean", self.private.clean),
            ("Private_Dirty", self.private.dirty),
            ("Referenced", self.resident()),
            ("Anonymous", self.anonymous),
            ("LazyFree", 0),
            ("AnonHugePages", 0),
            ("ShmemPmdMapped", 0),
            ("FilePmdMapped", 0),
            ("Shared_Hugetlb", 0),
            ("Private_Hugetlb", 0),
            ("Swap", 0),
            ("SwapPss", 0),
            ("Locked", self.locked),
        ] {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{:<15} {:>8} kB", format!("{name}:"), bytes >> 10);
        }
        text
    }
}

/// Hands the mapping's pages that are in memory to `count`.
fn for_each_page(subject: &Subject<'_>, vma: &Vma, mut count: impl FnMut(PageState)) {
    /// Pages of one look.
    const STEP: u64 = 4096;
    let window = subject.ctx.memory().base();
    let mut states = [PageState::default(); STEP as usize];
    let (mut page, end) = (vma.range.start.0 / PAGE_SIZE, vma.range.end.0 / PAGE_SIZE);
    while page < end {
        let states = &mut states[..(end - page).min(STEP) as usize];
        if page_states(window.as_ptr().wrapping_add((page * PAGE_SIZE) as usize), states).is_err() {
            // Such a host tells no more than what is in memory.
            let pages = resident_bytes(subject.ctx.process().space(), vma) / PAGE_SIZE;
            let is_exclusive = !vma.flags.contains(VmaFlags::SHARED);
            return (0..pages)
                .for_each(|_| count(PageState { is_present: true, is_swapped: false, is_file: true, is_exclusive }));
        }
        states.iter().filter(|state| state.is_present).for_each(|state| count(*state));
        page += states.len() as u64;
    }
}

/// Bytes of a mapping that are in memory, as far as the host says.
pub(super) fn resident_bytes(space: &AddressSpace, vma: &Vma) -> u64 {
    let mut pages = 0;
    let count = |_page: u64, residency: &[u8]| {
        pages += residency.iter().filter(|byte| **byte & 1 != 0).count() as u64;
        Ok(())
    };
    match space.mincore(vma.range.start, vma.range.len(), count) {
        Ok(()) => pages * PAGE_SIZE,
        Err(_gone) => 0,
    }
}

/// The flags line, of `show_smap_vma_flags`.
fn flags(vma: &Vma) -> String {
    let mut names = Vec::new();
    for (right, name) in [(Prot::READ, "rd"), (Prot::WRITE, "wr"), (Prot::EXEC, "ex")] {
        if vma.prot.contains(right) {
            names.push(name);
        }
    }
    for (flag, name) in [
        (VmaFlags::SHARED, "sh"),
        (VmaFlags::GROWSDOWN, "gd"),
        (VmaFlags::LOCKED, "lo"),
        (VmaFlags::DONTFORK, "dc"),
        (VmaFlags::DONTDUMP, "dd"),
        (VmaFlags::NORESERVE, "nr"),
        (VmaFlags::WIPEONFORK, "wf"),
    ] {
        if vma.flags.contains(flag) {
            names.push(name);
        }
    }
    names.extend(["mr", "mw", "me"]);
    format!("VmFlags: {} \n", names.join(" "))
}

pub(super) fn smaps(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    let mut bytes = Vec::new();
    for vma in subject.ctx.process().space().vmas() {
        let usage = Usage::of(subject, &vma);
        bytes.extend(line(&vma));
        let sizes = format!(
            "{:<15} {:>8} kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n",
            "Size:",
            usage.size >> 10
        );
        bytes.extend_from_slice(sizes.as_bytes());
        bytes.extend_from_slice(usage.text().as_bytes());
        bytes.extend_from_slice(b"THPeligible:           0\n");
        bytes.extend_from_slice(flags(&vma).as_bytes());
    }
    Ok(bytes)
}

pub(super) fn smaps_rollup(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    let vmas = subject.ctx.process().space().vmas();
    let total = vmas.iter().map(|vma| Usage::of(subject, vma)).fold(Usage::default(), Usage::add);
    let start = vmas.first().map_or(0, |vma| vma.range.start.0);
    let end = vmas.last().map_or(0, |vma| vma.range.end.0);
    let text = format!("{start:08x}-{end:08x} ---p 00000000 00:00 0 ");
    Ok(format!("{text:<NAME_COLUMN$}[rollup]\n{}", total.text()).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{GuestAddr, GuestRange};

    #[test]
    fn lines_are_those_of_linux() {
        let range = GuestRange { start: GuestAddr(0xaaaa_0000), end: GuestAddr(0xaaaa_2000) };
        let prot = Prot::READ | Prot::EXEC;
        let vma = Vma { range, prot, flags: VmaFlags::empty(), backing: VmaBacking::Anonymous };
        assert_eq!(line(&vma), b"aaaa0000-aaaa2000 r-xp 00000000 00:00 0 \n");
        let heap = Vma { flags: VmaFlags::HEAP, prot: Prot::READ | Prot::WRITE, ..vma };
        let text = String::from_utf8(line(&heap)).unwrap();
        assert_eq!(text.find("[heap]\n"), Some(NAME_COLUMN));
        assert!(text.starts_with("aaaa0000-aaaa2000 rw-p "));
        assert_eq!(flags(&heap), "VmFlags: rd wr mr mw me \n");
    }
}
