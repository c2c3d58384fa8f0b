//! [`ElfImage`]: the headers of an ELF file, read with bounds and checked before anything is mapped.
//!
//! Nothing in a file can make this panic or allocate without limit: the program header table is at most 64 KiB, as in
//! Linux, and every sum is checked.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::Elf;
use goblin::elf::header::{ELFMAG, EM_AARCH64, ET_DYN, ET_EXEC, Header};
use goblin::elf::program_header::{
    PF_R, PF_W, PF_X, PT_GNU_PROPERTY, PT_GNU_STACK, PT_INTERP, PT_LOAD, PT_PHDR, ProgramHeader,
};

use super::LoadError;
use crate::abi::PAGE_SIZE;
use crate::mem::Prot;

const EHDR_LEN: usize = 64;
const PHDR_LEN: usize = 56;
/// Longest program header table in bytes (`load_elf_phdrs` of Linux).
const PHDR_TABLE_MAX: usize = 64 << 10;
/// Longest note of program properties that is read.
const NOTE_MAX: u64 = 1024;
/// Longest interpreter path in bytes, NUL included.
const INTERP_MAX: u64 = 4096;
/// No user address of arm64 is as high; bounds all sums below.
const ADDRESS_MAX: u64 = 1 << 52;

/// A file as the loader reads it.
pub trait ReadAt {
    /// Fills `buffer` from `offset`, or says how much of it there is.
    ///
    /// # Errors
    /// The host's.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Length in bytes.
    ///
    /// # Errors
    /// The host's.
    fn len_bytes(&self) -> io::Result<u64>;
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match FileExt::read_at(self, &mut buffer[done..], offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let count = buffer.len().min(self.len() - start);
        buffer[..count].copy_from_slice(&self[start..start + count]);
        Ok(count)
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }
}

/// Where the program may lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImageKind {
    /// At its own addresses (`ET_EXEC`).
    Fixed,
    /// Anywhere (`ET_DYN`).
    Relocatable,
}

/// A `PT_LOAD` entry: `file_len` bytes of the file, then zeros up to `mem_len`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Address, before relocation.
    pub vaddr: u64,
    /// Offset in the file, congruent to `vaddr` modulo the page size.
    pub file_offset: u64,
    /// Bytes from the file.
    pub file_len: u64,
    /// Bytes in memory.
    pub mem_len: u64,
    /// Rights.
    pub prot: Prot,
}

/// What the headers of a program say, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ElfImage {
    /// Where it may lie.
    pub kind: ImageKind,
    /// First instruction, before relocation.
    pub entry: u64,
    /// The `PT_LOAD` entries in the order of the file; at least one.
    pub segments: Vec<Segment>,
    /// Largest alignment of a segment: a power of two, at least the page size.
    pub align: u64,
    /// Address of the program headers before relocation, for `AT_PHDR`; 0 where no segment holds them.
    pub phdr_vaddr: u64,
    /// Number of program headers.
    pub phdr_count: u64,
    /// Path of the dynamic linker (`PT_INTERP`), without NUL.
    pub interpreter: Option<Vec<u8>>,
    /// `PT_GNU_STACK` asks for an executable stack.
    pub has_exec_stack: bool,
    /// `PT_GNU_PROPERTY` says that all code expects its branches (BTI).
    pub is_guarded: bool,
}

impl ElfImage {
    /// Reads and checks the headers.
    ///
    /// # Errors
    /// [`LoadError`] says what the file is instead, or what is wrong with it.
    pub fn read<F: ReadAt + ?Sized>(file: &F) -> Result<Self, LoadError> {
        let header = read_header(file)?;
        let kind = match header.e_type {
            ET_EXEC => ImageKind::Fixed,
            ET_DYN => ImageKind::Relocatable,
            _object_or_core => return Err(LoadError::WrongKind("an object or a core file, not an executable")),
        };
        let phdrs = read_program_headers(file, &header)?;
        let file_len = file.len_bytes().map_err(read_error)?;
        let mut image = Self {
            kind,
            entry: header.e_entry,
            segments: Vec::new(),
            align: PAGE_SIZE,
            phdr_vaddr: 0,
            phdr_count: phdrs.len() as u64,
            interpreter: None,
            has_exec_stack: false,
            is_guarded: false,
        };
        for phdr in &phdrs {
            match phdr.p_type {
                PT_LOAD if phdr.p_memsz != 0 => image.add_segment(phdr, file_len)?,
                PT_INTERP if image.interpreter.is_none() => image.interpreter = Some(read_interpreter(file, phdr)?),
                PT_GNU_STACK => image.has_exec_stack = phdr.p_flags & PF_X != 0,
                PT_PHDR => image.phdr_vaddr = phdr.p_vaddr,
                PT_GNU_PROPERTY => image.is_guarded = has_bti_property(file, phdr)?,
                _of_no_concern => {}
            }
        }
        if image.segments.is_empty() {
            return Err(LoadError::Malformed("it has no loadable segment"));
        }
        // The table's own entry is optional; what counts is the segment that holds its offset.
        let holder = image.segments.iter().find(|segment| {
            header.e_phoff.checked_sub(segment.file_offset).is_some_and(|offset| offset < segment.file_len)
        });
        if let Some(segment) = holder {
            image.phdr_vaddr = segment.vaddr + (header.e_phoff - segment.file_offset);
        }
        Ok(image)
    }

    fn add_segment(&mut self, phdr: &ProgramHeader, file_len: u64) -> Result<(), LoadError> {
        if phdr.p_filesz > phdr.p_memsz {
            return Err(LoadError::Malformed("a segment is longer in the file than in memory"));
        }
        let end = phdr.p_vaddr.checked_add(phdr.p_memsz).filter(|end| *end <= ADDRESS_MAX);
        if end.is_none() {
            return Err(LoadError::Malformed("a segment lies outside the address space"));
        }
        let file_end = phdr.p_offset.checked_add(phdr.p_filesz);
        if phdr.p_filesz != 0 && file_end.is_none_or(|end| end > file_len) {
            return Err(LoadError::Truncated("a segment"));
        }
        if phdr.p_filesz != 0 && phdr.p_vaddr % PAGE_SIZE != phdr.p_offset % PAGE_SIZE {
            return Err(LoadError::Malformed("a segment's address and offset do not agree modulo the page size"));
        }
        // Linux ignores alignments that are no power of two.
        if phdr.p_align.is_power_of_two() && phdr.p_align <= ADDRESS_MAX {
            self.align = self.align.max(phdr.p_align);
        }
        let rights = [(PF_R, Prot::READ), (PF_W, Prot::WRITE), (PF_X, Prot::EXEC)];
        self.segments.push(Segment {
            vaddr: phdr.p_vaddr,
            file_offset: phdr.p_offset,
            file_len: phdr.p_filesz,
            mem_len: phdr.p_memsz,
            prot: rights
                .into_iter()
                .filter(|(flag, _)| phdr.p_flags & flag != 0)
                .fold(Prot::empty(), |prot, (_, right)| prot | right),
        });
        Ok(())
    }

    /// First and last address of the segments with these rights, before relocation; zeros where there are none.
    #[must_use]
    pub fn part(&self, rights: Prot) -> (u64, u64) {
        let parts = || self.segments.iter().filter(|segment| segment.prot.contains(rights));
        let start = parts().map(|segment| segment.vaddr).min().unwrap_or(0);
        (start, parts().map(|segment| segment.vaddr + segment.mem_len).max().unwrap_or(0))
    }

    /// First and last address of all segments, on page boundaries and before relocation.
    #[must_use]
    pub fn span(&self) -> (u64, u64) {
        let start = self.segments.iter().map(|segment| segment.vaddr).min().unwrap_or(0);
        let end = self.segments.iter().map(|segment| segment.vaddr + segment.mem_len).max().unwrap_or(0);
        (start & !(PAGE_SIZE - 1), end.next_multiple_of(PAGE_SIZE))
    }
}

fn read_error(source: io::Error) -> LoadError {
    LoadError::Open { path: "the file".into(), source }
}

fn read_header<F: ReadAt + ?Sized>(file: &F) -> Result<Header, LoadError> {
    let mut bytes = [0; EHDR_LEN];
    let got = file.read_at(&mut bytes, 0).map_err(read_error)?;
    if !bytes[..got].starts_with(ELFMAG) {
        return Err(LoadError::NotElf);
    }
    if got < EHDR_LEN {
        return Err(LoadError::Truncated("the ELF header"));
    }
    let machine = u16::from_le_bytes([bytes[18], bytes[19]]);
    let [class, data, version] = [bytes[4], bytes[5], bytes[6]];
    if class == 1 {
        // A 32-bit file is best told by its machine, unless it is for this one (ILP32).
        let is_told = data == 1 && machine != EM_AARCH64;
        return Err(if is_told { LoadError::WrongMachine { machine } } else { LoadError::WrongKind("32-bit") });
    }
    if data == 2 {
        return Err(LoadError::WrongKind("big-endian"));
    }
    if class != 2 || data != 1 || version != 1 {
        return Err(LoadError::Malformed("its identification is unknown"));
    }
    let header = Elf::parse_header(&bytes).map_err(|_| LoadError::Malformed("the ELF header cannot be read"))?;
    if header.e_machine != EM_AARCH64 {
        return Err(LoadError::WrongMachine { machine: header.e_machine });
    }
    Ok(header)
}

fn read_program_headers<F: ReadAt + ?Sized>(file: &F, header: &Header) -> Result<Vec<ProgramHeader>, LoadError> {
    let count = usize::from(header.e_phnum);
    let len = count * PHDR_LEN;
    if usize::from(header.e_phentsize) != PHDR_LEN || count == 0 || len > PHDR_TABLE_MAX {
        return Err(LoadError::Malformed("the program header table has a wrong size"));
    }
    let mut table = vec![0; len];
    if file.read_at(&mut table, header.e_phoff).map_err(read_error)? < len {
        return Err(LoadError::Truncated("the program header table"));
    }
    let context = Ctx::new(Container::Big, Endian::Little);
    ProgramHeader::parse(&table, 0, count, context)
        .map_err(|_| LoadError::Malformed("the program header table cannot be read"))
}

/// Reads the note of `PT_GNU_PROPERTY`; what is not one says nothing. Source: the Linux Extensions to gABI, Arm's ELF for
/// the 64-bit architecture 6.2 (program property).
fn has_bti_property<F: ReadAt + ?Sized>(file: &F, phdr: &ProgramHeader) -> Result<bool, LoadError> {
    const FEATURE_1_AND: u32 = 0xc000_0000;
    const BTI: u32 = 1;
    let mut note = vec![0; phdr.p_filesz.min(NOTE_MAX) as usize];
    let got = file.read_at(&mut note, phdr.p_offset).map_err(read_error)?;
    let note = note.get(..got).unwrap_or_default();
    let word = |at: usize| {
        let bytes = note.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    // Name size, descriptor size, type NT_GNU_PROPERTY_TYPE_0, name.
    if word(0) != Some(4) || word(8) != Some(5) || note.get(12..16) != Some(b"GNU\0") {
        return Ok(false);
    }
    let mut at = 16;
    while let (Some(kind), Some(len)) = (word(at), word(at + 4)) {
        if kind == FEATURE_1_AND {
            return Ok(word(at + 8).is_some_and(|features| features & BTI != 0));
        }
        at += 8 + (len as usize).next_multiple_of(8);
    }
    Ok(false)
}

fn read_interpreter<F: ReadAt + ?Sized>(file: &F, phdr: &ProgramHeader) -> Result<Vec<u8>, LoadError> {
    if !(2..=INTERP_MAX).contains(&phdr.p_filesz) {
        return Err(LoadError::Malformed("the interpreter's path has a wrong length"));
    }
    let mut path = vec![0; phdr.p_filesz as usize];
    if file.read_at(&mut path, phdr.p_offset).map_err(read_error)? < path.len() {
        return Err(LoadError::Truncated("the interpreter's path"));
    }
    if path.pop() != Some(0) {
        return Err(LoadError::Malformed("the interpreter's path does not end"));
    }
    let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
    path.truncate(end);
    Ok(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A program of one segment that holds the headers and a few instructions.
    fn small() -> Vec<u8> {
        let mut bytes = vec![0u8; 0x100];
        bytes[..8].copy_from_slice(b"\x7fELF\x02\x01\x01\x00");
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(16, &2u16.to_le_bytes());
        put(18, &183u16.to_le_bytes());
        put(20, &1u32.to_le_bytes());
        put(24, &0x40_0080u64.to_le_bytes());
        put(32, &64u64.to_le_bytes());
        put(52, &64u16.to_le_bytes());
        put(54, &56u16.to_le_bytes());
        put(56, &1u16.to_le_bytes());
        put(64, &1u32.to_le_bytes());
        put(68, &5u32.to_le_bytes());
        put(80, &0x40_0000u64.to_le_bytes());
        put(96, &0x100u64.to_le_bytes());
        put(104, &0x2000u64.to_le_bytes());
        put(112, &0x1_0000u64.to_le_bytes());
        bytes
    }

    fn broken(at: usize, value: &[u8]) -> LoadError {
        let mut bytes = small();
        bytes[at..at + value.len()].copy_from_slice(value);
        ElfImage::read(&bytes[..]).unwrap_err()
    }

    #[test]
    fn a_small_program_is_understood() {
        let image = ElfImage::read(&small()[..]).unwrap();
        assert_eq!((image.kind, image.entry, image.align), (ImageKind::Fixed, 0x40_0080, 0x1_0000));
        assert_eq!((image.phdr_vaddr, image.phdr_count), (0x40_0040, 1));
        assert_eq!(image.span(), (0x40_0000, 0x40_2000));
        assert_eq!(image.segments[0].prot, Prot::READ | Prot::EXEC);
    }

    #[test]
    fn other_files_are_named() {
        assert!(matches!(ElfImage::read(&b"#!/bin/sh\n"[..]), Err(LoadError::NotElf)));
        assert!(matches!(ElfImage::read(&b""[..]), Err(LoadError::NotElf)));
        assert!(matches!(ElfImage::read(&small()[..40]), Err(LoadError::Truncated("the ELF header"))));
        assert!(matches!(ElfImage::read(&small()[..80]), Err(LoadError::Truncated("the program header table"))));
        assert!(matches!(ElfImage::read(&small()[..0xff]), Err(LoadError::Truncated("a segment"))));
        assert!(matches!(broken(18, &[62, 0]), LoadError::WrongMachine { machine: 62 }));
        assert!(matches!(broken(5, &[2]), LoadError::WrongKind("big-endian")));
        assert!(matches!(broken(16, &[1, 0]), LoadError::WrongKind(_)));
        assert!(matches!(broken(56, &[0, 0]), LoadError::Malformed(_)));
        assert!(matches!(broken(56, &[0xff, 0xff]), LoadError::Malformed(_)));
        assert!(matches!(broken(64, &[0]), LoadError::Malformed("it has no loadable segment")));
        assert!(matches!(broken(96, &0x3000u64.to_le_bytes()), LoadError::Malformed(_)));
        assert!(matches!(broken(104, &u64::MAX.to_le_bytes()), LoadError::Malformed(_)));
        assert!(matches!(broken(80, &0x40_0001u64.to_le_bytes()), LoadError::Malformed(_)));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _any_answer = ElfImage::read(&bytes[..]);
        }

        #[test]
        fn arbitrary_headers_behind_a_valid_start_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0x100),
        ) {
            let mut file = small();
            file[20..].copy_from_slice(&bytes[20..]);
            file[54..58].copy_from_slice(&[56, 0, 2, 0]);
            file[32..40].copy_from_slice(&64u64.to_le_bytes());
            if let Ok(image) = ElfImage::read(&file[..]) {
                prop_assert!(image.span().1 <= ADDRESS_MAX);
            }
        }

        #[test]
        fn mutated_programs_never_panic(
            changes in proptest::collection::vec((0usize..0x100, any::<u8>()), 1..8),
        ) {
            let mut file = small();
            for (at, value) in changes {
                file[at] = value;
            }
            if let Ok(image) = ElfImage::read(&file[..]) {
                prop_assert!(image.segments.iter().all(|segment| segment.file_len <= 0x100));
                prop_assert!(image.align.is_power_of_two());
            }
        }
    }
}
