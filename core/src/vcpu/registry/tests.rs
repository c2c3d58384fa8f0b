//! The registry against a model, with a machine that only remembers what it was asked.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

/// Keeps the set of vCPUs that exist, and counts kicks of ones that do not.
#[derive(Default)]
struct Recorder {
    alive: Mutex<BTreeSet<VcpuId>>,
    arrays: Mutex<Vec<Vec<VcpuId>>>,
    kicked: AtomicU64,
    kicked_dead: AtomicU64,
}

impl Recorder {
    fn exit_vcpus(&self, ids: &[VcpuId]) -> Result<(), VcpuError> {
        let alive = self.alive.lock().unwrap();
        self.kicked.fetch_add(ids.len() as u64, Ordering::Relaxed);
        let dead = ids.iter().filter(|id| !alive.contains(id)).count();
        self.kicked_dead.fetch_add(dead as u64, Ordering::Relaxed);
        drop(alive);
        let mut arrays = self.arrays.lock().unwrap();
        if arrays.len() < 64 {
            arrays.push(ids.to_vec());
        }
        Ok(())
    }
}

const fn request(targets: KickTargets, cause: KickCause) -> KickRequest {
    KickRequest { targets, cause }
}

#[test]
fn one_array_call_names_each_live_vcpu_once_and_zero_is_a_handle() {
    let registry = Registry::new();
    let machine = Recorder::default();
    let _zero = registry.register(VcpuId(0), Role::Bootstrap);
    let _five = registry.register(VcpuId(5), Role::Worker);
    drop(registry.register(VcpuId(6), Role::Worker));
    let requests = [
        request(KickTargets::All, KickCause::Doorbell),
        request(KickTargets::One(VcpuId(0)), KickCause::Timer),
        request(KickTargets::One(VcpuId(6)), KickCause::GuestSignal),
        request(KickTargets::AllExcept(VcpuId(0)), KickCause::ExitGroup),
    ];
    let kicked = registry.kick(&requests, |ids| machine.exit_vcpus(ids)).unwrap();
    assert_eq!(*machine.arrays.lock().unwrap(), [[VcpuId(0), VcpuId(5)]]);
    assert_eq!(kicked.vcpus, 2);
    assert_eq!(kicked.by_cause[KickCause::Doorbell as usize], 2);
    assert_eq!(kicked.by_cause[KickCause::Timer as usize], 1);
    assert_eq!(kicked.by_cause[KickCause::GuestSignal as usize], 0);
    assert_eq!(kicked.by_cause[KickCause::ExitGroup as usize], 1);
}

#[test]
fn a_request_without_a_live_target_calls_nothing() {
    let registry = Registry::new();
    let machine = Recorder::default();
    let kicked =
        registry.kick(&[request(KickTargets::All, KickCause::Doorbell)], |ids| machine.exit_vcpus(ids)).unwrap();
    assert_eq!(kicked, Kicked::default());
    assert!(machine.arrays.lock().unwrap().is_empty());
}

#[test]
fn own_vcpus_are_recognised_by_their_thread() {
    let registry = Registry::new();
    let _own = registry.register(VcpuId(1), Role::Bootstrap);
    let tid = thread::gettid();
    assert!(registry.names_own(VcpuId(1).into(), tid));
    assert!(registry.names_own(KickTargets::All, tid));
    assert!(!registry.names_own(KickTargets::AllExcept(VcpuId(1)), tid));
    assert!(!registry.names_own(KickTargets::All, Tid(tid.0 + 1)));
}

/// Threads create, register, unregister and destroy vCPUs while two others kick all of them. No kick may name a vCPU that
/// does not exist: that is what takes a host down on the real hypervisor.
#[test]
fn a_kick_never_names_a_destroyed_vcpu() {
    const ROUNDS: u64 = 3000;
    let registry = Registry::new();
    let machine = Recorder::default();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3u64)
            .map(|worker| {
                let (registry, machine) = (&registry, &machine);
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let id = VcpuId(worker * ROUNDS + round);
                        machine.alive.lock().unwrap().insert(id);
                        let registration = registry.register(id, Role::Worker);
                        std::thread::yield_now();
                        drop(registration);
                        machine.alive.lock().unwrap().remove(&id);
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    registry
                        .kick(&[request(KickTargets::All, KickCause::Doorbell)], |ids| machine.exit_vcpus(ids))
                        .unwrap();
                }
            });
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        done.store(true, Ordering::Release);
    });
    assert_eq!(machine.kicked_dead.load(Ordering::Relaxed), 0);
    assert!(machine.kicked.load(Ordering::Relaxed) > 0, "the kickers never found a vCPU");
    assert_eq!(registry.live(), []);
}
