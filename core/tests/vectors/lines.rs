//! [`Executor`]: carries out lines that each say one instruction and the registers before it, and answers with what
//! changed. `ci/differential/executor.c` answers the same lines on another CPU.
//!
//! A line is `WORD KEY=VALUE...`, all hexadecimal. Keys: `n` NZCV, `c` FPCR, `s` FPSR, `x0` to `x7`, `sp`, `v0` to
//! `v31`; a register that is not named has the value of [`initial_state`]. Memory at [`DATA`] starts as
//! [`initial_byte`]. The answer names the registers that changed, as above, and the memory as `@OFFSET=BYTES`; a signal
//! that Linux would send comes first (`sig4`); then only X and SP follow, since what a fault leaves of the rest is not defined.

use std::fmt::Write;
use std::sync::Arc;

use elfuse::abi::{GuestAddr, GuestPtr, GuestRange};
use elfuse::host::signal;
use elfuse::host::thread::{self, Role};
use elfuse::mem::{Backing, GuestMemory, Mapper, Prot};
use elfuse::soft::SoftMachine;
use elfuse::vcpu::{AbortCause, CpuState, ExceptionKind, Machine, Pstate, Vcpu, VcpuExit};

const CODE: u64 = 0x10_0000;
const CODE_BYTES: u64 = 4096;
/// Where the page of data is; no page is on either side of it.
const DATA: u64 = 0x20_0000;
const DATA_BYTES: usize = 4096;
const SVC: u32 = 0xd400_0001;
/// General registers that a line can use, besides SP.
const GENERAL: usize = 8;

/// A vCPU with a page of code and a page of data.
pub(crate) struct Executor {
    machine: Arc<SoftMachine>,
    vcpu: Box<dyn Vcpu>,
    word: Option<u32>,
}

fn text_of(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn hex(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text, 16).map_err(|error| format!("{text}: {error}"))
}

fn initial_byte(index: usize) -> u8 {
    ((index * 7 + 3) ^ (index >> 5)) as u8
}

/// Registers that a line does not name.
fn initial_state() -> CpuState {
    let mut state = CpuState { pc: CODE, sp: DATA + 0x800, ..CpuState::default() };
    for (value, x) in (0..).zip(&mut state.x[..GENERAL]) {
        *x = 0x1111_1111_1111_1111 * value;
    }
    for (value, v) in (1..).zip(&mut state.v) {
        let low = 0x0101_0101_0101_0101u64 * value;
        *v = u128::from(!low) << 64 | u128::from(low);
    }
    state
}

/// The registers before the instruction of a line.
fn state_of(settings: &[(&str, &str)]) -> Result<CpuState, String> {
    let mut state = initial_state();
    for &(key, value) in settings {
        let (kind, number) = key.split_at(1);
        let index = number.parse().unwrap_or(usize::MAX);
        match kind {
            "n" => state.pstate = Pstate(hex(value)? << 28),
            "c" => state.fpcr = hex(value)? as u32,
            "s" if number == "p" => state.sp = hex(value)?,
            "s" => state.fpsr = hex(value)? as u32,
            "x" => *state.x.get_mut(index).ok_or(key)? = hex(value)?,
            "v" => *state.v.get_mut(index).ok_or(key)? = u128::from_str_radix(value, 16).map_err(text_of)?,
            unknown => return Err(format!("a register {unknown}")),
        }
    }
    Ok(state)
}

/// The signal of an exception, or nothing where it is the `svc` after the instruction.
fn signal_of(kind: ExceptionKind) -> Result<&'static str, String> {
    match kind {
        ExceptionKind::Syscall { imm: 0 } => Ok(""),
        ExceptionKind::DataAbort { cause: AbortCause::Translation | AbortCause::Permission, .. } => Ok("sig11"),
        ExceptionKind::DataAbort { cause: AbortCause::Alignment, .. } | ExceptionKind::SpAlignment => Ok("sig7"),
        ExceptionKind::Undefined { .. } | ExceptionKind::BranchTarget { .. } => Ok("sig4"),
        other => Err(text_of(other)),
    }
}

impl Executor {
    /// A new machine with one vCPU of this thread.
    ///
    /// # Errors
    /// Says what the host refused.
    pub(crate) fn new() -> Result<Self, String> {
        signal::block_kick_set().map_err(text_of)?;
        let proof = thread::adopt(Role::Bootstrap);
        let machine = SoftMachine::new().map_err(text_of)?;
        let code = GuestRange::new(GuestAddr(CODE), CODE_BYTES).map_err(text_of)?;
        let data = GuestRange::new(GuestAddr(DATA), DATA_BYTES as u64).map_err(text_of)?;
        machine.map(code, Prot::READ | Prot::WRITE, Backing::Anonymous).map_err(text_of)?;
        machine.map(data, Prot::READ | Prot::WRITE, Backing::Anonymous).map_err(text_of)?;
        machine.memory().write(GuestPtr::new(GuestAddr(CODE + 4)), &SVC).map_err(text_of)?;
        let vcpu = machine.create_vcpu(&proof).map_err(text_of)?;
        Ok(Self { machine, vcpu, word: None })
    }

    fn memory(&self) -> GuestMemory {
        self.machine.memory()
    }

    fn put_word(&mut self, word: u32) -> Result<(), String> {
        if self.word != Some(word) {
            // The instruction itself must not write there: what it put behind itself might never end.
            let code = GuestRange::new(GuestAddr(CODE), CODE_BYTES).map_err(text_of)?;
            self.machine.protect(code, Prot::READ | Prot::WRITE).map_err(text_of)?;
            self.memory().write(GuestPtr::new(GuestAddr(CODE)), &word).map_err(text_of)?;
            self.machine.protect(code, Prot::READ | Prot::EXEC).map_err(text_of)?;
            self.word = Some(word);
        }
        Ok(())
    }

    /// What the line's instruction changes.
    ///
    /// # Errors
    /// A line that is not one, or an outcome that has no name.
    pub(crate) fn answer(&mut self, line: &str) -> Result<String, String> {
        let mut parts = line.split_ascii_whitespace();
        let word = hex(parts.next().unwrap_or_default())? as u32;
        let settings: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
        let before = state_of(&settings)?;
        let initial: [u8; DATA_BYTES] = std::array::from_fn(initial_byte);
        self.memory().write_bytes(GuestAddr(DATA), &initial).map_err(text_of)?;
        self.put_word(word)?;
        self.vcpu.push(&before);
        let signal = match self.vcpu.run().map_err(text_of)? {
            VcpuExit::Exception(exception) => signal_of(exception.kind)?,
            other => return Err(text_of(other)),
        };
        let mut answer = signal.to_owned();
        let state = self.vcpu.pull();
        if signal.is_empty() {
            changed_status(&mut answer, &before, &state);
        }
        changed_general(&mut answer, &before, &state);
        if signal.is_empty() {
            changed_vectors(&mut answer, &before, &state);
            let mut after = [0; DATA_BYTES];
            self.memory().read_bytes(GuestAddr(DATA), &mut after).map_err(text_of)?;
            changed_bytes(&mut answer, &initial, &after);
        }
        Ok(answer.trim_start().to_owned())
    }
}

fn add(answer: &mut String, key: std::fmt::Arguments<'_>, old: u128, new: u128) {
    if old != new {
        let _ = write!(answer, " {key}={new:x}");
    }
}

fn changed_status(answer: &mut String, before: &CpuState, after: &CpuState) {
    add(answer, format_args!("n"), (before.pstate.0 >> 28).into(), (after.pstate.0 >> 28 & 0xf).into());
    add(answer, format_args!("c"), before.fpcr.into(), after.fpcr.into());
    add(answer, format_args!("s"), before.fpsr.into(), after.fpsr.into());
}

fn changed_general(answer: &mut String, before: &CpuState, after: &CpuState) {
    for (index, (&old, &new)) in before.x[..GENERAL].iter().zip(&after.x).enumerate() {
        add(answer, format_args!("x{index}"), old.into(), new.into());
    }
    add(answer, format_args!("sp"), before.sp.into(), after.sp.into());
}

fn changed_vectors(answer: &mut String, before: &CpuState, after: &CpuState) {
    for (index, (&old, &new)) in before.v.iter().zip(&after.v).enumerate() {
        add(answer, format_args!("v{index}"), old, new);
    }
}

fn changed_bytes(answer: &mut String, before: &[u8], after: &[u8]) {
    let mut is_in_run = false;
    for (offset, (old, new)) in before.iter().zip(after).enumerate() {
        if old != new {
            if !is_in_run {
                let _ = write!(answer, " @{offset:x}=");
            }
            let _ = write!(answer, "{new:02x}");
        }
        is_in_run = old != new;
    }
}
