//! Faults of the host behind real mappings: they become precise aborts of the guest.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::{SVC, encode};
use crate::abi::{GuestAddr, GuestRange, PAGE_SIZE};
use crate::mem::{Backing, Mapper, Prot, WindowRef};
use crate::soft::interp::{CodePage, CodeSource, Interpreter, Stop, StopReason};
use crate::soft::{CodePages, SoftMachine};
use crate::vcpu::{AbortCause, Access, CpuState, ExceptionKind};

const CODE: u64 = 0x40_0000;
/// Readable and writable; the next page is not mapped.
const DATA: u64 = 0x50_0000;
const HOLE: u64 = DATA + PAGE_SIZE;
/// Readable only; follows the hole.
const CONSTANT: u64 = HOLE + PAGE_SIZE;

/// The code pages of a machine.
struct Code(Arc<SoftMachine>);

impl CodeSource for Code {
    fn mark_decoded(&self, pc: GuestAddr) -> Result<CodePage, AbortCause> {
        CodeSource::mark_decoded(self.pages(), pc)
    }

    fn generation(&self) -> &std::sync::atomic::AtomicU64 {
        CodeSource::generation(self.pages())
    }

    fn stale_since(&self, seen: u64) -> (u64, crate::soft::interp::StaleCode) {
        self.pages().stale_since(seen)
    }

    fn invalidate(&self, range: GuestRange) {
        self.pages().invalidate(range);
    }

    fn abort_cause(&self, addr: GuestAddr) -> AbortCause {
        self.pages().abort_cause(addr)
    }
}

impl Code {
    fn pages(&self) -> &CodePages {
        self.0.code()
    }
}

struct Guest {
    machine: Arc<SoftMachine>,
    window: WindowRef,
    interpreter: Interpreter,
    state: CpuState,
}

fn range(start: u64) -> GuestRange {
    GuestRange::new(GuestAddr(start), PAGE_SIZE).unwrap()
}

impl Guest {
    fn new(words: &[u32]) -> Self {
        let machine = SoftMachine::new().unwrap();
        let map = |start, prot| machine.map(range(start), prot, Backing::Anonymous).unwrap();
        map(CODE, Prot::READ | Prot::WRITE | Prot::EXEC);
        map(DATA, Prot::READ | Prot::WRITE);
        map(CONSTANT, Prot::READ);
        // SAFETY: the machine's window is never unmapped, has guards, and the machine has installed the fault handler.
        let window = unsafe { WindowRef::new(machine.window().base().as_ptr(), machine.window().len_bytes()) };
        for (word, addr) in words.iter().chain([&SVC]).zip((CODE..).step_by(4)) {
            window.store(GuestAddr(addr), *word).unwrap();
        }
        let interpreter = Interpreter::new(window, Arc::new(Code(Arc::clone(&machine))));
        let mut state = CpuState { pc: CODE, sp: DATA, ..CpuState::default() };
        state.x = std::array::from_fn(|index| 0x1_0001 * index as u64);
        Self { machine, window, interpreter, state }
    }

    fn run(&mut self) -> Stop {
        self.interpreter.run(&mut self.state, &AtomicU32::new(0))
    }

    fn exception(&mut self) -> ExceptionKind {
        match self.run().reason {
            StopReason::Exception(exception) => exception.kind,
            StopReason::Interrupted => panic!("interrupted"),
        }
    }
}

/// Runs `word` with x1 = `base`: an abort at `far`, and no register has changed.
fn check(word: u32, base: u64, far: u64, access: Access, cause: AbortCause) {
    let mut guest = Guest::new(&[word]);
    guest.state.x[1] = base;
    let before = guest.state.clone();
    assert_eq!(guest.exception(), ExceptionKind::DataAbort { far: GuestAddr(far), access, cause }, "{word:08x}");
    assert_eq!(guest.state, before, "{word:08x}");
    // With the memory there, the same instruction goes through.
    guest.machine.map(range(HOLE), Prot::READ | Prot::WRITE, Backing::Anonymous).unwrap();
    guest.machine.protect(range(CONSTANT), Prot::READ | Prot::WRITE).unwrap();
    assert_eq!(guest.exception(), ExceptionKind::Syscall { imm: 0 }, "{word:08x}");
}

#[test]
fn holes_and_forbidden_pages_abort_precisely() {
    let (read, write) = (Access::Read, Access::Write);
    let (missing, forbidden) = (AbortCause::Translation, AbortCause::Permission);
    check(encode("LDR_post_x", &[('n', 1), ('t', 2), ('i', 8)]), HOLE, HOLE, read, missing);
    check(encode("LDRB_pre", &[('n', 1), ('t', 2), ('i', 8)]), HOLE, HOLE + 8, read, missing);
    check(encode("STR_pre_w", &[('n', 1), ('t', 2), ('i', 8)]), CONSTANT, CONSTANT + 8, write, forbidden);
    check(encode("LDAR_x", &[('n', 1), ('t', 2)]), HOLE, HOLE, read, missing);
    check(encode("STLR_x", &[('n', 1), ('t', 2)]), CONSTANT, CONSTANT, write, forbidden);
    check(encode("LDADD_w", &[('n', 1), ('t', 2), ('s', 3)]), CONSTANT, CONSTANT, write, forbidden);
    check(encode("SWPB", &[('n', 1), ('t', 2), ('s', 3)]), HOLE + 1, HOLE + 1, write, missing);
    check(encode("CAS_x", &[('n', 1), ('t', 2), ('s', 3)]), CONSTANT, CONSTANT, write, forbidden);
    check(encode("CASP", &[('z', 1), ('n', 1), ('t', 2), ('s', 4)]), CONSTANT, CONSTANT, write, forbidden);
    check(encode("LDXP", &[('z', 1), ('n', 1), ('t', 2), ('u', 4)]), HOLE, HOLE, read, missing);
    // dc zva, x1: the address of the block.
    check(0xd50b_7421, HOLE + 65, HOLE + 64, write, missing);
}

#[test]
fn accesses_across_a_page_border_name_the_first_bad_byte() {
    let (read, missing) = (Access::Read, AbortCause::Translation);
    check(encode("LDUR_x", &[('n', 1), ('t', 2), ('i', 0)]), HOLE - 3, HOLE, read, missing);
    check(encode("LDP_post_x", &[('n', 1), ('t', 2), ('u', 4), ('i', 2)]), HOLE - 8, HOLE, read, missing);
    check(encode("LDP_off_w", &[('n', 1), ('t', 1), ('u', 4)]), HOLE - 4, HOLE, read, missing);
    let tag = 0x5a << 56;
    check(encode("LDUR_x", &[('n', 1), ('t', 2)]), tag | (HOLE - 1), tag | HOLE, read, missing);
    check(encode("STUR_x", &[('n', 1), ('t', 2)]), HOLE - 1, HOLE, Access::Write, missing);
    check(encode("STP_pre_x", &[('n', 1), ('t', 2), ('u', 4)]), HOLE - 8, HOLE, Access::Write, missing);
}

#[test]
fn exclusive_store_to_a_page_that_became_read_only() {
    let words = [encode("LDXR_x", &[('n', 1), ('t', 2)]), encode("STXR_x", &[('n', 1), ('t', 3), ('s', 5)])];
    let mut guest = Guest::new(&words);
    guest.state.x[1] = CONSTANT;
    let expected =
        ExceptionKind::DataAbort { far: GuestAddr(CONSTANT), access: Access::Write, cause: AbortCause::Permission };
    assert_eq!(guest.exception(), expected);
    assert_eq!((guest.state.pc, guest.state.x[5]), (CODE + 4, 5 * 0x1_0001));
}

#[test]
fn the_end_of_the_window_is_the_end() {
    let mut guest = Guest::new(&[encode("LDUR_x", &[('n', 1), ('t', 2)])]);
    let len = guest.window.len();
    for (base, far) in [(len - 4, len - 4), (len, len), (1 << 55, 1 << 55), (u64::MAX, u64::MAX)] {
        guest.state.x[1] = base;
        let cause = AbortCause::Translation;
        let expected = ExceptionKind::DataAbort { far: GuestAddr(far), access: Access::Read, cause };
        assert_eq!(guest.exception(), expected, "{base:x}");
    }
}

#[test]
fn pages_lose_and_gain_execution() {
    let mut guest = Guest::new(&[encode("MOVZ", &[('z', 1), ('i', 1)])]);
    let abort = |cause| ExceptionKind::InstructionAbort { far: GuestAddr(CODE), cause };
    let run = |guest: &mut Guest| {
        guest.state.pc = CODE;
        guest.exception()
    };
    assert_eq!(run(&mut guest), ExceptionKind::Syscall { imm: 0 });
    guest.machine.protect(range(CODE), Prot::READ | Prot::WRITE).unwrap();
    assert_eq!(run(&mut guest), abort(AbortCause::Permission));
    guest.machine.protect(range(CODE), Prot::READ | Prot::EXEC).unwrap();
    assert_eq!(run(&mut guest), ExceptionKind::Syscall { imm: 0 });
    guest.machine.unmap(range(CODE)).unwrap();
    assert_eq!(run(&mut guest), abort(AbortCause::Translation));
    guest.machine.map(range(CODE), Prot::READ | Prot::EXEC, Backing::Anonymous).unwrap();
    assert_eq!(run(&mut guest), ExceptionKind::Undefined { instruction: 0 });
}
