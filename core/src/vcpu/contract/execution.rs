//! Checks of registers, exceptions and memory between runs.

use std::sync::Arc;

use super::{
    CODE, Check, DATA, Finding, NOWHERE, code, ensure, ensure_eq, exception, load, page, run, run_again, start,
    syscall_exit,
};
use crate::abi::{GuestAddr, GuestPtr, PAGE_SIZE};
use crate::host::SignalsBlocked;
use crate::mem::{Backing, Prot};
use crate::vcpu::{
    AbortCause, Access, CpuState, ExceptionKind, Machine, PauthKeys, Pstate, SyscallRegisters, Vcpu, VcpuError,
    VcpuExit,
};

/// The checks of this file.
pub(super) const CHECKS: &[Check] = &[
    Check { name: "registers_round_trip", run: registers_round_trip },
    Check { name: "syscalls_are_past_their_svc", run: syscalls_are_past_their_svc },
    Check { name: "exceptions_are_precise", run: exceptions_are_precise },
    Check { name: "data_aborts_change_nothing", run: data_aborts_change_nothing },
    Check { name: "instruction_aborts_name_the_address", run: instruction_aborts_name_the_address },
    Check { name: "rights_take_effect_at_once", run: rights_take_effect_at_once },
    Check { name: "new_code_is_seen", run: new_code_is_seen },
    Check { name: "guest_writes_its_own_code", run: guest_writes_its_own_code },
    Check { name: "relocated_pages_keep_contents_and_rights", run: relocated_pages_keep_contents_and_rights },
    Check { name: "only_the_owner_runs", run: only_the_owner_runs },
    Check { name: "vcpus_do_not_share_registers", run: vcpus_do_not_share_registers },
];

/// A state in which every register has a value of its own.
fn distinct_state(seed: u64) -> CpuState {
    let value = |index: u64| (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(seed);
    CpuState {
        x: std::array::from_fn(|index| value(index as u64)),
        sp: value(31) & !15,
        pc: CODE,
        pstate: Pstate(Pstate::N | Pstate::C),
        v: std::array::from_fn(|index| {
            u128::from(value(index as u64 + 40)) << 64 | u128::from(value(index as u64 + 80))
        }),
        fpcr: 0,
        fpsr: 1 << 27,
        tpidr_el0: value(120),
        tpidrro_el0: 0,
        pauth: PauthKeys { keys: std::array::from_fn(|index| u128::from(value(index as u64 + 130))), enabled: 0x1f },
    }
}

fn registers_round_trip(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::NOP, code::SVC])?;
    let mut vcpu = start(machine, proof)?;
    for seed in 0..100 {
        let state = distinct_state(seed);
        vcpu.push(&state);
        ensure!(vcpu.pull() == state, "pull after push {seed}: {:x?} instead of {state:x?}", vcpu.pull());
        ensure_eq!(run(&mut *vcpu)?, syscall_exit(), "exit");
        let expected = CpuState { pc: CODE + 8, ..state };
        ensure!(vcpu.pull() == expected, "pull after a run: {:x?} instead of {expected:x?}", vcpu.pull());
    }
    Ok(())
}

fn syscalls_are_past_their_svc(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::SVC, code::ADD_X0_1, code::SVC_1234])?;
    let mut vcpu = start(machine, proof)?;
    let state = distinct_state(7);
    vcpu.push(&state);
    ensure_eq!(run(&mut *vcpu)?, syscall_exit(), "first exit");
    ensure_eq!(vcpu.pull().pc, CODE + 4, "PC at the first exit");
    let args = std::array::from_fn(|index| state.x[index]);
    ensure_eq!(vcpu.syscall(), SyscallRegisters { number: state.x[8], args }, "syscall registers");
    vcpu.set_return_value(41);
    ensure_eq!(vcpu.pull().x[1], state.x[1], "x1 after set_return_value");
    ensure_eq!(run(&mut *vcpu)?, exception(ExceptionKind::Syscall { imm: 0x1234 }), "second exit");
    ensure_eq!((vcpu.pull().x[0], vcpu.pull().pc), (42, CODE + 12), "x0 and PC at the second exit");
    Ok(())
}

fn exceptions_are_precise(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    let cases = [
        (code::BRK_5, ExceptionKind::Breakpoint { comment: 5 }),
        (code::UDF, ExceptionKind::Undefined { instruction: code::UDF }),
    ];
    let mut vcpu = start(machine, proof)?;
    for (word, kind) in cases {
        load(machine, &[code::NOP, code::ADD_X0_1, word])?;
        vcpu.push(&CpuState { pc: CODE, ..CpuState::default() });
        ensure_eq!(run(&mut *vcpu)?, exception(kind), "exit");
        ensure_eq!((vcpu.pull().x[0], vcpu.pull().pc), (1, CODE + 8), "x0 and PC");
        // It is taken again and again, until somebody moves the PC.
        ensure_eq!(run(&mut *vcpu)?, exception(kind), "exit of a second run");
    }
    load(machine, &[code::NOP])?;
    vcpu.push(&CpuState { pc: CODE + 2, ..CpuState::default() });
    ensure_eq!(run(&mut *vcpu)?, exception(ExceptionKind::PcAlignment { far: GuestAddr(CODE + 2) }), "misaligned PC");
    Ok(())
}

fn data_aborts_change_nothing(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::LDR_X0_X1, code::STR_X0_X1, code::LDR_X0_X1_POST_8])?;
    let mut vcpu = start(machine, proof)?;
    let read_only = DATA + 16 * PAGE_SIZE;
    machine.map(page(read_only), Prot::READ, Backing::Anonymous).map_err(|errno| errno.to_string())?;
    let high = machine.address_space_len();
    let cases = [
        (0, NOWHERE, Access::Read, AbortCause::Translation),
        (1, NOWHERE, Access::Write, AbortCause::Translation),
        (2, NOWHERE, Access::Read, AbortCause::Translation),
        (1, read_only, Access::Write, AbortCause::Permission),
        (0, 0, Access::Read, AbortCause::Translation),
        (1, high, Access::Write, AbortCause::Translation),
        (0, u64::MAX - 4095, Access::Read, AbortCause::Translation),
    ];
    for (index, address, access, cause) in cases {
        let mut state = distinct_state(index);
        state.x[1] = address;
        state.pc = CODE + 4 * index;
        vcpu.push(&state);
        let far = GuestAddr(address);
        ensure_eq!(
            run(&mut *vcpu)?,
            exception(ExceptionKind::DataAbort { far, access, cause }),
            format!("{access:?} of {address:#x}")
        );
        ensure!(vcpu.pull() == state, "{access:?} of {address:#x} changed registers: {:x?}", vcpu.pull());
    }
    Ok(())
}

fn instruction_aborts_name_the_address(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::BR_X1])?;
    let mut vcpu = start(machine, proof)?;
    let outside = machine.address_space_len();
    for (address, cause) in
        [(NOWHERE, AbortCause::Translation), (DATA, AbortCause::Permission), (outside, AbortCause::Translation)]
    {
        let mut state = CpuState { pc: CODE, ..CpuState::default() };
        state.x[1] = address;
        vcpu.push(&state);
        let far = GuestAddr(address);
        ensure_eq!(run(&mut *vcpu)?, exception(ExceptionKind::InstructionAbort { far, cause }), "exit");
        ensure_eq!(vcpu.pull().pc, address, "PC");
    }
    Ok(())
}

fn rights_take_effect_at_once(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::LDR_X0_X1, code::SVC])?;
    let mut vcpu = start(machine, proof)?;
    let mut state = CpuState { pc: CODE, ..CpuState::default() };
    state.x[1] = DATA;
    vcpu.push(&state);
    let far = GuestAddr(DATA);
    for _ in 0..100 {
        ensure_eq!(run_again(&mut *vcpu)?, syscall_exit(), "readable");
        machine.protect(page(DATA), Prot::empty()).map_err(|errno| errno.to_string())?;
        let denied = ExceptionKind::DataAbort { far, access: Access::Read, cause: AbortCause::Permission };
        ensure_eq!(run_again(&mut *vcpu)?, exception(denied), "without rights");
        machine.unmap(page(DATA)).map_err(|errno| errno.to_string())?;
        let missing = ExceptionKind::DataAbort { far, access: Access::Read, cause: AbortCause::Translation };
        ensure_eq!(run_again(&mut *vcpu)?, exception(missing), "unmapped");
        machine.map(page(DATA), Prot::READ, Backing::Anonymous).map_err(|errno| errno.to_string())?;
    }
    machine.protect(page(CODE), Prot::READ).map_err(|errno| errno.to_string())?;
    let far = GuestAddr(CODE);
    let cause = AbortCause::Permission;
    ensure_eq!(run_again(&mut *vcpu)?, exception(ExceptionKind::InstructionAbort { far, cause }), "code made data");
    Ok(())
}

fn new_code_is_seen(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    let mut vcpu = start(machine, proof)?;
    for round in 0..100 {
        let (word, expected) = if round % 2 == 0 { (code::MOV_W0_1, 1) } else { (code::MOV_W0_2, 2) };
        load(machine, &[word, code::SVC])?;
        ensure_eq!(run_again(&mut *vcpu)?, syscall_exit(), "exit");
        ensure_eq!(vcpu.pull().x[0], expected, "x0 of the new code");
    }
    machine.unmap(page(CODE)).map_err(|errno| errno.to_string())?;
    let abort = ExceptionKind::InstructionAbort { far: GuestAddr(CODE), cause: AbortCause::Translation };
    ensure_eq!(run_again(&mut *vcpu)?, exception(abort), "exit of unmapped code");
    Ok(())
}

/// The guest stores an instruction, cleans and invalidates as the architecture says (Arm ARM B2.7.4.2), and calls it.
fn guest_writes_its_own_code(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    let sequence = [
        code::STR_W2_X1,
        code::DC_CVAU_X1,
        code::DSB_ISH,
        code::IC_IVAU_X1,
        code::DSB_ISH,
        code::ISB,
        code::BLR_X1,
        code::SVC,
    ];
    load(machine, &sequence)?;
    let all = Prot::READ | Prot::WRITE | Prot::EXEC;
    machine.map(page(DATA), all, Backing::Anonymous).map_err(|errno| errno.to_string())?;
    let ret = GuestPtr::new(GuestAddr(DATA + 4));
    machine.memory().write(ret, &code::RET).map_err(|errno| errno.to_string())?;
    let mut vcpu = start(machine, proof)?;
    for round in 0..100 {
        let (word, expected) = if round % 2 == 0 { (code::MOV_W0_1, 1) } else { (code::MOV_W0_2, 2) };
        let mut state = CpuState { pc: CODE, ..CpuState::default() };
        state.x[1] = DATA;
        state.x[2] = u64::from(word);
        vcpu.push(&state);
        ensure_eq!(run(&mut *vcpu)?, syscall_exit(), "exit");
        ensure_eq!(vcpu.pull().x[0], expected, format!("x0 in round {round}"));
    }
    Ok(())
}

fn relocated_pages_keep_contents_and_rights(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::MOV_W0_1, code::SVC])?;
    let mut vcpu = start(machine, proof)?;
    ensure_eq!(run_again(&mut *vcpu)?, syscall_exit(), "exit at the old place");
    let target = CODE + 64 * PAGE_SIZE;
    machine.relocate(page(CODE), GuestAddr(target)).map_err(|errno| errno.to_string())?;
    let abort = ExceptionKind::InstructionAbort { far: GuestAddr(CODE), cause: AbortCause::Translation };
    ensure_eq!(run_again(&mut *vcpu)?, exception(abort), "exit at the old place, moved");
    vcpu.push(&CpuState { pc: target, ..CpuState::default() });
    ensure_eq!(run(&mut *vcpu)?, syscall_exit(), "exit at the new place");
    ensure_eq!((vcpu.pull().x[0], vcpu.pull().pc), (1, target + 8), "x0 and PC at the new place");
    Ok(())
}

/// Carries a vCPU to a thread that must not use it.
struct Smuggled(Box<dyn Vcpu>);

#[expect(unsafe_code, reason = "only a deliberate breach of thread affinity can show that it is noticed")]
// SAFETY: the receiving thread calls `run` only, which the contract obliges to refuse before it touches anything,
// and hands the vCPU back to its owner.
unsafe impl Send for Smuggled {}

fn only_the_owner_runs(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::SVC])?;
    let mut vcpu = start(machine, proof)?;
    let id = vcpu.id();
    for _ in 0..100 {
        let smuggled = Smuggled(vcpu);
        let (refusal, back) = std::thread::scope(|scope| {
            let other = scope.spawn(move || {
                let mut smuggled = smuggled;
                (smuggled.0.run(), smuggled)
            });
            other.join().map_err(|_panic| "the other thread panicked".to_owned())
        })?;
        vcpu = back.0;
        match refusal {
            Err(VcpuError::WrongThread(named)) => ensure_eq!(named, id, "vCPU in the refusal"),
            answer @ (Ok(_) | Err(_)) => return Err(format!("another thread's run answered {answer:?}")),
        }
        ensure_eq!(run_again(&mut *vcpu)?, syscall_exit(), "the owner's run");
    }
    Ok(())
}

fn vcpus_do_not_share_registers(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::ADD_X0_1, code::SVC])?;
    let mut vcpus = [start(machine, proof)?, start(machine, proof)?, start(machine, proof)?];
    for (index, vcpu) in vcpus.iter_mut().enumerate() {
        vcpu.push(&distinct_state(index as u64));
    }
    for (index, vcpu) in vcpus.iter_mut().enumerate() {
        let before = distinct_state(index as u64);
        ensure!(vcpu.pull() == before, "vCPU {index} has the registers of another");
        let exit: VcpuExit = run(&mut **vcpu)?;
        ensure_eq!(exit, syscall_exit(), "exit");
        ensure_eq!(vcpu.pull().x[0], before.x[0].wrapping_add(1), format!("x0 of vCPU {index}"));
    }
    Ok(())
}
