//! Tests of the interpreter: a small guest, and one file per group.

#![expect(unsafe_code, reason = "a window is made from a plain buffer")]

mod blocks;
mod branch;
mod code;
mod faults;
mod features;
mod memory;
mod mops;
mod pauth;
mod properties;
mod sync;
mod system;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::{CodePage, CodeSource, Interpreter, StaleCode, Stop, StopReason};
use crate::abi::{GuestAddr, GuestRange};
use crate::mem::WindowRef;
use crate::soft::a64::{CpuModel, table};
use crate::vcpu::{AbortCause, CpuState, ExceptionKind};

/// Guest memory in bytes, and the room on both sides of it.
const MEMORY_BYTES: usize = 4 << 20;
const GUARD_BYTES: usize = 1 << 16;
/// Where tests put code, and data.
const CODE: u64 = 0x10_0000;
const DATA: u64 = 0x20_0000;
const SVC: u32 = 0xd400_0001;

/// Code pages of a test: everything can be executed except one page, and changes are those that were noted.
#[derive(Default)]
struct TestCode {
    generation: AtomicU64,
    changes: Mutex<Vec<GuestRange>>,
    forbidden_page: AtomicU64,
    guarded_page: AtomicU64,
}

impl CodeSource for TestCode {
    fn mark_decoded(&self, pc: GuestAddr) -> Result<CodePage, AbortCause> {
        match pc.0 {
            pc if pc >= MEMORY_BYTES as u64 => Err(AbortCause::Translation),
            pc if pc & !0xfff == self.forbidden_page.load(Ordering::Relaxed) => Err(AbortCause::Permission),
            pc => Ok(CodePage { is_guarded: pc & !0xfff == self.guarded_page.load(Ordering::Relaxed) }),
        }
    }

    fn generation(&self) -> &AtomicU64 {
        &self.generation
    }

    fn stale_since(&self, seen: u64) -> (u64, StaleCode) {
        let changes = self.changes.lock().unwrap();
        (changes.len() as u64, StaleCode::Ranges(changes[seen as usize..].to_vec()))
    }

    fn invalidate(&self, range: GuestRange) {
        let mut changes = self.changes.lock().unwrap();
        changes.push(range);
        self.generation.store(changes.len() as u64, Ordering::Release);
    }

    fn abort_cause(&self, _: GuestAddr) -> AbortCause {
        AbortCause::Translation
    }
}

/// The word of the row `symbol` with these fields.
fn encode(symbol: &str, fields: &[(char, u32)]) -> u32 {
    let row = table::rows().find(|row| row.symbol == symbol).unwrap_or_else(|| panic!("no row {symbol}"));
    let fields: Vec<(u8, u32)> = fields.iter().map(|&(letter, value)| (letter as u8, value)).collect();
    row.pattern.encode(&fields)
}

/// A guest of one vCPU.
struct Guest {
    /// What the window is made of.
    memory: Vec<u128>,
    window: WindowRef,
    code: Arc<TestCode>,
    interpreter: Interpreter,
    state: CpuState,
    interrupt: AtomicU32,
}

impl Guest {
    /// A guest whose code at [`CODE`] is `words` and an `svc`.
    fn new(words: &[u32]) -> Self {
        Self::with_cpu(words, CpuModel::default())
    }

    /// The same on another CPU.
    fn with_cpu(words: &[u32], cpu: CpuModel) -> Self {
        let mut memory = vec![0u128; (MEMORY_BYTES + 2 * GUARD_BYTES) / 16];
        // SAFETY: the buffer lives as long as the guest, has room on both sides, and tests access nothing outside.
        let window = unsafe { WindowRef::new(memory.as_mut_ptr().byte_add(GUARD_BYTES).cast(), MEMORY_BYTES as u64) };
        let code = Arc::new(TestCode::default());
        let interpreter = Interpreter::with_cpu(window, Arc::clone(&code) as Arc<dyn CodeSource>, cpu);
        let state = CpuState { pc: CODE, sp: DATA + 0x800, ..CpuState::default() };
        let mut guest = Self { memory, window, code, interpreter, state, interrupt: AtomicU32::new(0) };
        guest.put_code(CODE, words);
        guest.put_code(CODE + 4 * words.len() as u64, &[SVC]);
        guest
    }

    fn put_code(&mut self, addr: u64, words: &[u32]) {
        for (word, addr) in words.iter().zip((addr..).step_by(4)) {
            self.window.store(GuestAddr(addr), *word).unwrap();
        }
    }

    /// Registers, PSTATE and PC, for "nothing has changed".
    fn snapshot(&self) -> CpuState {
        self.state.clone()
    }

    fn run(&mut self) -> Stop {
        self.interpreter.run(&mut self.state, &self.interrupt)
    }

    /// Runs to the next exception.
    fn run_to_exception(&mut self) -> ExceptionKind {
        match self.run().reason {
            StopReason::Exception(exception) => exception.kind,
            StopReason::Interrupted => panic!("interrupted"),
        }
    }
}
