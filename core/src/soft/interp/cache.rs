//! [`BlockCache`]: the decoded blocks of one vCPU, by address and by page.
//!
//! A block never crosses a page. A stale block is not freed, since branches of others may be linked to it: it is
//! diverted, and whoever enters it looks its address up again. Memory comes back when the cache is full and everything goes.

#![expect(unsafe_code, reason = "block handles are pointers into the cache")]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::builder::Builder;
use super::code::StaleCode;
use super::cpu::Cpu;
use super::op::{At, BlockRef, Flow, Op};
use crate::abi::{GuestAddr, GuestRange, PAGE_SIZE};
use crate::vcpu::{AbortCause, ExceptionKind};

/// Ops (24 bytes each) that are kept before everything is dropped.
const MAX_OPS: usize = 1 << 20;

/// Multiplicative hash of an address (Knuth, TAOCP 6.4).
#[derive(Default)]
pub(super) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }
}

type ByAddress<T> = HashMap<u64, T, BuildHasherDefault<AddressHasher>>;

/// The blocks of one vCPU.
#[derive(Default)]
pub(super) struct BlockCache {
    /// Live blocks by start address.
    by_start: ByAddress<BlockRef>,
    /// Start addresses of live blocks, by page.
    by_page: ByAddress<Vec<u64>>,
    /// Every block since the last flush, stale ones included: the owner of the memory.
    blocks: Vec<Box<[Op]>>,
    op_count: usize,
    flush_count: u64,
}

/// What a stale block does: it looks its own address up again.
fn reenter(cpu: &mut Cpu, at: At<'_>) -> Flow {
    cpu.pc = at.block_start();
    None
}

impl BlockCache {
    /// The block at `cpu.pc`, decoded now if need be.
    ///
    /// # Errors
    /// The exception that fetching the first instruction gives.
    pub(super) fn resolve(&mut self, cpu: &mut Cpu) -> Result<BlockRef, ExceptionKind> {
        let pc = GuestAddr(cpu.pc).untagged();
        cpu.pc = pc.0;
        if let Some(&block) = self.by_start.get(&pc.0) {
            return accepted(cpu, block);
        }
        if !pc.0.is_multiple_of(4) {
            return Err(ExceptionKind::PcAlignment { far: pc });
        }
        if self.op_count > MAX_OPS {
            self.flush(cpu);
        }
        let ops = decode_block(cpu, pc).map_err(|cause| ExceptionKind::InstructionAbort { far: pc, cause })?;
        let block = BlockRef::of(&ops);
        self.op_count += ops.len();
        self.blocks.push(ops);
        self.by_start.insert(pc.0, block);
        self.by_page.entry(pc.page_floor().0).or_default().push(pc.0);
        accepted(cpu, block)
    }

    /// Drops what has become stale.
    pub(super) fn drop_stale(&mut self, cpu: &mut Cpu, stale: &StaleCode) {
        match stale {
            StaleCode::Everything => self.flush(cpu),
            StaleCode::Ranges(ranges) => {
                for &range in ranges {
                    self.drop_range(cpu, range);
                }
            }
        }
    }

    fn drop_range(&mut self, cpu: &mut Cpu, range: GuestRange) {
        let first = range.start.page_floor().0;
        let page_count = (range.end.0 - first).div_ceil(PAGE_SIZE);
        if page_count > self.by_page.len() as u64 {
            let pages: Vec<u64> =
                self.by_page.keys().copied().filter(|&page| first <= page && page < range.end.0).collect();
            pages.into_iter().for_each(|page| self.drop_page(cpu, page, range));
        } else {
            (0..page_count).for_each(|index| self.drop_page(cpu, first + index * PAGE_SIZE, range));
        }
    }

    /// Drops the blocks of a page that hold instructions of `range`.
    fn drop_page(&mut self, cpu: &mut Cpu, page: u64, range: GuestRange) {
        let Some(mut starts) = self.by_page.remove(&page) else { return };
        starts.retain(|start| {
            let Some(&block) = self.by_start.get(start) else { return false };
            // SAFETY: handles in `by_start` are of blocks that this cache still holds.
            let end = start + 4 * unsafe { block.count() };
            let is_kept = end <= range.start.0 || *start >= range.end.0;
            if !is_kept {
                // SAFETY: as above.
                unsafe { block.divert(reenter) };
                self.by_start.remove(start);
                cpu.forget_jump(*start);
            }
            is_kept
        });
        if !starts.is_empty() {
            self.by_page.insert(page, starts);
        }
    }

    /// How often everything has been freed: handles of blocks are good for as long as this stays.
    pub(super) fn flush_count(&self) -> u64 {
        self.flush_count
    }

    /// Frees everything. Only between blocks.
    pub(super) fn flush(&mut self, cpu: &mut Cpu) {
        cpu.forget_blocks();
        self.by_start.clear();
        self.by_page.clear();
        self.blocks.clear();
        self.op_count = 0;
        self.flush_count += 1;
    }
}

/// The block, if it may be reached by the branch that leads there.
fn accepted(cpu: &Cpu, block: BlockRef) -> Result<BlockRef, ExceptionKind> {
    // SAFETY: the caller has just taken the block from its cache.
    let accepts = unsafe { block.accepts() };
    let branch_type = cpu.branch_type as u8 & 3;
    if accepts >> branch_type & 1 == 1 { Ok(block) } else { Err(ExceptionKind::BranchTarget { branch_type }) }
}

/// Decodes from `pc` to the end of the block.
fn decode_block(cpu: &Cpu, pc: GuestAddr) -> Result<Box<[Op]>, AbortCause> {
    let page = cpu.code.mark_decoded(pc)?;
    let fetch = |addr: GuestAddr| {
        cpu.mem.load::<u32>(addr).map_err(|faulted| {
            let (_, cause) = cpu.mem.abort(addr, faulted);
            cause
        })
    };
    let mut builder = Builder::new(pc.0, cpu.model, page.is_guarded);
    builder.push(fetch(pc)?);
    let page_end = pc.page_floor().0 + PAGE_SIZE;
    while !builder.is_full() && builder.pc() < page_end {
        // A fetch that fails here is reported when execution gets there.
        let Ok(word) = fetch(GuestAddr(builder.pc())) else { break };
        builder.push(word);
    }
    Ok(builder.finish())
}
