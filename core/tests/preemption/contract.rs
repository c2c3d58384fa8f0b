//! The seam's contract about interruption, for every back end: what `exit_vcpus` and host signals do to a run.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

use elfuse::abi::{GuestAddr, GuestRange, PAGE_SIZE, SigSet, Signal};
use elfuse::host::signal::{self, INTERRUPT_CANCEL};
use elfuse::host::thread::{self, Role};
use elfuse::host::{SignalsBlocked, process};
use elfuse::mem::{Backing, Prot};
use elfuse::preempt::transport::ring_thread;
use elfuse::vcpu::{CpuState, Machine, Vcpu, VcpuExit, VcpuId};

use crate::rig::wait_until;
use crate::{Case, cases};

pub(crate) const CASES: &[Case] = cases![
    a_kick_before_a_run_ends_it_without_an_instruction,
    a_kick_during_a_run_ends_it_in_code,
    a_kick_after_a_run_ends_the_next,
    kicks_of_one_gap_coalesce,
    one_call_kicks_an_array_and_passes_over_the_dead,
    a_canceled_run_goes_on_where_it_was,
    a_host_signal_inside_a_run_is_unknown,
    a_host_signal_and_a_kick_are_unknown,
];

const TIMES: u64 = 1000;
const CODE: GuestAddr = GuestAddr(0x10_0000);
/// `add x0, x0, #1` and `b .-4`.
const COUNT_FOR_EVER: [u32; 2] = [0x9100_0400, 0x17ff_ffff];

/// The back ends of this host.
fn machines() -> Vec<Arc<dyn Machine>> {
    vec![elfuse::soft::SoftMachine::new().unwrap()]
}

/// Gives the machine a program that counts in x0 and never ends.
fn load(machine: &dyn Machine) {
    let range = GuestRange::new(CODE, PAGE_SIZE).unwrap();
    machine.map(range, Prot::READ | Prot::WRITE, Backing::Anonymous).unwrap();
    let bytes: Vec<u8> = COUNT_FOR_EVER.iter().flat_map(|word| word.to_le_bytes()).collect();
    machine.memory().write_bytes(CODE, &bytes).unwrap();
    machine.protect(range, Prot::READ | Prot::EXEC).unwrap();
}

fn vcpu(machine: &dyn Machine, proof: &SignalsBlocked) -> Box<dyn Vcpu> {
    let mut vcpu = machine.create_vcpu(proof).unwrap();
    vcpu.push(&CpuState { pc: CODE.0, ..CpuState::default() });
    vcpu
}

/// Runs `body` once per back end, with the kick set blocked and the program loaded.
fn for_each_back_end(body: impl Fn(&Arc<dyn Machine>, &SignalsBlocked)) {
    let proof = signal::block_kick_set().unwrap();
    signal::install_counting_handlers(&proof).unwrap();
    for machine in machines() {
        load(&*machine);
        body(&machine, &proof);
    }
}

/// Runs `body` on another thread beside `runs`, which gets what it needs to know when to kick.
fn beside<T: Send + 'static>(
    proof: &SignalsBlocked,
    body: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    thread::spawn(Role::Kick, "kicker", proof, move |_proof| body()).unwrap()
}

fn a_kick_before_a_run_ends_it_without_an_instruction() {
    for_each_back_end(|machine, proof| {
        let mut vcpu = vcpu(&**machine, proof);
        let (id, gate) = (vcpu.id(), Arc::new(Barrier::new(2)));
        let (other, opened) = (machine.clone(), gate.clone());
        let kicker = beside(proof, move || {
            for _ in 0..TIMES {
                other.exit_vcpus(&[id]).unwrap();
                opened.wait();
                opened.wait();
            }
        });
        for _ in 0..TIMES {
            gate.wait();
            assert_eq!(vcpu.run().unwrap(), VcpuExit::Canceled { in_code: false });
            gate.wait();
        }
        assert_eq!(vcpu.pull().x[0], 0, "an instruction ran");
        kicker.join().unwrap();
    });
}

fn a_kick_during_a_run_ends_it_in_code() {
    for_each_back_end(|machine, proof| {
        let mut vcpu = vcpu(&**machine, proof);
        let (id, runs, stop) = (vcpu.id(), Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (other, begun, stopped) = (machine.clone(), runs.clone(), stop.clone());
        let kicker = beside(proof, move || {
            let mut kicks = 0;
            while !stopped.load(Ordering::Acquire) {
                // One kick for each run, some time after it has begun.
                if begun.load(Ordering::Acquire) > kicks {
                    std::thread::sleep(std::time::Duration::from_micros(50));
                    other.exit_vcpus(&[id]).unwrap();
                    kicks += 1;
                }
                std::thread::yield_now();
            }
            kicks
        });
        let mut in_code = 0;
        for run in 1..=TIMES {
            runs.store(run, Ordering::Release);
            match vcpu.run().unwrap() {
                VcpuExit::Canceled { in_code: true } => in_code += 1,
                VcpuExit::Canceled { in_code: false } => {}
                other => panic!("{other:?}"),
            }
        }
        stop.store(true, Ordering::Release);
        assert_eq!(kicker.join().unwrap(), TIMES);
        // A kick may still come before the first instruction where the owner was slow to enter.
        assert!(in_code > TIMES / 10, "{in_code} of {TIMES}");
    });
}

fn a_kick_after_a_run_ends_the_next() {
    for_each_back_end(|machine, proof| {
        let mut vcpu = vcpu(&**machine, proof);
        let (id, gate) = (vcpu.id(), Arc::new(Barrier::new(2)));
        let (other, opened) = (machine.clone(), gate.clone());
        let kicker = beside(proof, move || {
            for _ in 0..TIMES {
                opened.wait();
                // Twice: the run has ended, or the first has ended it and the second comes after.
                other.exit_vcpus(&[id]).unwrap();
                opened.wait();
                other.exit_vcpus(&[id]).unwrap();
                opened.wait();
            }
        });
        for _ in 0..TIMES {
            gate.wait();
            assert!(matches!(vcpu.run().unwrap(), VcpuExit::Canceled { .. }));
            gate.wait();
            gate.wait();
            assert_eq!(vcpu.run().unwrap(), VcpuExit::Canceled { in_code: false });
        }
        kicker.join().unwrap();
    });
}

fn kicks_of_one_gap_coalesce() {
    for_each_back_end(|machine, proof| {
        let mut vcpu = vcpu(&**machine, proof);
        let id = vcpu.id();
        let (other, storm) = (machine.clone(), move |machine: &dyn Machine| {
            for _ in 0..TIMES {
                machine.exit_vcpus(&[id]).unwrap();
            }
        });
        beside(proof, move || storm(&*other)).join().unwrap();
        assert_eq!(vcpu.run().unwrap(), VcpuExit::Canceled { in_code: false });
        // The next run is not ended by what is left of the storm: only by a kick of its own.
        let (other, stop) = (machine.clone(), Arc::new(AtomicBool::new(false)));
        let stopped = stop.clone();
        let kicker = beside(proof, move || {
            std::thread::sleep(std::time::Duration::from_millis(20));
            while !stopped.load(Ordering::Acquire) {
                other.exit_vcpus(&[id]).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        });
        assert_eq!(vcpu.run().unwrap(), VcpuExit::Canceled { in_code: true });
        stop.store(true, Ordering::Release);
        kicker.join().unwrap();
    });
}

fn one_call_kicks_an_array_and_passes_over_the_dead() {
    for_each_back_end(|machine, proof| {
        let dead = vcpu(&**machine, proof).id();
        let ended = Arc::new(AtomicU64::new(0));
        let (ids, known) = std::sync::mpsc::channel();
        let runners: Vec<_> = (0..3)
            .map(|_| {
                let (machine, ended, ids) = (machine.clone(), ended.clone(), ids.clone());
                thread::spawn(Role::Worker, "runner", proof, move |proof| {
                    let mut vcpu = vcpu(&*machine, &proof);
                    ids.send(vcpu.id()).unwrap();
                    let exit = vcpu.run().unwrap();
                    ended.fetch_add(1, Ordering::AcqRel);
                    exit
                })
                .unwrap()
            })
            .collect();
        let mut array: Vec<VcpuId> = known.iter().take(3).collect();
        array.insert(1, dead);
        array.push(VcpuId(u64::MAX));
        assert_eq!(ended.load(Ordering::Acquire), 0);
        machine.exit_vcpus(&array).unwrap();
        machine.exit_vcpus(&[]).unwrap();
        wait_until("all three runs end", || ended.load(Ordering::Acquire) == 3);
        for runner in runners {
            assert!(matches!(runner.join().unwrap(), VcpuExit::Canceled { .. }));
        }
    });
}

fn a_canceled_run_goes_on_where_it_was() {
    for_each_back_end(|machine, proof| {
        let mut vcpu = vcpu(&**machine, proof);
        let (id, other, stop) = (vcpu.id(), machine.clone(), Arc::new(AtomicBool::new(false)));
        let stopped = stop.clone();
        let kicker = beside(proof, move || {
            while !stopped.load(Ordering::Acquire) {
                other.exit_vcpus(&[id]).unwrap();
                std::thread::sleep(std::time::Duration::from_micros(20));
            }
        });
        let mut last = 0;
        for _ in 0..TIMES {
            assert!(matches!(vcpu.run().unwrap(), VcpuExit::Canceled { .. }));
            let state = vcpu.pull();
            assert!(state.x[0] >= last && (state.pc == CODE.0 || state.pc == CODE.0 + 4), "{state:?}");
            last = state.x[0];
        }
        stop.store(true, Ordering::Release);
        kicker.join().unwrap();
        assert!(last > 0);
    });
}

/// Runs with SIGUSR2 open while somebody rings this thread.
fn run_with_an_open_mask(machine: &Arc<dyn Machine>, proof: &SignalsBlocked, and_kick: bool) {
    let mut vcpu = vcpu(&**machine, proof);
    let (id, other, stop) = (vcpu.id(), machine.clone(), Arc::new(AtomicBool::new(false)));
    let (stopped, pid, tid) = (stop.clone(), process::own_pid(), thread::gettid());
    let ringer = beside(proof, move || {
        while !stopped.load(Ordering::Acquire) {
            std::thread::sleep(std::time::Duration::from_millis(1));
            ring_thread(pid, tid).unwrap();
            if and_kick {
                other.exit_vcpus(&[id]).unwrap();
            }
        }
    });
    let closed = signal::own_mask().unwrap();
    signal::set_own_mask(closed.difference(SigSet::of(&[Signal::SIGUSR2]))).unwrap();
    let mut unknown = 0;
    wait_until("ten runs have ended as UNKNOWN", || {
        match vcpu.run().unwrap() {
            VcpuExit::Unknown(raw) => {
                assert_eq!(raw, VcpuExit::UNKNOWN_RAW);
                unknown += 1;
            }
            // Possible only where somebody kicks: the signal came between two runs, or after this one's cancel.
            VcpuExit::Canceled { .. } => assert!(and_kick, "nobody kicked"),
            VcpuExit::Exception(_) | VcpuExit::VtimerActivated => panic!("the guest only counts"),
        }
        unknown == 10
    });
    signal::set_own_mask(closed).unwrap();
    stop.store(true, Ordering::Release);
    ringer.join().unwrap();
}

fn a_host_signal_inside_a_run_is_unknown() {
    for_each_back_end(|machine, proof| run_with_an_open_mask(machine, proof, false));
}

fn a_host_signal_and_a_kick_are_unknown() {
    for_each_back_end(|machine, proof| run_with_an_open_mask(machine, proof, true));
    // On the software vCPU the two are bits of one word; a cancel does not hide the signal.
    assert_ne!(INTERRUPT_CANCEL, signal::INTERRUPT_HOST_SIGNAL);
}
