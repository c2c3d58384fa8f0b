//! `maps`, `smaps` and `smaps_rollup`: the guest's mappings. Source: proc_pid_maps(5), proc_pid_smaps(5).

use std::fmt::Write;

use super::Subject;
use crate::abi::{Errno, PAGE_SIZE, stat};
use crate::mem::{AddressSpace, Prot, Vma, VmaBacking, VmaFlags};

/// Where names begin in a line.
const NAME_COLUMN: usize = 73;

/// The device of files that Linux keeps for itself, shared memory segments among them.
const KERNEL_MOUNT: u64 = 1;

fn line(vma: &Vma) -> Vec<u8> {
    let right = |right, letter| if vma.prot.contains(right) { letter } else { '-' };
    let shared = if vma.flags.contains(VmaFlags::SHARED) { 's' } else { 'p' };
    let (offset, device, inode) = match &vma.backing {
        VmaBacking::Anonymous => (0, 0, 0),
        // What Linux makes without a file has none here either.
        VmaBacking::File { file, .. } if file.name.starts_with(b"[") => (0, 0, 0),
        VmaBacking::File { file, offset } => (*offset, file.device, file.inode),
        VmaBacking::Segment { segment, offset } => (*offset, KERNEL_MOUNT, u64::from(segment.id.cast_unsigned())),
    };
    let (major, minor) = (stat::major(device), stat::minor(device));
    let mut text = format!(
        "{:08x}-{:08x} {}{}{}{shared} {offset:08x} {major:02x}:{minor:02x} {inode} ",
        vma.range.start.0,
        vma.range.end.0,
        right(Prot::READ, 'r'),
        right(Prot::WRITE, 'w'),
        right(Prot::EXEC, 'x'),
    );
    let name = vma.name();
    if !name.is_empty() {
        while text.len() < NAME_COLUMN {
            text.push(' ');
        }
    }
    // A newline in a name would look like a mapping.
    let mut bytes = text.into_bytes();
    for byte in name {
        if *byte == b'\n' { bytes.extend_from_slice(b"\\012") } else { bytes.push(*byte) }
    }
    bytes.push(b'\n');
    bytes
}

pub(super) fn maps(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    Ok(subject.ctx.process().space().vmas().iter().flat_map(line).collect())
}

/// What a mapping takes, in KiB.
#[derive(Clone, Copy, Default)]
struct Usage {
    size: u64,
    resident: u64,
    private: u64,
    anonymous: u64,
    locked: u64,
}

impl Usage {
    fn of(space: &AddressSpace, vma: &Vma) -> Self {
        let resident = resident_bytes(space, vma) >> 10;
        let is_shared = vma.flags.contains(VmaFlags::SHARED);
        let is_anonymous = matches!(vma.backing, VmaBacking::Anonymous);
        Self {
            size: vma.range.len() >> 10,
            resident,
            private: if is_shared { 0 } else { resident },
            anonymous: if is_anonymous { resident } else { 0 },
            locked: if vma.flags.contains(VmaFlags::LOCKED) { resident } else { 0 },
        }
    }

    fn add(self, other: Self) -> Self {
        Self {
            size: self.size + other.size,
            resident: self.resident + other.resident,
            private: self.private + other.private,
            anonymous: self.anonymous + other.anonymous,
            locked: self.locked + other.locked,
        }
    }

    fn text(&self) -> String {
        let shared = self.resident - self.private;
        let mut text = String::new();
        for (name, kib) in [
            ("Rss", self.resident),
            ("Pss", self.resident),
            ("Shared_Clean", shared),
            ("Shared_Dirty", 0),
            ("Private_Clean", self.private - self.anonymous.min(self.private)),
            ("Private_Dirty", self.anonymous),
            ("Referenced", self.resident),
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
            let _ = writeln!(text, "{:<15} {kib:>8} kB", format!("{name}:"));
        }
        text
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
    let space = subject.ctx.process().space();
    let mut bytes = Vec::new();
    for vma in space.vmas() {
        let usage = Usage::of(space, &vma);
        bytes.extend(line(&vma));
        let sizes =
            format!("{:<15} {:>8} kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n", "Size:", usage.size);
        bytes.extend_from_slice(sizes.as_bytes());
        bytes.extend_from_slice(usage.text().as_bytes());
        bytes.extend_from_slice(b"THPeligible:           0\n");
        bytes.extend_from_slice(flags(&vma).as_bytes());
    }
    Ok(bytes)
}

pub(super) fn smaps_rollup(subject: &Subject<'_>) -> Result<Vec<u8>, Errno> {
    let space = subject.ctx.process().space();
    let vmas = space.vmas();
    let total = vmas.iter().map(|vma| Usage::of(space, vma)).fold(Usage::default(), Usage::add);
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
