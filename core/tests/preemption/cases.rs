//! Masks, kicks, host signals, timers and the watchdog.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use elfuse::abi::{SiCode, SigInfo, SigSet, Signal};
use elfuse::host::thread::{self, Role};
use elfuse::host::{clock, pidfd, process, signal};
use elfuse::preempt::stats::{ProcessCounter, ProcessKind, TaskRole};
use elfuse::preempt::transport::ring_thread;
use elfuse::preempt::{Directed, KickCause, KickTargets, TimerKey, WatchdogVerdict};
use elfuse::vcpu::{Machine, VcpuExit};

use crate::rig::{Rig, wait_until};
use crate::{Case, cases};

pub(crate) const CASES: &[Case] = cases![
    every_thread_blocks_the_kick_set,
    directed_doorbells_to_every_task_run_no_handler,
    kicks_during_runs_always_cancel,
    kicks_before_and_between_runs_are_latched,
    doorbells_kick_all_vcpus,
    requests_before_the_kick_thread_starts_are_kept,
    every_signal_from_outside_reaches_the_sink_once,
    real_time_signals_keep_count_and_values,
    a_doorbell_without_cookie_is_also_a_signal,
    directed_signals_are_told_from_those_of_the_process,
    signals_of_the_process_are_left_to_the_kick_thread,
    sent_fault_signals_are_forwarded,
    children_are_told,
    timers_expire_in_order_and_earlier_ones_wake,
    cancelled_timers_stay_silent,
    a_timer_is_found_expired_while_the_kick_thread_is_elsewhere,
    the_watchdog_fires_for_the_run_that_hangs,
    own_kicks_are_counted,
    shutting_down_twice_leaves_nothing,
];

fn every_thread_blocks_the_kick_set() {
    let rig = Rig::new();
    let workers = [rig.worker(Role::Bootstrap), rig.worker(Role::Worker)];
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let log = thread::spawn(Role::Log, "log", &rig.proof, move |_proof| stopped.recv().is_ok()).unwrap();
    rig.sender().send_null().unwrap();
    wait_until("the transport thread has started and drained", || rig.count(ProcessCounter::RecordsNull) > 0);
    let tasks = thread::own_tasks().unwrap();
    // This thread, two workers, the log thread, the kick thread and the transport thread.
    assert_eq!(tasks.len(), 6, "{tasks:?}");
    for task in &tasks {
        assert!(task.keeps_the_invariant(), "{task:?}");
    }
    wait_until("all threads have started and none blocks a fault signal", || {
        !thread::own_tasks().unwrap().iter().any(thread::TaskMask::blocks_faults)
    });
    stop.send(()).unwrap();
    assert!(log.join().unwrap());
    workers.into_iter().for_each(crate::rig::Worker::stop);
}

fn directed_doorbells_to_every_task_run_no_handler() {
    let rig = Rig::new();
    let workers = [rig.worker(Role::Bootstrap), rig.worker(Role::Worker)];
    let pid = process::own_pid();
    for _ in 0..200 {
        for task in thread::own_tasks().unwrap() {
            ring_thread(pid, task.tid).unwrap();
        }
        rig.preemption.kicker().request(KickTargets::All, KickCause::Fork);
        std::thread::yield_now();
    }
    wait_until("both workers have drained", || workers.iter().all(|w| w.state.drained.load(Ordering::Acquire) > 0));
    wait_until("the kick thread has taken its own", || rig.count(ProcessCounter::Doorbells) > 0);
    assert_eq!(rig.count(ProcessCounter::StrayHandlers), 0);
    for worker in workers {
        assert_eq!(worker.state.unknown.load(Ordering::Acquire), 0);
        worker.stop();
    }
}

fn kicks_during_runs_always_cancel() {
    let rig = Rig::new();
    let workers = [rig.worker(Role::Bootstrap), rig.worker(Role::Worker), rig.worker(Role::Worker)];
    for round in 0..1000u64 {
        for worker in &workers {
            let before = worker.canceled();
            rig.preemption.kicker().request(worker.id(), KickCause::GuestSignal);
            wait_until("the kick ends the run", || worker.canceled() > before);
            assert_eq!(worker.canceled(), round + 1);
        }
    }
    assert_eq!(rig.count(ProcessCounter::KicksGuestSignal), 3000);
    assert_eq!(rig.count(ProcessCounter::SelfKicks), 0);
    for worker in workers {
        assert_eq!(worker.state.unknown.load(Ordering::Acquire), 0);
        worker.stop();
    }
}

fn kicks_before_and_between_runs_are_latched() {
    let rig = Rig::new();
    let mut vcpu = rig.machine.create_vcpu(&rig.proof).unwrap();
    let live = rig.preemption.enlist(vcpu.id(), Role::Bootstrap, TaskRole::Bootstrap);
    let kicker = rig.preemption.kicker().clone();
    let id = vcpu.id();
    for round in 1..=1000 {
        let asker = kicker.clone();
        // Another thread asks, as always; the kick is executed while no run is in progress.
        thread::spawn(Role::Pool, "asker", &rig.proof, move |_proof| asker.request(id, KickCause::Timer))
            .unwrap()
            .join()
            .unwrap();
        wait_until("the kick is executed", || rig.count(ProcessCounter::KicksTimer) == round);
        assert_eq!(vcpu.run().unwrap(), VcpuExit::Canceled { in_code: false });
    }
    drop(live);
}

fn doorbells_kick_all_vcpus() {
    let rig = Rig::new();
    let workers = [rig.worker(Role::Bootstrap), rig.worker(Role::Worker)];
    let sender = rig.sender();
    for _ in 0..1000 {
        let before: Vec<u64> = workers.iter().map(crate::rig::Worker::canceled).collect();
        sender.ring().unwrap();
        wait_until("both runs end", || workers.iter().zip(&before).all(|(worker, before)| worker.canceled() > *before));
    }
    assert_eq!(rig.count(ProcessCounter::Doorbells), 1000);
    assert_eq!(rig.count(ProcessCounter::KicksDoorbell), 2000);
    assert!(rig.notes.signals.lock().unwrap().is_empty());
    workers.into_iter().for_each(crate::rig::Worker::stop);
}

fn requests_before_the_kick_thread_starts_are_kept() {
    use elfuse::preempt::{Bounds, Preemption, stats::Stats};
    let proof = signal::block_kick_set().unwrap();
    let machine = crate::rig::SpinMachine::new();
    let stats = Stats::anonymous(ProcessKind::Initial).unwrap();
    let preemption = Preemption::prepare(&proof, machine.clone(), stats, Bounds::default()).unwrap();
    let vcpu = machine.create_vcpu(&proof).unwrap();
    let live = preemption.enlist(vcpu.id(), Role::Bootstrap, TaskRole::Bootstrap);
    preemption.kicker().request(KickTargets::All, KickCause::Exec);
    assert_eq!(preemption.kicker().stats().get(ProcessCounter::KicksExec), 0);
    preemption.start(&proof, std::sync::Arc::new(crate::rig::Notes::default())).unwrap();
    wait_until("it is executed", || preemption.kicker().stats().get(ProcessCounter::KicksExec) == 1);
    drop(live);
}

fn every_signal_from_outside_reaches_the_sink_once() {
    let rig = Rig::new();
    let pid = process::own_pid();
    let signals: Vec<Signal> = signal::taken_set().iter().filter(|signal| *signal != Signal::SIGUSR2).collect();
    assert_eq!(signals.len(), 56);
    wait_until("the C library has started all threads", || {
        thread::own_tasks().unwrap().iter().all(|task| signal::taken_set().difference(task.blocked).is_empty())
    });
    for (sent, signal) in signals.iter().enumerate() {
        // One by one: SIGCONT and the stop signals discard each other while they wait.
        pidfd::queue_to_process(pid, &SigInfo::queued(*signal, pid, 7, signal.number() as u64)).unwrap();
        wait_until("it comes", || rig.notes.signals.lock().unwrap().len() == sent + 1);
    }
    let mut seen = BTreeMap::new();
    for (info, directed) in rig.notes.signals.lock().unwrap().iter() {
        assert_eq!(*directed, Directed::Process);
        assert_eq!((info.value(), info.uid()), (info.signal().number() as u64, 7));
        *seen.entry(info.signal()).or_insert(0) += 1;
    }
    assert!(signals.iter().all(|signal| seen.get(signal) == Some(&1)), "{seen:?}");
    assert_eq!(rig.count(ProcessCounter::StrayHandlers), 0);
}

fn real_time_signals_keep_count_and_values() {
    let rig = Rig::new();
    let pid = process::own_pid();
    let signal = Signal::new(40).unwrap();
    for value in 0..1000 {
        pidfd::queue_to_process(pid, &SigInfo::queued(signal, pid, 0, value)).unwrap();
    }
    wait_until("all have come", || rig.notes.signals.lock().unwrap().len() >= 1000);
    let values: Vec<u64> = rig.notes.signals.lock().unwrap().iter().map(|(info, _)| info.value()).collect();
    assert_eq!(values, (0..1000).collect::<Vec<u64>>());
}

fn a_doorbell_without_cookie_is_also_a_signal() {
    let rig = Rig::new();
    let worker = rig.worker(Role::Bootstrap);
    let pid = process::own_pid();
    let before = worker.canceled();
    pidfd::queue_to_process(pid, &SigInfo::queued(Signal::SIGUSR2, pid, 0, 1)).unwrap();
    wait_until("the sink has it", || rig.notes.signals.lock().unwrap().len() == 1);
    assert_eq!(rig.notes.signals.lock().unwrap()[0].0.signal(), Signal::SIGUSR2);
    assert_eq!((rig.count(ProcessCounter::ForeignDoorbells), rig.count(ProcessCounter::Doorbells)), (1, 0));
    wait_until("it kicks too", || worker.canceled() > before);
    worker.stop();
}

fn directed_signals_are_told_from_those_of_the_process() {
    let rig = Rig::new();
    let worker = rig.worker(Role::Worker);
    let (pid, tid) = (process::own_pid(), worker.tid());
    let both = Signal::new(41).unwrap();
    for value in 0..200 {
        pidfd::queue_to_thread(pid, tid, &SigInfo::queued(both, pid, 0, value)).unwrap();
        pidfd::queue_to_process(pid, &SigInfo::queued(both, pid, 0, 1000 + value)).unwrap();
        rig.preemption.kicker().request(worker.id(), KickCause::HostSignal);
    }
    wait_until("all have come", || {
        rig.preemption.kicker().request(worker.id(), KickCause::HostSignal);
        rig.notes.signals.lock().unwrap().len() == 400
    });
    for (info, directed) in rig.notes.signals.lock().unwrap().iter() {
        let expected = if info.value() < 1000 { Directed::Thread(tid) } else { Directed::Process };
        assert_eq!(*directed, expected, "value {}", info.value());
    }
    worker.stop();
}

fn signals_of_the_process_are_left_to_the_kick_thread() {
    let _proof = signal::block_kick_set().unwrap();
    let (pid, tid) = (process::own_pid(), thread::gettid());
    let both = Signal::new(41).unwrap();
    // No kick thread takes anything here, so all of these wait together.
    for value in 0..5 {
        pidfd::queue_to_process(pid, &SigInfo::queued(both, pid, 0, 1000 + value)).unwrap();
        pidfd::queue_to_thread(pid, tid, &SigInfo::queued(both, pid, 0, value)).unwrap();
    }
    pidfd::queue_to_process(pid, &SigInfo::queued(Signal::SIGUSR1, pid, 0, 2000)).unwrap();
    // What nobody asks for stays where it is, directed at the thread or not.
    pidfd::queue_to_thread(pid, tid, &SigInfo::queued(Signal::SIGUSR2, pid, 0, 3000)).unwrap();
    let others = signal::taken_set().difference(SigSet::of(&[Signal::SIGUSR2]));
    let take = || signal::take_thread_directed(others);
    let values: Vec<u64> = std::iter::from_fn(take).map(|info| info.value()).collect();
    assert_eq!(values, [0, 1, 2, 3, 4]);
    assert_eq!(signal::take_thread_directed(signal::taken_set()).map(|info| info.value()), Some(3000));
    let values: Vec<u64> =
        std::iter::from_fn(|| signal::take_pending(signal::taken_set())).map(|info| info.value()).collect();
    assert_eq!(values, [2000, 1000, 1001, 1002, 1003, 1004]);
}

fn sent_fault_signals_are_forwarded() {
    let rig = Rig::new();
    elfuse::host::fault::install().unwrap();
    let worker = rig.worker(Role::Bootstrap);
    let pid = process::own_pid();
    let faults: Vec<Signal> = signal::FAULT_SIGNALS.iter().collect();
    for (sent, signal) in faults.iter().enumerate() {
        let info = SigInfo::from_sender(*signal, SiCode::SI_QUEUE, pid, 3);
        if sent.is_multiple_of(2) {
            pidfd::queue_to_process(pid, &info).unwrap();
        } else {
            pidfd::queue_to_thread(pid, worker.tid(), &info).unwrap();
        }
        wait_until("the sink has it", || rig.notes.signals.lock().unwrap().len() == sent + 1);
        let (seen, directed) = rig.notes.signals.lock().unwrap()[sent];
        assert_eq!((seen.signal(), seen.code(), seen.pid(), seen.uid()), (*signal, SiCode::SI_QUEUE, pid, 3));
        assert_eq!(directed, Directed::Process);
    }
    assert_eq!(worker.state.unknown.load(Ordering::Acquire), 0);
    worker.stop();
}

fn children_are_told() {
    let rig = Rig::new();
    let mut child = crate::rig::start_helper(&["start-state"]);
    assert!(child.wait().unwrap().success());
    wait_until("the sink is told", || rig.notes.children.load(Ordering::Acquire) > 0);
    assert!(rig.notes.signals.lock().unwrap().is_empty());
}

fn timers_expire_in_order_and_earlier_ones_wake() {
    let rig = Rig::new();
    let kicker = rig.preemption.kicker();
    let now = clock::monotonic_ns();
    kicker.arm(TimerKey(1), now + 3_600_000_000_000);
    // Let the kick thread fall asleep for an hour, then arm an earlier one.
    std::thread::sleep(Duration::from_millis(20));
    let late = kicker.arm(TimerKey(2), now + 60_000_000);
    let early = kicker.arm(TimerKey(3), now + 40_000_000);
    wait_until("both have expired", || rig.notes.expired.lock().unwrap().len() == 2);
    let expired = rig.notes.expired.lock().unwrap().clone();
    assert_eq!(
        expired.iter().map(|e| (e.key, e.generation)).collect::<Vec<_>>(),
        [(TimerKey(3), early), (TimerKey(2), late)]
    );
    assert!(clock::monotonic_ns() >= now + 60_000_000, "expired early");
    assert!(kicker.cancel(TimerKey(1)));
    // An interval: the sink arms again from inside the expiry.
    rig.notes.intervals.lock().unwrap().insert(TimerKey(4), 1_000_000);
    kicker.arm(TimerKey(4), clock::monotonic_ns());
    wait_until("it goes on", || rig.notes.expired.lock().unwrap().len() >= 22);
}

fn cancelled_timers_stay_silent() {
    let rig = Rig::new();
    let kicker = rig.preemption.kicker();
    for round in 0..500u64 {
        let generation = kicker.arm(TimerKey(round), clock::monotonic_ns() + 200_000);
        if round.is_multiple_of(2) {
            std::thread::sleep(Duration::from_micros(200));
        }
        if kicker.cancel(TimerKey(round)) {
            // Whoever disarmed it may count on that.
            assert!(!rig.notes.expired.lock().unwrap().iter().any(|expired| expired.generation == generation));
        } else {
            wait_until("its expiry arrives", || {
                rig.notes.expired.lock().unwrap().iter().any(|expired| expired.generation == generation)
            });
        }
    }
    let total = rig.notes.expired.lock().unwrap().len();
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(rig.notes.expired.lock().unwrap().len(), total);
}

fn a_timer_is_found_expired_while_the_kick_thread_is_elsewhere() {
    let rig = Rig::new();
    let kicker = rig.preemption.kicker();
    // The kick thread comes no further than this lock.
    let signals = rig.notes.signals.lock().unwrap();
    let pid = process::own_pid();
    pidfd::queue_to_process(pid, &SigInfo::queued(Signal::SIGTERM, pid, 0, 1)).unwrap();
    wait_until("it has taken the signal", || !signal::pending().contains(Signal::SIGTERM));
    let generation = kicker.arm(TimerKey(7), clock::monotonic_ns());
    kicker.arm(TimerKey(8), clock::monotonic_ns() + 3_600_000_000_000);
    let mut found = Vec::new();
    for _ in 0..2 {
        kicker.expire_timers(|expired| found.push((expired.key, expired.generation)));
    }
    assert_eq!(found, [(TimerKey(7), generation)]);
    drop(signals);
    wait_until("the signal has come", || rig.notes.signals.lock().unwrap().len() == 1);
    kicker.settle();
    assert!(rig.notes.expired.lock().unwrap().is_empty());
}

fn the_watchdog_fires_for_the_run_that_hangs() {
    let rig = Rig::with(ProcessKind::Initial, Some(100_000_000));
    let mut vcpu = rig.machine.create_vcpu(&rig.proof).unwrap();
    let mut live = rig.preemption.enlist(vcpu.id(), Role::Bootstrap, TaskRole::Bootstrap);
    // A storm of kicks does not keep a hanging run alive: it is resumed, not begun anew.
    let kicker = rig.preemption.kicker().clone();
    let id = vcpu.id();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let storm = thread::spawn(Role::Pool, "storm", &rig.proof, move |_proof| {
        while stopped.recv_timeout(Duration::from_millis(2)).is_err() {
            kicker.request(id, KickCause::Doorbell);
        }
    });
    let began = clock::monotonic_ns();
    let mut resumed = 0;
    loop {
        live.watched.enter();
        assert!(matches!(vcpu.run().unwrap(), VcpuExit::Canceled { .. }));
        match live.watched.verdict() {
            WatchdogVerdict::Quiet => resumed += 1,
            WatchdogVerdict::Expired => break,
            WatchdogVerdict::Stale => panic!("this run never ended"),
        }
    }
    assert!(clock::monotonic_ns() - began >= 100_000_000, "fired early");
    assert!(resumed > 2);
    stop.send(()).unwrap();
    storm.unwrap().join().unwrap();
    assert_eq!(rig.count(ProcessCounter::WatchdogsFired), 1);
    assert_eq!(rig.notes.overruns.lock().unwrap().len(), 1);
}

fn own_kicks_are_counted() {
    let rig = Rig::new();
    let mut vcpu = rig.machine.create_vcpu(&rig.proof).unwrap();
    let live = rig.preemption.enlist(vcpu.id(), Role::Bootstrap, TaskRole::Bootstrap);
    rig.preemption.kick_others(vcpu.id(), KickCause::ExitGroup);
    assert_eq!(rig.count(ProcessCounter::SelfKicks), 0);
    rig.preemption.kicker().request(vcpu.id(), KickCause::ExitGroup);
    assert_eq!(rig.count(ProcessCounter::SelfKicks), 1);
    assert!(matches!(vcpu.run().unwrap(), VcpuExit::Canceled { .. }));
    drop(live);
}

fn shutting_down_twice_leaves_nothing() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    for _ in 0..20 {
        let rig = Rig::new();
        let file = rig.directory.file_of(process::own_pid());
        assert!(file.exists());
        rig.preemption.shut_down();
        rig.preemption.shut_down();
        assert!(!file.exists());
        wait_until("the host has forgotten the threads", || thread::own_tasks().unwrap().len() == 1);
    }
    assert_eq!(descriptors(), before);
}
