//! Pre-decoded instructions: [`Op`], the handler type [`Exec`], the cursor [`At`] and the block handle [`BlockRef`].
//!
//! A block is an array of ops: a header (instruction count and start address), the instructions in order, and always a
//! closing [`Op`] that goes to the next address. A handler does its work and ends in [`At::next`], a call in tail
//! position which the optimiser turns into a jump ("threaded code"); a branch enters the next block in the same way, where
//! it knows it and the [`checkpoint`](super::checkpoint) lets it pass, and otherwise returns what comes next. Nothing
//! depends on that optimisation but speed: the depth of calls is bounded by the length of a block and of a chain of blocks.
//!
//! Neighbours: [`builder`](super::builder) makes blocks, [`cache`](super::cache) keeps them, the dispatcher in
//! [`Interpreter::run`](super::Interpreter::run) enters them.

#![expect(unsafe_code, reason = "a cursor walks a block without bounds checks")]

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::{self, NonNull};

use super::cpu::Cpu;

/// Executes one op: goes on with [`At::next`], or leaves the block.
pub(crate) type Exec = for<'b> fn(&mut Cpu, At<'b>) -> Flow;

/// Where execution goes after a block: a block, or, for `None`, what [`Cpu`] says (its exit, or else its PC).
pub(crate) type Flow = Option<BlockRef>;

/// Operands of an op, filled by the row's lowering function. Register numbers are slots of [`Cpu::r`].
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Operands {
    /// An immediate, an address, the instruction word, or (see [`Operands::to`]) the target of a branch.
    pub imm: u64,
    /// Destination.
    pub rd: u8,
    /// First source.
    pub rn: u8,
    /// Second source.
    pub rm: u8,
    /// Third source.
    pub ra: u8,
    /// A small immediate.
    pub aux: u16,
}

/// Marks an immediate as the address of a branch target, which is a multiple of four; a linked branch has the block instead.
const UNLINKED: u64 = 1;

/// The position of a header.
const HEADER: u16 = u16::MAX;

impl Operands {
    /// A branch to a fixed address.
    pub(crate) fn to(target: u64) -> Self {
        Self { imm: target | UNLINKED, ..Self::default() }
    }
}

/// One pre-decoded instruction (or two, fused).
#[repr(C)]
pub(crate) struct Op {
    exec: Cell<Exec>,
    /// The immediate, an address without provenance, or the block that a linked branch goes to.
    imm: Cell<*const Op>,
    rd: u8,
    rn: u8,
    rm: u8,
    ra: u8,
    aux: u16,
    position: u16,
}

impl Op {
    pub(super) fn new(exec: Exec, operands: Operands, position: u16) -> Self {
        let Operands { imm, rd, rn, rm, ra, aux } = operands;
        let imm = Cell::new(ptr::without_provenance(imm as usize));
        Self { exec: Cell::new(exec), imm, rd, rn, rm, ra, aux, position }
    }

    /// What the op does.
    pub(super) fn exec(&self) -> Exec {
        self.exec.get()
    }

    /// Replaces what the op does; its operands stay.
    pub(super) fn set_exec(&self, exec: Exec) {
        self.exec.set(exec);
    }

    /// The operands, to be changed and given to a new op.
    pub(super) fn operands(&self) -> Operands {
        Operands { imm: self.imm(), rd: self.rd, rn: self.rn, rm: self.rm, ra: self.ra, aux: self.aux }
    }

    /// The immediate, an address, or the instruction word.
    #[inline(always)]
    pub(crate) fn imm(&self) -> u64 {
        self.imm.get().addr() as u64
    }

    /// The small immediate.
    #[inline(always)]
    pub(crate) fn aux(&self) -> u16 {
        self.aux
    }

    /// Slot of the destination.
    #[inline(always)]
    pub(crate) fn rd(&self) -> usize {
        usize::from(self.rd)
    }

    /// Slot of the first source.
    #[inline(always)]
    pub(crate) fn rn(&self) -> usize {
        usize::from(self.rn)
    }

    /// Slot of the second source.
    #[inline(always)]
    pub(crate) fn rm(&self) -> usize {
        usize::from(self.rm)
    }

    /// Slot of the third source.
    #[inline(always)]
    pub(crate) fn ra(&self) -> usize {
        usize::from(self.ra)
    }

    /// How many instructions of the block come before this one.
    #[inline(always)]
    pub(crate) fn position(&self) -> u16 {
        self.position
    }

    /// Where this branch to a fixed address goes: the block, once it is known.
    ///
    /// # Errors
    /// The address, as long as it is not.
    #[inline(always)]
    pub(super) fn target(&self) -> Result<BlockRef, u64> {
        match NonNull::new(self.imm.get().cast_mut()) {
            Some(block) if self.imm() & UNLINKED == 0 => Ok(BlockRef(block)),
            _unlinked => Err(self.imm() & !UNLINKED),
        }
    }
}

/// An op in its block.
#[derive(Clone, Copy)]
pub(crate) struct At<'b> {
    op: NonNull<Op>,
    block: PhantomData<&'b [Op]>,
}

impl At<'_> {
    /// Executes the following op. Never called for the closing op of a block, the only one without a follower.
    #[inline(always)]
    pub(crate) fn next(self, cpu: &mut Cpu) -> Flow {
        let next = self.following();
        let exec = next.exec.get();
        exec(cpu, next)
    }

    /// The following op. Never called for the closing op of a block.
    #[inline(always)]
    pub(super) fn following(self) -> Self {
        // SAFETY: (1) `op` is in the array of a live block, which is not freed while a handler runs; (2) only the
        // closing op has no follower, and its handler (`builder::close`) does not come here.
        At { op: unsafe { self.op.add(1) }, block: PhantomData }
    }

    /// Start address of the block.
    #[cold]
    pub(super) fn block_start(self) -> u64 {
        let mut op = self.op;
        // SAFETY: a header, the only op with that position, stands before every other op of the same live array.
        unsafe {
            while op.as_ref().position != HEADER {
                op = op.sub(1);
            }
            op.as_ref().imm()
        }
    }

    /// The address after this op, the last instruction of its block: the address in the closing op, which follows it.
    #[inline(always)]
    pub(super) fn return_address(self) -> u64 {
        match self.following().target() {
            // SAFETY: a linked op names a block of its cache, and no cache is flushed while a handler runs.
            Ok(block) => unsafe { block.start() },
            Err(address) => address,
        }
    }

    /// A handle by which the dispatcher links this branch to its target.
    pub(super) fn site(self) -> LinkSite {
        LinkSite(self.op)
    }
}

impl Deref for At<'_> {
    type Target = Op;

    #[inline(always)]
    fn deref(&self) -> &Op {
        // SAFETY: `op` is in the array of a live block (see `next`), and ops change only through `Cell`s.
        unsafe { self.op.as_ref() }
    }
}

/// A branch op that waits for its target block. Valid until the cache that holds the op is flushed.
#[derive(Clone, Copy)]
pub(super) struct LinkSite(NonNull<Op>);

impl LinkSite {
    /// Makes the branch go straight to `target` from now on.
    ///
    /// # Safety
    /// The cache that holds the op has not been flushed since [`At::site`], and holds `target`.
    pub(super) unsafe fn link(self, target: BlockRef) {
        // SAFETY: the caller says that the op is live.
        unsafe { self.0.as_ref() }.imm.set(target.0.as_ptr());
    }
}

/// A block of the cache, valid until the cache is flushed; the null pointer's place is taken by `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BlockRef(NonNull<Op>);

/// What a block's header op never does.
fn never_entered(_: &mut Cpu, _: At<'_>) -> Flow {
    None
}

impl BlockRef {
    /// The header op of a block of `count` instructions at `start` that may be reached by the branch types `accepts`.
    pub(super) fn header(start: u64, count: u16, accepts: u8) -> Op {
        Op::new(never_entered, Operands { imm: start, aux: count, rd: accepts, ..Operands::default() }, HEADER)
    }

    /// A handle for `ops`: a header, at least one instruction, a closing op.
    pub(super) fn of(ops: &[Op]) -> Self {
        debug_assert!(ops.len() >= 2, "a block has a header and a closing op");
        Self(NonNull::from(ops).cast())
    }

    /// The block's header.
    ///
    /// # Safety
    /// The cache that holds the block has not been flushed since the handle was made.
    #[inline(always)]
    unsafe fn head<'b>(self) -> &'b Op {
        // SAFETY: the caller says that the block is live.
        unsafe { self.0.as_ref() }
    }

    /// Address of the first instruction.
    ///
    /// # Safety
    /// The cache that holds the block has not been flushed since the handle was made.
    #[inline(always)]
    pub(super) unsafe fn start(self) -> u64 {
        // SAFETY: the caller says that the block is live.
        unsafe { self.head() }.imm()
    }

    /// Branch types (values of PSTATE.BTYPE, one bit each) by which the block may be reached.
    ///
    /// # Safety
    /// The cache that holds the block has not been flushed since the handle was made.
    #[inline]
    pub(super) unsafe fn accepts(self) -> u8 {
        // SAFETY: the caller says that the block is live.
        unsafe { self.head() }.rd
    }

    /// Number of instructions.
    ///
    /// # Safety
    /// The cache that holds the block has not been flushed since the handle was made.
    #[inline(always)]
    pub(super) unsafe fn count(self) -> u64 {
        // SAFETY: the caller says that the block is live.
        u64::from(unsafe { self.head() }.aux)
    }

    /// Runs the block.
    ///
    /// # Safety
    /// The cache that holds the block has not been flushed since the handle was made, and is not while it runs.
    #[inline(always)]
    pub(super) unsafe fn enter(self, cpu: &mut Cpu) -> Flow {
        // SAFETY: the caller says that the block is live; a header is always followed by an op.
        let (first, exec) = unsafe {
            let first = self.0.add(1);
            (first, first.as_ref().exec.get())
        };
        exec(cpu, At { op: first, block: PhantomData })
    }

    /// Makes the block do `exec` from its first op on.
    ///
    /// # Safety
    /// The cache that holds the block has not been flushed since the handle was made.
    pub(super) unsafe fn divert(self, exec: Exec) {
        // SAFETY: the caller says that the block is live; a header is always followed by an op.
        unsafe { self.0.add(1).as_ref() }.set_exec(exec);
    }
}
