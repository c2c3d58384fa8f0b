//! Every control breaks what it says, and the checks of this folder see it. Only in builds with the feature `controls`.

#[cfg(not(feature = "controls"))]
pub(crate) const CASES: &[crate::Case] = &[];

#[cfg(feature = "controls")]
pub(crate) use with_controls::CASES;

#[cfg(feature = "controls")]
mod with_controls {
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use elfuse::host::thread::{self, Role};
    use elfuse::host::{clock, process, signal};
    use elfuse::preempt::stats::{ProcessCounter, ProcessKind, TaskCounter, TaskRole};
    use elfuse::preempt::transport::ring_thread;
    use elfuse::preempt::{KickCause, KickTargets, WatchdogVerdict};
    use elfuse::vcpu::Machine;

    use crate::Case;
    use crate::rig::{Rig, Worker, holds_soon, wait_until};

    /// How long something must fail to happen before a case believes that it never will.
    const NEVER: Duration = Duration::from_millis(300);

    macro_rules! controlled {
        ($($name:ident: $control:literal),* $(,)?) => {
            &[$(Case { name: stringify!($name), body: $name, control: Some($control) }),*]
        };
    }

    pub(crate) const CASES: &[Case] = controlled![
        an_open_bootstrap_mask_shows: "mask-bootstrap",
        an_open_worker_mask_shows: "mask-worker",
        an_open_fork_child_mask_shows: "mask-fork-child",
        an_open_pool_mask_shows: "mask-pool",
        a_kick_from_a_handler_shows: "kick-from-handler",
        a_single_handle_shows: "single-handle-registry",
        a_child_without_kick_thread_shows: "child-without-kick-thread",
        a_lost_wakeup_shows: "lost-wakeup",
        a_stale_watchdog_shows: "stale-watchdog",
    ];

    /// The role's thread shows as open, it alone, and a directed doorbell runs the handler inside its run.
    fn open_mask_shows(role: Role) {
        let rig = Rig::new();
        let worker = rig.worker(role);
        let open: Vec<_> =
            thread::own_tasks().unwrap().into_iter().filter(|task| !task.keeps_the_invariant()).collect();
        assert_eq!(open.iter().map(|task| task.tid).collect::<Vec<_>>(), [worker.tid()]);
        wait_until("a run ends as UNKNOWN", || {
            ring_thread(process::own_pid(), worker.tid()).unwrap();
            worker.state.unknown.load(Ordering::Acquire) > 0
        });
        worker.stop();
    }

    fn an_open_bootstrap_mask_shows() {
        open_mask_shows(Role::Bootstrap);
    }

    fn an_open_worker_mask_shows() {
        open_mask_shows(Role::Worker);
    }

    fn an_open_fork_child_mask_shows() {
        open_mask_shows(Role::ForkChildBootstrap);
    }

    fn an_open_pool_mask_shows() {
        let rig = Rig::new();
        let open = || -> Vec<_> {
            thread::own_tasks().unwrap().into_iter().filter(|task| !task.keeps_the_invariant()).collect()
        };
        rig.sender().send_null().unwrap();
        wait_until("the transport thread has started", || !open().is_empty());
        let open = open();
        assert_eq!(open.iter().map(|task| task.name.as_str()).collect::<Vec<_>>(), ["elfuse-transpor"]);
        ring_thread(process::own_pid(), open[0].tid).unwrap();
        wait_until("a stray handler is counted", || rig.count(ProcessCounter::StrayHandlers) > 0);
    }

    fn a_kick_from_a_handler_shows() {
        let rig = Rig::new();
        let mut vcpu = rig.machine.create_vcpu(&rig.proof).unwrap();
        let proof = thread::adopt(Role::Bootstrap);
        let live = rig.preemption.enlist(vcpu.id(), Role::Bootstrap, TaskRole::Bootstrap);
        let tid = thread::gettid();
        thread::spawn(Role::Log, "ringer", &proof, move |_proof| {
            std::thread::sleep(Duration::from_millis(20));
            ring_thread(process::own_pid(), tid)
        })
        .unwrap();
        assert!(matches!(vcpu.run().unwrap(), elfuse::vcpu::VcpuExit::Unknown(3)));
        assert_eq!((live.stats.get(TaskCounter::HandlersInsideRun), live.stats.get(TaskCounter::SelfKicks)), (1, 1));
        assert!(signal::verify_kick_set().is_err());
    }

    fn a_single_handle_shows() {
        let rig = Rig::new();
        let first = rig.worker(Role::Bootstrap);
        let last = rig.worker(Role::Worker);
        rig.preemption.kicker().request(KickTargets::All, KickCause::Doorbell);
        wait_until("the last one is kicked", || last.canceled() > 0);
        assert!(!holds_soon(NEVER, || first.canceled() > 0));
        std::process::exit(0); // the first worker cannot be stopped any more, which is the point
    }

    fn a_child_without_kick_thread_shows() {
        let rig = Rig::with(ProcessKind::ForkChild, None);
        let worker = rig.worker(Role::Worker);
        rig.preemption.kicker().request(KickTargets::All, KickCause::Doorbell);
        assert!(!holds_soon(NEVER, || worker.canceled() > 0));
        std::process::exit(0); // nobody can stop the worker, which is the point
    }

    fn a_lost_wakeup_shows() {
        let rig = Rig::new();
        let worker: Worker = rig.worker(Role::Worker);
        rig.preemption.kicker().request(worker.id(), KickCause::GuestSignal);
        assert!(!holds_soon(NEVER, || worker.canceled() > 0));
        worker.stop();
    }

    fn a_stale_watchdog_shows() {
        let rig = Rig::with(ProcessKind::Initial, Some(50_000_000));
        let mut live = {
            let vcpu = rig.machine.create_vcpu(&rig.proof).unwrap();
            rig.preemption.enlist(vcpu.id(), Role::Bootstrap, TaskRole::Bootstrap)
        };
        // Many short runs, none of them near the limit.
        let began = clock::monotonic_ns();
        wait_until("a short run is taken for a hanging one", || {
            live.watched.enter();
            let verdict = live.watched.verdict();
            live.watched.leave();
            verdict == WatchdogVerdict::Expired
        });
        assert!(clock::monotonic_ns() - began >= 50_000_000);
    }
}
