//! [`Interpreter`]: executes pre-decoded blocks of guest code.
//!
//! One file per encoding group of the Arm ARM (C4.1) holds the lowering functions that the instruction table names,
//! and the handlers that they choose from. [`op`] explains how handlers follow each other. The interpreter is the oracle
//! for any other engine: it shares with them the decoder and the register file, nothing else.

#![expect(unsafe_code, reason = "block handles are pointers into the cache")]

mod alu;
pub(crate) mod atomic;
pub(crate) mod branch;
mod builder;
mod cache;
mod checkpoint;
pub mod code;
mod cpu;
pub(crate) mod crypto_aes;
pub(crate) mod crypto_sha;
pub(crate) mod crypto_sha3;
pub(crate) mod crypto_sm;
pub(crate) mod cssc;
pub(crate) mod dp_imm;
pub(crate) mod dp_misc;
pub(crate) mod dp_reg;
pub(crate) mod exclusive;
pub(crate) mod fp;
pub(crate) mod fp_convert;
pub(crate) mod fp_ops;
mod lanes;
pub(crate) mod ldst;
pub(crate) mod ldst_pair;
mod ldst_simd;
pub(crate) mod ldst_struct;
pub(crate) mod mops;
mod op;
pub(crate) mod ordered;
mod pairs;
pub(crate) mod pauth;
mod qarma;
mod simd;
pub(crate) mod simd_across;
pub(crate) mod simd_copy;
pub(crate) mod simd_dot;
pub(crate) mod simd_fp;
pub(crate) mod simd_fp_convert;
pub(crate) mod simd_fp_product;
pub(crate) mod simd_imm;
pub(crate) mod simd_perm;
mod simd_saturate;
pub(crate) mod simd_shift_imm;
pub(crate) mod simd_three_diff;
pub(crate) mod simd_three_same;
pub(crate) mod simd_two_misc;
mod slots;
pub(crate) mod system;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

pub(crate) use builder::Builder;
pub use code::{CodePage, CodeSource, StaleCode};

use crate::mem::WindowRef;
use crate::soft::a64::CpuModel;
use crate::vcpu::{CpuState, Exception};
use cache::BlockCache;
use cpu::{Cpu, Monitor};
use op::{BlockRef, Flow};

/// Why [`Interpreter::run`] came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StopReason {
    /// The interrupt word is not zero.
    Interrupted,
    /// The guest took an exception.
    Exception(Exception),
}

/// What a run did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stop {
    /// Why it ended.
    pub reason: StopReason,
    /// Instructions executed to their end (`svc` counts, an instruction that faults does not).
    pub instructions_retired: u64,
}

/// The engine of one vCPU with its decoded code.
pub struct Interpreter {
    engine: Engine,
    code: Arc<dyn CodeSource>,
}

/// What changes while guest code runs.
struct Engine {
    cpu: Box<Cpu>,
    cache: BlockCache,
}

impl Interpreter {
    /// An engine for the guest memory of `window`, whose code pages `code` keeps. The CPU has every feature.
    #[must_use]
    pub fn new(window: WindowRef, code: Arc<dyn CodeSource>) -> Self {
        Self::with_cpu(window, code, CpuModel::default())
    }

    /// The same as the CPU `model`.
    #[must_use]
    pub fn with_cpu(window: WindowRef, code: Arc<dyn CodeSource>, model: CpuModel) -> Self {
        let cpu = Box::new(Cpu::new(window, Arc::clone(&code), model));
        Self { engine: Engine { cpu, cache: BlockCache::default() }, code }
    }

    /// Runs guest code from `state` until an exception, or until `interrupt` is found non-zero; that is looked at before
    /// every block, so that no loop goes unseen and an interrupt that is there already executes nothing.
    pub fn run(&mut self, state: &mut CpuState, interrupt: &AtomicU32) -> Stop {
        self.engine.cpu.load_state(state);
        self.engine.cpu.monitor = Monitor::default();
        self.engine.cpu.retired = 0;
        // SAFETY: both words live until this function returns, and between runs nothing asks the checkpoint.
        unsafe { self.engine.cpu.checkpoint.watch(interrupt, self.code.generation()) };
        let reason = self.engine.dispatch();
        self.engine.cpu.store_state(state);
        Stop { reason, instructions_retired: self.engine.cpu.retired }
    }
}

impl Engine {
    /// The loop between blocks.
    fn dispatch(&mut self) -> StopReason {
        let mut flow: Flow = None;
        loop {
            if self.cpu.checkpoint.is_interrupted() {
                if let Some(block) = flow {
                    // SAFETY: the cache is flushed only in `resolve` and `refresh`, after which `flow` is not kept.
                    self.cpu.pc = unsafe { block.start() };
                }
                self.cpu.link_site = None;
                return StopReason::Interrupted;
            }
            if self.cpu.checkpoint.is_stale() {
                self.refresh(flow);
                flow = None;
            }
            let block = match flow {
                Some(block) => block,
                None => match self.resolve() {
                    Ok(block) => block,
                    Err(exception) => return StopReason::Exception(exception),
                },
            };
            self.cpu.checkpoint.start_chain();
            // SAFETY: `block` comes from the cache, which has not been flushed since (see above).
            flow = unsafe { block.enter(&mut self.cpu) };
            if flow.is_none()
                && let Some(exception) = self.cpu.exception.take()
            {
                return StopReason::Exception(exception);
            }
        }
    }

    /// The block at the PC; the branch that led there is linked to it.
    #[cold]
    fn resolve(&mut self) -> Result<BlockRef, Exception> {
        let site = self.cpu.link_site.take();
        let flushed_before = self.cache.flush_count();
        let block = self.cache.resolve(&mut self.cpu).map_err(Exception::new)?;
        let branch_type = std::mem::take(&mut self.cpu.branch_type);
        self.cpu.remember_jump(self.cpu.pc, branch_type, block);
        if let Some(site) = site
            && self.cache.flush_count() == flushed_before
        {
            // SAFETY: the cache holds both, since it was not flushed meanwhile.
            unsafe { site.link(block) };
        }
        Ok(block)
    }

    /// Drops blocks that have become stale; execution goes on at the start of `flow` or at the PC.
    #[cold]
    fn refresh(&mut self, flow: Flow) {
        if let Some(block) = flow {
            // SAFETY: the cache still holds the block that `enter` just named.
            self.cpu.pc = unsafe { block.start() };
        }
        let (now, stale) = self.cpu.code.stale_since(self.cpu.checkpoint.seen_generation);
        self.cpu.checkpoint.seen_generation = now;
        self.cpu.link_site = None;
        self.cache.drop_stale(&mut self.cpu, &stale);
    }
}
