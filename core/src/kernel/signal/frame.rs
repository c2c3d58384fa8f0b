//! The arm64 signal frame, byte for byte as Linux lays it out on the guest's stack.
//!
//! From the new SP up: `siginfo` (128 bytes), `ucontext` (stack, mask, `sigcontext` with 4096 reserved bytes that hold
//! the FPSIMD record, an ESR record after a fault and a terminator), then the frame record {x29, x30} that unwinders walk.
//! As on Linux, bytes of the frame that nobody reads stay as they were on the stack: the siginfo of a handler without
//! `SA_SIGINFO`, and what lies behind the terminator.
//! Sources: Linux `arch/arm64/kernel/signal.c` (`setup_sigframe`, `restore_sigframe`), `arch/arm64/mm/fault.c`
//! (`set_thread_esr`), `arch/arm64/include/uapi/asm/sigcontext.h`, `Documentation/arch/arm64/tagged-pointers.rst`.

use super::{Handler, SaFlags, SigAction};
use crate::abi::{GuestAddr, SigInfo, SigSet};
use crate::mem::GuestMemory;
use crate::vcpu::{CpuState, Esr, Pstate};

const UCONTEXT: usize = 128;
const UC_STACK: usize = UCONTEXT + 16;
const UC_SIGMASK: usize = UCONTEXT + 40;
/// `uc_mcontext`, aligned to 16 after the 128 bytes kept for a larger mask.
const MCONTEXT: usize = UCONTEXT + 176;
const MC_REGS: usize = MCONTEXT + 8;
const MC_SP: usize = MC_REGS + 31 * 8;
const MC_PC: usize = MC_SP + 8;
const MC_PSTATE: usize = MC_PC + 8;
/// `__reserved`, aligned to 16.
const RESERVED: usize = MCONTEXT + 288;
const RESERVED_LEN: usize = 4096;

/// Size of `struct rt_sigframe` in bytes.
pub const SIGNAL_FRAME_LEN: usize = RESERVED + RESERVED_LEN;

const FPSIMD_MAGIC: u32 = 0x4650_8001;
const FPSIMD_LEN: usize = 528;
const ESR_MAGIC: u32 = 0x4553_5201;
const ESR_LEN: usize = 16;
const TERMINATOR_LEN: usize = 16;

/// The alternate signal stack of a thread, sigaltstack(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AltStack {
    /// Lowest address.
    pub base: GuestAddr,
    /// Length in bytes.
    pub len_bytes: u64,
    /// `SS_AUTODISARM`: off while a handler runs on it.
    pub autodisarm: bool,
}

impl AltStack {
    /// `SS_ONSTACK`.
    pub const SS_ONSTACK: u32 = 1;
    /// `SS_DISABLE`.
    pub const SS_DISABLE: u32 = 2;
    /// `SS_AUTODISARM`.
    pub const SS_AUTODISARM: u32 = 1 << 31;

    /// True when `sp` lies on this stack; with autodisarm nothing ever counts as on it.
    #[must_use]
    pub const fn holds(self, sp: u64) -> bool {
        !self.autodisarm && sp > self.base.0 && sp - self.base.0 <= self.len_bytes
    }

    /// `stack_t` as sigaltstack(2) and the frame show it.
    #[must_use]
    pub fn to_wire(stack: Option<Self>, sp: u64) -> [u8; 24] {
        let (base, flags, len) = match stack {
            None => (0, Self::SS_DISABLE, 0),
            Some(stack) => {
                let on = if stack.holds(sp) { Self::SS_ONSTACK } else { 0 };
                (stack.base.0, on | if stack.autodisarm { Self::SS_AUTODISARM } else { 0 }, stack.len_bytes)
            }
        };
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&base.to_le_bytes());
        bytes[8..12].copy_from_slice(&flags.to_le_bytes());
        bytes[16..].copy_from_slice(&len.to_le_bytes());
        bytes
    }
}

/// What a thread's frames say of its faults: of the last one, as Linux keeps it, also in frames of later signals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultRecord {
    /// `fault_address`, without a tag.
    pub address: GuestAddr,
    /// The syndrome; zero makes no ESR record.
    pub esr: Esr,
}

impl FaultRecord {
    /// No fault so far, or one that tells nothing (an undefined instruction).
    pub const NONE: Self = Self { address: GuestAddr::NULL, esr: Esr(0) };
}

/// A frame that cannot be built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameError {
    /// Where the frame should have been.
    pub addr: GuestAddr,
}

/// Everything of a frame that is ever written: up to the terminator behind both records.
const WRITTEN_LEN: usize = RESERVED + FPSIMD_LEN + ESR_LEN + TERMINATOR_LEN;

struct Writer {
    bytes: Box<[u8; WRITTEN_LEN]>,
    /// End of the records so far.
    end: usize,
}

impl Writer {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn put_u64(&mut self, at: usize, value: u64) {
        self.put(at, &value.to_le_bytes());
    }

    fn put_u32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_le_bytes());
    }

    fn put_registers(&mut self, state: &CpuState, fault: FaultRecord) {
        self.put_u64(MCONTEXT, fault.address.0);
        for (index, value) in state.x.iter().enumerate() {
            self.put_u64(MC_REGS + index * 8, *value);
        }
        self.put_u64(MC_SP, state.sp);
        self.put_u64(MC_PC, state.pc);
        self.put_u64(MC_PSTATE, state.pstate.0);
        self.put_u32(RESERVED, FPSIMD_MAGIC);
        self.put_u32(RESERVED + 4, FPSIMD_LEN as u32);
        self.put_u32(RESERVED + 8, state.fpsr);
        self.put_u32(RESERVED + 12, state.fpcr);
        for (index, value) in state.v.iter().enumerate() {
            self.put(RESERVED + 16 + index * 16, &value.to_le_bytes());
        }
        self.end = RESERVED + FPSIMD_LEN;
        if fault.esr.0 != 0 {
            self.put_u32(self.end, ESR_MAGIC);
            self.put_u32(self.end + 4, ESR_LEN as u32);
            self.put_u64(self.end + 8, fault.esr.0);
            self.end += ESR_LEN;
        }
        // The terminator is zeros.
        self.end += TERMINATOR_LEN;
    }
}

/// What a handler's frame is made of.
#[derive(Clone, Copy, Debug)]
pub struct FrameRequest<'a> {
    /// The registers that sigreturn goes back to.
    pub state: &'a CpuState,
    /// The signal.
    pub info: &'a SigInfo,
    /// Its disposition.
    pub action: &'a SigAction,
    /// The mask that sigreturn goes back to.
    pub mask_to_restore: SigSet,
    /// The thread's alternate stack.
    pub alt_stack: Option<AltStack>,
    /// The thread's last fault.
    pub fault: FaultRecord,
    /// Where handlers that bring no restorer return to.
    pub sigtramp: GuestAddr,
}

/// The registers for a handler, with its frame written to guest memory.
///
/// # Errors
/// [`FrameError`] when the stack cannot take the frame.
pub fn push_frame(memory: GuestMemory, request: &FrameRequest<'_>) -> Result<CpuState, FrameError> {
    let &FrameRequest { state, info, action, mask_to_restore, alt_stack, fault, sigtramp } = request;
    let Handler::Function(function) = action.handler else { return Err(FrameError { addr: GuestAddr(state.sp) }) };
    let mut sp = state.sp;
    if let Some(stack) = alt_stack
        && action.flags.contains(SaFlags::ONSTACK)
        && !stack.holds(sp)
    {
        sp = stack.base.0.wrapping_add(stack.len_bytes);
    }
    let record = sp.wrapping_sub(16) & !15;
    let frame = GuestAddr(record.wrapping_sub(SIGNAL_FRAME_LEN as u64));
    let mut writer = Writer { bytes: Box::new([0; WRITTEN_LEN]), end: 0 };
    writer.put(0, info.as_bytes());
    writer.put(UC_STACK, &AltStack::to_wire(alt_stack, state.sp));
    writer.put_u64(UC_SIGMASK, mask_to_restore.0);
    writer.put_registers(state, fault);
    let first = if action.flags.contains(SaFlags::SIGINFO) { 0 } else { UCONTEXT };
    let written = memory.write_bytes(GuestAddr(frame.0 + first as u64), &writer.bytes[first..writer.end]);
    let written = written.and_then(|()| {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&state.x[29].to_le_bytes());
        bytes[8..].copy_from_slice(&state.x[30].to_le_bytes());
        memory.write_bytes(GuestAddr(record), &bytes)
    });
    if written.is_err() {
        return Err(FrameError { addr: frame });
    }
    let mut next = state.clone();
    next.x[0] = info.signal().number() as u64;
    if action.flags.contains(SaFlags::SIGINFO) {
        next.x[1] = frame.0;
        next.x[2] = frame.0 + UCONTEXT as u64;
    }
    next.x[29] = record;
    next.x[30] = if action.flags.contains(SaFlags::RESTORER) { action.restorer.0 } else { sigtramp.0 };
    next.sp = frame.0;
    next.pc = function.0;
    next.pstate = Pstate(state.pstate.0 & !(Pstate::BTYPE | Pstate::TCO) | Pstate::BTYPE_CALL);
    Ok(next)
}

/// What rt_sigreturn(2) takes out of the frame at SP.
pub struct PoppedFrame {
    /// The registers to go on with.
    pub state: CpuState,
    /// The signal mask to go back to.
    pub mask: SigSet,
    /// `uc_stack` as it lies in the frame.
    pub alt_stack: [u8; 24],
}

/// A frame that rt_sigreturn(2) refuses. As on Linux, registers and mask may have been taken out of it by then.
pub struct BadFrame {
    /// The registers and the mask that are in force now, where the frame had them.
    pub taken: Option<Box<(CpuState, SigSet)>>,
}

/// Reads the frame at the guest's SP.
///
/// # Errors
/// [`BadFrame`] when it cannot be read or is not one.
pub fn pop_frame(memory: GuestMemory, state: &CpuState) -> Result<PoppedFrame, BadFrame> {
    if state.sp & 15 != 0 {
        return Err(BadFrame { taken: None });
    }
    let mut bytes = Box::new([0; SIGNAL_FRAME_LEN]);
    // What lies behind the terminator need not be there.
    let got = memory.read_up_to(GuestAddr(state.sp), &mut bytes[..]).unwrap_or(0);
    if got < RESERVED {
        return Err(BadFrame { taken: None });
    }
    let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    let mask = SigSet(u64_at(UC_SIGMASK)).difference(SigSet::UNBLOCKABLE);
    let mut next = state.clone();
    for (index, register) in next.x.iter_mut().enumerate() {
        *register = u64_at(MC_REGS + index * 8);
    }
    next.sp = u64_at(MC_SP);
    next.pc = u64_at(MC_PC);
    let pstate = u64_at(MC_PSTATE);
    if pstate & PSTATE_PRIVILEGED != 0 {
        // Only EL0t in AArch64 state, without masks, may be returned to.
        next.pstate = Pstate(pstate & Pstate::NZCV);
        return Err(BadFrame { taken: Some(Box::new((next, mask))) });
    }
    next.pstate = Pstate(pstate & Pstate::USER_WRITABLE);
    let Some(()) = restore_records(&bytes[RESERVED..got], &mut next) else {
        return Err(BadFrame { taken: Some(Box::new((next, mask))) });
    };
    let mut alt_stack = [0; 24];
    alt_stack.copy_from_slice(&bytes[UC_STACK..UC_STACK + 24]);
    Ok(PoppedFrame { state: next, mask, alt_stack })
}

/// Bits of PSTATE that no EL0 program has: mode, AArch32, and the four interrupt masks.
const PSTATE_PRIVILEGED: u64 = 0x1f | 0xf << 6;

/// Walks the records of `__reserved`; the FPSIMD record must be there once. An EXTRA record is refused: no frame of ours
/// is that long.
fn restore_records(reserved: &[u8], state: &mut CpuState) -> Option<()> {
    let u32_at = |at: usize| Some(u32::from_le_bytes(reserved.get(at..at + 4)?.try_into().ok()?));
    let mut at = 0;
    let mut has_fpsimd = false;
    loop {
        let (magic, len) = (u32_at(at)?, u32_at(at + 4)? as usize);
        match magic {
            0 if len == 0 => return has_fpsimd.then_some(()),
            FPSIMD_MAGIC if len == FPSIMD_LEN && !has_fpsimd => {
                state.fpsr = u32_at(at + 8)?;
                state.fpcr = u32_at(at + 12)?;
                for (index, register) in state.v.iter_mut().enumerate() {
                    let from = at + 16 + index * 16;
                    *register = u128::from_le_bytes(reserved.get(from..from + 16)?.try_into().ok()?);
                }
                has_fpsimd = true;
            }
            ESR_MAGIC => {}
            _not_ours => return None,
        }
        at += len;
        if len == 0 || at % 16 != 0 {
            return None;
        }
    }
}
