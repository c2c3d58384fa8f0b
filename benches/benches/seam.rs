//! The seam alone: a run and its exit, and the time from a request for a kick to the return of `run`.
//!
//! The kicks are the product's own: a request, the kick thread, the registry, one array call. The kicked thread notes when
//! its run has returned, so that waking the thread that measures does not count.

use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use benches::{Failure, or_exit};
use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use elfuse::abi::{Errno, GuestAddr, GuestPtr, GuestRange, PAGE_SIZE, SigInfo, Signal};
use elfuse::host::native_thread::Handle;
use elfuse::host::thread::{self, Role};
use elfuse::host::{SignalsBlocked, clock, futex, signal};
use elfuse::mem::{Backing, Prot};
use elfuse::preempt::stats::{ProcessKind, Stats, TaskRole};
use elfuse::preempt::transport::Record;
use elfuse::preempt::{Bounds, Directed, Expired, KickCause, KickSink, Overrun, Preemption, RecordOutcome, TimerKey};
use elfuse::soft::SoftMachine;
use elfuse::vcpu::{CpuState, Machine, Vcpu, VcpuId};

/// `svc #0`, `b .-4`: every run is two instructions and an exit.
const CALL_FOR_EVER: [u32; 2] = [0xd400_0001, 0x17ff_ffff];
/// `b .`
const SPIN: [u32; 1] = [0x1400_0000];
/// Where the code lies.
const CODE: u64 = 0x40_0000;

/// Nothing that happens to the process is for a guest; a Ctrl-C still ends it.
struct Sink;

impl KickSink for Sink {
    fn stop_waits(&self, _signal: Signal) -> bool {
        false
    }

    fn host_signal(&self, info: &SigInfo, _directed: Directed) {
        exit(128 + info.signal().number());
    }

    fn record(&self, _record: &Record) -> RecordOutcome {
        RecordOutcome::Undelivered
    }

    fn cpu_timer_expired(&self, _key: TimerKey, _overrun: u32) {}

    fn timer_expired(&self, _expired: Expired) {}

    fn child_changed(&self, _info: &SigInfo) {}

    fn overrun(&self, _overrun: Overrun) {}
}

/// A machine, its kick thread, and the proof that the kick set is blocked.
struct Rig {
    machine: Arc<dyn Machine>,
    preemption: Preemption,
    proof: SignalsBlocked,
}

fn failed(what: &str) -> impl Fn(&dyn std::fmt::Display) -> String {
    move |why| format!("{what}: {why}")
}

impl Rig {
    fn new(code: &[u32]) -> Result<Self, String> {
        let proof = signal::block_kick_set().map_err(|error| failed("signals")(&error))?;
        let machine: Arc<dyn Machine> = SoftMachine::new().map_err(|error| failed("machine")(&error))?;
        load(&machine, code).map_err(|errno| failed("guest")(&errno))?;
        let stats = Stats::anonymous(ProcessKind::Initial).map_err(|error| failed("statistics")(&error))?;
        let preemption = Preemption::prepare(&proof, machine.clone(), stats, Bounds::default())
            .map_err(|error| failed("kick thread")(&error))?;
        preemption.start(&proof, Arc::new(Sink)).map_err(|error| failed("kick thread")(&error))?;
        Ok(Self { machine, preemption, proof })
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.preemption.shut_down();
    }
}

fn load(machine: &Arc<dyn Machine>, code: &[u32]) -> Result<(), Errno> {
    let page = GuestRange { start: GuestAddr(CODE), end: GuestAddr(CODE + PAGE_SIZE) };
    machine.map(page, Prot::READ | Prot::WRITE, Backing::Anonymous)?;
    for (at, word) in (CODE..).step_by(4).zip(code) {
        machine.memory().write(GuestPtr::new(GuestAddr(at)), word)?;
    }
    machine.protect(page, Prot::READ | Prot::EXEC)?;
    machine.invalidate_code(page);
    Ok(())
}

/// What the kicked thread shows.
#[derive(Default)]
struct Shown {
    vcpu: AtomicU64,
    /// Runs begun, or sleeps begun where it parks.
    rounds_begun: AtomicU32,
    /// Runs returned; a futex.
    rounds_ended: AtomicU32,
    /// When the last one returned.
    returned_at_ns: AtomicU64,
    /// What a parked thread sleeps on.
    wake: AtomicU32,
    is_over: AtomicBool,
}

/// A thread with a vCPU that runs until it is kicked, again and again.
struct Kicked {
    shown: Arc<Shown>,
    handle: Option<Handle<()>>,
}

impl Kicked {
    fn start(rig: &Rig, is_parking: bool) -> Result<Self, String> {
        let shown = Arc::new(Shown::default());
        let (own, machine, preemption) = (shown.clone(), rig.machine.clone(), rig.preemption.clone());
        let handle = thread::spawn(Role::Worker, "vcpu", &rig.proof, move |proof| {
            let Ok(mut vcpu) = machine.create_vcpu(&proof) else { exit(1) };
            own.vcpu.store(vcpu.id().0, Ordering::Release);
            vcpu.push(&CpuState { pc: CODE, ..CpuState::default() });
            let enlisted = preemption.enlist(vcpu.id(), Role::Worker, TaskRole::Worker);
            own.run(vcpu.as_mut(), is_parking);
            drop(enlisted);
        });
        let handle = handle.map_err(|error| failed("thread")(&error))?;
        Ok(Self { shown, handle: Some(handle) })
    }

    /// From the request to the return of the run.
    fn kick(&self, preemption: &Preemption, is_parked: bool) -> Duration {
        let shown = &*self.shown;
        let ended = shown.rounds_ended.load(Ordering::Acquire);
        while shown.rounds_begun.load(Ordering::Acquire) == ended {
            std::thread::yield_now();
        }
        // It has said that it begins; this is to be about a thread that is deep in it.
        std::thread::sleep(Duration::from_micros(200));
        let id = VcpuId(shown.vcpu.load(Ordering::Acquire));
        let requested_at_ns = clock::monotonic_ns();
        preemption.kicker().request(id, KickCause::GuestSignal);
        if is_parked {
            shown.wake.fetch_add(1, Ordering::SeqCst);
            futex::wake(&shown.wake, 1);
        }
        while shown.rounds_ended.load(Ordering::Acquire) == ended {
            futex::wait(&shown.rounds_ended, ended, None);
        }
        Duration::from_nanos(shown.returned_at_ns.load(Ordering::Acquire).saturating_sub(requested_at_ns))
    }
}

impl Shown {
    fn run(&self, vcpu: &mut dyn Vcpu, is_parking: bool) {
        while !self.is_over.load(Ordering::Acquire) {
            let seen = self.wake.load(Ordering::SeqCst);
            self.rounds_begun.fetch_add(1, Ordering::Release);
            if is_parking && !self.is_over.load(Ordering::Acquire) {
                futex::wait(&self.wake, seen, None);
            }
            if vcpu.run().is_err() {
                exit(1);
            }
            self.returned_at_ns.store(clock::monotonic_ns(), Ordering::Release);
            self.rounds_ended.fetch_add(1, Ordering::Release);
            futex::wake(&self.rounds_ended, 1);
        }
    }
}

fn run_and_exit(criterion: &mut Criterion) {
    let rig = or_exit(Rig::new(&CALL_FOR_EVER).map_err(Failure::new));
    let mut vcpu = or_exit(rig.machine.create_vcpu(&rig.proof).map_err(|error| Failure::new(error.to_string())));
    vcpu.push(&CpuState { pc: CODE, ..CpuState::default() });
    criterion.bench_function("seam/run and exit", |bencher| bencher.iter(|| vcpu.run().is_ok()));
}

fn kicks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kick to return");
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    for (name, is_parked) in [("spinning", false), ("parked", true)] {
        let rig = or_exit(Rig::new(&SPIN).map_err(Failure::new));
        let mut kicked = or_exit(Kicked::start(&rig, is_parked).map_err(Failure::new));
        group.bench_function(name, |bencher: &mut Bencher<'_>| {
            bencher.iter_custom(|iterations| (0..iterations).map(|_| kicked.kick(&rig.preemption, is_parked)).sum());
        });
        kicked.shown.is_over.store(true, Ordering::Release);
        kicked.kick(&rig.preemption, is_parked);
        if let Some(handle) = kicked.handle.take() {
            let _panicked = handle.join();
        }
    }
    group.finish();
}

criterion_group!(benches, run_and_exit, kicks);
criterion_main!(benches);
