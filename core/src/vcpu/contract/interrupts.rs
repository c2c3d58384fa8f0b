//! Checks of cancellation and of host signals inside a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{CODE, Check, DATA, Finding, code, ensure, ensure_eq, load, run, run_again, start, syscall_exit};
use crate::abi::{GuestAddr, GuestPtr, SiCode, SigInfo, SigSet, Signal, Tid};
use crate::host::{SignalsBlocked, pidfd, process, signal, thread};
use crate::vcpu::{CpuState, Machine, Vcpu, VcpuExit, VcpuId};

/// Rounds of a check about interruptions.
const ROUNDS: u64 = 1000;

/// Threads of a check about arrays.
const VCPUS: usize = 6;

/// Polls before a kicker says that nothing happens. With a pause of 50 microseconds each that is about a minute.
const PATIENCE: u32 = 1_000_000;

/// The checks of this file.
pub(super) const CHECKS: &[Check] = &[
    Check { name: "kick_before_a_run", run: kick_before_a_run },
    Check { name: "kick_during_a_run", run: kick_during_a_run },
    Check { name: "kick_after_a_run", run: kick_after_a_run },
    Check { name: "kick_at_any_moment_is_seen_once", run: kick_at_any_moment_is_seen_once },
    Check { name: "kicks_are_latched_once", run: kicks_are_latched_once },
    Check { name: "one_call_kicks_many", run: one_call_kicks_many },
    Check { name: "spurious_handles_are_passed_over", run: spurious_handles_are_passed_over },
    Check { name: "handles_are_never_used_again", run: handles_are_never_used_again },
    Check { name: "handle_zero_is_a_handle", run: handle_zero_is_a_handle },
    Check { name: "signal_inside_a_run_is_unknown", run: signal_inside_a_run_is_unknown },
    Check { name: "signal_between_runs_is_nothing", run: signal_between_runs_is_nothing },
    Check { name: "unknown_does_not_swallow_a_cancel", run: unknown_does_not_swallow_a_cancel },
];

/// A guest that counts in x0 and stores the count: `add x0, x0, #1; str x0, [x1]; b .-8`.
const SPIN: [u32; 3] = [code::ADD_X0_1, code::STR_X0_X1, code::BRANCH_BACK_TWO];

/// The word that a spinning guest stores to.
fn progress(machine: &Arc<dyn Machine>, slot: u64) -> Result<u64, Finding> {
    machine.memory().read(GuestPtr::new(GuestAddr(DATA + 8 * slot))).map_err(|errno| errno.to_string())
}

/// The state of a guest that spins and counts in `slot`.
fn spinning(slot: u64) -> CpuState {
    let mut state = CpuState { pc: CODE, ..CpuState::default() };
    state.x[1] = DATA + 8 * slot;
    state
}

/// Waits until `condition` holds, and says what did not happen otherwise.
fn wait_for(what: &str, mut condition: impl FnMut() -> Result<bool, Finding>) -> Result<(), Finding> {
    for _ in 0..PATIENCE {
        if condition()? {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_micros(50));
    }
    Err(format!("{what}: not within {PATIENCE} polls"))
}

fn kick(machine: &Arc<dyn Machine>, ids: &[VcpuId]) -> Result<(), Finding> {
    machine.exit_vcpus(ids).map_err(|error| error.to_string())
}

/// Kicks from another thread, and comes back when that is done.
fn kick_from_elsewhere(machine: &Arc<dyn Machine>, id: VcpuId) -> Result<(), Finding> {
    let kicker = std::thread::scope(|scope| scope.spawn(|| kick(machine, &[id])).join());
    kicker.map_err(|_panic| "the kicker panicked".to_owned())?
}

fn latched() -> VcpuExit {
    VcpuExit::Canceled { in_code: false }
}

fn kick_before_a_run(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::ADD_X0_1, code::SVC])?;
    let mut vcpu = start(machine, proof)?;
    for round in 0..ROUNDS {
        kick_from_elsewhere(machine, vcpu.id())?;
        ensure_eq!(run_again(&mut *vcpu)?, latched(), format!("exit of the kicked run {round}"));
        ensure_eq!(vcpu.pull().x[0], round, "a latched cancel runs no instruction: x0");
        ensure_eq!(run_again(&mut *vcpu)?, syscall_exit(), format!("exit of the run after it, {round}"));
    }
    Ok(())
}

fn kick_during_a_run(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &SPIN)?;
    let mut vcpu = start(machine, proof)?;
    vcpu.push(&spinning(0));
    let id = vcpu.id();
    let rounds_done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let kicker = scope.spawn(|| {
            for round in 0..ROUNDS {
                let before = progress(machine, 0)?;
                wait_for("guest progress", || {
                    Ok(progress(machine, 0)? != before && rounds_done.load(Ordering::SeqCst) == round)
                })?;
                kick(machine, &[id])?;
                wait_for("the exit", || Ok(rounds_done.load(Ordering::SeqCst) > round))?;
            }
            Ok(())
        });
        let mut result = Ok(());
        for round in 0..ROUNDS {
            match run(&mut *vcpu) {
                Ok(VcpuExit::Canceled { in_code: true }) => {}
                other => {
                    result = Err(format!("exit of round {round}: {other:?}"));
                    break;
                }
            }
            rounds_done.fetch_add(1, Ordering::SeqCst);
        }
        // A kicker that waits for more rounds gives up by itself after a failure here.
        rounds_done.fetch_add(if result.is_err() { ROUNDS } else { 0 }, Ordering::SeqCst);
        let kicked = kicker.join().map_err(|_panic| "the kicker panicked".to_owned())?;
        result.and(kicked)
    })?;
    let state = vcpu.pull();
    ensure!((CODE..CODE + 12).contains(&state.pc), "PC {:#x} is outside of the loop", state.pc);
    let stored = progress(machine, 0)?;
    ensure!(state.x[0] == stored || state.x[0] == stored + 1, "x0 is {}, the guest stored {stored}", state.x[0]);
    Ok(())
}

fn kick_after_a_run(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::SVC])?;
    let mut vcpu = start(machine, proof)?;
    for round in 0..ROUNDS {
        ensure_eq!(run_again(&mut *vcpu)?, syscall_exit(), format!("exit {round}"));
        kick_from_elsewhere(machine, vcpu.id())?;
        ensure_eq!(run_again(&mut *vcpu)?, latched(), format!("exit after the kick {round}"));
    }
    Ok(())
}

/// The kicker does not wait for anything: each kick cancels exactly one run, now or later.
fn kick_at_any_moment_is_seen_once(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::ADD_X0_1, code::SVC])?;
    let mut vcpu = start(machine, proof)?;
    let id = vcpu.id();
    let (sent, seen) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let kicker = scope.spawn(|| {
            for round in 0..ROUNDS {
                wait_for("the last cancel", || Ok(seen.load(Ordering::SeqCst) == round))?;
                kick(machine, &[id])?;
                sent.fetch_add(1, Ordering::SeqCst);
            }
            Ok::<(), Finding>(())
        });
        let mut quiet_runs = 0;
        let result = loop {
            match run_again(&mut *vcpu) {
                Ok(VcpuExit::Canceled { .. }) => drop(seen.fetch_add(1, Ordering::SeqCst)),
                Ok(exit) if exit == syscall_exit() => quiet_runs += u64::from(kicker.is_finished()),
                other => break Err(format!("exit: {other:?}")),
            }
            if quiet_runs == 100 {
                break Ok(());
            }
        };
        seen.fetch_add(if result.is_err() { ROUNDS } else { 0 }, Ordering::SeqCst);
        let kicked = kicker.join().map_err(|_panic| "the kicker panicked".to_owned())?;
        result.and(kicked)
    })?;
    ensure_eq!(seen.load(Ordering::SeqCst), sent.load(Ordering::SeqCst), "cancels seen");
    Ok(())
}

fn kicks_are_latched_once(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::SVC])?;
    let mut vcpu = start(machine, proof)?;
    let id = vcpu.id();
    for kicks in 1..20 {
        for _ in 0..kicks {
            // The owner's own request is latched like any other.
            if kicks % 2 == 0 { kick(machine, &[id, id])? } else { kick_from_elsewhere(machine, id)? }
        }
        ensure_eq!(run_again(&mut *vcpu)?, latched(), format!("exit after {kicks} kicks"));
        ensure_eq!(run_again(&mut *vcpu)?, syscall_exit(), format!("second exit after {kicks} kicks"));
    }
    Ok(())
}

fn one_call_kicks_many(machine: &Arc<dyn Machine>, _proof: &SignalsBlocked) -> Result<(), Finding> {
    const ARRAY_ROUNDS: u64 = 100;
    load(machine, &SPIN)?;
    let ids: Vec<_> = (0..VCPUS).map(|_| std::sync::OnceLock::new()).collect();
    let rounds: Vec<_> = (0..VCPUS).map(|_| AtomicU64::new(0)).collect();
    let worker = |slot: usize| {
        let proof = signal::block_kick_set().map_err(|error| error.to_string())?;
        let mut vcpu = start(machine, &proof)?;
        vcpu.push(&spinning(slot as u64));
        ensure!(ids[slot].set(vcpu.id()).is_ok(), "slot {slot} was taken");
        for round in 0..ARRAY_ROUNDS {
            let exit = run(&mut *vcpu)?;
            ensure!(matches!(exit, VcpuExit::Canceled { .. }), "exit of round {round}, vCPU {slot}: {exit:?}");
            rounds[slot].fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let worker = &worker;
        let workers: Vec<_> = (0..VCPUS).map(|slot| scope.spawn(move || worker(slot))).collect();
        let kicked = (0..ARRAY_ROUNDS).try_for_each(|round| {
            let mut all = Vec::new();
            wait_for("all vCPUs", || {
                all = ids.iter().filter_map(|id| id.get().copied()).collect();
                Ok(all.len() == VCPUS || workers.iter().any(|worker| worker.is_finished()))
            })?;
            kick(machine, &all)?;
            wait_for("all exits", || {
                let stopped = workers.iter().any(|worker| worker.is_finished()) && round + 1 < ARRAY_ROUNDS;
                Ok(stopped || rounds.iter().all(|done| done.load(Ordering::SeqCst) > round))
            })
        });
        let results: Result<Vec<()>, Finding> =
            workers.into_iter().map(|worker| worker.join().map_err(|_panic| "a worker panicked".to_owned())?).collect();
        results.map(drop).and(kicked)
    })
}

fn spurious_handles_are_passed_over(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::SVC])?;
    let mut vcpu = start(machine, proof)?;
    let dead = start(machine, proof)?.id();
    kick(machine, &[])?;
    kick(machine, &[dead, VcpuId(u64::MAX), VcpuId(1 << 40)])?;
    ensure_eq!(run_again(&mut *vcpu)?, syscall_exit(), "exit after kicks of others");
    kick(machine, &[dead, vcpu.id(), VcpuId(u64::MAX), vcpu.id()])?;
    ensure_eq!(run_again(&mut *vcpu)?, latched(), "exit after a kick among spurious ones");
    ensure_eq!(run_again(&mut *vcpu)?, syscall_exit(), "the exit after that");
    Ok(())
}

fn handles_are_never_used_again(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::SVC])?;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let (first, second) = (start(machine, proof)?, start(machine, proof)?);
        ensure!(seen.insert(first.id()) && seen.insert(second.id()), "a handle was given out twice");
        drop(first);
        // A late kick of the dead one must not reach the one that is made now.
        let old = *seen.iter().next_back().ok_or("no handle")?;
        drop(second);
        let mut young = start(machine, proof)?;
        kick(machine, &[old])?;
        ensure_eq!(run_again(&mut *young)?, syscall_exit(), "exit of a new vCPU after a kick of a dead one");
        seen.insert(young.id());
    }
    Ok(())
}

fn handle_zero_is_a_handle(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::SVC])?;
    let mut vcpu = start(machine, proof)?;
    ensure_eq!(vcpu.id(), VcpuId(0), "the first handle");
    kick(machine, &[VcpuId(0)])?;
    ensure_eq!(run_again(&mut *vcpu)?, latched(), "exit after a kick of handle 0");
    Ok(())
}

/// Opens SIGUSR2 on the calling thread, with the counting handlers installed.
fn open_the_mask(proof: &SignalsBlocked) -> Result<(), Finding> {
    signal::install_counting_handlers(proof).map_err(|error| error.to_string())?;
    let mask = signal::own_mask().map_err(|error| error.to_string())?;
    signal::set_own_mask(mask.difference(SigSet::of(&[Signal::SIGUSR2]))).map_err(|error| error.to_string())
}

/// Sends SIGUSR2 to one thread of this process.
fn ring(target: Tid) -> Result<(), Finding> {
    let pid = process::own_pid();
    let info = SigInfo::from_sender(Signal::SIGUSR2, SiCode::SI_QUEUE, pid, 0);
    pidfd::queue_to_thread(pid, target, &info).map_err(|error| error.to_string())
}

/// A handler that runs on the vCPU's thread inside its run ends it as UNKNOWN, and only it does.
fn signal_inside_a_run_is_unknown(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &SPIN)?;
    let mut vcpu = start(machine, proof)?;
    vcpu.push(&spinning(0));
    open_the_mask(proof)?;
    let owner = thread::gettid();
    let rounds_done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let ringer = scope.spawn(|| {
            for round in 0..100 {
                let before = progress(machine, 0)?;
                wait_for("guest progress", || {
                    Ok(progress(machine, 0)? != before && rounds_done.load(Ordering::SeqCst) == round)
                })?;
                ring(owner)?;
                wait_for("the exit", || Ok(rounds_done.load(Ordering::SeqCst) > round))?;
            }
            Ok(())
        });
        let mut result = Ok(());
        for round in 0..100 {
            let exit = run(&mut *vcpu);
            if exit != Ok(VcpuExit::Unknown(VcpuExit::UNKNOWN_RAW)) {
                result = Err(format!("exit of round {round}: {exit:?}"));
                break;
            }
            rounds_done.fetch_add(1, Ordering::SeqCst);
        }
        rounds_done.fetch_add(if result.is_err() { ROUNDS } else { 0 }, Ordering::SeqCst);
        let rung = ringer.join().map_err(|_panic| "the ringer panicked".to_owned())?;
        result.and(rung)
    })
}

fn signal_between_runs_is_nothing(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[code::SVC])?;
    let mut vcpu = start(machine, proof)?;
    open_the_mask(proof)?;
    for round in 0..100 {
        // Directed at the calling thread and open there: the handler has run when the call returns.
        ring(thread::gettid())?;
        ensure_eq!(run_again(&mut *vcpu)?, syscall_exit(), format!("exit {round}"));
    }
    Ok(())
}

/// A signal and a cancel at about the same time: each of the two exits is seen, exactly once, in either order.
fn unknown_does_not_swallow_a_cancel(machine: &Arc<dyn Machine>, proof: &SignalsBlocked) -> Result<(), Finding> {
    load(machine, &[SPIN.as_slice(), &[code::SVC]].concat())?;
    let mut vcpu = start(machine, proof)?;
    open_the_mask(proof)?;
    let (owner, id) = (thread::gettid(), vcpu.id());
    for round in 0..100 {
        vcpu.push(&spinning(0));
        let before = progress(machine, 0)?;
        let exits = std::thread::scope(|scope| {
            let ringer = scope.spawn(|| {
                wait_for("guest progress", || Ok(progress(machine, 0)? != before))?;
                if round % 2 == 0 {
                    ring(owner)?;
                    kick(machine, &[id])
                } else {
                    kick(machine, &[id])?;
                    ring(owner)
                }
            });
            let first = run(&mut *vcpu)?;
            ringer.join().map_err(|_panic| "the ringer panicked".to_owned())??;
            Ok::<_, Finding>((first, ringer_latched(&mut *vcpu)?))
        })?;
        let unknown = VcpuExit::Unknown(VcpuExit::UNKNOWN_RAW);
        let is_cancel = |exit: VcpuExit| matches!(exit, VcpuExit::Canceled { .. });
        match exits {
            (first, second) if first == unknown => ensure!(is_cancel(second), "round {round}: {exits:?}"),
            // The signal came between the runs, where it is nothing.
            (first, second) => ensure!(is_cancel(first) && second == syscall_exit(), "round {round}: {exits:?}"),
        }
    }
    Ok(())
}

/// Runs the `svc` behind the loop: nothing but what is latched can come before it.
fn ringer_latched(vcpu: &mut dyn Vcpu) -> Result<VcpuExit, Finding> {
    let mut state = vcpu.pull();
    state.pc = CODE + 12;
    vcpu.push(&state);
    run(vcpu)
}
