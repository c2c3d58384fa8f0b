//! [`Checkpoint`]: what is looked at between two blocks, and how many blocks may follow each other before the dispatcher
//! is asked again.
//!
//! Neighbours: [`Interpreter::run`](super::Interpreter::run) opens it, [`Cpu::enter`](super::cpu::Cpu::enter) passes it
//! at the end of each block.

#![expect(unsafe_code, reason = "the words that a run watches are held by address")]

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Blocks that may enter each other before the dispatcher does. Where the optimiser does not make a jump of a call in
/// tail position, it bounds the depth of the stack.
const CHAIN_BLOCKS: u32 = 16;

/// What makes a vCPU leave its code between two blocks.
pub(super) struct Checkpoint {
    interrupt: NonNull<AtomicU32>,
    generation: NonNull<AtomicU64>,
    /// The generation of the code that the decoded blocks are of.
    pub(super) seen_generation: u64,
    blocks_left: u32,
}

impl Checkpoint {
    /// One that watches words which never change.
    pub(super) fn new(seen_generation: u64) -> Self {
        static NO_INTERRUPT: AtomicU32 = AtomicU32::new(0);
        static NO_CHANGE: AtomicU64 = AtomicU64::new(0);
        let (interrupt, generation) = (NonNull::from(&NO_INTERRUPT), NonNull::from(&NO_CHANGE));
        Self { interrupt, generation, seen_generation, blocks_left: 0 }
    }

    /// Watches these words.
    ///
    /// # Safety
    /// Both live until `watch` is called again, or as long as nothing else of the checkpoint is used.
    pub(super) unsafe fn watch(&mut self, interrupt: &AtomicU32, generation: &AtomicU64) {
        self.interrupt = NonNull::from(interrupt);
        self.generation = NonNull::from(generation);
    }

    /// The interrupt word is not zero.
    #[inline(always)]
    pub(super) fn is_interrupted(&self) -> bool {
        // SAFETY: the word lives: a static, or what `watch` was promised.
        unsafe { self.interrupt.as_ref() }.load(Ordering::Relaxed) != 0
    }

    /// Decoded code may have become stale.
    #[inline(always)]
    pub(super) fn is_stale(&self) -> bool {
        // SAFETY: the word lives: a static, or what `watch` was promised.
        unsafe { self.generation.as_ref() }.load(Ordering::Acquire) != self.seen_generation
    }

    /// The dispatcher enters a block.
    #[inline(always)]
    pub(super) fn start_chain(&mut self) {
        self.blocks_left = CHAIN_BLOCKS;
    }

    /// A block may enter the next one by itself.
    #[inline(always)]
    pub(super) fn pass(&mut self) -> bool {
        self.blocks_left = self.blocks_left.wrapping_sub(1);
        self.blocks_left != 0 && !self.is_interrupted() && !self.is_stale()
    }
}
