//! [`Cpu`]: the registers as handlers see them, the condition flags in their unpacked form, and how a handler leaves
//! the code (exceptions).
//!
//! Register slots: an op's register fields index [`Cpu::r`], which has a slot for every `u8`, so that no access needs a
//! check. Slots 0 to 30 are X0 to X30, 31 is SP, [`ZERO_SLOT`] is never written, [`SINK_SLOT`] never read; which of SP and
//! XZR register 31 means is decided when the instruction is decoded. Vector registers have slots of [`Cpu::v`].
//!
//! Flags are kept as the values that make them: N is the sign of one word, Z says that another is zero. An instruction
//! that sets flags stores its result twice and two bytes; a condition is evaluated only where it is used.

#![expect(unsafe_code, reason = "block handles are pointers into the cache")]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::checkpoint::Checkpoint;
use super::code::CodeSource;
use super::op::{At, BlockRef, Flow, LinkSite};
use crate::abi::GuestAddr;
use crate::mem::{Faulted, WindowRef};
use crate::soft::a64::CpuModel;
use crate::soft::a64::features::Feature;
use crate::soft::fp::Env;
use crate::vcpu::{AbortCause, Access, CpuState, Exception, ExceptionKind, PauthKeys, Pstate};

/// Slot of SP.
pub(crate) const SP_SLOT: u8 = 31;
/// Slot that reads as zero.
pub(crate) const ZERO_SLOT: u8 = 32;
/// Slot for results that are thrown away.
pub(crate) const SINK_SLOT: u8 = 33;

/// Slot of [`Cpu::v`] for a value between two ops of one instruction; the next ones hold copies within a handler.
pub(crate) const SCRATCH_VECTOR: u8 = 32;

/// Entries of the cache of indirect branch targets, a power of two.
const JUMP_ENTRIES: usize = 1024;
/// Values of PSTATE.BTYPE.
const BRANCH_TYPES: usize = 4;

/// NZCV as the values it is computed from.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Flags {
    /// N is its bit 63.
    pub n: u64,
    /// Z is "this is zero".
    pub z: u64,
    /// C.
    pub c: bool,
    /// V.
    pub v: bool,
}

impl Flags {
    /// The flags of a result (sign-extended to 64 bits) with these C and V.
    #[inline(always)]
    pub(crate) fn of(result: u64, c: bool, v: bool) -> Self {
        Self { n: result, z: result, c, v }
    }

    /// From four bits, N the highest.
    #[inline(always)]
    pub(crate) fn from_nzcv(nzcv: u64) -> Self {
        Self { n: nzcv << 60, z: !nzcv & 4, c: nzcv & 2 != 0, v: nzcv & 1 != 0 }
    }

    /// As four bits, N the highest.
    #[inline(always)]
    pub(crate) fn nzcv(self) -> u64 {
        (self.n >> 63) << 3 | u64::from(self.z == 0) << 2 | u64::from(self.c) << 1 | u64::from(self.v)
    }

    /// ConditionHolds (Arm ARM J1.1).
    #[inline(always)]
    pub(crate) fn holds(self, cond: u8) -> bool {
        let negative = (self.n as i64) < 0;
        let base = match cond >> 1 & 7 {
            0 => self.z == 0,
            1 => self.c,
            2 => negative,
            3 => self.v,
            4 => self.c && self.z != 0,
            5 => negative == self.v,
            6 => negative == self.v && self.z != 0,
            7.. => return true,
        };
        base != (cond & 1 != 0)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Jump {
    pc: u64,
    block: Flow,
}

/// The state of a vCPU while it runs. What every run writes lies on its first page: after a fork each page that is written
/// is copied, in parent and child.
#[repr(C, align(4096))]
pub(crate) struct Cpu {
    /// General registers by slot.
    pub(crate) r: [u64; 256],
    /// NZCV.
    pub(crate) flags: Flags,
    /// Guest memory.
    pub(crate) mem: WindowRef,
    /// Where to go on when a block ends without naming its follower.
    pub(crate) pc: u64,
    /// FPCR and FPSR.
    pub(crate) fp: Env,
    /// PSTATE without NZCV.
    pub(crate) pstate_rest: u64,
    /// TPIDR_EL0.
    pub(crate) tpidr_el0: u64,
    /// TPIDRRO_EL0.
    pub(crate) tpidrro_el0: u64,
    /// The keys of pointer authentication.
    pub(super) pauth: PauthKeys,
    /// Codes are made by QARMA5.
    pub(super) has_qarma: bool,
    /// PSTATE.BTYPE where the next block must be looked up; zero while code runs.
    pub(super) branch_type: usize,
    /// The address and value of the last load-exclusive.
    pub(crate) monitor: Monitor,
    /// What the guest's CPU can do.
    pub(super) model: CpuModel,
    /// The keeper of code pages.
    pub(crate) code: Arc<dyn CodeSource>,
    /// The exception that ended the run.
    pub(super) exception: Option<Exception>,
    /// Instructions that the run has executed to their end, up to the entry of the block in execution.
    pub(super) retired: u64,
    /// What to look at between two blocks.
    pub(super) checkpoint: Checkpoint,
    /// The branch that wants to be linked to the block at `pc`.
    pub(super) link_site: Option<LinkSite>,
    /// V0 to V31 by slot, and [`SCRATCH_VECTOR`]; as with `r`, every `u8` has a slot.
    pub(crate) v: [u128; 256],
    jumps: [[Jump; JUMP_ENTRIES]; BRANCH_TYPES],
}

const _: () = assert!(std::mem::offset_of!(Cpu, v) + (SCRATCH_VECTOR as usize + 1) * size_of::<u128>() <= 4096);

/// What a load-exclusive leaves for the store-exclusive: exclusivity by value (`docs/design.md` §5).
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Monitor {
    /// The address, or `None` in the open state.
    pub addr: Option<u64>,
    /// Size of the access in bytes.
    pub size: u8,
    /// What was loaded.
    pub value: u128,
}

impl Cpu {
    pub(super) fn new(mem: WindowRef, code: Arc<dyn CodeSource>, model: CpuModel) -> Self {
        Self {
            r: [0; 256],
            flags: Flags::default(),
            mem,
            pc: 0,
            v: [0; 256],
            fp: Env::default(),
            pstate_rest: 0,
            tpidr_el0: 0,
            tpidrro_el0: 0,
            pauth: PauthKeys::default(),
            has_qarma: model.features.contains(Feature::PacQarma5),
            branch_type: 0,
            monitor: Monitor::default(),
            model,
            checkpoint: Checkpoint::new(code.generation().load(Ordering::Acquire)),
            code,
            exception: None,
            retired: 0,
            link_site: None,
            jumps: [[Jump { pc: 0, block: None }; JUMP_ENTRIES]; BRANCH_TYPES],
        }
    }

    /// Takes over the architectural state.
    pub(super) fn load_state(&mut self, state: &CpuState) {
        self.r[..31].copy_from_slice(&state.x);
        self.r[usize::from(SP_SLOT)] = state.sp;
        self.pc = state.pc;
        self.flags = Flags::from_nzcv(state.pstate.0 >> 28 & 0xf);
        self.pstate_rest = state.pstate.0 & !(Pstate::NZCV | Pstate::BTYPE);
        self.branch_type = (state.pstate.0 >> Pstate::BTYPE_SHIFT & 3) as usize;
        self.v[..32].copy_from_slice(&state.v);
        self.fp = Env::new(state.fpcr, state.fpsr);
        self.tpidr_el0 = state.tpidr_el0;
        self.tpidrro_el0 = state.tpidrro_el0;
        self.pauth = state.pauth;
    }

    /// Hands the architectural state back.
    pub(super) fn store_state(&self, state: &mut CpuState) {
        state.x.copy_from_slice(&self.r[..31]);
        state.sp = self.r[usize::from(SP_SLOT)];
        state.pc = self.pc;
        state.pstate =
            Pstate(self.pstate_rest | self.flags.nzcv() << 28 | (self.branch_type as u64) << Pstate::BTYPE_SHIFT);
        state.v.copy_from_slice(&self.v[..32]);
        state.fpcr = self.fp.fpcr;
        state.fpsr = self.fp.fpsr;
        state.tpidr_el0 = self.tpidr_el0;
        state.tpidrro_el0 = self.tpidrro_el0;
    }

    /// V`n`.
    #[inline(always)]
    pub(crate) fn vector(&self, n: usize) -> u128 {
        self.v[n & 31]
    }

    /// Writes V`n`.
    #[inline(always)]
    pub(crate) fn set_vector(&mut self, n: usize, value: u128) {
        self.v[n & 31] = value;
    }

    /// A scalar in a SIMD&FP register: the low bits of V`n`.
    #[inline(always)]
    pub(crate) fn scalar(&self, n: usize) -> u64 {
        self.v[n] as u64
    }

    /// Writes a scalar to V`n`; the rest of the register becomes zero.
    #[inline(always)]
    pub(crate) fn set_scalar(&mut self, n: usize, value: u64) {
        self.v[n] = u128::from(value);
    }

    /// Address of the instruction of an op.
    pub(crate) fn pc_of(&self, at: At<'_>) -> u64 {
        at.block_start().wrapping_add(u64::from(at.position()) * 4)
    }

    /// Counts what the block has executed when it is left before the instruction of `at`.
    #[inline(always)]
    fn retire_before(&mut self, at: At<'_>) {
        self.retired = self.retired.wrapping_add(u64::from(at.position()));
    }

    /// Counts what the block has executed when it is left by the instruction of `at`.
    #[inline(always)]
    fn retire(&mut self, at: At<'_>) {
        self.retired = self.retired.wrapping_add(u64::from(at.position()) + 1);
    }

    /// Ends the run with an exception at the instruction of `at`.
    #[cold]
    pub(crate) fn raise(&mut self, at: At<'_>, kind: ExceptionKind) -> Flow {
        self.pc = self.pc_of(at);
        self.retire_before(at);
        self.exception = Some(Exception::new(kind));
        None
    }

    /// Ends the run with an exception after the instruction of `at` (`svc`).
    pub(crate) fn raise_after(&mut self, at: At<'_>, kind: ExceptionKind) -> Flow {
        self.pc = self.pc_of(at).wrapping_add(4);
        self.retire(at);
        self.exception = Some(Exception::new(kind));
        None
    }

    /// Leaves the block and enters a new one at the instruction of `at`, which has done a part of its work.
    #[cold]
    pub(crate) fn restart(&mut self, at: At<'_>) -> Flow {
        self.pc = self.pc_of(at);
        self.retire_before(at);
        None
    }

    /// Ends the run with the data abort that an accessor just reported for the access at `addr`.
    #[cold]
    pub(crate) fn data_abort(&mut self, at: At<'_>, addr: u64, access: Access, faulted: Faulted) -> Flow {
        let (far, mut cause) = self.mem.abort(GuestAddr(addr), faulted);
        if faulted == Faulted::Host && cause == AbortCause::Translation {
            cause = self.code.abort_cause(far.untagged());
        }
        self.raise(at, ExceptionKind::DataAbort { far, access, cause })
    }

    /// Ends the run with an alignment fault.
    #[cold]
    pub(crate) fn misaligned(&mut self, at: At<'_>, addr: u64, access: Access) -> Flow {
        self.raise(at, ExceptionKind::DataAbort { far: GuestAddr(addr), access, cause: AbortCause::Alignment })
    }

    /// Goes to the fixed address of the op, a branch.
    #[inline(always)]
    pub(crate) fn branch(&mut self, at: At<'_>) -> Flow {
        self.retire(at);
        self.follow(at)
    }

    /// Goes to the fixed address of the op, which closes its block and is no instruction.
    #[inline(always)]
    pub(super) fn close(&mut self, at: At<'_>) -> Flow {
        self.retire_before(at);
        self.follow(at)
    }

    #[inline(always)]
    fn follow(&mut self, at: At<'_>) -> Flow {
        match at.target() {
            Ok(block) => self.enter(block),
            Err(target) => self.follow_unlinked(at, target),
        }
    }

    #[cold]
    fn follow_unlinked(&mut self, at: At<'_>, target: u64) -> Flow {
        self.pc = target;
        self.link_site = Some(at.site());
        None
    }

    /// Goes on with a block that a live block or the cache of targets names, at once or by the dispatcher.
    #[inline(always)]
    fn enter(&mut self, block: BlockRef) -> Flow {
        if self.checkpoint.pass() {
            // SAFETY: the cache is flushed only between blocks, and forgets links and targets with it.
            unsafe { block.enter(self) }
        } else {
            Some(block)
        }
    }

    /// Goes to an address that was computed, with the branch type `TYPE` (PSTATE.BTYPE). Blocks that have been
    /// reached by that type before accept it; others are asked when they are looked up.
    #[inline(always)]
    pub(crate) fn branch_indirect<const TYPE: usize>(&mut self, at: At<'_>, target: u64) -> Flow {
        self.retire(at);
        let jump = self.jumps[TYPE % BRANCH_TYPES][Self::jump_index(target)];
        match jump.block {
            Some(block) if jump.pc == target => self.enter(block),
            _elsewhere => self.look_up::<TYPE>(target),
        }
    }

    #[cold]
    fn look_up<const TYPE: usize>(&mut self, target: u64) -> Flow {
        self.pc = target;
        self.branch_type = TYPE;
        None
    }

    #[inline(always)]
    fn jump_index(pc: u64) -> usize {
        (pc >> 2) as usize % JUMP_ENTRIES
    }

    /// Remembers a block for indirect branches of this type.
    pub(super) fn remember_jump(&mut self, pc: u64, branch_type: usize, block: BlockRef) {
        let remembered = &mut self.jumps[branch_type % BRANCH_TYPES][Self::jump_index(pc)];
        let jump = Jump { pc, block: Some(block) };
        // After a fork a page that is written is a page that is copied.
        if *remembered != jump {
            *remembered = jump;
        }
    }

    /// Forgets the block at `pc`: who branches there next looks it up, with the type of the branch.
    pub(super) fn forget_jump(&mut self, pc: u64) {
        for jump in self.jumps.iter_mut().map(|jumps| &mut jumps[Self::jump_index(pc)]).filter(|jump| jump.pc == pc) {
            *jump = Jump { pc: 0, block: None };
        }
    }

    /// Forgets every handle of a block.
    pub(super) fn forget_blocks(&mut self) {
        self.link_site = None;
        for jumps in self.jumps.iter_mut() {
            jumps.fill(Jump { pc: 0, block: None });
        }
    }
}
