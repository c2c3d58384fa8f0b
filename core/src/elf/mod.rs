//! Programs: from a path to a guest that can start.
//!
//! Three steps, so that execve(2) can fail while the old program still runs: [`Program::open`] finds the file and
//! resolves `#!` scripts, [`Plan::new`] reads and checks everything, and [`Plan::commit`] maps it, with stack and vDSO.
//! [`load_program`] does the last two at start-up. Neighbours: `mem` maps, `run` and `kernel` call.
//!
//! Sources: elf(5), `fs/binfmt_elf.c` of Linux, System V ABI chapter 5, ELF for the Arm 64-bit Architecture (AAELF64).

mod clock_page;
mod error;
mod image;
mod load;
mod program;
mod script;
mod stack;
mod vdso;
mod vdso_code;
mod vdso_frames;

pub use clock_page::refresh_clock_page;
pub use error::LoadError;
pub use image::{ElfImage, ImageKind, ReadAt, Segment};
pub use load::{LoadedImage, Plan, load_program};
pub use program::{Finder, HostFinder, Location, Program};
pub use script::{ScriptLine, parse_script};
pub use stack::{HwCaps, ProgramAreas};
