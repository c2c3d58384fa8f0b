//! The image that a fork sends: a [`Header`] with magic and version, and the [`Image`] of the process.
//!
//! Everything lies in one memory file: first the pages, then the image as JSON; the header says where. The files that
//! mappings and descriptors refer to follow as descriptors, in the order of their indices. Both sides are the same
//! executable in the ordinary case; the version guards against an executable that was replaced in between.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::abi::{GuestAddr, SigSet, Signal};
use crate::elf::ProgramAreas;
use crate::fs::RootConfig;
use crate::host::errno::io_text;
use crate::kernel::limits::Limit;
use crate::kernel::process::{ForkWay, ImageInfo, Options};
use crate::kernel::rseq::Rseq;
use crate::kernel::signal::{AltStack, Handler, SaFlags, SigAction, SignalActions};
use crate::mem::{Layout, SharedSegment};
use crate::trace;
use crate::vcpu::{CpuState, PauthKeys, Pstate};

/// First bytes of a header.
const MAGIC: [u8; 8] = *b"elfuseFK";

/// Changes with every change of the header or of [`Image`].
pub const VERSION: u32 = 4;

/// Length of a header on the wire, in bytes.
pub const HEADER_LEN: usize = 32;

/// What the child answers when it is about to run guest code.
pub const READY: u8 = b'R';

/// Why an image cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The stream does not begin as an image does.
    #[error("not the image of a forked guest; `--fork-child` is for elfuse itself")]
    Magic,
    /// The image is of another version of elfuse.
    #[error("an image of version {0}, this elfuse takes version {VERSION}; do not replace elfuse while guests run")]
    Version(u32),
    /// The image contradicts itself.
    #[error("a damaged image: {0}; run the guest again")]
    Damaged(&'static str),
    /// The image's text cannot be read.
    #[error("a damaged image: {0}; run the guest again")]
    Text(#[from] serde_json::Error),
    /// The host refused, or the parent is gone.
    #[error("cannot {0}: {text}; `--fork-child` is for elfuse itself", text = io_text(.1))]
    Host(&'static str, std::io::Error),
    /// Guest memory cannot be made as it was.
    #[error("cannot map guest memory: {0}; see that enough memory is free")]
    Memory(crate::abi::Errno),
}

/// What comes first, with the memory file as its one descriptor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// How many more descriptors follow.
    pub files: u32,
    /// Where in the memory file the image's text begins, in bytes.
    pub text_offset: u64,
    /// Its length in bytes.
    pub text_len: u64,
}

impl Header {
    /// The header as it is sent.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.files.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.text_offset.to_le_bytes());
        bytes[24..].copy_from_slice(&self.text_len.to_le_bytes());
        bytes
    }

    /// Reads a header.
    ///
    /// # Errors
    /// [`ImageError::Magic`], [`ImageError::Version`].
    pub fn from_bytes(bytes: &[u8; HEADER_LEN]) -> Result<Self, ImageError> {
        let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let long = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        if bytes[..8] != MAGIC {
            return Err(ImageError::Magic);
        }
        if word(8) != VERSION {
            return Err(ImageError::Version(word(8)));
        }
        Ok(Self { files: word(12), text_offset: long(16), text_len: long(24) })
    }
}

/// A guest process with its one thread.
#[derive(Serialize, Deserialize, Debug)]
pub struct Image {
    /// The thread's registers, with the child's return value.
    pub registers: Registers,
    /// Handler (0 default, 1 ignore), flags, restorer and mask of each signal from 1 on.
    pub actions: Vec<[u64; 4]>,
    /// The thread's signal mask.
    pub blocked: u64,
    /// Base, length in bytes and `SS_AUTODISARM` of the alternate signal stack.
    pub alt_stack: Option<(u64, u64, bool)>,
    /// Address, length in bytes and signature of rseq(2).
    pub rseq: Option<(u64, u32, u32)>,
    /// Where the child's id is stored at its start (`CLONE_CHILD_SETTID`).
    pub set_child_tid: Option<u64>,
    /// What is zeroed at its end (`CLONE_CHILD_CLEARTID`), 0 for none.
    pub clear_child_tid: u64,
    /// The parent waits for the end of the stream (`CLONE_VFORK`).
    pub is_vfork: bool,
    /// And wants to see what the child writes (`CLONE_VM`).
    pub shares_memory: bool,
    /// Path and arguments of the program, and its signal return.
    pub program: (Vec<u8>, Vec<Vec<u8>>, u64),
    /// Where the program's parts lie.
    pub areas: ProgramAreas,
    /// Index of the program's open file.
    pub program_file: Option<u32>,
    /// What the guest's tree of files is made of.
    pub root: RootConfig,
    /// The release of uname(2), where it is not the built-in one.
    pub release: Option<String>,
    /// The watchdog's limit in nanoseconds.
    pub timeout_ns: Option<u64>,
    /// `--trace`.
    pub trace: Option<trace::Config>,
    /// `--fork spawn`.
    pub is_forking_by_spawn: bool,
    /// `--crash-json`.
    pub crash_json: Option<Vec<u8>>,
    /// The guest's CPU.
    pub cpu: Option<String>,
    /// `--stats`.
    pub stats: Option<Vec<u8>>,
    /// `task_size`, `stack_top`, `mmap_base`, `pie_base`, `brk_gap_bytes` of the [`Layout`].
    pub layout: [u64; 5],
    /// Start of the heap and the break.
    pub brk: (u64, u64),
    /// Files that mappings show.
    pub mapped_files: Vec<MappedFileRecord>,
    /// The mappings in order of address.
    pub mappings: Vec<Mapping>,
    /// The descriptor table.
    pub descriptors: Vec<Descriptor>,
    /// One more than the highest number that the table gives out.
    pub descriptor_limit: u64,
    /// Resource limits that the host does not keep: number, soft, hard.
    pub limits: Vec<(u32, u64, u64)>,
    /// `PR_SET_DUMPABLE`.
    pub is_dumpable: bool,
}

/// All registers that EL0 can see.
#[derive(Serialize, Deserialize, Debug)]
pub struct Registers {
    /// X0 to X30, SP, PC, PSTATE, FPCR, FPSR, TPIDR_EL0, TPIDRRO_EL0.
    general: Vec<u64>,
    /// V0 to V31, low half first.
    vector: Vec<[u64; 2]>,
    /// The keys of pointer authentication, low half first, and which are enabled.
    keys: Vec<[u64; 2]>,
    enabled_keys: u8,
}

/// A file behind mappings.
#[derive(Serialize, Deserialize, Debug)]
pub struct MappedFileRecord {
    /// Index of its descriptor.
    pub file: u32,
    /// The name in /proc/self/maps.
    pub name: Vec<u8>,
}

/// A mapping.
#[derive(Serialize, Deserialize, Debug)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// First address after it.
    pub end: u64,
    /// `PROT_*`.
    pub prot: u8,
    /// `VmaFlags`.
    pub flags: u32,
    /// Index into [`Image::mapped_files`], and the offset of the first byte in it.
    pub file: Option<(u32, u64)>,
    /// A System V segment and the offset of the first byte in it.
    pub segment: Option<(SharedSegment, u64)>,
    /// Pages that are not what the backing shows.
    pub runs: Vec<Run>,
}

/// Consecutive pages in the memory file.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct Run {
    /// Guest address of the first.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
    /// Offset in the memory file.
    pub offset: u64,
}

/// A guest descriptor.
#[derive(Serialize, Deserialize, Debug)]
pub struct Descriptor {
    /// The guest's number.
    pub fd: i32,
    /// `FD_CLOEXEC`.
    pub is_close_on_exec: bool,
    /// Index of the host descriptor.
    pub file: u32,
    /// The signals of a signal descriptor.
    pub signals: Option<u64>,
}

impl Registers {
    /// Takes the registers of a state.
    #[must_use]
    pub fn of(state: &CpuState) -> Self {
        let special = [
            state.sp,
            state.pc,
            state.pstate.0,
            u64::from(state.fpcr),
            u64::from(state.fpsr),
            state.tpidr_el0,
            state.tpidrro_el0,
        ];
        let general = state.x.iter().copied().chain(special).collect();
        let halves = |value: &u128| [*value as u64, (*value >> 64) as u64];
        Self {
            general,
            vector: state.v.iter().map(halves).collect(),
            keys: state.pauth.keys.iter().map(halves).collect(),
            enabled_keys: state.pauth.enabled,
        }
    }

    /// The state.
    ///
    /// # Errors
    /// [`ImageError::Damaged`] where registers are missing.
    pub fn to_state(&self) -> Result<CpuState, ImageError> {
        let damaged = ImageError::Damaged("registers are missing");
        let Ok(general) = <&[u64; 38]>::try_from(self.general.as_slice()) else { return Err(damaged) };
        let Ok(vector) = <&[[u64; 2]; 32]>::try_from(self.vector.as_slice()) else { return Err(damaged) };
        let Ok(keys) = <&[[u64; 2]; PauthKeys::COUNT]>::try_from(self.keys.as_slice()) else { return Err(damaged) };
        let whole = |[low, high]: [u64; 2]| u128::from(low) | u128::from(high) << 64;
        let [sp, pc, pstate, fpcr, fpsr, tpidr_el0, tpidrro_el0]: [u64; 7] = std::array::from_fn(|i| general[31 + i]);
        Ok(CpuState {
            x: std::array::from_fn(|i| general[i]),
            sp,
            pc,
            pstate: Pstate(pstate),
            v: vector.map(whole),
            fpcr: fpcr as u32,
            fpsr: fpsr as u32,
            tpidr_el0,
            tpidrro_el0,
            pauth: PauthKeys { keys: keys.map(whole), enabled: self.enabled_keys },
        })
    }
}

impl Image {
    /// The dispositions as [`Image::actions`] has them.
    #[must_use]
    pub fn wire_actions(actions: &SignalActions) -> Vec<[u64; 4]> {
        let to_wire = |action: SigAction| {
            let handler = match action.handler {
                Handler::Default => 0,
                Handler::Ignore => 1,
                Handler::Function(function) => function.0,
            };
            [handler, action.flags.bits(), action.restorer.0, action.mask.0]
        };
        Signal::all().map(|signal| to_wire(actions.get(signal))).collect()
    }

    /// The dispositions.
    #[must_use]
    pub fn signal_actions(&self) -> SignalActions {
        let mut actions = SignalActions::default();
        for (signal, [handler, flags, restorer, mask]) in Signal::all().zip(&self.actions) {
            let handler = match *handler {
                0 => Handler::Default,
                1 => Handler::Ignore,
                function => Handler::Function(GuestAddr(function)),
            };
            let flags = SaFlags::from_bits_retain(*flags);
            actions.set(signal, SigAction { handler, flags, restorer: GuestAddr(*restorer), mask: SigSet(*mask) });
        }
        actions
    }

    /// rseq(2) of the thread.
    #[must_use]
    pub fn registered_rseq(&self) -> Option<Rseq> {
        self.rseq.map(|(area, len_bytes, signature)| Rseq::new(GuestAddr(area), len_bytes, signature))
    }

    /// The alternate signal stack.
    #[must_use]
    pub fn signal_stack(&self) -> Option<AltStack> {
        self.alt_stack.map(|(base, len_bytes, autodisarm)| AltStack { base: GuestAddr(base), len_bytes, autodisarm })
    }

    /// The options of the run.
    #[must_use]
    pub fn options(&self) -> Options {
        Options {
            timeout_ns: self.timeout_ns,
            trace: self.trace.clone().map(Arc::new),
            crash_json: self.crash_json.as_deref().map(path_of),
            cpu: self.cpu.clone(),
            stats: self.stats.as_deref().map(path_of),
            root: self.root.clone(),
            release: self.release.clone(),
            fork_way: if self.is_forking_by_spawn { ForkWay::Spawn } else { ForkWay::Host },
        }
    }

    /// The program that runs, without its file.
    #[must_use]
    pub fn image_info(&self) -> ImageInfo {
        let (path, args, sigtramp) = &self.program;
        let areas = self.areas.clone();
        ImageInfo {
            path: path_of(path),
            areas,
            file: None,
            published: None,
            args: args.clone(),
            sigtramp: GuestAddr(*sigtramp),
        }
    }

    /// Resource limits that the host does not keep.
    #[must_use]
    pub fn resource_limits(&self) -> Vec<(u32, Limit)> {
        self.limits.iter().map(|(resource, soft, hard)| (*resource, Limit { soft: *soft, hard: *hard })).collect()
    }

    /// The fixed points of the address space.
    #[must_use]
    pub fn address_layout(&self) -> Layout {
        let [task_size, stack_top, mmap_base, pie_base, brk_gap_bytes] = self.layout;
        let [stack_top, mmap_base, pie_base] = [stack_top, mmap_base, pie_base].map(GuestAddr);
        Layout { task_size, stack_top, mmap_base, pie_base, brk_gap_bytes }
    }
}

fn path_of(bytes: &[u8]) -> std::path::PathBuf {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_survive_the_wire() {
        let mut state =
            CpuState { sp: 1, pc: 2, fpcr: 3, fpsr: 4, tpidr_el0: 5, tpidrro_el0: 6, ..CpuState::default() };
        state.pstate = Pstate(Pstate::N);
        state.x = std::array::from_fn(|i| u64::MAX - i as u64);
        state.v = std::array::from_fn(|i| u128::MAX - i as u128);
        let text = serde_json::to_vec(&Registers::of(&state)).unwrap();
        let back: Registers = serde_json::from_slice(&text).unwrap();
        assert_eq!(back.to_state().unwrap(), state);
        assert!(Registers { general: vec![0; 37], ..Registers::of(&state) }.to_state().is_err());
    }

    #[test]
    fn magic_and_version_are_checked_first() {
        let header = Header { files: 3, text_offset: 4096, text_len: 77 };
        let bytes = header.to_bytes();
        assert_eq!(Header::from_bytes(&bytes).unwrap(), header);
        let mut other = bytes;
        other[8] += 1;
        let error = Header::from_bytes(&other).unwrap_err().to_string();
        assert!(error.contains("version 5") && !error.contains('\n'), "{error}");
        other[0] = 0;
        assert!(matches!(Header::from_bytes(&other), Err(ImageError::Magic)));
    }

    #[test]
    fn actions_survive_the_wire() {
        let mut actions = SignalActions::default();
        let handler = Handler::Function(GuestAddr(0x1234));
        let mask = SigSet::of(&[Signal::SIGINT]);
        actions.set(Signal::SIGRTMAX, SigAction { handler, flags: SaFlags::SIGINFO, restorer: GuestAddr(8), mask });
        actions.set(Signal::SIGPIPE, SigAction { handler: Handler::Ignore, ..SigAction::default() });
        let wire = Image::wire_actions(&actions);
        assert_eq!(wire.len(), 64);
        assert_eq!((wire[63], wire[12][0]), ([0x1234, 4, 8, 2], 1));
    }
}
