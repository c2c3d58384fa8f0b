//! What the cases share: a machine whose vCPUs spin until they are interrupted, a sink that notes what it is told, and
//! a helper process that sends from outside.

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use elfuse::abi::{Pid, SigInfo, Signal, Tid};
use elfuse::host::signal::{self, INTERRUPT_CANCEL, INTERRUPT_HOST_SIGNAL};
use elfuse::host::thread::Role;
use elfuse::host::{SignalsBlocked, process, thread};
use elfuse::preempt::stats::{ProcessCounter, ProcessKind, Stats, TaskRole};
use elfuse::preempt::transport::{Directory, Record, SenderHandle};
use elfuse::preempt::{
    Bounds, Directed, Enlisted, Expired, KickSink, Kicker, Overrun, Preemption, RecordOutcome, TimerKey,
};
use elfuse::vcpu::{CpuFeatures, CpuState, Machine, SyscallRegisters, Vcpu, VcpuError, VcpuExit, VcpuId};

/// A machine whose vCPUs do nothing but look at their interrupt words.
pub(crate) struct SpinMachine {
    memory: Arc<dyn Machine>,
    words: Mutex<HashMap<VcpuId, Arc<AtomicU32>>>,
    next: AtomicU64,
}

impl SpinMachine {
    pub(crate) fn new() -> Arc<Self> {
        let memory = elfuse::soft::SoftMachine::new().unwrap();
        Arc::new(Self { memory, words: Mutex::default(), next: AtomicU64::new(0) })
    }
}

// The guest has no say here: memory is the software machine's.
crate::memory_of!(SpinMachine, memory);

impl Machine for SpinMachine {
    fn create_vcpu(&self, _proof: &SignalsBlocked) -> Result<Box<dyn Vcpu>, VcpuError> {
        let id = VcpuId(self.next.fetch_add(1, Ordering::Relaxed));
        let word = Arc::new(AtomicU32::new(0));
        self.words.lock().unwrap().insert(id, Arc::clone(&word));
        Ok(Box::new(SpinVcpu { id, word }))
    }

    fn exit_vcpus(&self, ids: &[VcpuId]) -> Result<(), VcpuError> {
        let words = self.words.lock().unwrap();
        for word in ids.iter().filter_map(|id| words.get(id)) {
            word.fetch_or(INTERRUPT_CANCEL, Ordering::Release);
        }
        Ok(())
    }

    fn features(&self) -> &CpuFeatures {
        self.memory.features()
    }

    fn backend_name(&self) -> &'static str {
        "spin"
    }
}

struct SpinVcpu {
    id: VcpuId,
    word: Arc<AtomicU32>,
}

impl Vcpu for SpinVcpu {
    fn id(&self) -> VcpuId {
        self.id
    }

    fn run(&mut self) -> Result<VcpuExit, VcpuError> {
        let mut looks = 0u64;
        let bits = signal::with_interrupt_word(&self.word, || {
            loop {
                let bits = self.word.swap(0, Ordering::AcqRel);
                if bits != 0 {
                    return bits;
                }
                looks += 1;
                if looks.is_multiple_of(64) {
                    std::thread::yield_now();
                }
            }
        });
        if bits & INTERRUPT_HOST_SIGNAL != 0 {
            return Ok(VcpuExit::Unknown(VcpuExit::UNKNOWN_RAW));
        }
        Ok(VcpuExit::Canceled { in_code: looks > 0 })
    }

    fn syscall(&self) -> SyscallRegisters {
        SyscallRegisters { number: 0, args: [0; 6] }
    }

    fn set_return_value(&mut self, _value: u64) {}

    fn pull(&self) -> CpuState {
        CpuState::default()
    }

    fn push(&mut self, _state: &CpuState) {}
}

/// Notes everything; re-arms timers as often as it is told to.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) signals: Mutex<Vec<(SigInfo, Directed)>>,
    pub(crate) records: Mutex<Vec<Record>>,
    pub(crate) expired: Mutex<Vec<Expired>>,
    pub(crate) overruns: Mutex<Vec<Overrun>>,
    pub(crate) children: AtomicU64,
    /// Timers to arm again, with their intervals, and by whom.
    pub(crate) intervals: Mutex<HashMap<TimerKey, u64>>,
    pub(crate) kicker: OnceLock<Kicker>,
}

impl KickSink for Notes {
    fn host_signal(&self, info: &SigInfo, directed: Directed) {
        self.signals.lock().unwrap().push((*info, directed));
    }

    fn stop_waits(&self, _signal: Signal) -> bool {
        false
    }

    fn record(&self, record: &Record) -> RecordOutcome {
        self.records.lock().unwrap().push(*record);
        if record.thread == Some(Tid(1)) { RecordOutcome::Undelivered } else { RecordOutcome::Delivered }
    }

    fn cpu_timer_expired(&self, _key: TimerKey, _overrun: u32) {}

    fn timer_expired(&self, expired: Expired) {
        self.expired.lock().unwrap().push(expired);
        let interval = self.intervals.lock().unwrap().get(&expired.key).copied();
        if let (Some(interval), Some(kicker)) = (interval, self.kicker.get()) {
            kicker.arm(expired.key, expired.deadline_ns + interval);
        }
    }

    fn child_changed(&self, _info: &SigInfo) {
        self.children.fetch_add(1, Ordering::Relaxed);
    }

    fn overrun(&self, overrun: Overrun) {
        self.overruns.lock().unwrap().push(overrun);
    }
}

/// A process with its preemption up.
pub(crate) struct Rig {
    pub(crate) proof: SignalsBlocked,
    pub(crate) machine: Arc<SpinMachine>,
    pub(crate) notes: Arc<Notes>,
    pub(crate) preemption: Preemption,
    pub(crate) directory: Directory,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(ProcessKind::Initial, None)
    }

    pub(crate) fn with(kind: ProcessKind, run_limit_ns: Option<u64>) -> Self {
        Self::counting_in(Stats::anonymous(kind).unwrap(), run_limit_ns)
    }

    pub(crate) fn counting_in(stats: Arc<Stats>, run_limit_ns: Option<u64>) -> Self {
        let proof = signal::block_kick_set().unwrap();
        let machine = SpinMachine::new();
        let bounds = Bounds { run_limit_ns, directory: None };
        let preemption = Preemption::prepare(&proof, machine.clone(), stats, bounds).unwrap();
        let notes = Arc::new(Notes::default());
        let _first = notes.kicker.set(preemption.kicker().clone());
        let warning = preemption.start(&proof, notes.clone()).unwrap();
        assert!(warning.is_none(), "{warning:?}");
        Self { proof, machine, notes, preemption, directory: Directory::from_environment() }
    }

    pub(crate) fn count(&self, counter: ProcessCounter) -> u64 {
        self.preemption.kicker().stats().get(counter)
    }

    /// A sender to this very process.
    pub(crate) fn sender(&self) -> SenderHandle {
        SenderHandle::open(&self.directory, process::own_pid()).unwrap()
    }

    /// A vCPU thread that runs until told to stop.
    pub(crate) fn worker(&self, role: Role) -> Worker {
        let state = Arc::new(WorkerState::default());
        let (preemption, machine, own) = (self.preemption.clone(), self.machine.clone(), state.clone());
        let task_role = if role == Role::Worker { TaskRole::Worker } else { TaskRole::Bootstrap };
        let handle = thread::spawn(role, "vcpu", &self.proof, move |proof| {
            let mut vcpu = machine.create_vcpu(&proof).unwrap();
            let live = preemption.enlist(vcpu.id(), role, task_role);
            own.run(&preemption, vcpu.as_mut(), live);
        });
        let worker = Worker { state, handle: Some(handle.unwrap()), kicker: self.preemption.kicker().clone() };
        wait_until("the worker is enlisted", || worker.state.tid.load(Ordering::Acquire) != 0);
        worker
    }
}

/// What a vCPU thread shows of itself.
#[derive(Default)]
pub(crate) struct WorkerState {
    pub(crate) tid: AtomicU32,
    pub(crate) id: AtomicU64,
    pub(crate) canceled: AtomicU64,
    pub(crate) unknown: AtomicU64,
    pub(crate) drained: AtomicU64,
    stop: AtomicBool,
}

impl WorkerState {
    fn run(&self, preemption: &Preemption, vcpu: &mut dyn Vcpu, live: Enlisted) {
        self.id.store(vcpu.id().0, Ordering::Release);
        self.tid.store(thread::gettid().0.cast_unsigned(), Ordering::Release);
        while !self.stop.load(Ordering::Acquire) {
            live.stats.run_entered();
            let exit = vcpu.run().unwrap();
            live.stats.run_exited(&exit);
            match exit {
                VcpuExit::Canceled { .. } => self.canceled.fetch_add(1, Ordering::Release),
                VcpuExit::Unknown(_) => self.unknown.fetch_add(1, Ordering::Release),
                VcpuExit::Exception(_) | VcpuExit::VtimerActivated => 0,
            };
            let drained = preemption.drain_thread_directed(vcpu.id(), &live.stats) as u64;
            self.drained.fetch_add(drained, Ordering::Release);
        }
    }
}

pub(crate) struct Worker {
    pub(crate) state: Arc<WorkerState>,
    handle: Option<elfuse::host::native_thread::Handle<()>>,
    kicker: Kicker,
}

impl Worker {
    pub(crate) fn tid(&self) -> Tid {
        Tid(self.state.tid.load(Ordering::Acquire).cast_signed())
    }

    pub(crate) fn id(&self) -> VcpuId {
        VcpuId(self.state.id.load(Ordering::Acquire))
    }

    pub(crate) fn canceled(&self) -> u64 {
        self.state.canceled.load(Ordering::Acquire)
    }

    pub(crate) fn stop(mut self) {
        self.state.stop.store(true, Ordering::Release);
        let handle = self.handle.take().unwrap();
        wait_until("the worker ends", || {
            self.kicker.request(self.id(), elfuse::preempt::KickCause::ExitGroup);
            handle.is_finished()
        });
        handle.join().unwrap();
    }
}

/// Looks until the condition holds; a case that waits in vain fails by name, long before it counts as hung.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    assert!(holds_soon(Duration::from_secs(30), &mut condition), "waited in vain until {what}");
}

/// True when the condition holds within `patience`.
pub(crate) fn holds_soon(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while !condition() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

/// Starts this program as a helper process.
pub(crate) fn start_helper(arguments: &[&str]) -> Child {
    let program = std::env::current_exe().unwrap();
    Command::new(program).arg("--helper").args(arguments).stdout(Stdio::piped()).spawn().unwrap()
}

/// The body of a helper process.
pub(crate) fn helper(arguments: &[String]) {
    let number = |at: usize| arguments[at].parse::<u64>().unwrap();
    match arguments[0].as_str() {
        // Sends SIGUSR1 records with values 0..COUNT to PID.
        "send" => {
            let pid = Pid(number(1) as i32);
            let sender = SenderHandle::open(&Directory::from_environment(), pid).unwrap();
            for value in 0..number(2) {
                let info = SigInfo::queued(Signal::SIGUSR1, process::own_pid(), 0, value);
                sender.send_signal(None, &info).unwrap();
            }
        }
        // Counts in the file PATH until it is killed.
        "count" => crate::statistics::count_until_killed(std::path::Path::new(&arguments[1])),
        // Prints what the process was started with.
        "start-state" => println!("{:?}", signal::HostSignalState::capture()),
        other => panic!("no helper {other}"),
    }
}
