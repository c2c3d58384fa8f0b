//! The child's side of a fork: [`receive`] takes the image from the socket, [`Received::rebuild`] makes guest memory as it
//! was. `run::start` does the rest in the order of every bring-up. A parent that ends before the child is ready ends the
//! stream, and with it the child.

use std::fs::File;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::image::{HEADER_LEN, Header, Image, ImageError, MappedFileRecord, Mapping, READY, Run};
use super::vfork::{Before, OnlyWaiting, WaitingParent};
use crate::abi::{Errno, Fd, GuestAddr, GuestRange, SigSet};
use crate::host::handover::{DESCRIPTORS_PER_MESSAGE, Handover};
use crate::kernel::fd_table::FdTable;
use crate::kernel::open_file::OpenFile;
use crate::kernel::process::{ImageInfo, VforkParent};
use crate::kernel::{Process, signal};
use crate::mem::{AddressSpace, MappedFile, Prot, Vma, VmaBacking, VmaFlags};

/// Longest text of an image, in bytes: beyond any address space with `MAX_MAP_COUNT` mappings.
const TEXT_MAX: u64 = 1 << 30;

/// Bytes of guest memory that are copied at once.
const COPY_LEN: usize = 64 << 10;

/// What is sent at once: a text, and the memory and the open files that it speaks of.
pub(super) struct Packet {
    pub(super) text: Vec<u8>,
    pub(super) memory: File,
    files: Vec<Arc<OpenFile>>,
}

/// A forked guest that has been received and does not run yet.
pub struct Received {
    handover: Handover,
    /// What the parent sent.
    pub image: Image,
    packet: Packet,
}

fn host(action: &'static str) -> impl Fn(io::Error) -> ImageError {
    move |source| ImageError::Host(action, source)
}

/// Receives a guest by the inherited descriptor.
///
/// # Errors
/// [`ImageError`]; this process must end then.
pub fn receive(inherited: RawFd) -> Result<Received, ImageError> {
    let handover = Handover::adopt(inherited).map_err(host("take over the descriptor"))?;
    let packet = Packet::receive(&handover)?;
    let image = serde_json::from_slice(&packet.text)?;
    Ok(Received { handover, image, packet })
}

impl Packet {
    /// Receives what the peer sends.
    ///
    /// # Errors
    /// [`ImageError`]; `UnexpectedEof` of the host where the peer is gone.
    pub(super) fn receive(handover: &Handover) -> Result<Self, ImageError> {
        let receiving = host("receive a forked guest");
        let mut bytes = [0; HEADER_LEN];
        let mut first = Vec::new();
        handover.receive(&mut bytes, &mut first).map_err(&receiving)?;
        let header = Header::from_bytes(&bytes)?;
        let memory = File::from(first.pop().ok_or(ImageError::Damaged("its memory file is missing"))?);
        let wanted = header.files as usize;
        let mut descriptors: Vec<OwnedFd> = Vec::new();
        for _batch in 0..wanted.div_ceil(DESCRIPTORS_PER_MESSAGE) {
            handover.receive(&mut [0], &mut descriptors).map_err(&receiving)?;
        }
        if descriptors.len() != wanted {
            return Err(ImageError::Damaged("a descriptor is missing"));
        }
        if header.text_len > TEXT_MAX {
            return Err(ImageError::Damaged("its text is too long"));
        }
        let mut text = vec![0; header.text_len as usize];
        memory.read_exact_at(&mut text, header.text_offset).map_err(host("read the image"))?;
        let files = descriptors.into_iter().map(OpenFile::new).collect();
        Ok(Self { text, memory, files })
    }

    fn file(&self, index: u32) -> Result<&Arc<OpenFile>, ImageError> {
        self.files.get(index as usize).ok_or(ImageError::Damaged("a file is missing"))
    }

    /// The files that mappings show.
    ///
    /// # Errors
    /// [`ImageError::Damaged`], [`ImageError::Memory`].
    pub(super) fn mapped_files(&self, records: &[MappedFileRecord]) -> Result<Vec<Arc<MappedFile>>, ImageError> {
        let one = |record: &MappedFileRecord| {
            let file = MappedFile::new(self.file(record.file)?.host().clone(), record.name.clone());
            file.map(Arc::new).map_err(ImageError::Memory)
        };
        records.iter().map(one).collect()
    }
}

/// What is behind a mapping.
///
/// # Errors
/// [`ImageError::Damaged`].
pub(super) fn rebuild_backing(mapping: &Mapping, mapped: &[Arc<MappedFile>]) -> Result<VmaBacking, ImageError> {
    if let Some((segment, offset)) = &mapping.segment {
        return Ok(VmaBacking::Segment { segment: Arc::new(segment.clone()), offset: *offset });
    }
    let Some((index, offset)) = mapping.file else { return Ok(VmaBacking::Anonymous) };
    let file = mapped.get(index as usize).ok_or(ImageError::Damaged("a mapped file is missing"))?;
    Ok(VmaBacking::File { file: file.clone(), offset })
}

impl Received {
    /// The descriptor table as the parent had it.
    ///
    /// # Errors
    /// [`ImageError::Damaged`].
    pub fn descriptors(&self) -> Result<FdTable, ImageError> {
        // Numbers that were given out before the limit was lowered stay in use.
        let table = FdTable::new(u64::MAX);
        for entry in &self.image.descriptors {
            table
                .set(Fd(entry.fd), self.packet.file(entry.file)?.clone(), entry.is_close_on_exec)
                .map_err(|_bad_number| ImageError::Damaged("a descriptor's number"))?;
        }
        table.set_limit(self.image.descriptor_limit);
        Ok(table)
    }

    /// The program that runs.
    ///
    /// # Errors
    /// [`ImageError::Damaged`].
    pub fn program(&self) -> Result<ImageInfo, ImageError> {
        let file = self.image.program_file.map(|index| self.packet.file(index)).transpose()?;
        Ok(ImageInfo { file: file.map(|file| file.host().clone()), ..self.image.image_info() })
    }

    /// Makes what were signal descriptors of the parent signal descriptors of this process.
    ///
    /// # Errors
    /// [`ImageError::Memory`] with the host's errno.
    pub fn renew_signal_descriptors(&self, process: &Process, files: &FdTable) -> Result<(), ImageError> {
        let mut of_signals = self.image.descriptors.iter().filter_map(|entry| Some((Fd(entry.fd), entry.signals?)));
        let renewed = of_signals.try_for_each(|(fd, set)| signal::fd::renew_one(process, files, fd, SigSet(set)));
        renewed.map_err(ImageError::Memory)
    }

    /// Makes guest memory as the parent had it, in an empty address space.
    ///
    /// # Errors
    /// [`ImageError::Memory`], [`ImageError::Damaged`].
    pub fn rebuild(&self, space: &AddressSpace) -> Result<(), ImageError> {
        let layout = self.image.address_layout();
        if layout.task_size > space.layout().task_size {
            return Err(ImageError::Damaged("its address space is larger than this host's"));
        }
        space.set_layout(layout);
        let mapped = self.packet.mapped_files(&self.image.mapped_files)?;
        for mapping in &self.image.mappings {
            self.rebuild_mapping(space, mapping, &mapped)?;
        }
        let (start, current) = self.image.brk;
        space.set_brk(GuestAddr(start), GuestAddr(current));
        Ok(())
    }

    fn rebuild_mapping(
        &self,
        space: &AddressSpace,
        mapping: &Mapping,
        mapped: &[Arc<MappedFile>],
    ) -> Result<(), ImageError> {
        let backing = rebuild_backing(mapping, mapped)?;
        let range = GuestRange { start: GuestAddr(mapping.start), end: GuestAddr(mapping.end) };
        let prot = Prot::from_bits_truncate(mapping.prot);
        let is_filled = !mapping.runs.is_empty();
        // Pages that the guest may not write now must be filled none the less.
        let first_prot = if is_filled { prot | Prot::READ | Prot::WRITE } else { prot };
        let flags = VmaFlags::from_bits_truncate(mapping.flags);
        space.insert(&Vma { range, prot: first_prot, flags, backing }, None).map_err(ImageError::Memory)?;
        mapping.runs.iter().try_for_each(|run| self.fill(space, run))?;
        if first_prot != prot {
            space.mprotect(range.start, range.len(), prot.bits().into()).map_err(ImageError::Memory)?;
        }
        Ok(())
    }

    fn fill(&self, space: &AddressSpace, run: &Run) -> Result<(), ImageError> {
        let mut buffer = vec![0; COPY_LEN];
        let mut done = 0;
        while done < run.len {
            let len = COPY_LEN.min((run.len - done) as usize);
            self.packet
                .memory
                .read_exact_at(&mut buffer[..len], run.offset + done)
                .map_err(host("read guest memory"))?;
            let place = run.start.checked_add(done).ok_or(ImageError::Memory(Errno::EFAULT))?;
            space.memory().write_bytes(GuestAddr(place), &buffer[..len]).map_err(ImageError::Memory)?;
            done += len as u64;
        }
        Ok(())
    }

    /// Tells the parent that this guest, whose memory is now that of `space`, is about to run. The answer is a parent that
    /// waits until it executes a program or ends.
    ///
    /// # Errors
    /// [`ImageError::Host`] where the parent is gone: this process must end then.
    pub fn report_ready(self, space: &AddressSpace) -> Result<Option<Box<dyn VforkParent>>, ImageError> {
        self.handover.send(&[READY], &[]).map_err(host("answer the parent"))?;
        if !self.image.is_vfork {
            return Ok(None);
        }
        if !self.image.shares_memory {
            return Ok(Some(Box::new(OnlyWaiting { _stream: self.handover.into() })));
        }
        let runs = self.image.mappings.iter().flat_map(|mapping| mapping.runs.iter().copied()).collect();
        let before = Before::Image(self.packet.memory, runs);
        Ok(Some(Box::new(WaitingParent::new(self.handover, before, space))))
    }
}
