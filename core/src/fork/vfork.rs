//! vfork: what a child with a copy of its parent's memory gives back, so that both have shared it (`docs/design.md` §7).
//!
//! The child is a process like every other, with its own memory. When it executes a program or ends, [`WaitingParent`]
//! sends the pages that it has written and the mappings that it has changed, and the parent's side, [`take_back`], does the
//! same to the parent's memory before the parent's thread goes on. Where the parent has other threads, which wrote meanwhile,
//! only the bytes count that differ from what the memory was at the vfork: a [`Twin`] has kept that.
//!
//! What is not shared is what both see of each other *while* the child runs. A child that is killed gives nothing back.
//! Source: vfork(2), clone(2) `CLONE_VM`.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::child::{Packet, rebuild_backing};
use super::image::{Header, ImageError, MappedFileRecord, Mapping, Run};
use super::pages::{PAGE_LEN, Snapshot};
use super::parent::{Files, MappedFiles, describe_mapping, send};
use crate::abi::{Errno, GuestAddr, GuestRange, PAGE_SIZE};
use crate::host::errno;
use crate::host::handover::Handover;
use crate::host::twin::Twin;
use crate::kernel::Process;
use crate::kernel::process::VforkParent;
use crate::mem::{AddressSpace, MappedFile, Prot, Vma, VmaFlags, differences};

/// What a vfork child has done to the memory that it shares with its parent.
#[derive(Serialize, Deserialize)]
struct Changes {
    /// Start of the heap and the break.
    brk: (u64, u64),
    /// Files that new mappings show.
    mapped_files: Vec<MappedFileRecord>,
    /// Changed ranges in order of address.
    mappings: Vec<Change>,
    /// Pages that the child has written.
    runs: Vec<Run>,
}

/// A range whose mapping has changed.
#[derive(Serialize, Deserialize)]
enum Change {
    /// Nothing is there any more.
    Unmap { start: u64, end: u64 },
    /// Other rights.
    Protect { start: u64, end: u64, prot: u8 },
    /// Something new.
    Map(Mapping),
}

/// The memory at the vfork, as far as the child can tell it.
pub(super) enum Before {
    /// It was the parent's too: a page that the child has not written is still shared with somebody.
    Shared,
    /// It came in an image: pages in this file at these runs, in order of address, zeros and files elsewhere.
    Image(File, Vec<Run>),
}

/// The child's side.
pub(super) struct WaitingParent {
    stream: Handover,
    before: Before,
    mappings: Vec<Vma>,
    brk: (GuestAddr, GuestAddr),
}

impl WaitingParent {
    /// For a child that shares `space` with its parent, and has not run yet.
    pub(super) fn new(stream: Handover, before: Before, space: &AddressSpace) -> Self {
        Self { stream, before, mappings: space.vmas(), brk: space.brk_area() }
    }

    fn give(&self, child: &Process) -> io::Result<()> {
        let space = child.space();
        let mut snapshot = Snapshot::new(child.memory())?;
        let mut files = Files::default();
        let mut mapped = MappedFiles::default();
        let now = space.vmas();
        let mappings = differences(&self.mappings, &now)
            .into_iter()
            .map(|(range, before, after)| describe_change(range, before, after, &mut mapped, &mut files));
        let mappings: Vec<Change> = mappings.collect();
        let mut runs = Vec::new();
        for vma in now.iter().filter(|vma| !vma.flags.contains(VmaFlags::SHARED) && !vma.prot.is_empty()) {
            match &self.before {
                Before::Shared => snapshot.add_where(vma, !child.has_forked(), &|_, _| true, &mut runs)?,
                Before::Image(file, sent) => {
                    snapshot.add_where(vma, false, &|at, bytes| !is_as_sent(file, sent, vma, at, bytes), &mut runs)?;
                }
            }
        }
        let (start, current) = space.brk_area();
        if mappings.is_empty() && runs.is_empty() && (start, current) == self.brk {
            return Ok(());
        }
        let changes = Changes { brk: (start.0, current.0), mapped_files: mapped.records, mappings, runs };
        let text = serde_json::to_vec(&changes)?;
        let text_offset = snapshot.append(&text)?;
        let header = Header { files: files.files.len() as u32, text_offset, text_len: text.len() as u64 };
        send(&self.stream, header, &snapshot.into_file(), &files)
    }
}

impl VforkParent for WaitingParent {
    fn release(self: Box<Self>, child: &Process) {
        // A parent that is gone needs nothing, and one that cannot be told goes on all the same: at the end of the stream.
        let _lost = self.give(child);
    }
}

/// A child without shared memory, whose parent waits for it none the less (`CLONE_VFORK` without `CLONE_VM`).
pub(super) struct OnlyWaiting {
    pub(super) _stream: OwnedFd,
}

impl VforkParent for OnlyWaiting {
    fn release(self: Box<Self>, _child: &Process) {}
}

/// True where a page of a spawned child is what its image said.
fn is_as_sent(file: &File, sent: &[Run], vma: &Vma, at: u64, bytes: &[u8; PAGE_LEN]) -> bool {
    let after = sent.partition_point(|run| run.start <= at);
    let run = after.checked_sub(1).and_then(|index| sent.get(index)).filter(|run| at < run.start + run.len);
    match run {
        Some(run) => {
            let mut before = [0; PAGE_LEN];
            let read = file.read_exact_at(&mut before, run.offset + (at - run.start));
            read.is_ok() && before == *bytes
        }
        // A private page of a file that is not in the image was written by the child.
        None => vma.is_anonymous() && bytes.iter().all(|byte| *byte == 0),
    }
}

fn describe_change(
    range: GuestRange,
    before: Option<&Vma>,
    after: Option<&Vma>,
    mapped: &mut MappedFiles,
    files: &mut Files,
) -> Change {
    let (start, end) = (range.start.0, range.end.0);
    match (before, after) {
        (_, None) => Change::Unmap { start, end },
        (Some(before), Some(after)) if before.shows_as(after) => {
            Change::Protect { start, end, prot: after.prot.bits() }
        }
        (_, Some(after)) => Change::Map(describe_mapping(&after.over(range), Vec::new(), mapped, files)),
    }
}

/// The parent's side: does to its memory what the child has done to its own. `twin` is the memory as it was.
///
/// # Errors
/// [`ImageError`], with which the memory is left as far as it was done.
pub(super) fn take_back(process: &Process, packet: &Packet, twin: Option<&Twin>) -> Result<(), ImageError> {
    let changes: Changes = serde_json::from_slice(&packet.text)?;
    let space = process.space();
    let mapped = packet.mapped_files(&changes.mapped_files)?;
    for change in &changes.mappings {
        apply(space, change, &mapped)?;
    }
    let (start, current) = changes.brk;
    space.set_brk(GuestAddr(start), GuestAddr(current));
    let own = File::options().read(true).write(true).open("/proc/self/mem");
    let own = own.map_err(|error| ImageError::Host("open its own memory", error))?;
    for run in &changes.runs {
        for offset in (0..run.len).step_by(PAGE_LEN) {
            let mut page = [0; PAGE_LEN];
            let read = packet.memory.read_exact_at(&mut page, run.offset + offset);
            read.map_err(|error| ImageError::Host("read what a child has written", error))?;
            write_page(process, &own, GuestAddr(run.start + offset), &page, twin)?;
        }
    }
    Ok(())
}

fn apply(space: &AddressSpace, change: &Change, mapped: &[Arc<MappedFile>]) -> Result<(), ImageError> {
    let applied = match change {
        Change::Unmap { start, end } => space.munmap(GuestAddr(*start), end.saturating_sub(*start)),
        Change::Protect { start, end, prot } => {
            space.mprotect(GuestAddr(*start), end.saturating_sub(*start), (*prot).into())
        }
        Change::Map(mapping) => {
            let range = GuestRange { start: GuestAddr(mapping.start), end: GuestAddr(mapping.end) };
            let prot = Prot::from_bits_truncate(mapping.prot);
            let flags = VmaFlags::from_bits_truncate(mapping.flags);
            space.insert(&Vma { range, prot, flags, backing: rebuild_backing(mapping, mapped)? }, None)
        }
    };
    applied.map_err(ImageError::Memory)
}

/// Writes the bytes of a page that the child has changed, whatever rights the guest has there.
fn write_page(
    process: &Process,
    own: &File,
    at: GuestAddr,
    page: &[u8; PAGE_LEN],
    twin: Option<&Twin>,
) -> Result<(), ImageError> {
    let host = process.memory().host_range(at, PAGE_SIZE).map_err(ImageError::Memory)?.addr();
    let mut before = [0; PAGE_LEN];
    let was_there = match twin {
        Some(twin) => twin.read(host, &mut before),
        None => own.read_exact_at(&mut before, host as u64),
    };
    let is_known = match was_there {
        Ok(()) => true,
        // The child has mapped it anew.
        Err(error) if errno::of(&error) == Errno::EFAULT => false,
        Err(_) if twin.is_none() => false,
        Err(error) => return Err(ImageError::Host("read what memory was at a vfork", error)),
    };
    let mut next = 0;
    while next < PAGE_LEN {
        let differs = |index: &usize| !is_known || page[*index] != before[*index];
        let Some(start) = (next..PAGE_LEN).find(differs) else { break };
        let end = (start..PAGE_LEN).find(|index| !differs(index)).unwrap_or(PAGE_LEN);
        let written = own.write_all_at(&page[start..end], (host + start) as u64);
        written.map_err(|error| ImageError::Host("write what a child has written", error))?;
        next = end;
    }
    if next > 0 {
        let range = GuestRange::new(at, PAGE_SIZE).map_err(ImageError::Memory)?;
        process.space().mapper().invalidate_code(range);
    }
    Ok(())
}
